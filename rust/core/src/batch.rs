//! Many frames in one text, and frames that are only checked.

use crate::error::{Fault, Kind};
use crate::scan::Cursor;
use crate::schema::Schema;
use crate::sink::Check;
use crate::validate::{Limits, Walker};

/// The lines of a text, without their ends (`\n` or `\r\n`); those of white space alone are left out.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b'\n', text).chain([text.len()]);
    let mut start = 0;
    ends.filter_map(move |end| {
        let line = &text[start..end];
        start = end + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (!line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))).then_some(line)
    })
}

/// A text in parts of about so many bytes, each of whole lines: together they have the lines of the text.
pub fn parts(text: &[u8], size: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.get(size..).and_then(|behind| memchr::memchr(b'\n', behind));
        let (part, behind) = rest.split_at(end.map_or(rest.len(), |end| size + end + 1));
        rest = behind;
        Some(part)
    })
}

/// How frames are checked.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub limits: Option<&'a Limits>,
    pub max_size: usize,
}

impl Rules<'_> {
    /// The first fault of a frame; an answer is read without knowing what it answers.
    #[inline]
    pub fn fault(&self, tables: &Schema, frame: &[u8]) -> Option<Fault> {
        if frame.len() > self.max_size {
            return Some(Fault::new(Kind::Size, self.max_size));
        }
        let mut check = Check;
        let mut walker = Walker::new(tables, self.limits, Cursor::new(frame), &mut check);
        match walker.frame(|_| Ok(None)) {
            Ok(_) => None,
            Err(_) => walker.cursor.fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_both_ways_and_empty_ones_are_left_out() {
        let found = |text: &'static str| -> Vec<&[u8]> { lines(text.as_bytes()).collect() };
        assert_eq!(found("a\nb\r\n\r\n \t\nc\r"), [b"a", b"b", b"c"]);
        assert_eq!(found("a\rb\r\r\n"), [&b"a\rb\r"[..]]);
        assert!(found("").is_empty() && found("\n\n").is_empty());
    }

    #[test]
    fn parts_have_the_lines_of_the_whole() {
        for text in ["", "\n", "a", "a\n", "a\r\nbc\n\n def\n\r\n\nghijklmn\r\no", "abcdefgh"] {
            for size in 0..text.len() + 2 {
                let parts: Vec<_> = parts(text.as_bytes(), size).collect();
                assert_eq!(parts.concat(), text.as_bytes());
                let apart: Vec<_> = parts.into_iter().flat_map(lines).collect();
                assert_eq!(apart, lines(text.as_bytes()).collect::<Vec<_>>(), "{text:?} in parts of {size}");
            }
        }
    }
}
