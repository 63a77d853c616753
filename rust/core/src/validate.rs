//! The walk over a payload: one pass over the bytes, driven by the schema's tables, into a sink.

use std::ops::{BitAnd, BitOrAssign, Not};

use crate::error::Kind;
use crate::format::number::Integral;
use crate::format::{datetime, step, uri};
use crate::scan::{
    Begins, Cursor, MAX_DEPTH, Stop, Text, begins, byte_at, plain_until, short_decimal, short_integer, skip_space,
};
use crate::schema::{Bounds, Enumeration, Field, FieldKind, ObjectType, Schema, Style};
use crate::sink::Sink;

/// Lengths that a connection raised: (type, field) -> maxLength. Asked only after the schema's own check has failed.
pub type Limits = std::collections::HashMap<(u32, u16), u32>;

/// Walks payloads of one text into a sink.
pub struct Walker<'s, 'a, S: Sink> {
    pub schema: &'s Schema,
    pub limits: Option<&'s Limits>,
    pub cursor: Cursor<'a>,
    pub sink: &'s mut S,
    /// How the sender seems to write.
    pub(crate) style: Style,
}

/// A set of fields, one bit each.
trait Bits: Copy + Eq + Into<u128> + BitAnd<Output = Self> + BitOrAssign + Not<Output = Self> {
    fn of(bits: u128) -> Self;
}

impl Bits for u64 {
    #[inline(always)]
    fn of(bits: u128) -> Self {
        bits as u64
    }
}

impl Bits for u128 {
    #[inline(always)]
    fn of(bits: u128) -> Self {
        bits
    }
}

/// What stands where a key may.
enum Key<'s, 'a> {
    /// A field of the type, and where its key stands; the colon has not been passed.
    Field(&'s Field, usize),
    /// A further key of an open object, its colon passed.
    Entry(Text<'a>),
    /// A key that the type does not know, and where it stands.
    Unknown(Text<'a>, usize),
    /// The closing brace, passed.
    End,
}

impl<'s, 'a, S: Sink> Walker<'s, 'a, S> {
    pub fn new(schema: &'s Schema, limits: Option<&'s Limits>, cursor: Cursor<'a>, sink: &'s mut S) -> Self {
        Self { schema, limits, cursor, sink, style: Style::Compact }
    }

    /// Reads an object of the type `which`, whose opening brace is at `at`; the value and the place behind it. The depth limit bounds the
    /// recursion.
    ///
    /// The place is handed from call to call, so that it stays in a register; the cursor follows where something unusual stands.
    #[inline(always)]
    pub fn object(&mut self, which: u32, brace: usize) -> Result<(S::Value, usize), Stop> {
        let schema = self.schema;
        let of = &schema.types[which as usize];
        if byte_at(self.cursor.text, brace + 1) == b'}' && of.required == 0 && self.cursor.depth < MAX_DEPTH {
            let object = self.sink.object(of, which)?;
            return Ok((self.sink.finish(object, 0)?, brace + 2));
        }
        // One word holds the bits of nearly every type's fields.
        if of.fields.len() <= u64::BITS as usize {
            self.fields_of::<u64>(of, which, brace)
        } else {
            self.fields_of::<u128>(of, which, brace)
        }
    }

    #[inline(never)]
    fn fields_of<B: Bits>(&mut self, of: &'s ObjectType, which: u32, brace: usize) -> Result<(S::Value, usize), Stop> {
        let text = self.cursor.text;
        if self.cursor.depth == MAX_DEPTH {
            return self.cursor.fail(Kind::Depth, brace);
        }
        self.cursor.depth += 1;
        let mut object = self.sink.object(of, which)?;
        let mut seen = B::of(0);
        let mut at = brace + 1;
        let (mut previous, mut first) = (None, true);
        let mut predicted = of.predicted_first(self.style, text, brace);
        loop {
            let field = match predicted {
                Some((field, value)) => {
                    if seen & B::of(field.bit) != B::of(0) {
                        return self.duplicate(of, field, key_between(text, at, value));
                    }
                    at = value;
                    field
                }
                None => match self.key(of, previous, first, at)? {
                    Key::Field(field, key) => {
                        if seen & B::of(field.bit) != B::of(0) {
                            return self.duplicate(of, field, key);
                        }
                        self.cursor.colon()?;
                        self.style = if self.cursor.byte() == b' ' { Style::Spaced } else { Style::Compact };
                        at = self.cursor.at;
                        field
                    }
                    Key::End => {
                        at = self.cursor.at;
                        break;
                    }
                    Key::Entry(key) => {
                        self.sink.enter_entry(&key);
                        let value = self.any()?;
                        self.sink.leave();
                        self.sink.entry(&mut object, &key, value)?;
                        at = self.cursor.at;
                        first = false; // what comes behind an entry is looked up, not predicted
                        continue;
                    }
                    Key::Unknown(key, at) => {
                        self.sink.enter_entry(&key);
                        return self.cursor.fail(Kind::UnknownKey, at);
                    }
                },
            };
            seen |= B::of(field.bit);
            self.sink.enter_field(of, usize::from(field.index));
            let value;
            (value, at) = match field.items {
                None => self.value(field, at)?,
                Some(bounds) => self.list(field, bounds, at)?,
            };
            self.sink.leave();
            self.sink.field(&mut object, of, usize::from(field.index), value)?;
            if byte_at(text, at) == b'}' {
                at += 1;
                self.cursor.depth -= 1;
                break;
            }
            (previous, first) = (Some(field), false);
            predicted = of.predicted(self.style, field, text, at);
        }
        if B::of(of.required) & !seen != B::of(0) {
            return self.missing(of, seen.into(), at - 1);
        }
        Ok((self.sink.finish(object, seen.into())?, at))
    }

    #[cold]
    fn duplicate<T>(&mut self, of: &ObjectType, field: &Field, at: usize) -> Result<T, Stop> {
        self.sink.enter_field(of, usize::from(field.index));
        self.cursor.fail(Kind::DuplicateKey, at)
    }

    #[cold]
    fn missing<T>(&mut self, of: &ObjectType, seen: u128, at: usize) -> Result<T, Stop> {
        let index = (of.required & !seen).trailing_zeros() as usize;
        self.sink.enter_field(of, index);
        self.cursor.fail(Kind::Missing, at)
    }

    /// Reads the next key, or the end of the object, where the prediction failed. `previous` is the field before it, if there was one.
    #[inline(never)]
    fn key(
        &mut self,
        of: &'s ObjectType,
        previous: Option<&Field>,
        first: bool,
        at: usize,
    ) -> Result<Key<'s, 'a>, Stop> {
        self.cursor.at = at;
        if self.cursor.closes(b'}') {
            return Ok(Key::End);
        }
        if !first {
            if self.cursor.byte() != b',' {
                return self.cursor.unexpected(self.cursor.at);
            }
            self.cursor.at += 1;
            self.cursor.skip_space();
        }
        if self.cursor.byte() != b'"' {
            return self.cursor.unexpected(self.cursor.at);
        }
        let at = self.cursor.at;
        let key = self.cursor.string()?;
        let found = match key.escaped {
            false => of.find_in(self.cursor.text, at + 1, self.cursor.at - 1),
            true => of.find(&key.bytes()),
        };
        match found {
            Some(index) => {
                of.learn(previous, index);
                Ok(Key::Field(&of.fields[index], at))
            }
            // A key that nobody knows is refused before anything behind it is read.
            None if !of.open => Ok(Key::Unknown(key, at)),
            None => {
                self.cursor.colon()?;
                Ok(Key::Entry(key))
            }
        }
    }

    fn list(&mut self, field: &Field, bounds: Bounds, at: usize) -> Result<(S::Value, usize), Stop> {
        let text = self.cursor.text;
        let mut at = skip_space(text, at);
        if byte_at(text, at) != b'[' {
            return self.wrong_type(at);
        }
        self.cursor.at = at;
        self.cursor.open()?;
        let mut list = self.sink.list()?;
        let mut count = 0;
        at = skip_space(text, at + 1);
        if byte_at(text, at) == b']' {
            at += 1;
        } else {
            loop {
                if count == bounds.most {
                    self.cursor.at = at;
                    self.cursor.value_begins()?;
                    return self.cursor.fail(Kind::TooMany, self.cursor.at);
                }
                self.sink.enter_item(count as usize);
                let value;
                (value, at) = self.value(field, at)?;
                self.sink.leave();
                self.sink.item(&mut list, value)?;
                count += 1;
                at = skip_space(text, at);
                match byte_at(text, at) {
                    b',' => at += 1,
                    b']' => {
                        at += 1;
                        break;
                    }
                    _ => return self.cursor.unexpected(at),
                }
            }
        }
        self.cursor.depth -= 1;
        if count < bounds.least {
            return self.cursor.fail(Kind::TooFew, at - 1);
        }
        Ok((self.sink.finish_list(list)?, at))
    }

    #[inline(always)]
    fn value(&mut self, field: &Field, at: usize) -> Result<(S::Value, usize), Stop> {
        let text = self.cursor.text;
        let at = skip_space(text, at);
        let byte = byte_at(text, at);
        match &field.kind {
            FieldKind::String { max } => {
                let (string, end) = self.string(byte, at)?;
                self.length(&string, *max, field, at)?;
                Ok((self.sink.string(&string)?, end))
            }
            FieldKind::Enumeration(which) => {
                let schema = self.schema;
                let values = &schema.enums[*which as usize];
                if let Some((index, end)) = values.guessed(&field.value, text, at) {
                    return Ok((self.sink.enumeration(values.base + index)?, end));
                }
                let (index, end) = match values.find_string(text, at) {
                    Some(found) => found,
                    None => self.long_string_of(values, byte, at)?,
                };
                values.learn(&field.value, index);
                Ok((self.sink.enumeration(values.base + index)?, end))
            }
            FieldKind::DateTime => {
                let (string, end) = self.string(byte, at)?;
                let value = if string.escaped { datetime::parse(&string.bytes()) } else { datetime::parse(string.raw) };
                match value {
                    Some(value) => Ok((self.sink.datetime(&value)?, end)),
                    None => self.cursor.fail(Kind::Format, at),
                }
            }
            FieldKind::Object(which) => {
                if byte != b'{' {
                    return self.wrong_type(at);
                }
                self.object(*which, at)
            }
            FieldKind::Integer { min, max } => {
                let (value, end) = match short_integer(text, at) {
                    Some(found) => found,
                    None => self.long_integer(field, at)?,
                };
                if value < *min {
                    return self.cursor.fail(Kind::Minimum, at);
                }
                if value > *max {
                    return self.cursor.fail(Kind::Maximum, at);
                }
                Ok((self.sink.integer(value)?, end))
            }
            FieldKind::Number { min, max, step } => {
                let (value, end) = match short_decimal(text, at) {
                    Some(found) => found,
                    None => self.long_number(at)?,
                };
                if value < *min {
                    return self.cursor.fail(Kind::Minimum, at);
                }
                if value > *max {
                    return self.cursor.fail(Kind::Maximum, at);
                }
                if let Some(step) = step
                    && !step::is_multiple(&text[at..end], step)
                {
                    return self.cursor.fail(Kind::MultipleOf, at);
                }
                Ok((self.sink.number(value)?, end))
            }
            FieldKind::Boolean => {
                let value = self.boolean(at)?;
                Ok((self.sink.boolean(value)?, self.cursor.at))
            }
            FieldKind::Uri { max } => {
                let (string, end) = self.string(byte, at)?;
                if !uri::is_valid(&string.bytes()) {
                    return self.cursor.fail(Kind::Format, at);
                }
                self.length(&string, *max, field, at)?;
                Ok((self.sink.string(&string)?, end))
            }
            FieldKind::Any => {
                self.cursor.at = at;
                Ok((self.any()?, self.cursor.at))
            }
        }
    }

    /// The string at `at` and the place behind it.
    #[inline(always)]
    fn string(&mut self, byte: u8, at: usize) -> Result<(Text<'a>, usize), Stop> {
        if byte != b'"' {
            return self.wrong_type(at);
        }
        let text = self.cursor.text;
        let end = plain_until(text, at + 1);
        if byte_at(text, end) == b'"' {
            return Ok((Text::plain(&text[at + 1..end]), end + 1));
        }
        let string = self.cursor.string_slowly(at + 1, end)?;
        Ok((string, self.cursor.at))
    }

    /// The value of an enumeration that is not spelled in the usual way, or is none.
    #[inline(never)]
    fn long_string_of(&mut self, values: &Enumeration, byte: u8, at: usize) -> Result<(usize, usize), Stop> {
        let (string, end) = self.string(byte, at)?;
        let found = match string.escaped {
            false => values.names.find_in(self.cursor.text, at + 1, end - 1),
            true => values.names.find(&string.bytes()),
        };
        found.map_or_else(|| self.cursor.fail(Kind::Enum, at), |index| Ok((index, end)))
    }

    #[inline(never)]
    fn boolean(&mut self, at: usize) -> Result<bool, Stop> {
        self.cursor.at = at;
        if begins(self.cursor.byte()) != Begins::Literal {
            return self.wrong_type(at);
        }
        match self.cursor.literal()? {
            Some(value) => Ok(value),
            None => self.cursor.fail(Kind::Null, at),
        }
    }

    #[inline(always)]
    fn length(&mut self, text: &Text<'_>, max: u32, field: &Field, at: usize) -> Result<(), Stop> {
        if text.length > max && !self.raised(field, text.length) {
            return self.cursor.fail(Kind::Length, at);
        }
        Ok(())
    }

    #[cold]
    fn raised(&self, field: &Field, length: u32) -> bool {
        let raised = self.limits.and_then(|limits| limits.get(&(field.of, field.index)));
        raised.is_some_and(|max| length <= *max)
    }

    /// The value of an integer field whose spelling is not the usual one, or that is none.
    #[inline(never)]
    fn long_integer(&mut self, field: &Field, at: usize) -> Result<(i64, usize), Stop> {
        self.cursor.at = at;
        if begins(self.cursor.byte()) != Begins::Number {
            return self.wrong_type(at);
        }
        let number = self.cursor.number()?;
        if number.plain {
            return match number.integer() {
                Some(value) => Ok((value, self.cursor.at)),
                None => self.cursor.fail(Kind::NumberRange, at),
            };
        }
        if field.draft4 {
            return self.cursor.fail(Kind::Type, at);
        }
        match number.integral() {
            Integral::Value(value) => Ok((value, self.cursor.at)),
            Integral::TooLarge => self.cursor.fail(Kind::NumberRange, at),
            Integral::No => self.cursor.fail(Kind::Type, at),
        }
    }

    /// The value of a number whose spelling is not the usual one, or that is none.
    #[inline(never)]
    fn long_number(&mut self, at: usize) -> Result<(f64, usize), Stop> {
        self.cursor.at = at;
        if begins(self.cursor.byte()) != Begins::Number {
            return self.wrong_type(at);
        }
        let number = self.cursor.number()?;
        match number.float() {
            Some(value) => Ok((value, self.cursor.at)),
            None => self.cursor.fail(Kind::NumberRange, at),
        }
    }

    /// The fault of a value whose first byte is of a wrong type; a literal is read to its end first.
    #[cold]
    #[inline(never)]
    fn wrong_type<T>(&mut self, at: usize) -> Result<T, Stop> {
        self.cursor.at = at;
        let kind = match self.cursor.value_begins()? {
            Begins::Literal if self.cursor.literal()?.is_none() => Kind::Null,
            _ => Kind::Type,
        };
        self.cursor.fail(kind, at)
    }

    /// Reads any JSON value. The depth limit bounds the recursion.
    pub fn any(&mut self) -> Result<S::Value, Stop> {
        let begins = self.cursor.value_begins()?;
        match begins {
            Begins::String => {
                let text = self.cursor.string()?;
                self.sink.string(&text)
            }
            Begins::Number => self.any_number(),
            Begins::Literal => match self.cursor.literal()? {
                Some(value) => self.sink.boolean(value),
                None => self.sink.null(),
            },
            Begins::Object => self.any_object(),
            Begins::Array => self.any_list(),
            Begins::Nothing => self.cursor.unexpected(self.cursor.at),
        }
    }

    fn any_number(&mut self) -> Result<S::Value, Stop> {
        if let Some((value, end)) = short_integer(self.cursor.text, self.cursor.at) {
            self.cursor.at = end;
            return self.sink.integer(value);
        }
        let at = self.cursor.at;
        let number = self.cursor.number()?;
        if number.plain {
            match number.integer() {
                Some(value) => self.sink.integer(value),
                None => self.cursor.fail(Kind::NumberRange, at),
            }
        } else {
            match number.float() {
                Some(value) => self.sink.number(value),
                None => self.cursor.fail(Kind::NumberRange, at),
            }
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
                if self.cursor.skip_space() != b'"' {
                    return self.cursor.unexpected(self.cursor.at);
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

/// Where the key stands that a prediction has found between two places.
#[cold]
fn key_between(text: &[u8], from: usize, to: usize) -> usize {
    from + text[from..to].iter().position(|byte| *byte == b'"').unwrap_or(0)
}
