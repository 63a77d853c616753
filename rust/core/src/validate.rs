//! The walk over a payload: one pass over the bytes, driven by the schema's tables, into a sink.

use crate::error::{Fault, Kind};
use crate::format::number::Integral;
use crate::format::{datetime, step, uri};
use crate::scan::{Begins, Cursor, MAX_DEPTH, Text};
use crate::schema::{Bounds, Enumeration, FieldKind, ObjectType, Schema};
use crate::sink::{Sink, Stop};

/// Lengths that a connection raised: (type, field) -> maxLength. Asked only after the schema's own check has failed.
pub type Limits = std::collections::HashMap<(u32, u16), u32>;

/// Walks payloads of one text into a sink.
pub struct Walker<'s, 'a, S: Sink> {
    pub schema: &'s Schema,
    pub limits: Option<&'s Limits>,
    pub cursor: Cursor<'a>,
    pub sink: &'s mut S,
}

/// A field as a value's rules need it: where it stands and under which draft.
#[derive(Clone, Copy)]
struct Place {
    of: u32,
    index: usize,
    draft4: bool,
}

impl<'a, S: Sink> Walker<'_, 'a, S> {
    /// Reads an object of the type `which`; the cursor is at its opening brace.
    pub fn object(&mut self, which: u32) -> Result<S::Value, Stop> {
        let schema = self.schema;
        let of = &schema.types[which as usize];
        self.cursor.open()?;
        let mut object = self.sink.object(of, which)?;
        let mut seen = 0u128;
        if !self.cursor.closes(b'}') {
            let mut previous = None;
            loop {
                match self.key(of, previous)? {
                    Key::Field(index, at) => {
                        let bit = 1u128 << index;
                        if seen & bit != 0 {
                            self.sink.enter_field(of, index);
                            return Err(Fault::new(Kind::DuplicateKey, at).into());
                        }
                        seen |= bit;
                        self.sink.enter_field(of, index);
                        let value = self.field(of, which, index)?;
                        self.sink.leave();
                        self.sink.field(&mut object, of, index, value)?;
                        previous = Some(index);
                    }
                    Key::Entry(key) => {
                        self.sink.enter_entry(&key);
                        let value = self.any()?;
                        self.sink.leave();
                        self.sink.entry(&mut object, &key, value)?;
                    }
                    Key::Unknown(key, at) => {
                        self.sink.enter_entry(&key);
                        return Err(Fault::new(Kind::UnknownKey, at).into());
                    }
                }
                if !self.cursor.more(b'}')? {
                    break;
                }
                self.cursor.skip_space();
            }
        }
        if of.required & !seen != 0 {
            let index = (of.required & !seen).trailing_zeros() as usize;
            self.sink.enter_field(of, index);
            return Err(Fault::new(Kind::Missing, self.cursor.at - 1).into());
        }
        self.sink.finish(object, of)
    }

    /// Reads a key with its colon. The sender's usual order is tried first.
    #[inline]
    fn key(&mut self, of: &ObjectType, previous: Option<usize>) -> Result<Key<'a>, Stop> {
        let at = self.cursor.at;
        if !of.fields.is_empty() {
            let index = of.predict(previous);
            let literal = &of.fields[index].literal;
            if self.cursor.text[at..].starts_with(literal) {
                self.cursor.at = at + literal.len();
                return Ok(Key::Field(index, at));
            }
        }
        self.key_slowly(of, previous, at)
    }

    #[inline(never)]
    fn key_slowly(&mut self, of: &ObjectType, previous: Option<usize>, at: usize) -> Result<Key<'a>, Stop> {
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.unexpected().into());
        }
        let key = self.cursor.string()?;
        let Some(index) = of.find(&key.bytes()) else {
            // A key that nobody knows is refused before anything after it is read.
            if !of.open {
                return Ok(Key::Unknown(key, at));
            }
            self.cursor.colon()?;
            return Ok(Key::Entry(key));
        };
        if index != of.predict(previous) {
            of.learn(previous, index);
        }
        // One that was given before is refused as early, so its colon waits for `field`.
        Ok(Key::Field(index, at))
    }

    #[inline]
    fn field(&mut self, of: &ObjectType, which: u32, index: usize) -> Result<S::Value, Stop> {
        let field = &of.fields[index];
        let place = Place { of: which, index, draft4: of.draft4 };
        // The predicted key has passed its colon, another one not yet.
        if self.cursor.text[self.cursor.at - 1] != b':' {
            self.cursor.colon()?;
        }
        match field.items {
            None => self.value(&field.kind, place),
            Some(bounds) => self.list(&field.kind, place, bounds),
        }
    }

    fn list(&mut self, kind: &FieldKind, place: Place, bounds: Bounds) -> Result<S::Value, Stop> {
        if self.cursor.value_begins()? != Begins::Array {
            return Err(self.wrong_type());
        }
        self.cursor.open()?;
        let mut list = self.sink.list()?;
        let mut count = 0;
        if !self.cursor.closes(b']') {
            loop {
                if count == bounds.most {
                    self.cursor.value_begins()?;
                    return Err(Fault::new(Kind::TooMany, self.cursor.at).into());
                }
                self.sink.enter_item(count as usize);
                let value = self.value(kind, place)?;
                self.sink.leave();
                self.sink.item(&mut list, value)?;
                count += 1;
                if !self.cursor.more(b']')? {
                    break;
                }
            }
        }
        if count < bounds.least {
            return Err(Fault::new(Kind::TooFew, self.cursor.at - 1).into());
        }
        self.sink.finish_list(list)
    }

    #[inline]
    fn value(&mut self, kind: &FieldKind, place: Place) -> Result<S::Value, Stop> {
        let begins = self.cursor.value_begins()?;
        let at = self.cursor.at;
        match kind {
            FieldKind::String { max } => {
                let text = self.text(begins)?;
                self.length(&text, *max, place, at)?;
                self.sink.string(&text)
            }
            FieldKind::Enumeration(which) => {
                let text = self.text(begins)?;
                let schema = self.schema;
                let values: &Enumeration = &schema.enums[*which as usize];
                let found = if text.escaped { values.find(&text.bytes()) } else { values.find(text.raw) };
                match found {
                    Some(index) => self.sink.enumeration(values, *which, index),
                    None => Err(Fault::new(Kind::Enum, at).into()),
                }
            }
            FieldKind::DateTime => {
                let text = self.text(begins)?;
                let value = if text.escaped { datetime::parse(&text.bytes()) } else { datetime::parse(text.raw) };
                match value {
                    Some(value) => self.sink.datetime(&value),
                    None => Err(Fault::new(Kind::Format, at).into()),
                }
            }
            FieldKind::Object(which) if begins == Begins::Object => self.object(*which),
            FieldKind::Integer { min, max } if begins == Begins::Number => self.integer(*min, *max, place.draft4, at),
            FieldKind::Number { min, max, step } if begins == Begins::Number => {
                let number = self.cursor.number()?;
                let Some(value) = number.float() else {
                    return Err(Fault::new(Kind::NumberRange, at).into());
                };
                if value < *min {
                    return Err(Fault::new(Kind::Minimum, at).into());
                }
                if value > *max {
                    return Err(Fault::new(Kind::Maximum, at).into());
                }
                if let Some(step) = step
                    && !step::is_multiple(number.text, step)
                {
                    return Err(Fault::new(Kind::MultipleOf, at).into());
                }
                self.sink.number(value)
            }
            FieldKind::Boolean if begins == Begins::Literal => match self.cursor.literal()? {
                Some(value) => self.sink.boolean(value),
                None => Err(Fault::new(Kind::Null, at).into()),
            },
            FieldKind::Uri { max } => {
                let text = self.text(begins)?;
                if !uri::is_valid(&text.bytes()) {
                    return Err(Fault::new(Kind::Format, at).into());
                }
                self.length(&text, *max, place, at)?;
                self.sink.string(&text)
            }
            FieldKind::Any => self.any(),
            _ => Err(self.wrong_type()),
        }
    }

    #[inline]
    fn text(&mut self, begins: Begins) -> Result<Text<'a>, Stop> {
        if begins == Begins::String { Ok(self.cursor.string()?) } else { Err(self.wrong_type()) }
    }

    #[inline]
    fn length(&self, text: &Text<'_>, max: u32, place: Place, at: usize) -> Result<(), Stop> {
        if text.length > max as usize && !self.raised(place, text.length) {
            return Err(Fault::new(Kind::Length, at).into());
        }
        Ok(())
    }

    #[cold]
    fn raised(&self, place: Place, length: usize) -> bool {
        let raised = self.limits.and_then(|limits| limits.get(&(place.of, place.index as u16)));
        raised.is_some_and(|max| length <= *max as usize)
    }

    #[inline]
    fn integer(&mut self, min: i64, max: i64, draft4: bool, at: usize) -> Result<S::Value, Stop> {
        let number = self.cursor.number()?;
        let value = match number.plain {
            true => number.integer().ok_or(Fault::new(Kind::NumberRange, at))?,
            false if draft4 => return Err(Fault::new(Kind::Type, at).into()),
            false => match number.integral() {
                Integral::Value(value) => value,
                Integral::TooLarge => return Err(Fault::new(Kind::NumberRange, at).into()),
                Integral::No => return Err(Fault::new(Kind::Type, at).into()),
            },
        };
        if value < min {
            return Err(Fault::new(Kind::Minimum, at).into());
        }
        if value > max {
            return Err(Fault::new(Kind::Maximum, at).into());
        }
        self.sink.integer(value)
    }

    /// The fault of a value whose first byte is of a wrong type; a literal is read to its end first.
    #[cold]
    pub fn wrong_type(&mut self) -> Stop {
        let at = self.cursor.at;
        if self.cursor.peek().is_some_and(|byte| matches!(byte, b't' | b'f' | b'n')) {
            match self.cursor.literal() {
                Ok(None) => return Fault::new(Kind::Null, at).into(),
                Ok(Some(_)) => {}
                Err(fault) => return fault.into(),
            }
        }
        Fault::new(Kind::Type, at).into()
    }

    /// Reads any JSON value. The depth limit bounds the recursion.
    pub fn any(&mut self) -> Result<S::Value, Stop> {
        debug_assert!(self.cursor.depth <= MAX_DEPTH);
        let begins = self.cursor.value_begins()?;
        let at = self.cursor.at;
        match begins {
            Begins::String => {
                let text = self.cursor.string()?;
                self.sink.string(&text)
            }
            Begins::Number => {
                let number = self.cursor.number()?;
                let out_of_range = Fault::new(Kind::NumberRange, at);
                if number.plain {
                    self.sink.integer(number.integer().ok_or(out_of_range)?)
                } else {
                    self.sink.number(number.float().ok_or(out_of_range)?)
                }
            }
            Begins::Literal => match self.cursor.literal()? {
                Some(value) => self.sink.boolean(value),
                None => self.sink.null(),
            },
            Begins::Array => self.any_list(),
            Begins::Object => self.any_object(),
            Begins::Nothing => Err(self.cursor.unexpected().into()),
        }
    }

    fn any_list(&mut self) -> Result<S::Value, Stop> {
        self.cursor.open()?;
        let mut list = self.sink.list()?;
        if !self.cursor.closes(b']') {
            let mut count = 0;
            loop {
                self.sink.enter_item(count);
                let value = self.any()?;
                self.sink.leave();
                self.sink.item(&mut list, value)?;
                count += 1;
                if !self.cursor.more(b']')? {
                    break;
                }
            }
        }
        self.sink.finish_list(list)
    }

    /// Reads a free-form object; the cursor is at its opening brace. Of equal keys the last one wins.
    pub fn any_object(&mut self) -> Result<S::Value, Stop> {
        self.cursor.open()?;
        let mut object = self.sink.dict()?;
        if !self.cursor.closes(b'}') {
            loop {
                self.cursor.skip_space();
                if self.cursor.peek() != Some(b'"') {
                    return Err(self.cursor.unexpected().into());
                }
                let key = self.cursor.string()?;
                self.cursor.colon()?;
                self.sink.enter_entry(&key);
                let value = self.any()?;
                self.sink.leave();
                self.sink.entry(&mut object, &key, value)?;
                if !self.cursor.more(b'}')? {
                    break;
                }
            }
        }
        self.sink.finish_dict(object)
    }
}

enum Key<'a> {
    /// A field of the type, and where its key stands.
    Field(usize, usize),
    /// A further key of an open object, its colon passed.
    Entry(Text<'a>),
    /// A key that the type does not know.
    Unknown(Text<'a>, usize),
}
