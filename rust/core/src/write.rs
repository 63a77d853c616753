//! Writes canonical JSON: compact, with the fewest escapes. What is written is valid by the way it is asked for, one token after the other.
//!
//! Short texts are what frames are made of, and a call of memcpy is their dearest part. So each token asks once for as much room as it may
//! take, moves bytes by sizes that the compiler knows, padding included, and goes on behind the text alone (`simd::Rooms`).

use crate::format::datetime::DateTime;
use crate::format::float;
use crate::simd::{Rooms, WIDTH, escapes};

/// Bytes that a short literal may have: every key and every value of an enumeration that the standard knows is one.
const PADDED: usize = 48;

/// Bytes that hold nearly all of them, so that seldom more than these are moved.
const USUAL: usize = 32;

/// Bytes of a string, at most, that is moved by its two ends.
const MIDDLE: usize = 2 * WIDTH;

/// The bytes of a short number, at most.
const DIGITS: usize = 32;

/// A short text that is often written: a key with its colon, the value of an enumeration.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    padded: [u8; PADDED],
    length: u8,
}

impl Default for Short {
    fn default() -> Self {
        Self { padded: [0; PADDED], length: 0 }
    }
}

/// Such a text of any length.
#[derive(Clone, Debug)]
pub struct Literal {
    /// The text, or nothing if it is long.
    short: Short,
    long: Option<Box<[u8]>>,
}

impl Literal {
    pub fn new(text: &[u8]) -> Self {
        let mut padded = [0; PADDED];
        match padded.get_mut(..text.len()) {
            Some(room) => {
                room.copy_from_slice(text);
                Self { short: Short { padded, length: text.len() as u8 }, long: None }
            }
            None => Self { short: Short::default(), long: Some(text.into()) },
        }
    }

    pub fn text(&self) -> &[u8] {
        match &self.long {
            Some(text) => text,
            None => &self.short.padded[..usize::from(self.short.length)],
        }
    }

    /// The text, if it is short.
    pub fn short(&self) -> Option<Short> {
        self.long.is_none().then_some(self.short)
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

/// Writes tokens at a place and tells where the next one goes.
#[derive(Debug, Default)]
pub struct Tokens(Rooms);

impl Tokens {
    /// Writes into this memory; what it holds has no meaning.
    #[inline]
    pub fn into(memory: Vec<u8>) -> Self {
        Self(Rooms::of(memory))
    }

    /// The memory, for another time.
    #[inline]
    pub fn into_memory(self) -> Vec<u8> {
        self.0.into_memory()
    }

    /// All that was written before a place.
    #[inline]
    pub fn before(&self, place: usize) -> &[u8] {
        self.0.before(place)
    }

    #[inline(always)]
    pub fn byte(&mut self, at: usize, byte: u8) -> usize {
        *self.0.room(at) = [byte];
        at + 1
    }

    /// A text that is JSON already.
    pub fn json(&mut self, at: usize, text: &[u8]) -> usize {
        self.0.long_room(at, text.len()).copy_from_slice(text);
        at + text.len()
    }

    #[inline(always)]
    pub fn short(&mut self, at: usize, text: &Short) -> usize {
        // The room first: else the padding would be moved by way of the stack.
        let room = self.0.room::<PADDED>(at);
        room[..USUAL].copy_from_slice(&text.padded[..USUAL]);
        if usize::from(text.length) > USUAL {
            room[USUAL..].copy_from_slice(&text.padded[USUAL..]);
        }
        at + usize::from(text.length)
    }

    #[inline]
    pub fn literal(&mut self, at: usize, literal: &Literal) -> usize {
        match &literal.long {
            None => self.short(at, &literal.short),
            Some(text) => self.json(at, text),
        }
    }

    /// Ends an object that began at `start`: whose keys were written with a comma before each one, the first too.
    #[inline(always)]
    pub fn close_object(&mut self, at: usize, start: usize) -> usize {
        self.close(at, start, *b"{}")
    }

    /// Ends an array that began at `start`, and whose items have a comma before each one.
    #[inline(always)]
    pub fn close_array(&mut self, at: usize, start: usize) -> usize {
        self.close(at, start, *b"[]")
    }

    #[inline(always)]
    fn close(&mut self, at: usize, start: usize, [open, close]: [u8; 2]) -> usize {
        // An empty one has no comma yet whose place the opening bracket takes.
        let at = at + usize::from(at == start);
        *self.0.room(at) = [close];
        self.0.set(start, open);
        at + 1
    }

    /// A string with its quotes.
    #[inline(always)]
    pub fn string(&mut self, at: usize, text: &str) -> usize {
        const EIGHT: usize = WIDTH / 2;
        const FOUR: usize = EIGHT / 2;
        let bytes = text.as_bytes();
        let count = bytes.len();
        // Two moves that overlap cover each of the lengths between them.
        let plain = match count {
            1..FOUR => {
                let letters = [bytes[0], bytes[count / 2], bytes[count - 1]];
                let room = self.0.room::<{ FOUR + 2 }>(at);
                room[0] = b'"';
                room[1] = letters[0];
                room[1 + count / 2] = letters[1];
                room[count] = letters[2];
                room[count + 1] = b'"';
                letters.iter().fold(true, |plain, letter| plain & !ESCAPED[usize::from(*letter)])
            }
            FOUR..EIGHT => self.pair::<FOUR>(at, bytes, |[head, tail]| {
                let both = u64::from(u32::from_le_bytes(head)) | u64::from(u32::from_le_bytes(tail)) << 32;
                escapes(&(u128::from(both) | u128::from(both) << 64).to_le_bytes()) == 0
            }),
            EIGHT..WIDTH => self.pair::<EIGHT>(at, bytes, |[head, tail]| {
                let (head, tail) = (u64::from_le_bytes(head), u64::from_le_bytes(tail));
                escapes(&(u128::from(head) | u128::from(tail) << 64).to_le_bytes()) == 0
            }),
            WIDTH..=MIDDLE => self.pair::<WIDTH>(at, bytes, |[head, tail]| escapes(&head) | escapes(&tail) == 0),
            _ => return self.long_string(at, bytes),
        };
        if plain { at + count + 2 } else { self.escaped(at, bytes) }
    }

    /// A string, which stands behind sixteen bytes that do not belong to it. They let a short one be read from its end by one size whatever its
    /// own: lengths differ from value to value, and a branch for each range of them is often guessed wrongly.
    #[inline(always)]
    pub fn string_behind(&mut self, at: usize, all: &[u8]) -> usize {
        let (Some((_, text)), Some(last)) = (all.split_first_chunk::<WIDTH>(), all.last_chunk::<WIDTH>()) else {
            return at;
        };
        let count = text.len();
        if count.wrapping_sub(1) >= WIDTH {
            return match (text.first_chunk(), text.last_chunk()) {
                (Some(head), Some(tail)) if count <= MIDDLE => {
                    let plain = self.pair::<WIDTH>(at, text, |_| escapes(head) | escapes(tail) == 0);
                    if plain { at + count + 2 } else { self.escaped(at, text) }
                }
                _ => self.long_string(at, text),
            };
        }
        let window = (u128::from_le_bytes(*last) >> (8 * (WIDTH - count))).to_le_bytes();
        let room = self.0.room::<{ WIDTH + 2 }>(at);
        room[0] = b'"';
        room[1..1 + WIDTH].copy_from_slice(&window);
        room[1 + count] = b'"';
        if escapes(&window) & ((1 << count) - 1) == 0 { at + count + 2 } else { self.escaped(at, text) }
    }

    /// Moves a text of `N` to twice as many bytes to a place, between quotes, and tells what `judge` says about its two ends.
    #[inline(always)]
    fn pair<const N: usize>(&mut self, at: usize, bytes: &[u8], judge: impl FnOnce([[u8; N]; 2]) -> bool) -> bool {
        let (Some(head), Some(tail)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else { return false };
        let (count, head, tail) = (bytes.len(), *head, *tail);
        let room = self.0.room::<{ MIDDLE + 2 }>(at);
        room[0] = b'"';
        room[1..1 + N].copy_from_slice(&head);
        // The tail begins within the first `N` bytes, or right behind them.
        let Some(end) = room.get_mut(1 + count - N..).and_then(|rest| rest.first_chunk_mut()) else { return false };
        *end = tail;
        room[1 + count] = b'"';
        judge([head, tail])
    }

    /// Any other string: each window of sixteen is looked at and moved at once; the last two overlap.
    #[inline(never)]
    fn long_string(&mut self, at: usize, bytes: &[u8]) -> usize {
        let count = bytes.len();
        let room = self.0.long_room(at, count + 2);
        room[0] = b'"';
        room[count + 1] = b'"';
        let text = &mut room[1..=count];
        let mut odd = 0;
        for (from, to) in bytes.chunks_exact(WIDTH).zip(text.chunks_exact_mut(WIDTH)) {
            let (Some(from), Some(to)) = (from.first_chunk(), to.first_chunk_mut()) else { break };
            odd |= escapes(from);
            *to = *from;
        }
        if let (Some(from), Some(to)) = (bytes.last_chunk(), text.last_chunk_mut()) {
            odd |= escapes(from);
            *to = *from;
        }
        if odd == 0 { at + count + 2 } else { self.escaped(at, bytes) }
    }

    /// A string in which something needs an escape: each window is moved up to the next of these.
    #[cold]
    #[inline(never)]
    fn escaped(&mut self, at: usize, bytes: &[u8]) -> usize {
        let mut at = self.byte(at, b'"');
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut window = [b' '; WIDTH];
            let count = rest.len().min(WIDTH);
            window[..count].copy_from_slice(&rest[..count]);
            *self.0.room(at) = window;
            let plain = count.min(escapes(&window).trailing_zeros() as usize);
            at += plain;
            rest = &rest[plain..];
            if plain < count {
                at = self.escape(at, rest[0]);
                rest = &rest[1..];
            }
        }
        self.byte(at, b'"')
    }

    #[inline]
    fn escape(&mut self, at: usize, byte: u8) -> usize {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let letter = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x0C => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => {
                let [high, low] = [byte >> 4, byte & 15].map(|half| HEX[usize::from(half)]);
                *self.0.room(at) = [b'\\', b'u', b'0', b'0', high, low];
                return at + 6;
            }
        };
        *self.0.room(at) = [b'\\', letter];
        at + 2
    }

    #[inline(always)]
    pub fn integer(&mut self, at: usize, value: i64) -> usize {
        match value {
            0..10 => self.byte(at, b'0' + value as u8),
            10..100 => {
                *self.0.room(at) = two_digits(value as usize);
                at + 2
            }
            _ => self.long_integer(at, value),
        }
    }

    #[inline(never)]
    fn long_integer(&mut self, at: usize, value: i64) -> usize {
        self.short_text(at, itoa::Buffer::new().format(value).as_bytes())
    }

    /// At most `DIGITS` bytes.
    #[inline(always)]
    fn short_text(&mut self, at: usize, text: &[u8]) -> usize {
        let count = text.len();
        let room = self.0.room::<DIGITS>(at);
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
        at + count
    }

    /// A finite double as a `number` field holds it: an integral value below 1e16 in size without a fraction, any other as `float`.
    #[inline]
    pub fn number(&mut self, at: usize, value: f64) -> usize {
        let whole = value as i64;
        if whole as f64 == value && whole.unsigned_abs() < float::WHOLE {
            self.integer(at, whole)
        } else {
            self.float(at, value)
        }
    }

    /// A finite double as Python's `repr` writes it.
    #[inline(never)]
    pub fn float(&mut self, at: usize, value: f64) -> usize {
        if float::is_positional(value) {
            self.short_text(at, float::Positional::new().text(value).as_bytes())
        } else {
            self.json(at, float::scientific(value).as_bytes())
        }
    }

    #[inline(always)]
    pub fn boolean(&mut self, at: usize, value: bool) -> usize {
        // Looked up: no branch could be guessed.
        *self.0.room(at) = [*b"false", *b"true\0"][usize::from(value)];
        at + 5 - usize::from(value)
    }

    pub fn null(&mut self, at: usize) -> usize {
        self.json(at, b"null")
    }

    /// A date-time in UTC, with its quotes, truncated to milliseconds; they are left out where they are 0.
    #[inline]
    pub fn datetime(&mut self, at: usize, value: &DateTime) -> usize {
        let two = |value: u8| two_digits(usize::from(value));
        let ([c, d], [y, z]) = (two((value.year / 100) as u8), two((value.year % 100) as u8));
        let ([m, n], [a, b]) = (two(value.month), two(value.day));
        let ([h, i], [j, k], [s, t]) = (two(value.hour), two(value.minute), two(value.second));
        let milliseconds = (value.microsecond / 1000) as usize;
        if milliseconds == 0 {
            *self.0.room(at) =
                [b'"', c, d, y, z, b'-', m, n, b'-', a, b, b'T', h, i, b':', j, k, b':', s, t, b'Z', b'"'];
            at + 22
        } else {
            let ([u, v], w) = (two_digits(milliseconds / 10), b'0' + (milliseconds % 10) as u8);
            *self.0.room(at) = [
                b'"', c, d, y, z, b'-', m, n, b'-', a, b, b'T', h, i, b':', j, k, b':', s, t, b'.', u, v, w, b'Z', b'"',
            ];
            at + 26
        }
    }
}

/// Writes tokens one behind the other, and remembers the place itself.
#[derive(Debug, Default)]
pub struct Writer {
    tokens: Tokens,
    length: usize,
}

impl Writer {
    /// Writes into the memory of an earlier one.
    pub fn reusing(memory: Vec<u8>) -> Self {
        Self { tokens: Tokens::into(memory), length: 0 }
    }

    /// The memory, for another time.
    pub fn into_memory(self) -> Vec<u8> {
        self.tokens.into_memory()
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.tokens.before(self.length)
    }

    /// How much has been written.
    pub fn position(&self) -> usize {
        self.length
    }

    pub fn byte(&mut self, byte: u8) {
        self.length = self.tokens.byte(self.length, byte);
    }

    pub fn json(&mut self, text: &[u8]) {
        self.length = self.tokens.json(self.length, text);
    }

    pub fn short(&mut self, text: &Short) {
        self.length = self.tokens.short(self.length, text);
    }

    pub fn literal(&mut self, literal: &Literal) {
        self.length = self.tokens.literal(self.length, literal);
    }

    pub fn close_object(&mut self, start: usize) {
        self.length = self.tokens.close_object(self.length, start);
    }

    pub fn close_array(&mut self, start: usize) {
        self.length = self.tokens.close_array(self.length, start);
    }

    pub fn string(&mut self, text: &str) {
        self.length = self.tokens.string(self.length, text);
    }

    pub fn integer(&mut self, value: i64) {
        self.length = self.tokens.integer(self.length, value);
    }

    pub fn number(&mut self, value: f64) {
        self.length = self.tokens.number(self.length, value);
    }

    pub fn float(&mut self, value: f64) {
        self.length = self.tokens.float(self.length, value);
    }

    pub fn boolean(&mut self, value: bool) {
        self.length = self.tokens.boolean(self.length, value);
    }

    pub fn null(&mut self) {
        self.length = self.tokens.null(self.length);
    }

    pub fn datetime(&mut self, value: &DateTime) {
        self.length = self.tokens.datetime(self.length, value);
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

/// Which characters need an escape.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut character = 0;
    while character < 0x20 {
        escaped[character] = true;
        character += 1;
    }
    escaped[b'"' as usize] = true;
    escaped[b'\\' as usize] = true;
    escaped
};

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
                    let expected = serde_json::to_string(&text).expect("a string");
                    assert_eq!(written(|writer| writer.string(&text)), expected);
                    let mut tokens = Tokens::default();
                    let end = tokens.string_behind(0, format!("\"\\\n\t0123456789ab{text}").as_bytes());
                    assert_eq!(tokens.before(end), expected.as_bytes());
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
