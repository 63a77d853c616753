//! Reading JSON tokens from bytes: the only file that knows the text.
//!
//! Every function stops at the first byte that cannot continue a JSON text and says where that was.

use std::borrow::Cow;

use crate::error::{Fault, Kind};
use crate::format::number::{self, Number};
use crate::simd::{self, Bytes};

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
    /// A string without escapes, all ASCII.
    #[inline(always)]
    pub(crate) fn plain(raw: &'a [u8]) -> Self {
        Self { raw, escaped: false, ascii: true, length: raw.len() }
    }

    /// The bytes that the string stands for, as UTF-8.
    #[inline]
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// The same as `str`; the scanner has checked the UTF-8.
    pub fn to_string_lossy(&self) -> String {
        let bytes = self.bytes();
        match str::from_utf8(&bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
        }
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

/// The walk has ended early. The cursor's `fault` says why; where it has none, the sink gave up and knows why itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// A place in a text.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    pub text: Bytes<'a>,
    pub at: usize,
    /// Brackets that are open here.
    pub depth: usize,
    /// What ended the walk.
    pub fault: Option<Fault>,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text: Bytes::new(text), at: 0, depth: 0, fault: None }
    }

    /// Ends the walk with a fault.
    #[cold]
    #[inline(never)]
    pub fn fail<T>(&mut self, kind: Kind, at: usize) -> Result<T, Stop> {
        self.fault = Some(Fault::new(kind, at));
        Err(Stop)
    }

    /// Ends the walk at a byte that cannot stand here: `syntax`, or `truncated` where the text has ended.
    #[cold]
    #[inline(never)]
    pub fn unexpected<T>(&mut self, at: usize) -> Result<T, Stop> {
        let end = self.text.all().len();
        if at >= end { self.fail(Kind::Truncated, end) } else { self.fail(Kind::Syntax, at) }
    }

    /// The byte here; NUL, which nothing begins with, where the text has ended.
    #[inline(always)]
    pub fn byte(&self) -> u8 {
        self.text.byte(self.at)
    }

    /// Passes white space; the byte behind it.
    #[inline(always)]
    pub fn skip_space(&mut self) -> u8 {
        self.at = skip_space(self.text, self.at);
        self.byte()
    }

    /// Passes white space; the first byte of the value behind it.
    #[inline(always)]
    pub fn value_begins(&mut self) -> Result<Begins, Stop> {
        let byte = self.skip_space();
        match begins(byte) {
            Begins::Nothing => self.unexpected(self.at),
            kind => Ok(kind),
        }
    }

    /// After an element: true for a comma, false for the closing bracket; both are passed.
    #[inline(always)]
    pub fn more(&mut self, close: u8) -> Result<bool, Stop> {
        let byte = self.skip_space();
        if byte == b',' {
            self.at += 1;
            return Ok(true);
        }
        if byte == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        self.unexpected(self.at)
    }

    /// Passes an opening bracket.
    #[inline(always)]
    pub fn open(&mut self) -> Result<(), Stop> {
        if self.depth == MAX_DEPTH {
            return self.fail(Kind::Depth, self.at);
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// True if the closing bracket comes at once; it is passed then.
    #[inline(always)]
    pub fn closes(&mut self, close: u8) -> bool {
        if self.skip_space() == close {
            self.at += 1;
            self.depth -= 1;
            return true;
        }
        false
    }

    /// After a key: passes the colon.
    #[inline]
    pub fn colon(&mut self) -> Result<(), Stop> {
        if self.skip_space() != b':' {
            return self.unexpected(self.at);
        }
        self.at += 1;
        Ok(())
    }

    /// Passes `true`, `false` or `null`, whichever the byte here begins.
    #[inline]
    pub fn literal(&mut self) -> Result<Option<bool>, Stop> {
        let (word, value): (&[u8], _) = match self.byte() {
            b't' => (b"true", Some(true)),
            b'f' => (b"false", Some(false)),
            b'n' => (b"null", None),
            _ => return self.unexpected(self.at),
        };
        if self.text.all()[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        let good = self.text.all()[self.at..].iter().zip(word).take_while(|(byte, expected)| byte == expected).count();
        self.unexpected(self.at + good)
    }

    /// Passes a number; its value is judged by whoever asked for it.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'a>, Stop> {
        match number::scan(self.text.all(), self.at) {
            Ok(number) => {
                self.at += number.text.len();
                Ok(number)
            }
            Err(fault) => self.fail(fault.kind, fault.offset),
        }
    }

    /// Passes a string; the cursor is at its opening quote.
    #[inline(always)]
    pub fn string(&mut self) -> Result<Text<'a>, Stop> {
        let start = self.at + 1;
        let end = plain_until(self.text, start);
        if self.text.byte(end) == b'"' {
            self.at = end + 1;
            return Ok(Text::plain(&self.text.all()[start..end]));
        }
        self.string_slowly(start, end)
    }

    /// The same for a string that begins at `start` and is plain up to `plain`.
    #[inline(never)]
    pub(crate) fn string_slowly(&mut self, start: usize, plain: usize) -> Result<Text<'a>, Stop> {
        let mut at = plain;
        let mut length = plain - start;
        let mut escaped = false;
        let mut ascii = true;
        loop {
            let Some(&byte) = self.text.all().get(at) else {
                return self.unexpected(at);
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
                _ => return self.fail(Kind::Syntax, at),
            }
        }
        self.at = at + 1;
        Ok(Text { raw: &self.text.all()[start..at], escaped, ascii, length })
    }

    /// Passes an escape; a surrogate must be a pair.
    fn escape(&mut self, at: usize, ascii: &mut bool) -> Result<usize, Stop> {
        match self.text.byte(at + 1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => {
                let unit = self.unit(at + 2)?;
                *ascii &= unit < 0x80;
                match unit {
                    0xDC00..=0xDFFF => self.fail(Kind::Surrogate, at),
                    0xD800..=0xDBFF => self.low_surrogate(at),
                    _ => Ok(at + 6),
                }
            }
            _ => self.unexpected(at + 1),
        }
    }

    /// Passes a high surrogate's escape and its partner's. Only where the text ends within the pair is it `truncated`.
    fn low_surrogate(&mut self, at: usize) -> Result<usize, Stop> {
        let partner = self.text.all().get(at + 6..).unwrap_or_default();
        let fits = |(index, byte): (usize, &u8)| match index {
            0 => *byte == b'\\',
            1 => *byte == b'u',
            _ => byte.is_ascii_hexdigit(),
        };
        if !partner.iter().take(6).enumerate().all(fits) {
            return self.fail(Kind::Surrogate, at);
        }
        if partner.len() < 6 {
            return self.unexpected(self.text.all().len());
        }
        match self.unit(at + 8)? {
            0xDC00..=0xDFFF => Ok(at + 12),
            _ => self.fail(Kind::Surrogate, at),
        }
    }

    /// The value of four hexadecimal digits.
    fn unit(&mut self, at: usize) -> Result<u32, Stop> {
        let mut value = 0;
        for index in at..at + 4 {
            match (self.text.byte(index) as char).to_digit(16) {
                Some(digit) => value = value * 16 + digit,
                None => return self.unexpected(index),
            }
        }
        Ok(value)
    }

    /// Passes one multi-byte sequence of UTF-8.
    fn sequence(&mut self, at: usize) -> Result<usize, Stop> {
        let window @ [first, second, third, fourth, ..] = self.text.word(at).to_le_bytes();
        let goes_on = |byte: u8| byte & 0xC0 == 0x80;
        // Not every second byte may follow each first one: neither more bytes than needed nor surrogates, nothing beyond U+10FFFF (RFC 3629 §4).
        let second_fits = match first {
            0xE0 => second >= 0xA0,
            0xED => second < 0xA0,
            0xF0 => second >= 0x90,
            0xF4 => second < 0x90,
            _ => true,
        };
        let stands = second_fits && goes_on(second);
        match first {
            0xC2..=0xDF if stands => return Ok(at + 2),
            0xE0..=0xEF if stands && goes_on(third) => return Ok(at + 3),
            0xF0..=0xF4 if stands && goes_on(third) && goes_on(fourth) => return Ok(at + 4),
            _ => {}
        }
        let surrogate = matches!(window, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..]);
        self.fail(if surrogate { Kind::Surrogate } else { Kind::Utf8 }, at)
    }
}

/// The first place from `at` on that is no white space.
#[inline(always)]
pub fn skip_space(text: Bytes<'_>, at: usize) -> usize {
    if text.byte(at) > b' ' { at } else { skip_space_slowly(text.all(), at) }
}

#[inline(never)]
fn skip_space_slowly(all: &[u8], mut at: usize) -> usize {
    let text = Bytes::new(all);
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = all.get(at) {
        at += 1;
        // An indent is passed at once, a deep one too.
        if let (Some(first), Some(second)) = (text.window(at), text.window(at + simd::WIDTH)) {
            let blanks = simd::sameness(first, BLANKS) | simd::sameness(second, BLANKS) << simd::WIDTH;
            at += (!blanks).trailing_zeros() as usize;
        }
    }
    at
}

const BLANKS: &[u8; simd::WIDTH] = &[b' '; simd::WIDTH];

/// The value and the end of a plain integer of few digits, by far the most usual number; None for any other, and for what is none.
#[inline(always)]
pub fn short_integer(text: Bytes<'_>, at: usize) -> Option<(i64, usize)> {
    let negative = text.byte(at) == b'-';
    let start = at + usize::from(negative);
    let (value, count) = few_digits(text, start)?;
    let end = start + count;
    if leading_zero(text, start, count) || matches!(text.byte(end), b'.' | b'e' | b'E') {
        return None;
    }
    Some((if negative { -(value as i64) } else { value as i64 }, end))
}

/// The value and the end of a decimal of at most fifteen digits without an exponent. The value is exact: numerator and power of ten are doubles,
/// and one division rounds once. None for any other number, and for what is none.
#[inline(always)]
pub fn short_decimal(text: Bytes<'_>, at: usize) -> Option<(f64, usize)> {
    let negative = text.byte(at) == b'-';
    let start = at + usize::from(negative);
    let (mut value, count) = few_digits(text, start)?;
    if leading_zero(text, start, count) {
        return None;
    }
    let mut end = start + count;
    let mut places = 0;
    if text.byte(end) == b'.' {
        let fraction;
        (fraction, places) = few_digits(text, end + 1)?;
        if count + places > 15 {
            return None;
        }
        value = value * POWERS[places % POWERS.len()] + fraction;
        end += 1 + places;
    }
    // An integral zero has no sign, a decimal one has.
    if matches!(text.byte(end), b'e' | b'E') || (negative && value == 0) {
        return None;
    }
    // Signed, since that is the conversion that processors have.
    let value = value as i64 as f64 / POWERS[places % POWERS.len()] as i64 as f64;
    Some((if negative { -value } else { value }, end))
}

/// Whether a JSON number of so many digits begins with a zero that it may not have.
#[inline(always)]
fn leading_zero(text: Bytes<'_>, start: usize, count: usize) -> bool {
    count > 1 && text.byte(start) == b'0'
}

/// The value of the digits at a place, one to fifteen, and how many they are; None where there are none or more.
#[inline(always)]
fn few_digits(text: Bytes<'_>, at: usize) -> Option<(u64, usize)> {
    let digits = text.word(at) ^ ZEROS;
    let others = not_digits(digits);
    if others == 0 {
        return more_digits(text.all(), at, digits);
    }
    let count = (others.trailing_zeros() / 8) as usize;
    if count == 0 {
        return None;
    }
    Some((eight_digits(digits << (64 - 8 * count)), count))
}

/// The same where the first eight are digits.
#[inline(never)]
fn more_digits(all: &[u8], at: usize, first: u64) -> Option<(u64, usize)> {
    let digits = Bytes::new(all).word(at + 8) ^ ZEROS;
    let others = not_digits(digits);
    if others == 0 {
        return None;
    }
    let count = (others.trailing_zeros() / 8) as usize;
    let value = eight_digits(first) * POWERS[count];
    Some((if count == 0 { value } else { value + eight_digits(digits << (64 - 8 * count)) }, 8 + count))
}

/// The powers of ten up to the largest that few digits make.
static POWERS: [u64; 16] = {
    let mut powers = [1; 16];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

pub(crate) const ZEROS: u64 = ONES * b'0' as u64;
const ONES: u64 = u64::MAX / 255;

/// The high bit of each of eight bytes that is no digit, `ZEROS` having been taken off; exact up to the first.
#[inline(always)]
pub(crate) fn not_digits(digits: u64) -> u64 {
    (digits.wrapping_add(ONES * (0x80 - 10)) | digits) & (ONES * 0x80)
}

/// The value of eight digits, the first the highest, `ZEROS` having been taken off.
#[inline(always)]
pub(crate) fn eight_digits(digits: u64) -> u64 {
    // Pairs, then fours, then all: each step puts together neighbours.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

/// `true` or `false` and its end; None for anything else.
#[inline(always)]
pub fn short_boolean(text: Bytes<'_>, at: usize) -> Option<(bool, usize)> {
    const TRUE: u64 = u32::from_le_bytes(*b"true") as u64;
    const FALSE: u64 = u64::from_le_bytes(*b"false\0\0\0");
    let word = text.word(at);
    // Both are compared: which of the two it is, no processor can guess.
    let (yes, no) = (word & 0xFFFF_FFFF == TRUE, word & 0xFF_FFFF_FFFF == FALSE);
    (yes | no).then_some((yes, at + 4 + usize::from(no)))
}

/// The index of the first byte from `at` on that is a quote, a backslash, a control character or not ASCII; the text's length if none is.
#[inline(always)]
pub(crate) fn plain_until(text: Bytes<'_>, mut at: usize) -> usize {
    // Two windows at once: whether a string ends in the first or the second, no processor can guess.
    if let (Some(first), Some(second)) = (text.window(at), text.window(at + simd::WIDTH)) {
        let specials = simd::specials(first) | simd::specials(second) << simd::WIDTH;
        if specials != 0 {
            return at + specials.trailing_zeros() as usize;
        }
        at += 2 * simd::WIDTH;
    }
    while let Some(window) = text.window(at) {
        let specials = simd::specials(window);
        if specials != 0 {
            return at + specials.trailing_zeros() as usize;
        }
        at += simd::WIDTH;
    }
    plain_at_end(text.all(), at)
}

/// The same within the last sixteen bytes.
#[inline(never)]
fn plain_at_end(all: &[u8], at: usize) -> usize {
    let end = all.len();
    let specials = match all.last_chunk() {
        // The window ends with the text: what lies before `at` in it does not count.
        Some(window) if at < end => simd::specials_from(window, at + simd::WIDTH - end),
        Some(_) => 0,
        None => simd::specials(&simd::window_at_end(all, at)),
    };
    if specials == 0 { end } else { (at + specials.trailing_zeros() as usize).min(end) }
}

/// Undoes the escapes of a string that the scanner has passed.
pub fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let text = Bytes::new(raw);
    let mut at = 0;
    loop {
        let end = plain_until(text, at);
        out.extend_from_slice(&raw[at..end]);
        at = end;
        match raw.get(at) {
            Some(b'\\') => {}
            Some(byte) => {
                out.push(*byte);
                at += 1;
                continue;
            }
            None => break,
        }
        let (character, width) = unescape_one(&raw[at..]);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        at += width;
    }
    out
}

fn unescape_one(raw: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        raw.get(at..at + 4)
            .into_iter()
            .flatten()
            .fold(0, |value, byte| value * 16 + (*byte as char).to_digit(16).unwrap_or(0))
    };
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
