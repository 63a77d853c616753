//! Writes canonical JSON: compact, with the fewest escapes. What is written is valid by the way it is asked for, one token after the other.
//!
//! Short texts are what frames are made of, and a call of memcpy is their dearest part. So a writer's memory is initialised beyond what is
//! written: each token asks once for as much room as it may take, moves bytes by sizes that the compiler knows, padding included, and goes
//! on behind the text alone.

use crate::format::datetime::DateTime;
use crate::format::float;
use crate::simd::{WIDTH, escape_free};

/// Bytes that a short literal is padded to.
const PADDED: usize = 32;

/// The room that a writer's memory grows by at least.
const GROWTH: usize = 1024;

/// A text that is often written: a key with its colon, the value of an enumeration.
#[derive(Clone, Debug)]
pub struct Literal {
    length: usize,
    padded: [u8; PADDED],
    /// All of it, if it is longer than that.
    long: Option<Box<[u8]>>,
}

impl Literal {
    pub fn new(text: &[u8]) -> Self {
        let mut padded = [0; PADDED];
        let short = text.len() <= PADDED;
        if short {
            padded[..text.len()].copy_from_slice(text);
        }
        Self { length: text.len(), padded, long: (!short).then(|| text.into()) }
    }

    pub fn text(&self) -> &[u8] {
        self.long.as_deref().unwrap_or(&self.padded[..self.length.min(PADDED)])
    }

    /// `,"name":`, as each key of an object is written; see `Writer::close_object` for the first one.
    pub fn key(name: &str) -> Self {
        let mut writer = Writer::default();
        writer.byte(b',');
        writer.string(name);
        writer.byte(b':');
        Self::new(writer.as_bytes())
    }

    /// `"value"`.
    pub fn string(value: &str) -> Self {
        let mut writer = Writer::default();
        writer.string(value);
        Self::new(writer.as_bytes())
    }
}

/// JSON in the making.
#[derive(Debug, Default)]
pub struct Writer {
    /// What is written, and room behind it.
    memory: Vec<u8>,
    length: usize,
}

impl Writer {
    /// A writer that writes into the memory of an earlier one.
    #[inline]
    pub fn reusing(memory: Vec<u8>) -> Self {
        Self { memory, length: 0 }
    }

    /// The memory, for another writer; what it holds has no meaning.
    #[inline]
    pub fn into_memory(self) -> Vec<u8> {
        self.memory
    }

    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    /// How much has been written.
    #[inline]
    pub fn position(&self) -> usize {
        self.length
    }

    /// Room for the next `N` bytes.
    #[inline(always)]
    fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        if self.memory.len() - self.length < N {
            self.grow(N);
        }
        match self.memory[self.length..].first_chunk_mut() {
            Some(room) => room,
            None => unreachable!("it has grown"),
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, room: usize) {
        self.memory.resize(2 * self.memory.len() + room + GROWTH, 0);
    }

    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        *self.room() = [byte];
        self.length += 1;
    }

    /// A text that is JSON already.
    pub fn json(&mut self, text: &[u8]) {
        if self.memory.len() - self.length < text.len() {
            self.grow(text.len());
        }
        self.memory[self.length..][..text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    #[inline(always)]
    pub fn literal(&mut self, literal: &Literal) {
        if literal.length <= PADDED {
            // The room first: else the padding would be moved by way of the stack.
            let room = self.room();
            *room = literal.padded;
            self.length += literal.length;
        } else {
            self.long_literal(literal);
        }
    }

    #[cold]
    #[inline(never)]
    fn long_literal(&mut self, literal: &Literal) {
        self.json(literal.text());
    }

    /// Ends an object that began at `start`: whose keys were written with a comma before each one, the first too.
    #[inline(always)]
    pub fn close_object(&mut self, start: usize) {
        self.close(start, *b"{}");
    }

    /// Ends an array that began at `start`, and whose items have a comma before each one.
    #[inline(always)]
    pub fn close_array(&mut self, start: usize) {
        self.close(start, *b"[]");
    }

    #[inline(always)]
    fn close(&mut self, start: usize, [open, close]: [u8; 2]) {
        if self.length == start {
            self.byte(open);
        } else {
            self.memory[start] = open;
        }
        self.byte(close);
    }

    /// A string with its quotes.
    #[inline(always)]
    pub fn string(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if bytes.len() > WIDTH {
            return self.long_string(bytes);
        }
        let word = short(bytes);
        if !escape_free(&word) {
            return self.escaped(bytes);
        }
        let room = self.room::<{ WIDTH + 2 }>();
        room[0] = b'"';
        room[1..=WIDTH].copy_from_slice(&word);
        room[1 + bytes.len()] = b'"';
        self.length += bytes.len() + 2;
    }

    /// A string of more than sixteen bytes: each window of sixteen is looked at and moved at once; the last two overlap.
    #[inline(never)]
    fn long_string(&mut self, bytes: &[u8]) {
        let count = bytes.len();
        if self.memory.len() - self.length < count + 2 {
            self.grow(count + 2);
        }
        let room = &mut self.memory[self.length..][..count + 2];
        room[0] = b'"';
        room[count + 1] = b'"';
        let text = &mut room[1..=count];
        let mut plain = true;
        for (from, to) in bytes.chunks_exact(WIDTH).zip(text.chunks_exact_mut(WIDTH)) {
            let (Some(from), Some(to)) = (from.first_chunk(), to.first_chunk_mut()) else { break };
            plain &= escape_free(from);
            *to = *from;
        }
        if let (Some(from), Some(to)) = (bytes.last_chunk(), text.last_chunk_mut()) {
            plain &= escape_free(from);
            *to = *from;
        }
        if plain {
            self.length += count + 2;
        } else {
            self.escaped(bytes);
        }
    }

    #[cold]
    #[inline(never)]
    fn escaped(&mut self, bytes: &[u8]) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.byte(b'"');
        let mut written = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let letter = match byte {
                b'"' | b'\\' => byte,
                0x08 => b'b',
                0x0C => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0..0x20 => b'u',
                _ => continue,
            };
            self.json(&bytes[written..at]);
            written = at + 1;
            self.json(&[b'\\', letter]);
            if letter == b'u' {
                self.json(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
        self.json(&bytes[written..]);
        self.byte(b'"');
    }

    #[inline(always)]
    pub fn integer(&mut self, value: i64) {
        match value {
            0..10 => self.byte(b'0' + value as u8),
            10..100 => {
                let room = self.room();
                *room = two_digits(value as usize);
                self.length += 2;
            }
            _ => self.long_integer(value),
        }
    }

    #[inline(never)]
    fn long_integer(&mut self, value: i64) {
        self.short_text(itoa::Buffer::new().format(value).as_bytes());
    }

    /// At most `PADDED` bytes.
    #[inline(always)]
    fn short_text(&mut self, text: &[u8]) {
        let count = text.len();
        let room = self.room::<PADDED>();
        // Two moves that overlap cover each of the lengths between them.
        if let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            if let (Some(head), Some(tail)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
                room[..16].copy_from_slice(head);
                room[count - 16..count].copy_from_slice(tail);
            } else {
                room[..8].copy_from_slice(head);
                room[count - 8..count].copy_from_slice(tail);
            }
        } else if let (Some(head), Some(tail)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            room[..4].copy_from_slice(head);
            room[count - 4..count].copy_from_slice(tail);
        } else {
            for (to, from) in room.iter_mut().zip(text) {
                *to = *from;
            }
        }
        self.length += count;
    }

    /// A finite double as a `number` field holds it: an integral value below 1e16 in size without a fraction, any other as `float`.
    #[inline]
    pub fn number(&mut self, value: f64) {
        let whole = value as i64;
        if whole as f64 == value && whole.unsigned_abs() < float::WHOLE {
            self.integer(whole);
        } else {
            self.float(value);
        }
    }

    /// A finite double as Python's `repr` writes it.
    #[inline(never)]
    pub fn float(&mut self, value: f64) {
        if float::is_positional(value) {
            self.short_text(float::Positional::new().text(value).as_bytes());
        } else {
            self.json(float::scientific(value).as_bytes());
        }
    }

    #[inline(always)]
    pub fn boolean(&mut self, value: bool) {
        let (text, length) = if value { (b"true\0", 4) } else { (b"false", 5) };
        *self.room() = *text;
        self.length += length;
    }

    pub fn null(&mut self) {
        self.json(b"null");
    }

    /// A date-time in UTC, with its quotes, truncated to milliseconds; they are left out where they are 0.
    #[inline]
    pub fn datetime(&mut self, value: &DateTime) {
        let two = |value: u8| two_digits(usize::from(value));
        let ([c, d], [y, z]) = (two((value.year / 100) as u8), two((value.year % 100) as u8));
        let ([m, n], [a, b]) = (two(value.month), two(value.day));
        let ([h, i], [j, k], [s, t]) = (two(value.hour), two(value.minute), two(value.second));
        let milliseconds = (value.microsecond / 1000) as usize;
        if milliseconds == 0 {
            *self.room() = [b'"', c, d, y, z, b'-', m, n, b'-', a, b, b'T', h, i, b':', j, k, b':', s, t, b'Z', b'"'];
            self.length += 22;
        } else {
            let ([u, v], w) = (two_digits(milliseconds / 10), b'0' + (milliseconds % 10) as u8);
            *self.room() = [
                b'"', c, d, y, z, b'-', m, n, b'-', a, b, b'T', h, i, b':', j, k, b':', s, t, b'.', u, v, w, b'Z', b'"',
            ];
            self.length += 26;
        }
    }
}

/// The numbers below a hundred, two digits each.
const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut digits = [[0; 2]; 100];
    let mut value = 0;
    while value < digits.len() {
        digits[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    digits
};

#[inline(always)]
fn two_digits(value: usize) -> [u8; 2] {
    TWO_DIGITS[value % 100]
}

/// At most sixteen bytes, filled up with spaces.
#[inline(always)]
fn short(bytes: &[u8]) -> [u8; WIDTH] {
    const SPACES: u128 = u128::from_le_bytes([b' '; WIDTH]);
    let count = bytes.len();
    if let Some(all) = bytes.first_chunk::<WIDTH>() {
        return *all;
    }
    // Two reads that overlap cover each of the lengths between them.
    let word = if let (Some(head), Some(tail)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        u128::from(u64::from_le_bytes(*head)) | u128::from(u64::from_le_bytes(*tail)) << (8 * (count - 8))
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u128::from(u32::from_le_bytes(*head)) | u128::from(u32::from_le_bytes(*tail)) << (8 * (count - 4))
    } else {
        bytes.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte))
    };
    (word | SPACES << (8 * count)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::default();
        write(&mut writer);
        String::from_utf8(writer.as_bytes().to_vec()).expect("UTF-8")
    }

    #[test]
    fn strings_of_every_length_and_escape() {
        for count in 0..80 {
            let plain = "äbcdefghij/\u{7f}".chars().cycle().take(count).collect::<String>();
            for special in
                ["", "\"", "\\", "\u{8}", "\u{c}", "\n", "\r", "\t", "\0", "\u{1f}", "\u{20}", "\u{2028}", "😀"]
            {
                for at in (0..=plain.len()).filter(|at| plain.is_char_boundary(*at)) {
                    let text = format!("{}{special}{}", &plain[..at], &plain[at..]);
                    let json = written(|writer| writer.string(&text));
                    assert_eq!(json, serde_json::to_string(&text).expect("a string"), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn literals_short_and_long() {
        for count in 0..70 {
            let name = "n".repeat(count);
            assert_eq!(written(|writer| writer.literal(&Literal::key(&name))), format!(",\"{name}\":"));
            assert_eq!(written(|writer| writer.literal(&Literal::string(&name))), format!("\"{name}\""));
        }
        assert_eq!(written(|writer| writer.literal(&Literal::key("a\"b"))), ",\"a\\\"b\":");
    }

    #[test]
    fn brackets_take_the_place_of_the_first_comma() {
        assert_eq!(written(|writer| writer.close_object(0)), "{}");
        assert_eq!(written(|writer| writer.close_array(0)), "[]");
        let nested = written(|writer| {
            writer.literal(&Literal::key("a"));
            let start = writer.position();
            for item in [1, i64::MIN] {
                writer.byte(b',');
                writer.integer(item);
            }
            writer.close_array(start);
            writer.literal(&Literal::key("b"));
            writer.boolean(true);
            writer.close_object(0);
        });
        assert_eq!(nested, r#"{"a":[1,-9223372036854775808],"b":true}"#);
    }

    #[test]
    fn date_times_to_milliseconds() {
        let mut value =
            DateTime { year: 7, month: 1, day: 2, hour: 3, minute: 4, second: 5, microsecond: 999, offset_minutes: 0 };
        assert_eq!(written(|writer| writer.datetime(&value)), "\"0007-01-02T03:04:05Z\"");
        (value.year, value.microsecond) = (2026, 60_999);
        assert_eq!(written(|writer| writer.datetime(&value)), "\"2026-01-02T03:04:05.060Z\"");
    }
}
