//! Objects that repeat themselves: what was made of an object's text is kept, and given again for the same text.
//!
//! Only objects of scalars, of few bytes, are kept: an EVSE, a unit of measure. A text that was read once as a type is of that type whatever stands
//! around it, so that one comparison stands for the walk.

use crate::simd::{self, Bytes, WIDTH};

/// The most bytes that a kept object has, its braces included.
#[cfg(test)]
const LONGEST: usize = 3 * WIDTH;

/// The objects that are kept of a type; each text has one place among them.
const SLOTS: usize = 64;

/// The objects of a type, by their text.
#[derive(Debug)]
pub struct Leaves<V> {
    /// Below `TRIES` it counts the objects that are passed by because others were new; from there on it is spent on those, and won back by
    /// those that were known.
    trust: u8,
    kept: Vec<Option<(Key, V)>>,
}

const TRIES: u8 = 240;
const SOME: u8 = TRIES + 8;
const GAIN: u8 = 2;

/// All of an object's text, up to its first closing brace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    head: u128,
    middle: u128,
    tail: u128,
    length: usize,
}

/// What is known of an object.
#[derive(Debug, PartialEq, Eq)]
pub enum Recall<V> {
    /// What was made of it before, and the place behind it.
    Known(V, usize),
    /// Nothing; it may be kept under this key.
    New(Key),
    /// It has not been looked for, and is not to be kept.
    Passed,
}

impl<V> Default for Leaves<V> {
    fn default() -> Self {
        Self { kept: Vec::new(), trust: SOME }
    }
}

impl<V> Leaves<V> {
    /// Looks for the object whose opening brace is at `at`.
    #[inline(always)]
    pub fn recall(&mut self, text: Bytes<'_>, at: usize) -> Recall<&V> {
        if self.trust < TRIES {
            self.trust += 1;
            if self.trust == TRIES {
                self.trust = SOME;
            }
            return Recall::Passed;
        }
        let key = Key::of(text, at);
        if let Some(key) = &key
            && let Some(Some((kept, value))) = self.kept.get(key.slot())
            && kept == key
        {
            self.trust = self.trust.saturating_add(GAIN);
            return Recall::Known(value, at + key.length);
        }
        self.trust -= 1;
        if self.trust < TRIES {
            self.trust = 0;
        }
        key.map_or(Recall::Passed, Recall::New)
    }

    /// Keeps what was made of an object, all of whose text this is, under its key; what was kept in its place is handed out. Not kept is an object
    /// with a list in it, and one whose text does not end with its first closing brace.
    pub fn keep(&mut self, key: Key, object: &[u8], value: impl FnOnce() -> V) -> Option<V> {
        if object.len() != key.length || object.contains(&b'[') {
            return None;
        }
        if self.kept.is_empty() {
            self.kept.resize_with(SLOTS, || None);
        }
        let (_, before) = self.kept.get_mut(key.slot())?.replace((key, value()))?;
        Some(before)
    }
}

impl Key {
    /// The key of the object at a place; None where its first closing brace is far, or the text ends near.
    #[inline(always)]
    fn of(text: Bytes<'_>, at: usize) -> Option<Self> {
        let window = |place: usize| text.window(at + place);
        let number = |window: &[u8; WIDTH]| u128::from_le_bytes(*window);
        let first = window(0)?;
        let closes = |window: &[u8; WIDTH]| simd::sameness(window, &[b'}'; WIDTH]);
        let braces = closes(first);
        if braces != 0 {
            let length = braces.trailing_zeros() as usize + 1;
            let head = number(first) << (8 * (WIDTH - length));
            return Some(Self { head, middle: 0, tail: 0, length });
        }
        let second = window(WIDTH)?;
        let braces = closes(second);
        if braces != 0 {
            let length = WIDTH + braces.trailing_zeros() as usize + 1;
            return Some(Self { head: number(first), middle: 0, tail: number(window(length - WIDTH)?), length });
        }
        let braces = closes(window(2 * WIDTH)?);
        if braces == 0 {
            return None;
        }
        let length = 2 * WIDTH + braces.trailing_zeros() as usize + 1;
        let tail = number(window(length - WIDTH)?);
        Some(Self { head: number(first), middle: number(second), tail, length })
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15; // an odd number without a pattern: the golden ratio's
        let folded = (self.head as u64)
            ^ ((self.head >> 64) as u64).rotate_left(23)
            ^ (self.middle as u64).rotate_left(31)
            ^ ((self.middle >> 64) as u64).rotate_left(37)
            ^ (self.tail as u64).rotate_left(41)
            ^ ((self.tail >> 64) as u64).rotate_left(11);
        ((folded ^ folded >> 29).wrapping_mul(MULTIPLIER) >> (u64::BITS - SLOTS.trailing_zeros())) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(object: &str) -> (String, usize) {
        (format!(r#"[{object},"and more text than a window holds, of any kind"]"#), 1)
    }

    fn recall(leaves: &mut Leaves<String>, object: &str) -> Recall<String> {
        let (text, at) = around(object);
        match leaves.recall(Bytes::new(text.as_bytes()), at) {
            Recall::Known(value, end) => Recall::Known(value.clone(), end),
            Recall::New(key) => Recall::New(key),
            Recall::Passed => Recall::Passed,
        }
    }

    #[test]
    fn an_object_is_known_again_by_all_of_its_text_alone() {
        for count in 0..LONGEST {
            let object = format!("{{{}}}", "x".repeat(count));
            let mut leaves = Leaves::default();
            let Recall::New(key) = recall(&mut leaves, &object) else {
                assert!(object.len() > LONGEST, "{count}");
                continue;
            };
            leaves.keep(key, object.as_bytes(), || object.clone());
            assert_eq!(recall(&mut leaves, &object), Recall::Known(object.clone(), 1 + object.len()));
            for changed in 1..object.len() {
                let mut other = object.clone().into_bytes();
                other[changed] ^= 1;
                let other = String::from_utf8(other).unwrap();
                assert!(!matches!(recall(&mut leaves, &other), Recall::Known(..)), "{object} {changed}");
            }
        }
    }

    #[test]
    fn lists_objects_and_braces_in_strings_are_not_kept() {
        for object in [r#"{"a":[1]}"#, r#"{"a":{}}"#, r#"{"a":"}"}"#] {
            let mut leaves = Leaves::default();
            let Recall::New(key) = recall(&mut leaves, object) else { panic!("{object}") };
            leaves.keep(key, object.as_bytes(), || panic!("{object}"));
        }
    }

    #[test]
    fn what_is_kept_takes_the_place_of_another() {
        let mut leaves = Leaves::default();
        let mut gone = 0;
        for number in 0..1000 {
            let object = format!("{{{number}}}");
            leaves.trust = SOME;
            let Recall::New(key) = recall(&mut leaves, &object) else { panic!("{object}") };
            gone += usize::from(leaves.keep(key, object.as_bytes(), || object.clone()).is_some());
            assert_eq!(recall(&mut leaves, &object), Recall::Known(object.clone(), 1 + object.len()));
        }
        assert_eq!(gone, 1000 - SLOTS);
    }

    #[test]
    fn objects_near_the_end_of_a_text_are_passed() {
        let text = br#"{"id":1}"#;
        assert_eq!(Leaves::<()>::default().recall(Bytes::new(text), 0), Recall::Passed);
    }

    #[test]
    fn what_is_new_each_time_is_soon_passed_and_tried_again_later() {
        let mut leaves = Leaves::default();
        let tried = (0..1000)
            .filter(|number| match recall(&mut leaves, &format!("{{{number}}}")) {
                Recall::New(key) => {
                    leaves.keep(key, format!("{{{number}}}").as_bytes(), String::new);
                    true
                }
                Recall::Known(..) => panic!("{number}"),
                Recall::Passed => false,
            })
            .count();
        assert!((20..50).contains(&tried), "{tried}");
    }
}
