//! The walk over a payload: one pass over the bytes, driven by the schema's tables, into a sink.

use crate::error::Kind;
use crate::format::datetime::{self, DateTime};
use crate::format::number::{Integral, Number};
use crate::format::{step, uri};
use crate::leaves::Recall;
use crate::locate::Step;
use crate::names::ALL;
use crate::scan::{
    Begins, Cursor, MAX_DEPTH, Stop, Text, begins, plain_until, short_boolean, short_decimal, short_integer, skip_space,
};
use crate::schema::{Bounds, Enumeration, Field, FieldKind, Next, ObjectType, Reads, Schema, Site, Style};
use crate::settle::Settled;
use crate::simd::Bytes;
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
    /// Where a walk that ended early was, the innermost step first.
    pub trail: Vec<Step>,
    /// Faults that did not end it.
    pub(crate) settlements: u32,
}

/// A set of fields, one bit each.
trait Bits: Copy + Eq + Into<u128> {
    fn of(bits: u128) -> Self;
    fn has(self, index: u8) -> bool;
    fn add(&mut self, index: u8);
    fn without(self, other: Self) -> Self;
}

macro_rules! bits {
    ($($word:ty)*) => {$(
        impl Bits for $word {
            #[inline(always)]
            fn of(bits: u128) -> Self {
                bits as Self
            }
            #[inline(always)]
            fn has(self, index: u8) -> bool {
                self >> (u32::from(index) % Self::BITS) & 1 != 0
            }
            #[inline(always)]
            fn add(&mut self, index: u8) {
                *self |= 1 << (u32::from(index) % Self::BITS);
            }
            #[inline(always)]
            fn without(self, other: Self) -> Self {
                self & !other
            }
        }
    )*};
}

bits!(u64 u128);

/// What stands where a key may.
enum Key<'s, 'a> {
    /// A field of the type, and where its value stands.
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
        Self { schema, limits, cursor, sink, style: Style::Compact, trail: Vec::new(), settlements: 0 }
    }

    /// Reads an object of the type `which`, whose opening brace is at `brace`, as the item `place` of its list; the value and the place behind it.
    /// The depth limit bounds the recursion.
    ///
    /// The position is handed from call to call, so that it stays in a register; the cursor follows where something unusual stands.
    #[inline(always)]
    pub fn object(&mut self, which: u32, brace: usize, place: usize) -> Result<(S::Value, usize), Stop> {
        let schema = self.schema;
        let of = &schema.types[which as usize];
        if S::REMEMBERS && of.leaf && self.limits.is_none() && self.cursor.depth < MAX_DEPTH {
            return self.leaf(of, which, brace, place);
        }
        self.new_object(of, which, brace, place)
    }

    /// Reads an object that may be one that the sink remembers.
    #[inline(never)]
    fn leaf(&mut self, of: &'s ObjectType, which: u32, brace: usize, place: usize) -> Result<(S::Value, usize), Stop> {
        let text = self.cursor.text;
        match self.sink.recall(which, text, brace) {
            Recall::Known(value, end) => Ok((value, end)),
            Recall::Passed => self.new_object(of, which, brace, place),
            Recall::New(key) => {
                let before = self.settlements;
                let (value, end) = self.new_object(of, which, brace, place)?;
                if S::SETTLES && self.settlements != before {
                    return Ok((value, end)); // of its text the rules alone would not make this
                }
                self.sink.remember(which, key, &text.all()[brace..end], &value);
                Ok((value, end))
            }
        }
    }

    #[inline(always)]
    pub(crate) fn new_object(
        &mut self,
        of: &'s ObjectType,
        which: u32,
        brace: usize,
        place: usize,
    ) -> Result<(S::Value, usize), Stop> {
        // One word holds the bits of nearly every type's fields.
        if of.fields.len() <= u64::BITS as usize {
            self.fields_of::<u64>(of, which, brace, place)
        } else {
            self.fields_of::<u128>(of, which, brace, place)
        }
    }

    #[inline(never)]
    fn fields_of<B: Bits>(
        &mut self,
        of: &'s ObjectType,
        which: u32,
        brace: usize,
        place: usize,
    ) -> Result<(S::Value, usize), Stop> {
        if self.cursor.depth == MAX_DEPTH {
            return self.cursor.fail(Kind::Depth, brace);
        }
        self.cursor.depth += 1;
        let text = self.cursor.text;
        let mut object = self.sink.object(of, which)?;
        let mut seen = B::of(0);
        // What is guessed to come behind the last value, at `at`, and which bytes of the guess's first window count.
        let mut next = &of.first;
        // The brace stands where the comma would: `{"key":`, `{"key": `; the space behind a comma has no like.
        let lead = self.style as usize;
        let (mut at, mut counts) = (brace.wrapping_sub(lead), ALL << (lead + 1));
        'fields: loop {
            let (field, site) = 'field: {
                if let Some(site) = of.guess(self.style, next, place)
                    && let Some(end) = site.ends(text, at, counts)
                    && let Some(field) = of.fields.get(usize::from(site.index))
                    && !seen.has(site.index)
                {
                    at = end;
                    self.sink.enter_field(of, usize::from(site.index));
                    break 'field (field, site);
                }
                if counts != ALL {
                    at = brace + 1;
                }
                at = skip_space(text, at);
                if text.byte(at) == b'}' {
                    next.learn_end(place);
                    at += 1;
                    self.cursor.depth -= 1;
                    break 'fields;
                }
                if let Some((site, end)) = of.find_key(text.all(), at, counts == ALL, self.style, next, place)
                    && let Some(field) = of.fields.get(usize::from(site.index))
                    && !seen.has(site.index)
                {
                    at = end;
                    self.sink.enter_field(of, usize::from(site.index));
                    break 'field (field, site);
                }
                match self.key(of, next, place, counts == ALL, seen.into(), at)? {
                    Key::Field(field, value) => {
                        at = value;
                        self.sink.enter_field(of, usize::from(field.index));
                        let site = of.site(self.style, usize::from(field.index));
                        if site.opens != 0 && text.byte(at) != site.opens {
                            let stopped = self.wrong_type(at);
                            match self.settled(field, at, None, stopped)? {
                                Settled::Value(value, end) => {
                                    self.sink.field(&mut object, of, usize::from(site.index), value)?;
                                    seen.add(site.index);
                                    (next, at, counts) = (&field.next, end, ALL);
                                }
                                Settled::Absent(end) => (next, at, counts) = (&field.next, end, ALL),
                            }
                            continue 'fields;
                        }
                        (field, site)
                    }
                    Key::End => {
                        at = self.cursor.at;
                        break 'fields;
                    }
                    Key::Entry(key) => {
                        self.sink.enter_entry(&key);
                        let value = match self.any() {
                            Ok(value) => value,
                            Err(Stop) => return self.within(Step::Entry(key.to_string_lossy()), Err(Stop)),
                        };
                        self.sink.entry(&mut object, &key, value)?;
                        (at, counts) = (self.cursor.at, ALL);
                        continue 'fields;
                    }
                    Key::Unknown(key, stands) => {
                        let stopped = self.cursor.fail(Kind::UnknownKey, stands);
                        if S::SETTLES
                            && let Ok(end) = self.pass_over(which, stands)
                        {
                            (at, counts) = (end, ALL);
                            continue 'fields;
                        }
                        return self.within(Step::Unknown(which, key.to_string_lossy()), stopped);
                    }
                }
            };
            let value;
            let read = match site.list {
                false => self.value(text, field, site, at, place, Some(next)),
                true => self.list(field, site, at),
            };
            match read {
                Ok(read) => (value, at) = read,
                Err(Stop) => match self.settled(field, at, None, Err(Stop))? {
                    Settled::Value(instead, end) => (value, at) = (instead, end),
                    Settled::Absent(end) => {
                        (next, at, counts) = (&field.next, end, ALL);
                        continue 'fields;
                    }
                },
            }
            self.sink.field(&mut object, of, usize::from(site.index), value)?;
            seen.add(site.index);
            (next, counts) = (&field.next, ALL);
        }
        if B::of(of.required).without(seen) != B::of(0) {
            return self.missing(of, seen.into(), at - 1);
        }
        Ok((self.sink.finish(object, seen.into())?, at))
    }

    /// What comes of a value that has a fault, an item of the field's list if it has a place there. Where the fault ends the walk, it notes where that was.
    #[inline(always)]
    fn settled(
        &mut self,
        field: &Field,
        at: usize,
        item: Option<usize>,
        stopped: Result<(S::Value, usize), Stop>,
    ) -> Result<Settled<S::Value>, Stop> {
        if S::SETTLES
            && let Ok(settled) = self.settle(field, at, item.is_some())
        {
            return Ok(settled);
        }
        let step = item.map_or(Step::Field(field.of, field.index.into()), Step::Item);
        self.within(step, stopped.and(Err(Stop)))
    }

    /// Notes where the walk was when it ended, on its way out.
    #[cold]
    #[inline(never)]
    fn within<T>(&mut self, step: Step, stopped: Result<T, Stop>) -> Result<T, Stop> {
        self.trail.push(step);
        stopped
    }

    #[cold]
    fn duplicate<T>(&mut self, field: &Field, at: usize) -> Result<T, Stop> {
        let stopped = self.cursor.fail(Kind::DuplicateKey, at);
        self.within(Step::Field(field.of, field.index.into()), stopped)
    }

    #[cold]
    fn missing<T>(&mut self, of: &ObjectType, seen: u128, at: usize) -> Result<T, Stop> {
        let index = (of.required & !seen).trailing_zeros() as usize;
        let stopped = self.cursor.fail(Kind::Missing, at);
        self.within(Step::Field(of.fields[index].of, index), stopped)
    }

    /// Reads the next key, or the end of the object, where it is not written in a usual way; `comma` if one must stand before it.
    #[inline(never)]
    fn key(
        &mut self,
        of: &'s ObjectType,
        next: &Next,
        place: usize,
        comma: bool,
        seen: u128,
        at: usize,
    ) -> Result<Key<'s, 'a>, Stop> {
        self.cursor.at = at;
        if self.cursor.closes(b'}') {
            return Ok(Key::End);
        }
        if comma {
            if self.cursor.byte() != b',' {
                return self.cursor.unexpected(self.cursor.at);
            }
            self.cursor.at += 1;
            self.cursor.skip_space();
        }
        let key = self.cursor.at;
        if self.cursor.byte() != b'"' {
            return self.cursor.unexpected(key);
        }
        let string = self.cursor.string()?;
        let Some(index) = of.find(&string.bytes()) else {
            if of.open {
                self.cursor.colon()?;
                return Ok(Key::Entry(string));
            }
            // A key that nobody knows is refused before anything behind it is read.
            return Ok(Key::Unknown(string, key));
        };
        let field = &of.fields[index];
        if seen.has(index as u8) {
            return self.duplicate(field, key);
        }
        next.learn(place, index);
        self.cursor.colon()?;
        self.style = if self.cursor.byte() == b' ' { Style::Spaced } else { Style::Compact };
        self.cursor.skip_space();
        Ok(Key::Field(field, self.cursor.at))
    }

    /// Reads all of a text as the value of a field, or as an item of its list.
    pub(crate) fn whole_value(&mut self, field: &Field, in_item: bool) -> Result<S::Value, Stop> {
        let text = self.cursor.text;
        let site = self.schema.types[field.of as usize].site(Style::Compact, usize::from(field.index));
        let opens = if in_item { site.item_opens } else { site.opens };
        if opens != 0 && text.byte(0) != opens {
            return self.wrong_type(0);
        }
        let (value, end) = match site.list && !in_item {
            true => self.list(field, site, 0)?,
            false => self.value(text, field, site, 0, 0, None)?,
        };
        if end == text.all().len() { Ok(value) } else { self.cursor.unexpected(end) }
    }

    /// Reads a list, whose opening bracket is at `at`.
    fn list(&mut self, field: &Field, site: &Site, at: usize) -> Result<(S::Value, usize), Stop> {
        let text = self.cursor.text;
        let bounds = field.items.unwrap_or(Bounds { least: 0, most: u32::MAX });
        self.cursor.at = at;
        self.cursor.open()?;
        let mut list = self.sink.list()?;
        let mut count = 0;
        let mut at = skip_space(text, at + 1);
        if text.byte(at) == b']' {
            at += 1;
        } else {
            loop {
                if count == bounds.most {
                    self.cursor.at = at;
                    self.cursor.value_begins()?;
                    return self.cursor.fail(Kind::TooMany, self.cursor.at);
                }
                let read = if site.item_opens != 0 && text.byte(at) != site.item_opens {
                    self.wrong_type(at)
                } else {
                    self.value(text, field, site, at, count as usize, None)
                };
                let value;
                match read {
                    Ok(read) => (value, at) = read,
                    Err(Stop) => match self.settled(field, at, Some(count as usize), Err(Stop))? {
                        Settled::Value(instead, end) => (value, at) = (instead, end),
                        Settled::Absent(_) => return Err(Stop),
                    },
                }
                self.sink.item(&mut list, value)?;
                count += 1;
                at = skip_space(text, at);
                match text.byte(at) {
                    b',' => at = skip_space(text, at + 1),
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

    /// Reads a value of a field, or an item of one, that begins as it must where only one byte can begin it; an object stands as the item `place` of
    /// its list. `next` is what remembers the field.
    #[inline(always)]
    fn value(
        &mut self,
        text: Bytes<'a>,
        field: &Field,
        site: &Site,
        at: usize,
        place: usize,
        next: Option<&Next>,
    ) -> Result<(S::Value, usize), Stop> {
        match site.reads {
            Reads::String { max } => {
                let end = plain_until(text, at + 1);
                if text.byte(end) == b'"' && end - at - 1 <= max as usize {
                    return Ok((self.sink.ascii(text.all(), at + 1, end)?, end + 1));
                }
                self.long_string(field, max, at)
            }
            Reads::Enumeration(which) => {
                let schema = self.schema;
                let values = &schema.enums[which as usize];
                let (index, end) = match values.names.find_string(text, at) {
                    Some(found) => found,
                    None => self.long_string_of(values, at)?,
                };
                if let Some(next) = next {
                    field.learn_value(next, place, index);
                }
                Ok((self.sink.enumeration(values.base + index)?, end))
            }
            Reads::Known(number) => Ok((self.sink.enumeration(number as usize)?, at)),
            Reads::DateTime => {
                if let Some((value, end)) = datetime::usual(text, at) {
                    return Ok((self.sink.datetime(&value)?, end));
                }
                let (value, end) = self.long_datetime(at)?;
                Ok((self.sink.datetime(&value)?, end))
            }
            Reads::Object(which) => self.object(which, at, place),
            Reads::Integer => {
                let (value, at, end) = match short_integer(text, at) {
                    Some((value, end)) => (value, at, end),
                    None => self.long_integer(field, at)?,
                };
                if site.bounded
                    && let FieldKind::Integer { min, max } = &field.kind
                {
                    if value < *min {
                        return self.cursor.fail(Kind::Minimum, at);
                    }
                    if value > *max {
                        return self.cursor.fail(Kind::Maximum, at);
                    }
                }
                Ok((self.sink.integer(value)?, end))
            }
            Reads::Number => {
                let (value, at, end) = match short_decimal(text, at) {
                    Some((value, end)) => (value, at, end),
                    None => self.long_number(at)?,
                };
                if site.bounded
                    && let FieldKind::Number { min, max, step } = &field.kind
                {
                    if value < *min {
                        return self.cursor.fail(Kind::Minimum, at);
                    }
                    if value > *max {
                        return self.cursor.fail(Kind::Maximum, at);
                    }
                    if let Some(step) = step
                        && !step::is_multiple(&text.all()[at..end], step)
                    {
                        return self.cursor.fail(Kind::MultipleOf, at);
                    }
                }
                Ok((self.sink.number(value)?, end))
            }
            Reads::Boolean => {
                let (value, end) = match short_boolean(text, at) {
                    Some(found) => found,
                    None => self.long_boolean(at)?,
                };
                Ok((self.sink.boolean(value)?, end))
            }
            Reads::Uri { max } => {
                let (string, end) = self.string(text, at)?;
                if !uri::is_valid(&string.bytes()) {
                    return self.cursor.fail(Kind::Format, at);
                }
                self.length(&string, max, field, at)?;
                Ok((self.sink.string(&string)?, end))
            }
            Reads::Any => {
                self.cursor.at = at;
                Ok((self.any()?, self.cursor.at))
            }
        }
    }

    /// The string at `at`, where its opening quote stands, and the position behind it.
    #[inline(always)]
    fn string(&mut self, text: Bytes<'a>, at: usize) -> Result<(Text<'a>, usize), Stop> {
        let end = plain_until(text, at + 1);
        if text.byte(end) == b'"' {
            return Ok((Text::plain(&text.all()[at + 1..end]), end + 1));
        }
        let string = self.cursor.string_slowly(at + 1, end)?;
        Ok((string, self.cursor.at))
    }

    /// The string at `at` that is not plain, or is too long.
    #[inline(never)]
    fn long_string(&mut self, field: &Field, max: u32, at: usize) -> Result<(S::Value, usize), Stop> {
        let (string, end) = self.string(self.cursor.text, at)?;
        self.length(&string, max, field, at)?;
        Ok((self.sink.string(&string)?, end))
    }

    /// The date-time at `at` that is not written in the usual way, or is none.
    #[inline(never)]
    fn long_datetime(&mut self, at: usize) -> Result<(DateTime, usize), Stop> {
        let (string, end) = self.string(self.cursor.text, at)?;
        match datetime::parse(&string.bytes()) {
            Some(value) => Ok((value, end)),
            None => self.cursor.fail(Kind::Format, at),
        }
    }

    /// The value of an enumeration that is not spelled in the usual way, or is none.
    #[inline(never)]
    fn long_string_of(&mut self, values: &Enumeration, at: usize) -> Result<(usize, usize), Stop> {
        let (string, end) = self.string(self.cursor.text, at)?;
        values.names.find(&string.bytes()).map_or_else(|| self.cursor.fail(Kind::Enum, at), |index| Ok((index, end)))
    }

    /// The boolean behind white space, or the fault of a value that is none.
    #[inline(never)]
    fn long_boolean(&mut self, at: usize) -> Result<(bool, usize), Stop> {
        self.cursor.at = at;
        if begins(self.cursor.skip_space()) != Begins::Literal {
            return self.wrong_type(self.cursor.at);
        }
        let at = self.cursor.at;
        // A word that is cut off or goes wrong ends here.
        match self.cursor.literal()? {
            Some(value) => Ok((value, self.cursor.at)),
            None => self.cursor.fail(Kind::Null, at),
        }
    }

    #[inline(always)]
    fn length(&mut self, text: &Text<'_>, max: u32, field: &Field, at: usize) -> Result<(), Stop> {
        if text.length > max as usize && !self.raised(field, text.length) {
            return self.cursor.fail(Kind::Length, at);
        }
        Ok(())
    }

    #[cold]
    fn raised(&self, field: &Field, length: usize) -> bool {
        let raised = self.limits.and_then(|limits| limits.get(&(field.of, field.index)));
        raised.is_some_and(|max| length <= *max as usize)
    }

    /// The value of an integer field whose spelling is not the usual one, or that is none; where it begins and ends.
    #[inline(never)]
    pub(crate) fn long_integer(&mut self, field: &Field, at: usize) -> Result<(i64, usize, usize), Stop> {
        let (number, at) = self.long_spelling(at)?;
        if number.plain {
            return match number.integer() {
                Some(value) => Ok((value, at, self.cursor.at)),
                None => self.cursor.fail(Kind::NumberRange, at),
            };
        }
        if field.draft4 {
            return self.cursor.fail(Kind::Type, at);
        }
        match number.integral() {
            Integral::Value(value) => Ok((value, at, self.cursor.at)),
            Integral::TooLarge => self.cursor.fail(Kind::NumberRange, at),
            Integral::No => self.cursor.fail(Kind::Type, at),
        }
    }

    /// The same for a number.
    #[inline(never)]
    pub(crate) fn long_number(&mut self, at: usize) -> Result<(f64, usize, usize), Stop> {
        let (number, at) = self.long_spelling(at)?;
        match number.float() {
            Some(value) => Ok((value, at, self.cursor.at)),
            None => self.cursor.fail(Kind::NumberRange, at),
        }
    }

    /// The number behind white space, and where it begins.
    fn long_spelling(&mut self, at: usize) -> Result<(Number<'a>, usize), Stop> {
        self.cursor.at = at;
        let begins = begins(self.cursor.skip_space());
        let at = self.cursor.at;
        if begins != Begins::Number {
            return self.wrong_type(at);
        }
        Ok((self.cursor.number()?, at))
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
                let value = match self.any() {
                    Ok(value) => value,
                    Err(Stop) => return self.within(Step::Item(count), Err(Stop)),
                };
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
                let value = match self.any() {
                    Ok(value) => value,
                    Err(Stop) => return self.within(Step::Entry(key.to_string_lossy()), Err(Stop)),
                };
                self.sink.entry(&mut object, &key, value)?;
                if !self.cursor.more(b'}')? {
                    break;
                }
            }
        }
        self.sink.finish_dict(object)
    }
}
