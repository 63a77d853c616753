//! Finding a name among a few that are known: keys, values of enumerations, actions.
//!
//! A `Pattern` is a text to be recognised at a place, sixteen bytes at a time: most are no longer, so that one comparison decides. `Names`
//! is a hash table of such texts, its hash made from the same sixteen bytes and chosen so that few names meet.

use std::fmt;

use crate::simd::{self, Bytes, WIDTH};

/// A text to be recognised where it is expected.
#[derive(Clone)]
#[repr(C)]
pub struct Pattern {
    /// The first bytes, and one bit for each of them that counts.
    head: [u8; WIDTH],
    mask: u32,
    /// How many bytes are compared, and how many of them are passed.
    whole: u16,
    length: u16,
    /// All of a text that is longer than head and tail together; boxed twice, since there is seldom one.
    long: Option<Box<Box<[u8]>>>,
    /// The last bytes of a text that is longer than a window.
    tail: [u8; WIDTH],
}

impl Pattern {
    /// A pattern that stands where `text` does and `ahead` follows it.
    pub fn new(text: &[u8], ahead: &[u8]) -> Self {
        let whole = &[text, ahead].concat()[..];
        let tail = if whole.len() > WIDTH { whole.last_chunk() } else { None };
        // A text that is absurdly long stands nowhere: no byte is compared for this bit.
        let absurd = if whole.len() > usize::from(u16::MAX) { ALL + 1 } else { 0 };
        Self {
            head: padded(whole).to_le_bytes(),
            mask: ALL >> (WIDTH - whole.len().min(WIDTH)) | absurd,
            whole: whole.len() as u16,
            length: text.len() as u16,
            tail: tail.copied().unwrap_or_default(),
            long: (whole.len() > 2 * WIDTH).then(|| Box::new(whole.into())),
        }
    }

    /// The end of its text if that stands at `at`; only the bytes of the first window whose bits are in `counts` are compared there.
    #[inline(always)]
    pub fn ends(&self, text: Bytes<'_>, at: usize, counts: u32) -> Option<usize> {
        let stands = match text.window(at) {
            Some(window) => !simd::sameness(window, &self.head) & self.mask & counts == 0,
            None => self.stands_at_end(text.all(), at, counts),
        };
        if stands && (usize::from(self.whole) <= WIDTH || self.rest_stands(text, at)) {
            return Some(at + usize::from(self.length));
        }
        None
    }

    #[cold]
    #[inline(never)]
    fn stands_at_end(&self, all: &[u8], at: usize, counts: u32) -> bool {
        // A text that has ended has zeros where a pattern has none.
        at < all.len() && !simd::sameness(&simd::window_at_end(all, at), &self.head) & self.mask & counts == 0
    }

    #[inline(always)]
    fn rest_stands(&self, text: Bytes<'_>, at: usize) -> bool {
        let end = at + usize::from(self.whole);
        let Some(window) = text.window(end - WIDTH) else { return false };
        simd::sameness(window, &self.tail) == ALL
            && match &self.long {
                None => true,
                Some(long) => text.all()[at + WIDTH..end] == long[WIDTH..],
            }
    }
}

/// The bit of every byte of a window.
pub const ALL: u32 = u32::MAX >> (32 - WIDTH);

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.head[..WIDTH.min(usize::from(self.whole))];
        write!(f, "Pattern({:?}, {})", String::from_utf8_lossy(head), self.length)
    }
}

/// The first bytes of a text, zero behind a shorter one.
#[inline(always)]
fn padded(text: &[u8]) -> u128 {
    if let Some(head) = text.first_chunk() {
        return u128::from_le_bytes(*head);
    }
    match (text.first_chunk(), text.last_chunk()) {
        // The two overlap: the last bytes are moved to where they belong.
        (Some(first), Some(last)) => {
            let last = u64::from_le_bytes(*last).checked_shr(8 * (WIDTH - text.len()) as u32).unwrap_or(0);
            u128::from(u64::from_le_bytes(*first)) | u128::from(last) << 64
        }
        _ => text.iter().rev().fold(0, |bytes, byte| bytes << 8 | u128::from(*byte)),
    }
}

/// The bits of the first bytes, by their number.
const MASKS: [u128; WIDTH + 1] = {
    let mut masks = [u128::MAX; WIDTH + 1];
    let mut count = 0;
    while count < WIDTH {
        masks[count] = (1 << (8 * count)) - 1;
        count += 1;
    }
    masks
};

/// A closed set of names, each known by its index.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By hash: the index of the first name that has it, plus one.
    heads: Vec<u16>,
    entries: Vec<Entry>,
    multiplier: u64,
    shift: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    head: u128,
    tail: u128,
    length: usize,
    name: Box<[u8]>,
    /// The next name of the same hash, plus one.
    next: u16,
}

impl Names {
    pub fn new<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Self {
        let entries: Vec<Entry> = names
            .into_iter()
            .map(|name| Entry {
                head: padded(name),
                tail: tail_of(name),
                length: name.len(),
                name: name.into(),
                next: 0,
            })
            .collect();
        let bits = (entries.len() * 4).next_power_of_two().trailing_zeros().max(1);
        // Odd numbers without a pattern, from a golden start; the first that separates all names, else the one that does best.
        let candidates = (1..=64u64).map(|step| 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(2 * step + 1) | 1);
        let mut best: Option<(usize, Self)> = None;
        for multiplier in candidates {
            let mut table =
                Self { heads: vec![0; 1 << bits], entries: entries.clone(), multiplier, shift: u64::BITS - bits };
            let meetings = table.fill();
            if best.as_ref().is_none_or(|(least, _)| meetings < *least) {
                best = Some((meetings, table));
            }
            if meetings == 0 {
                break;
            }
        }
        best.map(|(_, table)| table).unwrap_or_default()
    }

    /// Puts the entries into the table; how many found their place taken.
    fn fill(&mut self) -> usize {
        let mut meetings = 0;
        for index in 0..self.entries.len() {
            let place = self.place(self.entries[index].head, self.entries[index].tail);
            let before = std::mem::replace(&mut self.heads[place], index as u16 + 1);
            self.entries[index].next = before;
            meetings += usize::from(before != 0);
        }
        meetings
    }

    #[inline(always)]
    fn place(&self, head: u128, tail: u128) -> usize {
        let folded = (head as u64)
            ^ ((head >> 64) as u64).rotate_left(23)
            ^ (tail as u64).rotate_left(41)
            ^ ((tail >> 64) as u64);
        ((folded ^ folded >> 29).wrapping_mul(self.multiplier) >> self.shift) as usize
    }

    /// The index of a name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let (head, tail) = (padded(name), tail_of(name));
        let mut index = usize::from(*self.heads.get(self.place(head, tail))?);
        while index != 0 {
            let entry = &self.entries[index - 1];
            // Head and tail hold all of a name of up to 32 bytes.
            if entry.head == head
                && entry.tail == tail
                && entry.length == name.len()
                && (name.len() <= 2 * WIDTH || *entry.name == *name)
            {
                return Some(index - 1);
            }
            index = usize::from(entry.next);
        }
        None
    }

    /// The index of the name that stands as a string of up to thirty-one bytes at `at`, where its opening quote is, and the place behind it; None for
    /// any other, and for a longer one near the end of `text`.
    #[inline(always)]
    pub fn find_string(&self, text: Bytes<'_>, at: usize) -> Option<(usize, usize)> {
        let Some(window) = text.window(at + 1) else { return self.find_at_end(text.all(), at) };
        let specials = simd::specials(window);
        if specials == 0 {
            return self.find_longer(text.all(), at, window);
        }
        let length = specials.trailing_zeros() as usize;
        if text.byte(at + 1 + length) != b'"' {
            return None;
        }
        let index = self.find_among(u128::from_le_bytes(*window) & MASKS[length], 0, length)?;
        Some((index, at + length + 2))
    }

    /// The same where the text ends within the window.
    #[inline(never)]
    fn find_at_end(&self, all: &[u8], at: usize) -> Option<(usize, usize)> {
        // The last window of the text, and where the string begins in it.
        let last: &[u8; WIDTH] = all.last_chunk()?;
        let start = (at + 1 + WIDTH).checked_sub(all.len()).filter(|start| *start < WIDTH)?;
        let length = simd::specials_from(last, start).trailing_zeros() as usize;
        if all.get(at + 1 + length) != Some(&b'"') {
            return None;
        }
        let head = u128::from_le_bytes(*last) >> (8 * start) & MASKS.get(length)?;
        Some((self.find_among(head, 0, length)?, at + length + 2))
    }

    /// The same where the string goes on behind its first window.
    #[inline(never)]
    fn find_longer(&self, all: &[u8], at: usize, head: &[u8; WIDTH]) -> Option<(usize, usize)> {
        let text = Bytes::new(all);
        let specials = simd::specials(text.window(at + 1 + WIDTH)?);
        if specials == 0 {
            return None;
        }
        let end = at + 1 + WIDTH + specials.trailing_zeros() as usize;
        if text.byte(end) != b'"' {
            return None;
        }
        let length = end - at - 1;
        let tail = if length == WIDTH { 0 } else { u128::from_le_bytes(*text.window(end - WIDTH)?) };
        Some((self.find_among(u128::from_le_bytes(*head), tail, length)?, end + 1))
    }

    /// The index of the name of up to 32 bytes that has this head, tail and length.
    #[inline(always)]
    fn find_among(&self, head: u128, tail: u128, length: usize) -> Option<usize> {
        let mut index = usize::from(*self.heads.get(self.place(head, tail))?);
        while index != 0 {
            let entry = &self.entries[index - 1];
            if entry.head == head && entry.tail == tail && entry.length == length {
                return Some(index - 1);
            }
            index = usize::from(entry.next);
        }
        None
    }
}

/// The last bytes of a name that is longer than its head.
#[inline(always)]
fn tail_of(name: &[u8]) -> u128 {
    if name.len() <= WIDTH { 0 } else { name.last_chunk().copied().map_or(0, u128::from_le_bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 9] = [
        "",
        "A",
        "Accepted",
        "exactly sixteen!",
        "seventeen letters",
        "Energy.Active.Export.Interval",
        "Energy.Active.Import.Interval",
        "a name of more than thirty-two bytes A",
        "a name of more than thirty-two bytez A",
    ];

    #[test]
    fn names_are_found_and_strangers_are_not() {
        let names = Names::new(WORDS.iter().map(|word| word.as_bytes()));
        for (index, word) in WORDS.iter().enumerate() {
            assert_eq!(names.find(word.as_bytes()), Some(index), "{word}");
            let quoted = format!("<\"{word}\" and more text than a window holds");
            let expected = (word.len() < 2 * WIDTH).then_some((index, 3 + word.len()));
            assert_eq!(names.find_string(Bytes::new(quoted.as_bytes()), 1), expected, "{word}");
            let at_end = format!("<a text that is longer than a window, and \"{word}\"");
            let expected = (word.len() < WIDTH).then_some((index, at_end.len()));
            assert_eq!(
                names.find_string(Bytes::new(at_end.as_bytes()), at_end.len() - word.len() - 2),
                expected,
                "{word}"
            );
            let stranger = format!("{word}\0");
            assert_eq!(names.find(stranger.as_bytes()), None, "{word}");
            if word.len() > 1 {
                assert_eq!(names.find(&word.as_bytes()[1..]), None, "{word}");
            }
        }
        assert_eq!(Names::new([]).find(b"x"), None);
    }

    #[test]
    fn patterns_stand_where_their_text_does() {
        let ends = |pattern: &Pattern, text: &[u8], counts| pattern.ends(Bytes::new(text), 2, counts);
        for word in &WORDS[1..] {
            let pattern = Pattern::new(word.as_bytes(), b"");
            let text = format!("..{word} and more text than a window holds");
            assert_eq!(ends(&pattern, text.as_bytes(), ALL), Some(2 + word.len()), "{word}");
            let first_changed = text.replacen(&word[..1], "\u{1}", 1);
            assert_eq!(ends(&pattern, first_changed.as_bytes(), ALL << 1), Some(2 + word.len()), "{word}");
            let near = format!("..{word}");
            assert_eq!(ends(&pattern, near.as_bytes(), ALL), Some(near.len()), "{word}");
            for wrong in 2..2 + word.len() {
                assert_eq!(ends(&pattern, &near.as_bytes()[..wrong], ALL), None, "{word} cut off");
                let mut text = text.clone().into_bytes();
                text[wrong] ^= 1;
                assert_eq!(ends(&pattern, &text, ALL), None, "{word} with byte {wrong} changed");
            }
            let ahead = Pattern::new(word.as_bytes(), b"{");
            assert_eq!(ends(&ahead, format!("..{word}{{").as_bytes(), ALL), Some(2 + word.len()), "{word}");
            assert_eq!(ends(&ahead, format!("..{word}[").as_bytes(), ALL), None, "{word}");
            assert_eq!(ends(&ahead, format!("..{word}").as_bytes(), ALL), None, "{word}");
        }
        let absurd = "x".repeat(70_000);
        assert_eq!(ends(&Pattern::new(absurd.as_bytes(), b""), format!("..{absurd}").as_bytes(), ALL), None);
    }
}
