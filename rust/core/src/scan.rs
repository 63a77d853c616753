//! Reading JSON tokens from bytes: the only file that knows the text.
//!
//! Every function stops at the first byte that cannot continue a JSON text and says where that was.

use std::borrow::Cow;

use crate::error::{Fault, Kind};
use crate::format::number::{self, Number};

/// Open brackets that a text may have at once, the frame's own included.
pub const MAX_DEPTH: usize = 64;

/// A string of the text: what stands between its quotes, still escaped.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    pub raw: &'a [u8],
    pub escaped: bool,
    pub ascii: bool,
    /// Code points, after unescaping.
    pub length: usize,
}

impl<'a> Text<'a> {
    /// The bytes that the string stands for, as UTF-8.
    #[inline]
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// The same as `str`; the scanner has checked the UTF-8.
    pub fn to_string_lossy(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// The first byte of a value, by what it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    String,
    Number,
    Object,
    Array,
    Literal,
    Nothing,
}

#[inline]
pub fn begins(byte: u8) -> Begins {
    match byte {
        b'"' => Begins::String,
        b'-' | b'0'..=b'9' => Begins::Number,
        b'{' => Begins::Object,
        b'[' => Begins::Array,
        b't' | b'f' | b'n' => Begins::Literal,
        _ => Begins::Nothing,
    }
}

/// A place in a text.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    pub text: &'a [u8],
    pub at: usize,
    /// Brackets that are open here.
    pub depth: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// A fault at this byte: `syntax`, or `truncated` where the text has ended.
    #[cold]
    pub fn unexpected(&self) -> Fault {
        self.unexpected_at(self.at)
    }

    #[cold]
    pub fn unexpected_at(&self, at: usize) -> Fault {
        if at >= self.text.len() { Fault::new(Kind::Truncated, self.text.len()) } else { Fault::new(Kind::Syntax, at) }
    }

    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    pub fn skip_space(&mut self) {
        if let Some(&byte) = self.text.get(self.at)
            && byte <= b' '
        {
            self.skip_space_slowly();
        }
    }

    fn skip_space_slowly(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// The first byte of a value, after white space; a fault if none begins here.
    #[inline]
    pub fn value_begins(&mut self) -> Result<Begins, Fault> {
        self.skip_space();
        match self.peek().map(begins) {
            Some(Begins::Nothing) | None => Err(self.unexpected()),
            Some(kind) => Ok(kind),
        }
    }

    /// After an element: true for a comma, false for the closing bracket; both are passed.
    #[inline]
    pub fn more(&mut self, close: u8) -> Result<bool, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Passes an opening bracket.
    #[inline]
    pub fn open(&mut self) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(Kind::Depth, self.at));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// True if the closing bracket comes at once; it is passed then.
    #[inline]
    pub fn closes(&mut self, close: u8) -> bool {
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            self.depth -= 1;
            return true;
        }
        false
    }

    /// After a key: passes the colon.
    #[inline]
    pub fn colon(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    /// Passes `true`, `false` or `null`, whichever the byte here begins.
    pub fn literal(&mut self) -> Result<Option<bool>, Fault> {
        let (word, value): (&[u8], _) = match self.peek() {
            Some(b't') => (b"true", Some(true)),
            Some(b'f') => (b"false", Some(false)),
            Some(b'n') => (b"null", None),
            _ => return Err(self.unexpected()),
        };
        for expected in word {
            if self.peek() != Some(*expected) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(value)
    }

    /// Passes a number; its value is judged by whoever asked for it.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'a>, Fault> {
        let number = number::scan(self.text, self.at)?;
        self.at += number.text.len();
        Ok(number)
    }

    /// Passes a string; the cursor is at its opening quote.
    #[inline]
    pub fn string(&mut self) -> Result<Text<'a>, Fault> {
        let start = self.at + 1;
        let end = plain_until(self.text, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Text { raw: &self.text[start..end], escaped: false, ascii: true, length: end - start });
        }
        self.string_slowly(start, end)
    }

    #[inline(never)]
    fn string_slowly(&mut self, start: usize, plain: usize) -> Result<Text<'a>, Fault> {
        let mut at = plain;
        let mut length = plain - start;
        let mut escaped = false;
        let mut ascii = true;
        loop {
            let Some(&byte) = self.text.get(at) else {
                return Err(self.unexpected_at(at));
            };
            match byte {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    at = self.escape(at, &mut ascii)?;
                    length += 1;
                }
                0x80.. => {
                    ascii = false;
                    at = self.sequence(at)?;
                    length += 1;
                }
                0x20.. => {
                    let end = plain_until(self.text, at);
                    length += end - at;
                    at = end;
                }
                _ => return Err(Fault::new(Kind::Syntax, at)),
            }
        }
        self.at = at + 1;
        Ok(Text { raw: &self.text[start..at], escaped, ascii, length })
    }

    /// Passes an escape; a surrogate must be a pair.
    fn escape(&self, at: usize, ascii: &mut bool) -> Result<usize, Fault> {
        match self.text.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => {
                let unit = self.unit(at + 2)?;
                *ascii &= unit < 0x80;
                match unit {
                    0xDC00..=0xDFFF => Err(Fault::new(Kind::Surrogate, at)),
                    0xD800..=0xDBFF => {
                        for (index, expected) in [(at + 6, b'\\'), (at + 7, b'u')] {
                            match self.text.get(index) {
                                None => return Err(self.unexpected_at(index)),
                                Some(byte) if *byte != expected => return Err(Fault::new(Kind::Surrogate, at)),
                                Some(_) => {}
                            }
                        }
                        match self.unit(at + 8) {
                            Ok(0xDC00..=0xDFFF) => Ok(at + 12),
                            Err(fault) if fault.kind == Kind::Truncated => Err(fault),
                            _ => Err(Fault::new(Kind::Surrogate, at)),
                        }
                    }
                    _ => Ok(at + 6),
                }
            }
            _ => Err(self.unexpected_at(at + 1)),
        }
    }

    fn unit(&self, at: usize) -> Result<u32, Fault> {
        (at..at + 4).try_fold(0, |value, index| {
            let digit = self.text.get(index).and_then(|byte| (*byte as char).to_digit(16));
            digit.map(|digit| value * 16 + digit).ok_or_else(|| self.unexpected_at(index))
        })
    }

    /// Passes one multi-byte sequence of UTF-8.
    fn sequence(&self, at: usize) -> Result<usize, Fault> {
        let window = &self.text[at..self.text.len().min(at + 4)];
        let width = match window[0] {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        if width > 1 && width <= window.len() && std::str::from_utf8(&window[..width]).is_ok() {
            return Ok(at + width);
        }
        let surrogate = matches!(window, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..]);
        Err(Fault::new(if surrogate { Kind::Surrogate } else { Kind::Utf8 }, at))
    }
}

/// The index of the first byte from `at` that is a quote, a backslash, a control character or not ASCII; the text's length if none is.
#[inline]
fn plain_until(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;
    while let Some(chunk) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or([0; 8]));
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        // The lowest set high bit is exact: a borrow only ever disturbs the bytes above the first hit.
        let special = word.wrapping_sub(ONES * 0x20) & !word | quote.wrapping_sub(ONES) & !quote | slash.wrapping_sub(ONES) & !slash | word;
        let hits = special & HIGHS;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = text.get(at) {
        if byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte) {
            break;
        }
        at += 1;
    }
    at
}

/// Undoes the escapes of a string that the scanner has passed.
pub fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        if raw[at] != b'\\' {
            out.push(raw[at]);
            at += 1;
            continue;
        }
        let (character, width) = unescape_one(&raw[at..]);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        at += width;
    }
    out
}

fn unescape_one(raw: &[u8]) -> (char, usize) {
    let unit = |at: usize| raw.get(at..at + 4).into_iter().flatten().fold(0, |value, byte| value * 16 + (*byte as char).to_digit(16).unwrap_or(0));
    let simple = match raw.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let first = unit(2);
            if (0xD800..0xDC00).contains(&first) {
                let second = unit(8);
                let point = 0x10000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF);
                return (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
            }
            return (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6);
        }
        Some(other) => *other as char,
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}
