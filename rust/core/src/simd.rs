//! Sixteen bytes at a time, read by windows and written by rooms: the core's only file with `unsafe` in it. Every function with a processor's own
//! instructions has a portable twin that gives the same answer; the feature `portable` forces the twins, and tests hold the two against each other.

/// Bytes that are looked at together.
pub const WIDTH: usize = 16;

/// A text, and how far windows into it reach.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    all: &'a [u8],
    /// The places at which a whole window begins.
    windows: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(all: &'a [u8]) -> Self {
        Self { all, windows: all.len().saturating_sub(WIDTH - 1) }
    }

    #[inline(always)]
    pub fn all(self) -> &'a [u8] {
        self.all
    }

    /// The byte at a place; NUL, which nothing begins with, where the text has ended.
    #[inline(always)]
    pub fn byte(self, at: usize) -> u8 {
        if at < self.all.len() { self.all[at] } else { 0 }
    }

    /// The sixteen bytes at a place, if there are as many.
    #[inline(always)]
    pub fn window(self, at: usize) -> Option<&'a [u8; WIDTH]> {
        if at >= self.windows {
            return None;
        }
        // SAFETY: `at` is less than the length minus 15 (`new` alone sets `windows`), so that 16 bytes begin there within the text.
        Some(unsafe { &*self.all.as_ptr().add(at).cast::<[u8; WIDTH]>() })
    }

    /// The eight bytes at a place as a number, the first byte the lowest; zeros where the text has ended.
    #[inline(always)]
    pub fn word(self, at: usize) -> u64 {
        match self.window(at) {
            Some([a, b, c, d, e, f, g, h, ..]) => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
            None => word_at_end(self.all, at),
        }
    }
}

/// The most bytes of a room.
pub const ROOM: usize = 64;

/// The memory behind which room is asked for grows by at least this.
const GROWTH: usize = 1024;

/// Memory that is written from its beginning on. What comes next is given room of a size that the compiler knows, of which it may leave the end as
/// padding; so a short text takes one look at the room that is left and a few moves, where memcpy would take a call.
///
/// Where writing goes on is told each time: so it can stay in a register, which each token else would have to wait for.
#[derive(Debug, Default)]
pub struct Rooms {
    /// All of it is initialised.
    memory: Vec<u8>,
    /// The places at which a whole room begins.
    rooms: usize,
}

impl Rooms {
    /// Writes into this memory; what it holds has no meaning.
    #[inline]
    pub fn of(memory: Vec<u8>) -> Self {
        let rooms = memory.len().saturating_sub(ROOM - 1);
        Self { memory, rooms }
    }

    #[inline]
    pub fn into_memory(self) -> Vec<u8> {
        self.memory
    }

    /// All that was written before a place.
    #[inline]
    pub fn before(&self, place: usize) -> &[u8] {
        &self.memory[..place]
    }

    #[inline(always)]
    pub fn set(&mut self, place: usize, byte: u8) {
        self.memory[place] = byte;
    }

    /// Room for `N` bytes at a place.
    #[inline(always)]
    pub fn room<const N: usize>(&mut self, at: usize) -> &mut [u8; N] {
        const { assert!(N <= ROOM) };
        if at >= self.rooms {
            self.grow(at, ROOM);
        }
        // SAFETY: the place is less than the memory's length minus 63 (`of` and `grow` alone set `rooms`, and `grow` makes it so), so that a whole
        // room of initialised bytes begins there, of which `N` are at most all.
        unsafe { &mut *self.memory.as_mut_ptr().add(at).cast::<[u8; N]>() }
    }

    /// Room for as many bytes as are asked for, however many.
    #[inline]
    pub fn long_room(&mut self, at: usize, count: usize) -> &mut [u8] {
        if self.memory.len().saturating_sub(at) < count {
            self.grow(at, count);
        }
        &mut self.memory[at..][..count]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, at: usize, room: usize) {
        self.memory.resize(2 * at + room.max(ROOM) + GROWTH, 0);
        self.rooms = self.memory.len() - (ROOM - 1);
    }
}

// What is called seldom takes the text as a slice: `Bytes` would go by way of memory, and cost every value its copy.

/// The bytes from a place to the end of the text, at most sixteen, and zeros behind them.
#[inline]
pub fn window_at_end(all: &[u8], at: usize) -> [u8; WIDTH] {
    let missing = (at + WIDTH).saturating_sub(all.len());
    match all.last_chunk() {
        Some(last) if missing < WIDTH => (u128::from_le_bytes(*last) >> (8 * missing)).to_le_bytes(),
        Some(_) => [0; WIDTH],
        None => {
            let mut window = [0; WIDTH];
            let rest = all.get(at..).unwrap_or_default();
            window[..rest.len()].copy_from_slice(rest);
            window
        }
    }
}

#[cold]
#[inline(never)]
fn word_at_end(all: &[u8], at: usize) -> u64 {
    u128::from_le_bytes(window_at_end(all, at)) as u64
}

/// One bit for each byte that is a quote, a backslash, a control character or not ASCII, the first byte's lowest; exact for the first of them.
#[inline(always)]
pub fn specials(window: &[u8; WIDTH]) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    return sse2::specials(window);
    #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
    return portable::specials(window);
}

/// The same for the bytes from `start` on, the bit of that byte the lowest.
#[inline(always)]
pub fn specials_from(window: &[u8; WIDTH], start: usize) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    return sse2::specials(window) >> start;
    // Its twin knows the first one alone.
    #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
    return portable::specials(&(u128::from_le_bytes(*window) >> (8 * start)).to_le_bytes());
}

/// The index of the first of them; `WIDTH` if there is none.
#[inline(always)]
pub fn first_special(window: &[u8; WIDTH]) -> usize {
    (specials(window) | 1 << WIDTH).trailing_zeros() as usize
}

/// One bit for each byte that needs an escape in a JSON string, a quote, a backslash or a control character; the first byte's lowest.
#[inline(always)]
pub fn escapes(window: &[u8; WIDTH]) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    return sse2::escapes(window);
    #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
    return portable::escapes(window);
}

/// One bit for each byte in which the two are the same, the first byte's lowest.
#[inline(always)]
pub fn sameness(left: &[u8; WIDTH], right: &[u8; WIDTH]) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    return sse2::sameness(left, right);
    #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
    return portable::sameness(left, right);
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use super::WIDTH;
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8, _mm_xor_si128,
    };

    #[inline(always)]
    pub fn specials(window: &[u8; WIDTH]) -> u32 {
        // SAFETY: SSE2 belongs to every x86-64; the load reads the window's 16 bytes and needs no alignment.
        let hits = unsafe {
            let bytes = _mm_loadu_si128(window.as_ptr().cast::<__m128i>());
            let slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            // With this bit flipped a quote is 0x20, and below it lie the control characters. The comparison is signed, so that bytes beyond
            // ASCII are small too.
            let flipped = _mm_xor_si128(bytes, _mm_set1_epi8(2));
            let odd = _mm_cmplt_epi8(flipped, _mm_set1_epi8(b'!' as i8));
            _mm_movemask_epi8(_mm_or_si128(slash, odd))
        };
        hits as u32
    }

    #[inline(always)]
    pub fn escapes(window: &[u8; WIDTH]) -> u32 {
        // SAFETY: SSE2 belongs to every x86-64; the load reads the window's 16 bytes and needs no alignment.
        let hits = unsafe {
            let bytes = _mm_loadu_si128(window.as_ptr().cast::<__m128i>());
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            let last = _mm_set1_epi8(0x1F);
            let control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last), last);
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control))
        };
        hits as u32
    }

    #[inline(always)]
    pub fn sameness(left: &[u8; WIDTH], right: &[u8; WIDTH]) -> u32 {
        // SAFETY: SSE2 belongs to every x86-64; the loads read 16 bytes each and need no alignment.
        let equal = unsafe {
            let left = _mm_loadu_si128(left.as_ptr().cast::<__m128i>());
            let right = _mm_loadu_si128(right.as_ptr().cast::<__m128i>());
            _mm_movemask_epi8(_mm_cmpeq_epi8(left, right))
        };
        equal as u32
    }
}

#[cfg(any(test, feature = "portable", not(target_arch = "x86_64")))]
mod portable {
    use super::WIDTH;

    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;

    pub fn specials(window: &[u8; WIDTH]) -> u32 {
        let word = u128::from_le_bytes(*window);
        match (hits(word as u64), hits((word >> 64) as u64)) {
            (0, 0) => 0,
            (0, high) => 1 << (8 + high.trailing_zeros() / 8),
            (low, _) => 1 << (low.trailing_zeros() / 8),
        }
    }

    pub fn escapes(window: &[u8; WIDTH]) -> u32 {
        // Folded, not searched: so the compiler can look at all bytes at once.
        let odd = |index: usize| u32::from(matches!(window[index], 0..0x20 | b'"' | b'\\')) << index;
        (0..WIDTH).fold(0, |bits, index| bits | odd(index))
    }

    pub fn sameness(left: &[u8; WIDTH], right: &[u8; WIDTH]) -> u32 {
        let same = |index: usize| u32::from(left[index] == right[index]) << index;
        (0..WIDTH).fold(0, |bits, index| bits | same(index))
    }

    /// The high bit of each special byte, exact for the lowest one: a borrow only ever disturbs the bytes above the first hit.
    fn hits(word: u64) -> u64 {
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let special = (word.wrapping_sub(ONES * 0x20) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | word;
        special & HIGHS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_with_zeros_where_the_text_has_ended() {
        for text in [&b"short"[..], b"a text of more than sixteen bytes"] {
            for at in 0..text.len() + 3 {
                let rest = text.get(at..).unwrap_or_default();
                match Bytes::new(text).window(at) {
                    Some(window) => assert_eq!(window, &rest[..WIDTH]),
                    None => {
                        let window = window_at_end(text, at);
                        assert_eq!(&window[..rest.len()], rest);
                        assert!(window[rest.len()..].iter().all(|byte| *byte == 0));
                    }
                }
            }
        }
    }

    #[test]
    fn both_twins_find_every_byte_at_every_place() {
        for place in 0..WIDTH {
            for byte in 0..=255 {
                for other in [b'a', b'"', b'!', 0x80] {
                    let mut window = [b'x'; WIDTH];
                    window[place] = byte;
                    if place + 1 < WIDTH {
                        window[place + 1] = other;
                    }
                    let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..=0x1F | 0x80..);
                    let expected = window.iter().position(|byte| !plain(byte)).unwrap_or(WIDTH);
                    assert_eq!(
                        (portable::specials(&window) | 1 << WIDTH).trailing_zeros() as usize,
                        expected,
                        "{window:?}"
                    );
                    assert_eq!(first_special(&window), expected, "{window:?}");
                    let escaped = |index: usize| matches!(window[index], b'"' | b'\\' | 0..=0x1F);
                    let bits = (0..WIDTH).map(|index| u32::from(escaped(index)) << index).sum::<u32>();
                    assert_eq!(portable::escapes(&window), bits, "{window:?}");
                    assert_eq!(super::escapes(&window), bits, "{window:?}");
                    let bits = if byte == b'x' { 0xFFFF } else { 0xFFFF ^ 1 << place };
                    let mut plain = window;
                    plain[place] = b'x';
                    assert_eq!(portable::sameness(&window, &plain), bits, "{window:?}");
                    assert_eq!(sameness(&window, &plain), bits, "{window:?}");
                }
            }
        }
    }
}
