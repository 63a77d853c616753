//! Sixteen bytes at a time: the core's only file with `unsafe` in it. Every function has a portable twin that gives the same answer; the
//! feature `portable` forces the twins, and tests hold the two against each other.

/// Bytes that are looked at together.
pub const WIDTH: usize = 16;

/// The sixteen bytes at a place, if there are as many.
#[inline(always)]
pub fn window(text: &[u8], at: usize) -> Option<&[u8; WIDTH]> {
    text.get(at..).and_then(<[u8]>::first_chunk)
}

/// The bytes from a place to the end of the text, at most sixteen, and zeros behind them.
#[inline]
pub fn window_at_end(text: &[u8], at: usize) -> [u8; WIDTH] {
    let missing = (at + WIDTH).saturating_sub(text.len());
    match text.last_chunk() {
        Some(last) if missing < WIDTH => (u128::from_le_bytes(*last) >> (8 * missing)).to_le_bytes(),
        Some(_) => [0; WIDTH],
        None => {
            let mut window = [0; WIDTH];
            let rest = text.get(at..).unwrap_or_default();
            window[..rest.len()].copy_from_slice(rest);
            window
        }
    }
}

/// The index of the first byte that is a quote, a backslash, a control character or not ASCII; `WIDTH` if none is.
#[inline(always)]
pub fn first_special(window: &[u8; WIDTH]) -> usize {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    return sse2::first_special(window);
    #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
    return portable::first_special(window);
}

/// One bit for each byte in which the two differ, the first byte's lowest.
#[inline(always)]
pub fn differences(left: &[u8; WIDTH], right: &[u8; WIDTH]) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    return sse2::differences(left, right);
    #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
    return portable::differences(left, right);
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use super::WIDTH;
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };

    #[inline(always)]
    pub fn first_special(window: &[u8; WIDTH]) -> usize {
        // SAFETY: SSE2 belongs to every x86-64; the load reads the window's 16 bytes and needs no alignment.
        let hits = unsafe {
            let bytes = _mm_loadu_si128(window.as_ptr().cast::<__m128i>());
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            // Signed, so that bytes beyond ASCII count as small too.
            let odd = _mm_cmplt_epi8(bytes, _mm_set1_epi8(b' ' as i8));
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), odd))
        };
        (hits | 1 << WIDTH).trailing_zeros() as usize
    }

    #[inline(always)]
    pub fn differences(left: &[u8; WIDTH], right: &[u8; WIDTH]) -> u32 {
        // SAFETY: SSE2 belongs to every x86-64; the loads read 16 bytes each and need no alignment.
        let equal = unsafe {
            let left = _mm_loadu_si128(left.as_ptr().cast::<__m128i>());
            let right = _mm_loadu_si128(right.as_ptr().cast::<__m128i>());
            _mm_movemask_epi8(_mm_cmpeq_epi8(left, right))
        };
        equal as u32 ^ 0xFFFF
    }
}

#[cfg(any(test, feature = "portable", not(target_arch = "x86_64")))]
mod portable {
    use super::WIDTH;

    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;

    pub fn first_special(window: &[u8; WIDTH]) -> usize {
        let word = u128::from_le_bytes(*window);
        let (low, high) = (hits(word as u64), hits((word >> 64) as u64));
        match (low, high) {
            (0, 0) => WIDTH,
            (0, _) => 8 + (high.trailing_zeros() / 8) as usize,
            _ => (low.trailing_zeros() / 8) as usize,
        }
    }

    pub fn differences(left: &[u8; WIDTH], right: &[u8; WIDTH]) -> u32 {
        let differ = |index: usize| u32::from(left[index] != right[index]) << index;
        (0..WIDTH).fold(0, |bits, index| bits | differ(index))
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
                match window(text, at) {
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
                    assert_eq!(portable::first_special(&window), expected, "{window:?}");
                    assert_eq!(first_special(&window), expected, "{window:?}");
                    let bits = if byte == b'x' { 0 } else { 1 << place };
                    let mut plain = window;
                    plain[place] = b'x';
                    assert_eq!(portable::differences(&window, &plain), bits, "{window:?}");
                    assert_eq!(differences(&window, &plain), bits, "{window:?}");
                }
            }
        }
    }
}
