//! Finding a name among a few that are known: keys, values of enumerations, actions.
//!
//! A `Pattern` is a text to be recognised at a place, sixteen bytes at a time: most are no longer, so that one comparison decides. `Names`
//! is a hash table of such texts, its hash made from the same sixteen bytes and chosen so that few names meet.

use std::fmt;

use crate::simd::{self, WIDTH, window, window_at_end};

/// A text to be recognised where it is expected. It fills one cache line.
#[derive(Clone)]
#[repr(align(64))]
pub struct Pattern {
    /// The first bytes, and one bit for each of them that counts.
    head: [u8; WIDTH],
    mask: u32,
    pub length: u32,
    /// The last bytes of a text that is longer than that.
    tail: [u8; WIDTH],
    /// All of a text that is longer than head and tail together.
    long: Option<Box<[u8]>>,
}

impl Pattern {
    pub fn new(text: &[u8]) -> Self {
        let tail = if text.len() > WIDTH { text.last_chunk() } else { None };
        Self {
            head: padded(text).to_le_bytes(),
            mask: u32::MAX >> (32 - text.len().min(WIDTH)),
            length: text.len() as u32,
            tail: tail.copied().unwrap_or_default(),
            long: (text.len() > 2 * WIDTH).then(|| text.into()),
        }
    }

    /// The end of the text if it stands at `at`, its first `skip` bytes aside.
    #[inline(always)]
    pub fn ends(&self, text: &[u8], at: usize, skip: u32) -> Option<usize> {
        match window(text, at) {
            Some(window) => self.ends_in(window, text, at, skip),
            None => self.ends_in_rest(text, at, skip),
        }
    }

    #[inline(never)]
    fn ends_in_rest(&self, text: &[u8], at: usize, skip: u32) -> Option<usize> {
        // A text that has ended has zeros where a pattern has none.
        if at < text.len() { self.ends_in(&window_at_end(text, at), text, at, skip) } else { None }
    }

    #[inline(always)]
    fn ends_in(&self, window: &[u8; WIDTH], text: &[u8], at: usize, skip: u32) -> Option<usize> {
        if simd::differences(window, &self.head) & self.mask & (u32::MAX << skip) != 0 {
            return None;
        }
        let end = at + self.length as usize;
        if self.length as usize <= WIDTH || self.rest_stands(text, at, end) { Some(end) } else { None }
    }

    #[inline(always)]
    fn rest_stands(&self, text: &[u8], at: usize, end: usize) -> bool {
        let Some(window) = window(text, end - WIDTH) else { return false };
        simd::differences(window, &self.tail) == 0
            && self.long.as_ref().is_none_or(|long| text[at + WIDTH..end] == long[WIDTH..])
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.head[..self.head.len().min(self.length as usize)];
        write!(f, "Pattern({:?}, {})", String::from_utf8_lossy(head), self.length)
    }
}

/// The first bytes of a text, zero behind a shorter one.
fn padded(text: &[u8]) -> u128 {
    let mut bytes = [0; WIDTH];
    let count = text.len().min(WIDTH);
    bytes[..count].copy_from_slice(&text[..count]);
    u128::from_le_bytes(bytes)
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

/// The bits of the first `count` bytes of a window.
#[inline(always)]
fn low_bytes(count: usize) -> u128 {
    MASKS[count.min(WIDTH)]
}

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
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.look_up(name, padded(name), tail_of(name))
    }

    /// The index of the name that is the bytes from `start` to `end` of `text`; faster than `find` where the text goes on behind it.
    #[inline(always)]
    pub fn find_in(&self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        let name = &text[start..end];
        match window(text, start) {
            Some(window) => self.look_up(name, u128::from_le_bytes(*window) & low_bytes(name.len()), tail_of(name)),
            None => self.find_at_end(text, start, name),
        }
    }

    /// The index of the name that stands as a string of up to fifteen bytes at `at`, and the place behind it; None for any other, and near the
    /// end of `text`.
    #[inline(always)]
    pub fn find_string(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        let window = window(text, at + 1)?;
        let length = simd::first_special(window);
        let quote = *window.get(length)?;
        if text[at] != b'"' || quote != b'"' {
            return None;
        }
        let head = u128::from_le_bytes(*window) & MASKS[length];
        let mut index = usize::from(*self.heads.get(self.place(head, 0))?);
        while index != 0 {
            let entry = &self.entries[index - 1];
            if entry.head == head && entry.length == length {
                return Some((index - 1, at + length + 2));
            }
            index = usize::from(entry.next);
        }
        None
    }

    #[inline(never)]
    fn find_at_end(&self, text: &[u8], start: usize, name: &[u8]) -> Option<usize> {
        let rest = u128::from_le_bytes(window_at_end(text, start));
        self.look_up(name, rest & low_bytes(name.len()), tail_of(name))
    }

    #[inline(always)]
    fn look_up(&self, name: &[u8], head: u128, tail: u128) -> Option<usize> {
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
            let longer = format!("<<{word}>> and more text than a window holds");
            assert_eq!(names.find_in(longer.as_bytes(), 2, 2 + word.len()), Some(index), "{word}");
            let near = format!("{{\"{word}\"}}");
            assert_eq!(names.find_in(near.as_bytes(), 2, 2 + word.len()), Some(index), "{word}");
            let near = format!("sixteen and more {{\"{word}\"}}");
            assert_eq!(names.find_in(near.as_bytes(), 19, 19 + word.len()), Some(index), "{word}");
            let quoted = format!("<\"{word}\" and more text than a window holds");
            let expected = (word.len() < WIDTH).then_some((index, 3 + word.len()));
            assert_eq!(names.find_string(quoted.as_bytes(), 1), expected, "{word}");
            let stranger = format!("{word}\0");
            assert_eq!(names.find(stranger.as_bytes()), None, "{word}");
            if word.len() > 1 {
                assert_eq!(names.find_in(longer.as_bytes(), 2, 1 + word.len()), None, "{word}");
            }
        }
        assert_eq!(Names::new([]).find(b"x"), None);
    }

    #[test]
    fn patterns_stand_where_their_text_does() {
        for word in &WORDS[1..] {
            let pattern = Pattern::new(word.as_bytes());
            let text = format!("..{word} and more text than a window holds");
            assert_eq!(pattern.ends(text.as_bytes(), 2, 0), Some(2 + word.len()), "{word}");
            assert!(pattern.ends(text.replacen(&word[..1], "\u{1}", 1).as_bytes(), 2, 1).is_some(), "{word}");
            let near = format!("..{word}");
            assert_eq!(pattern.ends(near.as_bytes(), 2, 0), Some(near.len()), "{word}");
            for wrong in 2..2 + word.len() {
                assert_eq!(pattern.ends(&near.as_bytes()[..wrong], 2, 0), None, "{word} cut off");
                let mut text = text.clone().into_bytes();
                text[wrong] ^= 1;
                assert_eq!(pattern.ends(&text, 2, 0), None, "{word} with byte {wrong} changed");
            }
        }
    }
}
