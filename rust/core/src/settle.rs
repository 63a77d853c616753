//! A fault that need not end the walk: a sink that knows a policy may let a scalar pass, leave it out or read another text in its place, and pass
//! over a key that the schema does not know. Nothing here runs but behind a fault, and nothing at all for a sink that settles nothing.

use crate::error::{Fault, Kind};
use crate::scan::{Begins, Cursor, Stop, Text};
use crate::schema::{Field, FieldKind};
use crate::simd::Bytes;
use crate::sink::{Check, Place, Settlement, Sink};
use crate::validate::Walker;

/// What came of a value at fault, and the place behind it.
pub(crate) enum Settled<V> {
    Value(V, usize),
    Absent(usize),
}

/// The faults that a value has as a whole, at its first byte.
const fn of_a_scalar(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Type
            | Kind::Null
            | Kind::Enum
            | Kind::Format
            | Kind::Length
            | Kind::Minimum
            | Kind::Maximum
            | Kind::MultipleOf
            | Kind::NumberRange
    )
}

impl<'s, 'a, S: Sink> Walker<'s, 'a, S> {
    /// What the sink makes of the fault that has just ended the reading of a scalar at `at`: the value of a field, or an item of its list. Stops, the
    /// fault as it was, where it is no such fault or is refused.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle(&mut self, field: &Field, at: usize, in_item: bool) -> Result<Settled<S::Value>, Stop> {
        let fault = self.cursor.fault.filter(|fault| of_a_scalar(fault.kind)).ok_or(Stop)?;
        // A step on the trail leads to another value, inside this one.
        if !self.trail.is_empty() || crate::scan::skip_space(self.cursor.text, at) != fault.offset {
            return Err(Stop);
        }
        let (token, end, text) = scalar(self.cursor.text, fault.offset)?;
        let place = Place { of: field.of, field: Some(field.index), in_item };
        match self.sink.settle(fault, place, token) {
            Settlement::Refuse => Err(Stop),
            Settlement::LeaveOut if in_item => Err(Stop),
            Settlement::LeaveOut => {
                self.settlements += 1;
                self.cursor.fault = None;
                Ok(Settled::Absent(end))
            }
            Settlement::Keep => {
                self.settlements += 1;
                self.cursor.fault = None;
                let value = match (text, fault.kind, &field.kind) {
                    (Some(text), ..) => self.sink.string(&text)?,
                    (None, Kind::Minimum | Kind::Maximum, FieldKind::Integer { .. }) => {
                        let (value, ..) = self.long_integer(field, fault.offset)?;
                        self.sink.integer(value)?
                    }
                    // A value beyond its limits could also lie between two steps.
                    (None, Kind::Minimum | Kind::Maximum, FieldKind::Number { step: None, .. })
                    | (None, Kind::MultipleOf, FieldKind::Number { .. }) => {
                        let (value, ..) = self.long_number(fault.offset)?;
                        self.sink.number(value)?
                    }
                    _ => return self.cursor.fail(fault.kind, fault.offset),
                };
                Ok(Settled::Value(value, end))
            }
            Settlement::Read(other) => {
                let value = self.read_instead(field, &other, in_item, fault)?;
                Ok(Settled::Value(value, end))
            }
        }
    }

    /// Reads a value from another text, by the same rules.
    fn read_instead(&mut self, field: &Field, other: &[u8], in_item: bool, fault: Fault) -> Result<S::Value, Stop> {
        let cursor = Cursor { text: Bytes::new(other), at: 0, depth: self.cursor.depth, fault: None };
        let mut walker = Walker::new(self.schema, self.limits, cursor, &mut *self.sink);
        match walker.whole_value(field, in_item) {
            Ok(value) => {
                self.settlements += 1;
                self.cursor.fault = None;
                Ok(value)
            }
            Err(Stop) => {
                // A fault in there is the fault that was; without one the sink gave up.
                self.cursor.fault = walker.cursor.fault.map(|_| fault);
                Err(Stop)
            }
        }
    }

    /// Passes over a key that the type `of` does not know, and its value, if the sink lets it; the cursor stands behind the key. The place behind
    /// them. Stops, the fault as it was, where that cannot be.
    #[cold]
    #[inline(never)]
    pub(crate) fn pass_over(&mut self, of: u32, key: usize) -> Result<usize, Stop> {
        let fault = self.cursor.fault.ok_or(Stop)?;
        let token = &self.cursor.text.all()[key..self.cursor.at];
        if self.sink.settle(fault, Place { of, field: None, in_item: false }, token) != Settlement::Keep {
            return Err(Stop);
        }
        let mut check = Check;
        let mut walker = Walker::new(self.schema, None, self.cursor.clone(), &mut check);
        walker.cursor.colon()?;
        walker.any()?;
        self.cursor.at = walker.cursor.at;
        self.settlements += 1;
        self.cursor.fault = None;
        Ok(self.cursor.at)
    }
}

/// The scalar at a place: all of its text, the place behind it, and what a string says.
fn scalar(text: Bytes<'_>, at: usize) -> Result<(&[u8], usize, Option<Text<'_>>), Stop> {
    let mut cursor = Cursor { text, at, depth: 0, fault: None };
    let string = match cursor.value_begins()? {
        Begins::String => Some(cursor.string()?),
        Begins::Number => {
            cursor.number()?;
            None
        }
        Begins::Literal => {
            cursor.literal()?;
            None
        }
        _ => return Err(Stop),
    };
    Ok((&text.all()[at..cursor.at], cursor.at, string))
}
