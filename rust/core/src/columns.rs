//! Columns in memory as Arrow lays them out: plain buffers that whoever exports them hands on as they are.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::scan::{short_decimal, unescape};
use crate::simd::Bytes;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// 64 bits, signed.
    Int,
    /// A double, read from a number or from a text that is one in decimal notation.
    Decimal,
    /// Microseconds since 1970, UTC.
    Time,
    Bool,
    Text,
    /// A text whose values repeat: numbers of the entries of a dictionary.
    Choice,
}

/// A column's name and what it holds.
#[derive(Clone, Debug)]
pub struct ColumnSpec {
    pub name: String,
    pub kind: ColumnKind,
}

/// A value on its way into a column.
#[derive(Clone, Copy, Debug)]
pub enum Value<'v> {
    Null,
    Int(i64),
    Decimal(f64),
    Time(i64),
    Bool(bool),
    Text(&'v [u8]),
    /// A value of an enumeration: its number among all of the version, and its text.
    Enum(usize, &'v str),
}

/// A value as the walk met it; texts by their place in the frame. Two whole words: an enumeration of these shapes is copied in
/// overlapping pieces, which stalls the processor.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// What it is in the lowest byte, whether a text is escaped in the next, and a text's length in the upper half.
    what: u64,
    /// A number's bits, or where a text begins.
    bits: u64,
}

impl Cell {
    pub const NULL: Self = Self { what: 0, bits: 0 };
    const INT: u64 = 1;
    const DECIMAL: u64 = 2;
    const TIME: u64 = 3;
    const BOOL: u64 = 4;
    const ENUM: u64 = 5;
    const TEXT: u64 = 6;
    const ESCAPED: u64 = 1 << 8;

    #[inline(always)]
    pub fn is_null(&self) -> bool {
        self.what == 0
    }

    #[inline(always)]
    fn kind(&self) -> u64 {
        self.what & 0xFF
    }

    #[inline(always)]
    pub fn int(value: i64) -> Self {
        Self { what: Self::INT, bits: value as u64 }
    }

    #[inline(always)]
    pub fn decimal(value: f64) -> Self {
        Self { what: Self::DECIMAL, bits: value.to_bits() }
    }

    #[inline(always)]
    pub fn time(micros: i64) -> Self {
        Self { what: Self::TIME, bits: micros as u64 }
    }

    #[inline(always)]
    pub fn bool(value: bool) -> Self {
        Self { what: Self::BOOL, bits: u64::from(value) }
    }

    /// A value of an enumeration, by its number among all of the version.
    #[inline(always)]
    pub fn enumerated(number: usize) -> Self {
        Self { what: Self::ENUM, bits: number as u64 }
    }

    /// A text by its place in the frame.
    #[inline(always)]
    pub fn text(start: usize, length: usize, escaped: bool) -> Self {
        let escaped = if escaped { Self::ESCAPED } else { 0 };
        Self { what: Self::TEXT | escaped | (length as u64) << 32, bits: start as u64 }
    }

    /// What it says.
    #[inline(always)]
    pub fn value<'v>(&self, of: &Context<'v>, unescaped: &'v mut Vec<u8>) -> Value<'v> {
        match self.kind() {
            Self::INT => Value::Int(self.bits as i64),
            Self::DECIMAL => Value::Decimal(f64::from_bits(self.bits)),
            Self::TIME => Value::Time(self.bits as i64),
            Self::BOOL => Value::Bool(self.bits != 0),
            Self::ENUM => {
                let number = self.bits as usize;
                of.enums.get(number).map_or(Value::Null, |text| Value::Enum(number, text))
            }
            Self::TEXT => {
                let raw = self.raw(of.text);
                if self.what & Self::ESCAPED == 0 {
                    return Value::Text(raw);
                }
                *unescaped = unescape(raw);
                Value::Text(unescaped)
            }
            _ => Value::Null,
        }
    }

    #[inline]
    fn text_as_decimal(&self, of: &Context<'_>) -> Option<f64> {
        let (start, length) = (self.bits as usize, (self.what >> 32) as usize);
        // Read where it stands, it can be looked at in whole words; behind it comes its quote.
        if let Some((value, end)) = short_decimal(Bytes::new(of.text), start)
            && end == start + length
        {
            return Some(value);
        }
        match self.value(of, &mut Vec::new()) {
            Value::Text(text) => decimal(text),
            _ => None,
        }
    }

    /// The same, with a text that it is moved from one place to the end of another.
    pub fn moved(&self, from: &[u8], to: &mut Vec<u8>) -> Self {
        if self.kind() != Self::TEXT {
            return *self;
        }
        let start = to.len();
        to.extend_from_slice(self.raw(from));
        Self { bits: start as u64, ..*self }
    }

    #[inline(always)]
    fn raw<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let start = self.bits as usize;
        &text[start..start + (self.what >> 32) as usize]
    }
}

/// What cells refer to: the frame's text, and the values of the enumerations by their number.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    pub text: &'c [u8],
    pub enums: &'c [String],
}

/// One bit per row, the first in the lowest bit.
#[derive(Debug, Default)]
pub struct Bits {
    pub bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    #[inline]
    fn push(&mut self, bit: bool) {
        let place = self.length % 8;
        if place == 0 {
            self.bytes.push(u8::from(bit));
        } else if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << place;
        }
        self.length += 1;
    }

    #[inline]
    fn extend(&mut self, bit: bool, count: usize) {
        if count == 1 {
            self.push(bit);
        } else {
            self.extend_much(bit, count);
        }
    }

    fn extend_much(&mut self, bit: bool, mut count: usize) {
        while count > 0 && !self.length.is_multiple_of(8) {
            self.push(bit);
            count -= 1;
        }
        self.bytes.resize(self.bytes.len() + count / 8, if bit { 0xFF } else { 0 });
        self.length += count / 8 * 8;
        for _ in 0..count % 8 {
            self.push(bit);
        }
    }
}

/// Texts, one behind the other.
#[derive(Debug)]
pub struct Texts {
    /// Where each begins, and where the last one ends.
    pub offsets: Vec<i32>,
    pub bytes: Vec<u8>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }
}

impl Texts {
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }

    #[inline]
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.end();
    }

    /// Ends a text here. A batch is taken long before its bytes exceed 32 bits: see `log::Limits`.
    #[inline]
    fn end(&mut self) {
        self.offsets.push(self.bytes.len() as i32);
    }
}

/// The texts of a choice, in the order in which rows first had them.
#[derive(Debug, Default)]
pub struct Dictionary {
    pub texts: Texts,
    codes: HashMap<Box<[u8]>, usize, Seeded>,
    /// The code of each value of an enumeration, by its number; below zero where it has none yet.
    enumerated: Vec<i32>,
    last: usize,
    /// By code, the one that came behind it the last time.
    next: Vec<usize>,
}

impl Dictionary {
    #[inline]
    fn code(&mut self, text: &[u8]) -> i32 {
        // Most texts are the one that came behind the last one the time before: the same again, or the next in turn.
        let guess = self.next.get(self.last).copied().unwrap_or(usize::MAX);
        if guess < self.texts.len() && self.texts.get(guess) == text {
            self.last = guess;
            return guess as i32;
        }
        let found = self.find(text);
        if let Some(next) = self.next.get_mut(self.last) {
            *next = found;
        }
        self.last = found;
        found as i32
    }

    #[inline(never)]
    fn find(&mut self, text: &[u8]) -> usize {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.texts.len();
        self.texts.push(text);
        self.next.push(code);
        self.codes.insert(text.into(), code);
        code
    }

    #[inline]
    fn code_of_enum(&mut self, number: usize, text: &str) -> i32 {
        match self.enumerated.get(number) {
            Some(code) if *code >= 0 => *code,
            _ => self.new_enum(number, text),
        }
    }

    #[cold]
    fn new_enum(&mut self, number: usize, text: &str) -> i32 {
        let code = self.code(text.as_bytes());
        if self.enumerated.len() <= number {
            self.enumerated.resize(number + 1, -1);
        }
        self.enumerated[number] = code;
        code
    }

    /// The code of what a cell says; None where it says nothing.
    #[inline(always)]
    fn code_of(&mut self, cell: &Cell, of: &Context<'_>) -> Option<i32> {
        if cell.kind() == Cell::ENUM {
            let number = cell.bits as usize;
            return match self.enumerated.get(number) {
                Some(code) if *code >= 0 => Some(*code),
                _ => Some(self.new_enum(number, of.enums.get(number)?)),
            };
        }
        if cell.is_null() { None } else { self.code_of_other(cell, of) }
    }

    #[inline(never)]
    fn code_of_other(&mut self, cell: &Cell, of: &Context<'_>) -> Option<i32> {
        match cell.value(of, &mut Vec::new()) {
            Value::Text(text) => Some(self.code(text)),
            Value::Int(value) => Some(self.code(itoa::Buffer::new().format(value).as_bytes())),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub enum Values {
    Int(Vec<i64>),
    Decimal(Vec<f64>),
    Bool(Bits),
    Text(Texts),
    Choice(Vec<i32>, Dictionary),
}

/// Which rows have a value.
#[derive(Debug, Default)]
pub struct Validity {
    /// Empty as long as every row has one.
    pub bits: Bits,
    pub nulls: usize,
    length: usize,
}

impl Validity {
    #[inline(always)]
    fn push(&mut self, valid: bool) {
        if !valid || self.nulls > 0 {
            self.extend(valid, 1);
        } else {
            self.length += 1;
        }
    }

    #[inline]
    fn extend(&mut self, valid: bool, count: usize) {
        if !valid && count > 0 {
            if self.nulls == 0 {
                self.bits.extend(true, self.length);
            }
            self.nulls += count;
        }
        if self.nulls > 0 {
            self.bits.extend(valid, count);
        }
        self.length += count;
    }
}

/// A column: its values, and which of them are none.
#[derive(Debug)]
pub struct Column {
    pub values: Values,
    pub validity: Validity,
}

impl Column {
    fn new(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Int | ColumnKind::Time => Values::Int(Vec::new()),
            ColumnKind::Decimal => Values::Decimal(Vec::new()),
            ColumnKind::Bool => Values::Bool(Bits::default()),
            ColumnKind::Text => Values::Text(Texts::default()),
            ColumnKind::Choice => Values::Choice(Vec::new(), Dictionary::default()),
        };
        Self { values, validity: Validity::default() }
    }

    /// Rows without a value, up to `length`.
    #[inline(never)]
    fn pad(&mut self, length: usize) {
        let count = length - self.validity.length;
        match &mut self.values {
            Values::Int(values) => pad(values, length),
            Values::Decimal(values) => pad(values, length),
            Values::Bool(values) => values.extend(false, count),
            Values::Text(texts) => texts.offsets.resize(length + 1, texts.bytes.len() as i32),
            Values::Choice(codes, _) => pad(codes, length),
        }
        self.validity.extend(false, count);
    }

    /// The same value for the rows `from` to `to`; those before that have none yet stay without. False if it cannot hold the value.
    #[inline]
    fn fill(&mut self, from: usize, to: usize, value: Value<'_>) -> bool {
        if self.validity.length < from {
            self.pad(from);
        }
        let count = to - from;
        match (&mut self.values, value) {
            (Values::Int(values), Value::Int(value) | Value::Time(value)) => put(values, value, count),
            (Values::Decimal(values), Value::Decimal(value)) => put(values, value, count),
            (Values::Decimal(values), Value::Text(text)) => match decimal(text) {
                Some(value) => put(values, value, count),
                None => return false,
            },
            (Values::Bool(values), Value::Bool(value)) => values.extend(value, count),
            (Values::Choice(codes, dictionary), Value::Text(text)) => put(codes, dictionary.code(text), count),
            (Values::Choice(codes, dictionary), Value::Enum(number, text)) => {
                put(codes, dictionary.code_of_enum(number, text), count);
            }
            (Values::Choice(codes, dictionary), Value::Int(value)) => {
                put(codes, dictionary.code(itoa::Buffer::new().format(value).as_bytes()), count);
            }
            (Values::Text(texts), Value::Text(text)) => (0..count).for_each(|_| texts.push(text)),
            (Values::Text(texts), Value::Enum(_, text)) => (0..count).for_each(|_| texts.push(text.as_bytes())),
            (Values::Text(texts), Value::Int(value)) => {
                let mut text = itoa::Buffer::new();
                let text = text.format(value).as_bytes();
                (0..count).for_each(|_| texts.push(text));
            }
            _ => return false,
        }
        self.validity.extend(true, count);
        true
    }

    /// The values of cells for the rows from `from` on, column by column, so that the processor sees one kind at a time. The places of those
    /// that it cannot hold go to `rest`.
    fn extend<'r>(
        &mut self,
        from: usize,
        cells: impl Iterator<Item = &'r Cell>,
        of: &Context<'_>,
        rest: &mut Vec<usize>,
    ) {
        if self.validity.length < from {
            self.pad(from);
        }
        let Self { values, validity } = self;
        match values {
            Values::Choice(codes, dictionary) => {
                for cell in cells {
                    let code = dictionary.code_of(cell, of);
                    codes.push(code.unwrap_or(0));
                    validity.push(code.is_some());
                }
            }
            Values::Decimal(values) => {
                for (place, cell) in cells.enumerate() {
                    let value = match cell.kind() {
                        Cell::DECIMAL => Some(f64::from_bits(cell.bits)),
                        Cell::TEXT => cell.text_as_decimal(of),
                        _ => None,
                    };
                    if value.is_none() && !cell.is_null() {
                        rest.push(place);
                    }
                    values.push(value.unwrap_or(0.0));
                    validity.push(value.is_some());
                }
            }
            Values::Int(values) => {
                for cell in cells {
                    let held = matches!(cell.kind(), Cell::INT | Cell::TIME);
                    values.push(if held { cell.bits as i64 } else { 0 });
                    validity.push(held);
                }
            }
            Values::Bool(_) | Values::Text(_) => {
                for (place, cell) in cells.enumerate() {
                    let held = self.fill(from + place, from + place + 1, cell.value(of, &mut Vec::new()));
                    if !held {
                        self.pad(from + place + 1);
                    }
                }
            }
        }
    }
}

fn pad<T: Copy + Default>(values: &mut Vec<T>, length: usize) {
    if values.is_empty() && values.capacity() < length {
        *values = vec![T::default(); length]; // memory of zeros is had for nothing
    } else {
        values.resize(length, T::default());
    }
}

#[inline]
fn put<T: Copy>(values: &mut Vec<T>, value: T, count: usize) {
    if count == 1 {
        values.push(value);
    } else {
        values.resize(values.len() + count, value);
    }
}

/// The value of a text in decimal notation that a double can hold.
fn decimal(text: &[u8]) -> Option<f64> {
    let plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let text = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| plain(&byte)))?;
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Hashes texts with a seed of its own: a few cycles for a short one, and nobody who writes a log can foresee what collides.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(u64);

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding { state: self.0, seed: self.0 | 1 }
    }
}

#[derive(Debug)]
pub(crate) struct Folding {
    state: u64,
    seed: u64,
}

impl Folding {
    #[inline]
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.seed ^ 0x9E37_79B9_7F4A_7C15);
        self.state = (product as u64) ^ (product >> 64) as u64;
    }
}

impl Hasher for Folding {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.fold(word.try_into().map_or(0, u64::from_le_bytes));
        }
        let rest = words.remainder().iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
        self.fold(rest ^ (bytes.len() as u64) << 56);
    }
    #[inline]
    fn write_usize(&mut self, _: usize) {} // the length, which `write` takes in
    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

/// A table that grows row by row. Columns may lag behind: what they lack is without a value.
#[derive(Debug)]
pub struct Table {
    pub specs: Vec<ColumnSpec>,
    columns: Vec<Column>,
    pub rows: usize,
}

/// The rows of a table, complete: every column has as many.
#[derive(Debug)]
pub struct Batch {
    pub columns: Vec<Column>,
    pub rows: usize,
}

impl Table {
    pub fn new(specs: Vec<ColumnSpec>) -> Self {
        let columns = specs.iter().map(|spec| Column::new(spec.kind)).collect();
        Self { specs, columns, rows: 0 }
    }

    /// The index of a column.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.specs.iter().position(|spec| spec.name == name)
    }

    /// The same value in a column for the rows from `from` on. False if the column cannot hold it.
    #[inline]
    pub fn fill(&mut self, column: usize, from: usize, value: Value<'_>) -> bool {
        matches!(value, Value::Null) || self.columns[column].fill(from, self.rows, value)
    }

    /// The values of a cell each for the rows from `from` on; what the column cannot hold goes to the column `rest`.
    #[inline]
    pub fn extend<'r>(
        &mut self,
        column: usize,
        rest: Option<usize>,
        from: usize,
        cells: impl Iterator<Item = &'r Cell> + Clone,
        of: &Context<'_>,
    ) {
        let mut left = Vec::new();
        self.columns[column].extend(from, cells.clone(), of, &mut left);
        for place in left {
            if let (Some(rest), Some(cell)) = (rest, cells.clone().nth(place)) {
                self.columns[rest].fill(from + place, from + place + 1, cell.value(of, &mut Vec::new()));
            }
        }
    }

    /// The rows so far; the table begins anew.
    pub fn take(&mut self) -> Batch {
        let fresh = self.specs.iter().map(|spec| Column::new(spec.kind)).collect();
        let mut columns = std::mem::replace(&mut self.columns, fresh);
        let rows = std::mem::take(&mut self.rows);
        for column in &mut columns {
            if column.validity.length < rows {
                column.pad(rows);
            }
        }
        Batch { columns, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(kinds: &[ColumnKind]) -> Table {
        Table::new(kinds.iter().map(|kind| ColumnSpec { name: String::new(), kind: *kind }).collect())
    }

    #[test]
    fn columns_that_lag_behind_are_padded() {
        let mut table = table(&[ColumnKind::Choice, ColumnKind::Text, ColumnKind::Bool, ColumnKind::Decimal]);
        for (index, text) in [b"a", b"b", b"a", b"c", b"a", b"b", b"c", b"a", b"b"].iter().enumerate() {
            table.rows += 1;
            assert!(table.fill(0, index, Value::Text(*text)));
            assert!(table.fill(1, index, if index % 2 == 0 { Value::Text(*text) } else { Value::Null }));
            assert!(table.fill(2, index, if index == 4 { Value::Bool(true) } else { Value::Null }));
        }
        let batch = table.take();
        assert_eq!((batch.rows, table.rows), (9, 0));
        assert!(batch.columns.iter().all(|column| column.validity.length == 9));
        let Values::Choice(codes, dictionary) = &batch.columns[0].values else { panic!("a choice") };
        assert_eq!(codes.as_slice(), [0, 1, 0, 2, 0, 1, 2, 0, 1]);
        assert_eq!(dictionary.texts.bytes, b"abc");
        assert!(batch.columns[0].validity.bits.bytes.is_empty());
        let Values::Text(texts) = &batch.columns[1].values else { panic!("a text") };
        assert_eq!((texts.bytes.as_slice(), texts.offsets.len()), (b"aaacb".as_slice(), 10));
        for (column, nulls, bits) in [(1, 4, [0x55, 1]), (2, 8, [0x10, 0]), (3, 9, [0, 0])] {
            let validity = &batch.columns[column].validity;
            assert_eq!((validity.nulls, validity.bits.bytes.as_slice()), (nulls, bits.as_slice()), "{column}");
        }
    }

    #[test]
    fn cells_become_values_and_what_does_not_fit_is_told() {
        let enums = ["Wh".to_owned(), "A".to_owned()];
        let of = Context { text: b"16.0 21,5 \\u00e9", enums: &enums };
        let number = Cell::text(0, 4, false);
        let cells = [Cell::NULL, number, Cell::text(5, 4, false), Cell::decimal(2.5), number, Cell::NULL];
        let mut table = table(&[ColumnKind::Decimal, ColumnKind::Text, ColumnKind::Choice]);
        table.rows = 8;
        table.extend(0, Some(1), 2, cells.iter(), &of);
        let cells = [Cell::enumerated(1), Cell::NULL, Cell::text(10, 6, true), Cell::int(-7), Cell::enumerated(1)];
        table.extend(2, None, 3, cells.iter(), &of);
        let batch = table.take();
        let Values::Decimal(values) = &batch.columns[0].values else { panic!("decimals") };
        assert_eq!(values.as_slice(), [0.0, 0.0, 0.0, 16.0, 0.0, 2.5, 16.0, 0.0]);
        assert_eq!(batch.columns[0].validity.bits.bytes, [0b0110_1000]);
        let Values::Text(texts) = &batch.columns[1].values else { panic!("texts") };
        assert_eq!((texts.bytes.as_slice(), batch.columns[1].validity.nulls), (b"21,5".as_slice(), 7));
        let Values::Choice(codes, dictionary) = &batch.columns[2].values else { panic!("a choice") };
        assert_eq!(codes.as_slice(), [0, 0, 0, 0, 0, 1, 2, 0]);
        assert_eq!(dictionary.texts.bytes, "Aé-7".as_bytes());
        assert_eq!(batch.columns[2].validity.bits.bytes, [0b1110_1000]);
    }

    #[test]
    fn decimals_are_texts_in_decimal_notation() {
        for (text, value) in [("16.0", 16.0), ("-1.5e3", -1500.0), ("+1", 1.0), (".5", 0.5), ("1.", 1.0), ("007", 7.0)]
        {
            assert_eq!(decimal(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", " 1", "1 ", "1,5", "inf", "nan", "0x1", "1e999", "e5", "1_0", "--1", "."] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }
}
