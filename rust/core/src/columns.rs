//! Columns in memory as Arrow lays them out: plain buffers that whoever exports them hands on as they are.

use std::collections::HashMap;

use crate::scan::short_decimal;
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
        for _ in 0..count {
            self.push(bit);
        }
    }

    fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        self.bytes.truncate(self.length.div_ceil(8));
        if !self.length.is_multiple_of(8)
            && let Some(last) = self.bytes.last_mut()
        {
            *last &= (1 << (self.length % 8)) - 1;
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

    fn truncate(&mut self, length: usize) {
        if length < self.len() {
            self.offsets.truncate(length + 1);
            self.bytes.truncate(self.offsets[length] as usize);
        }
    }
}

/// The texts of a choice, in the order in which rows first had them.
#[derive(Debug, Default)]
pub struct Dictionary {
    pub texts: Texts,
    codes: HashMap<Box<[u8]>, i32>,
    /// The code of each value of an enumeration, by its number; below zero where it has none yet.
    enumerated: Vec<i32>,
    last: i32,
    /// How many entries belong to rows that stay.
    settled: usize,
}

impl Dictionary {
    #[inline]
    fn code(&mut self, text: &[u8]) -> i32 {
        // Most texts are that of the row before.
        if (self.last as usize) < self.texts.len() && self.texts.get(self.last as usize) == text {
            return self.last;
        }
        self.last = match self.codes.get(text) {
            Some(code) => *code,
            None => {
                let code = self.texts.len() as i32;
                self.texts.push(text);
                self.codes.insert(text.into(), code);
                code
            }
        };
        self.last
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

    /// Forgets the entries that no row has that stays.
    fn unsettle(&mut self) {
        if self.texts.len() > self.settled {
            let settled = self.settled as i32;
            self.codes.retain(|_, code| *code < settled);
            for code in &mut self.enumerated {
                *code = if *code < settled { *code } else { -1 };
            }
            self.texts.truncate(self.settled);
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

/// A column: its values, and which of them are none.
#[derive(Debug)]
pub struct Column {
    pub values: Values,
    pub valid: Bits,
    pub nulls: usize,
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
        Self { values, valid: Bits::default(), nulls: 0 }
    }

    fn len(&self) -> usize {
        self.valid.length
    }

    /// Rows without a value, up to `length`.
    fn pad(&mut self, length: usize) {
        let Some(count) = length.checked_sub(self.len()).filter(|count| *count > 0) else { return };
        match &mut self.values {
            Values::Int(values) => values.resize(length, 0),
            Values::Decimal(values) => values.resize(length, 0.0),
            Values::Bool(values) => values.extend(false, count),
            Values::Text(texts) => (0..count).for_each(|_| texts.end()),
            Values::Choice(codes, _) => codes.resize(length, 0),
        }
        self.valid.extend(false, count);
        self.nulls += count;
    }

    /// The same value for the rows `from` to `to`; those before that have none yet stay without. False if it cannot hold the value.
    #[inline]
    fn fill(&mut self, from: usize, to: usize, value: Value<'_>) -> bool {
        if self.len() < from {
            self.pad(from);
        }
        let count = to - from;
        match (&mut self.values, value) {
            (Values::Int(values), Value::Int(value) | Value::Time(value)) => values.resize(to, value),
            (Values::Decimal(values), Value::Decimal(value)) => values.resize(to, value),
            (Values::Decimal(values), Value::Text(text)) => match decimal(text) {
                Some(value) => values.resize(to, value),
                None => return false,
            },
            (Values::Bool(values), Value::Bool(value)) => values.extend(value, count),
            (Values::Text(texts), Value::Text(text)) => (0..count).for_each(|_| texts.push(text)),
            (Values::Text(texts), Value::Enum(_, text)) => (0..count).for_each(|_| texts.push(text.as_bytes())),
            (Values::Text(texts), Value::Int(value)) => {
                let mut text = itoa::Buffer::new();
                let text = text.format(value).as_bytes();
                (0..count).for_each(|_| texts.push(text));
            }
            (Values::Choice(codes, dictionary), Value::Text(text)) => codes.resize(to, dictionary.code(text)),
            (Values::Choice(codes, dictionary), Value::Enum(number, text)) => {
                codes.resize(to, dictionary.code_of_enum(number, text));
            }
            (Values::Choice(codes, dictionary), Value::Int(value)) => {
                codes.resize(to, dictionary.code(itoa::Buffer::new().format(value).as_bytes()));
            }
            _ => return false,
        }
        self.valid.extend(true, count);
        true
    }

    fn truncate(&mut self, length: usize) {
        if self.len() <= length {
            return;
        }
        self.nulls = match self.nulls {
            0 => 0,
            _ => length - self.valid_before(length),
        };
        match &mut self.values {
            Values::Int(values) => values.truncate(length),
            Values::Decimal(values) => values.truncate(length),
            Values::Bool(values) => values.truncate(length),
            Values::Text(texts) => texts.truncate(length),
            Values::Choice(codes, dictionary) => {
                codes.truncate(length);
                dictionary.unsettle();
            }
        }
        self.valid.truncate(length);
    }

    fn valid_before(&self, length: usize) -> usize {
        let whole: usize = self.valid.bytes[..length / 8].iter().map(|byte| byte.count_ones() as usize).sum();
        let rest = self.valid.bytes.get(length / 8).map_or(0, |byte| byte & ((1 << (length % 8)) - 1));
        whole + rest.count_ones() as usize
    }
}

/// The value of a text in decimal notation that a double can hold.
fn decimal(text: &[u8]) -> Option<f64> {
    if let Some((value, end)) = short_decimal(Bytes::new(text), 0)
        && end == text.len()
    {
        return Some(value);
    }
    let plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let text = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| plain(&byte)))?;
    text.parse().ok().filter(|value: &f64| value.is_finite())
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

    /// Takes the last rows back.
    #[cold]
    pub fn truncate(&mut self, rows: usize) {
        self.rows = rows;
        for column in &mut self.columns {
            column.truncate(rows);
        }
    }

    /// The rows so far stay.
    #[inline]
    pub fn settle(&mut self) {
        for column in &mut self.columns {
            if let Values::Choice(_, dictionary) = &mut column.values {
                dictionary.settled = dictionary.texts.len();
            }
        }
    }

    /// The rows so far; the table begins anew.
    pub fn take(&mut self) -> Batch {
        let fresh = self.specs.iter().map(|spec| Column::new(spec.kind)).collect();
        let mut columns = std::mem::replace(&mut self.columns, fresh);
        let rows = std::mem::take(&mut self.rows);
        for column in &mut columns {
            column.pad(rows);
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
    fn rows_taken_back_leave_nothing() {
        let mut table = table(&[ColumnKind::Choice, ColumnKind::Text, ColumnKind::Bool, ColumnKind::Decimal]);
        for (index, text) in [b"a", b"b", b"a", b"c", b"d", b"a", b"b", b"e", b"f"].iter().enumerate() {
            table.rows += 1;
            assert!(table.fill(0, index, Value::Text(*text)));
            assert!(table.fill(1, index, if index % 2 == 0 { Value::Text(*text) } else { Value::Null }));
            assert!(table.fill(2, index, Value::Bool(index == 4)));
            if index == 3 {
                table.settle();
            }
        }
        table.truncate(4);
        let batch = table.take();
        assert_eq!(batch.rows, 4);
        assert!(batch.columns.iter().all(|column| column.len() == 4));
        let Values::Choice(codes, dictionary) = &batch.columns[0].values else { panic!("a choice") };
        assert_eq!((codes.as_slice(), dictionary.texts.bytes.as_slice()), ([0, 1, 0, 2].as_slice(), b"abc".as_slice()));
        assert_eq!(dictionary.codes.len(), 3);
        let Values::Text(texts) = &batch.columns[1].values else { panic!("a text") };
        assert_eq!(texts.bytes, b"aa");
        assert_eq!((batch.columns[1].nulls, batch.columns[1].valid.bytes.as_slice()), (2, [0b0101].as_slice()));
        assert_eq!((batch.columns[3].nulls, batch.columns[3].valid.bytes.as_slice()), (4, [0].as_slice()));
        assert_eq!(table.rows, 0);
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
