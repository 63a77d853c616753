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
}
