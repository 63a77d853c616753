//! Writes canonical JSON: compact, with the fewest escapes. What is written is valid by the way it is asked for, one token after the other.
//!
//! Short texts are what frames are made of, and a call of memcpy is their dearest part. So literals are kept padded to a size that the
//! compiler knows, are written with their padding, and the padding is taken back.

use crate::format::datetime::DateTime;
use crate::format::float;

/// Bytes that a short literal is padded to.
const PADDED: usize = 32;

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
    out: Vec<u8>,
}

impl Writer {
    /// A writer that writes into the memory of an earlier one.
    pub fn reusing(mut memory: Vec<u8>) -> Self {
        memory.clear();
        Self { out: memory }
    }

    pub fn into_memory(self) -> Vec<u8> {
        self.out
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// How much has been written.
    #[inline]
    pub fn position(&self) -> usize {
        self.out.len()
    }

    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// A text that is JSON already.
    pub fn json(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    #[inline]
    pub fn literal(&mut self, literal: &Literal) {
        match &literal.long {
            None => {
                let length = self.out.len() + literal.length;
                self.out.extend_from_slice(&literal.padded);
                self.out.truncate(length);
            }
            Some(text) => self.out.extend_from_slice(text),
        }
    }

    /// Ends an object that began at `start`: whose keys were written with a comma before each one, the first too.
    #[inline]
    pub fn close_object(&mut self, start: usize) {
        self.close(start, b'{', b'}');
    }

    /// Ends an array that began at `start`, and whose items have a comma before each one.
    #[inline]
    pub fn close_array(&mut self, start: usize) {
        self.close(start, b'[', b']');
    }

    #[inline]
    fn close(&mut self, start: usize, open: u8, close: u8) {
        match self.out.get_mut(start) {
            Some(comma) => *comma = open,
            None => self.out.push(open),
        }
        self.out.push(close);
    }

    /// A string with its quotes.
    #[inline]
    pub fn string(&mut self, text: &str) {
        self.out.push(b'"');
        let bytes = text.as_bytes();
        if bytes.len() < 16 {
            let (word, plain) = short(bytes);
            if plain {
                let length = self.out.len() + bytes.len();
                self.out.extend_from_slice(&word.to_le_bytes());
                self.out.truncate(length);
            } else {
                self.escaped(bytes);
            }
        } else if bytes.chunks_exact(16).all(is_plain) && is_plain(&bytes[bytes.len() - 16..]) {
            self.out.extend_from_slice(bytes);
        } else {
            self.escaped(bytes);
        }
        self.out.push(b'"');
    }

    #[cold]
    #[inline(never)]
    fn escaped(&mut self, bytes: &[u8]) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
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
            self.out.extend_from_slice(&bytes[written..at]);
            written = at + 1;
            self.out.extend_from_slice(&[b'\\', letter]);
            if letter == b'u' {
                self.out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
        self.out.extend_from_slice(&bytes[written..]);
    }

    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A finite double as a `number` field holds it.
    #[inline]
    pub fn number(&mut self, value: f64) {
        float::write_number(value, &mut self.out);
    }

    /// A finite double as Python's `repr` writes it.
    #[inline]
    pub fn float(&mut self, value: f64) {
        float::write_repr(value, &mut self.out);
    }

    pub fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    /// A date-time in UTC, with its quotes, truncated to milliseconds; they are left out where they are 0.
    #[inline]
    pub fn datetime(&mut self, value: &DateTime) {
        let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
        let two = |text: &mut [u8; 26], at: usize, value: u8| {
            text[at] += value / 10;
            text[at + 1] += value % 10;
        };
        two(&mut text, 1, (value.year / 100) as u8);
        two(&mut text, 3, (value.year % 100) as u8);
        two(&mut text, 6, value.month);
        two(&mut text, 9, value.day);
        two(&mut text, 12, value.hour);
        two(&mut text, 15, value.minute);
        two(&mut text, 18, value.second);
        let milliseconds = value.microsecond / 1000;
        if milliseconds == 0 {
            self.out.extend_from_slice(&text[..20]);
            self.out.extend_from_slice(b"Z\"");
            return;
        }
        two(&mut text, 21, (milliseconds / 10) as u8);
        text[23] += (milliseconds % 10) as u8;
        self.out.extend_from_slice(&text);
    }
}

/// Whether none of the bytes needs an escape. Written so that the compiler makes vector instructions of it.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |found, byte| found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
}

/// Fewer than 16 bytes as one word, filled up with spaces, and whether none of them needs an escape.
#[inline]
fn short(bytes: &[u8]) -> (u128, bool) {
    const SPACES: u128 = u128::from_le_bytes([b' '; 16]);
    let count = bytes.len();
    // Two reads that overlap cover each of the lengths between them.
    let word = if let (Some(head), Some(tail)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        u128::from(u64::from_le_bytes(*head)) | u128::from(u64::from_le_bytes(*tail)) << (8 * (count - 8))
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u128::from(u32::from_le_bytes(*head)) | u128::from(u32::from_le_bytes(*tail)) << (8 * (count - 4))
    } else {
        bytes.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte))
    };
    let filled = if count == 0 { SPACES } else { word | SPACES << (8 * count) };
    (filled, is_plain(&filled.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::default();
        write(&mut writer);
        String::from_utf8(writer.into_memory()).expect("UTF-8")
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
