//! Python objects made by writing their memory: the one file that does so, and only where a benchmark shows what it buys.
//!
//! - A Struct is allocated as CPython's default does and its slots are filled directly, at offsets that a probe has found; a call of
//!   its class would cost more than everything else together.
//! - A short ASCII string is a copy of a live one's header and the text. A self-test compares the result with CPython's own when the
//!   module's tables are made; where they differ, `PyUnicode_New` is used.

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The size of a machine word, of a slot and of a pointer.
const WORD: usize = size_of::<usize>();

/// How a Struct class lays out its instances, as the probe has found it.
pub struct Layout {
    class: Py<PyAny>,
    /// The instance behind its object header, word by word: None or UNSET in the slots of optional fields, else 0.
    template: Box<[usize]>,
    /// The word of each field within the template.
    slots: Box<[u8]>,
    /// Fields whose slot begins as None, as UNSET.
    none: u128,
    unset: u128,
    unset_object: Py<PyAny>,
}

/// What an absent field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    Never,
    None,
    Unset,
}

impl Layout {
    /// Finds the slots of `sample`, an instance of `class` whose field number i holds `sentinels[i]`. None if they do not lie as expected.
    pub fn probe(
        class: &Bound<'_, PyAny>,
        size: usize,
        sample: &Bound<'_, PyAny>,
        sentinels: &[Bound<'_, PyAny>],
        absent: &[Absent],
        unset: &Bound<'_, PyAny>,
    ) -> Option<Self> {
        let header = size_of::<ffi::PyObject>();
        if !class.is(sample.get_type()) || size < header || !size.is_multiple_of(WORD) {
            return None;
        }
        let count = (size - header) / WORD;
        if count > usize::from(u8::MAX) {
            return None;
        }
        let body = sample.as_ptr().cast::<u8>().wrapping_add(header).cast::<usize>();
        // SAFETY: `sample` is a live object of the type `class`, which has no variable part; it has `size` bytes, word-aligned, and
        // all of them behind the header are initialised since its allocator cleared them.
        let words = unsafe { std::slice::from_raw_parts(body, count) };
        let mut slots = Vec::with_capacity(sentinels.len());
        for sentinel in sentinels {
            let mut places = words.iter().enumerate().filter(|(_, word)| **word == sentinel.as_ptr() as usize);
            let (place, _) = places.next()?;
            if places.next().is_some() {
                return None;
            }
            slots.push(place as u8);
        }
        let mut template = vec![0; count].into_boxed_slice();
        let (mut none_fields, mut unset_fields) = (0, 0);
        for (index, absent) in absent.iter().enumerate() {
            let default = match absent {
                Absent::Never => continue,
                Absent::None => {
                    none_fields |= 1 << index;
                    ptr::from_mut(none()) as usize
                }
                Absent::Unset => {
                    unset_fields |= 1 << index;
                    unset.as_ptr() as usize
                }
            };
            template[usize::from(slots[index])] = default;
        }
        Some(Self {
            class: class.clone().unbind(),
            template,
            slots: slots.into(),
            none: none_fields,
            unset: unset_fields,
            unset_object: unset.clone().unbind(),
        })
    }

    /// The word of each field, behind the object's header.
    pub fn words(&self) -> &[u8] {
        &self.slots
    }

    /// A new instance, its fields still absent. None with a Python error set if memory is out.
    #[inline(always)]
    pub fn begin<'l, 'py>(&'l self, py: Python<'py>) -> Option<HalfStruct<'l, 'py>> {
        // SAFETY: the class is a live type without a variable part and without the GC flag; its instances are released by
        // `PyObject_Free` (the probe's conditions), which is what `PyObject_New` pairs with. The body has as many words as the template.
        unsafe {
            let object = NonNull::new(ffi::PyObject_New::<ffi::PyObject>(self.class.as_ptr().cast()))?;
            let body = body_of(object);
            copy_words(&self.template, body);
            Some(HalfStruct { object, layout: self, py })
        }
    }
}

/// The slots of a Struct that exists.
pub struct Slots<'a, 'py> {
    layout: &'a Layout,
    object: &'a Bound<'py, PyAny>,
}

impl Layout {
    /// The slots of an object; None if it is not of exactly this class.
    #[inline]
    pub fn read<'a, 'py>(&'a self, object: &'a Bound<'py, PyAny>) -> Option<Slots<'a, 'py>> {
        (object.get_type_ptr().cast() == self.class.as_ptr()).then_some(Slots { layout: self, object })
    }
}

impl<'py> Slots<'_, 'py> {
    /// What a field holds; None if that is None or nothing.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Bound<'py, PyAny>> {
        let body = self.object.as_ptr().cast::<u8>().wrapping_add(size_of::<ffi::PyObject>()).cast::<usize>();
        // SAFETY: the object is of the class that the layout was probed with, or of one with the same layout if somebody has
        // assigned its `__class__` since; the slot lies within it and owns what it holds, or is NULL.
        let held = unsafe { *body.add(usize::from(self.layout.slots[index])) } as *mut ffi::PyObject;
        if ptr::eq(held, none()) {
            return None;
        }
        // SAFETY: as above; the new reference makes what is held outlive whatever Python code does to the object.
        unsafe { Bound::from_borrowed_ptr_or_opt(self.object.py(), held) }
    }
}

/// The entries of a dict, each held while it is looked at, so that Python code may run between them.
pub struct Entries<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    position: ffi::Py_ssize_t,
}

impl<'a, 'py> Entries<'a, 'py> {
    pub fn of(dict: &'a Bound<'py, PyDict>) -> Self {
        Self { dict, position: 0 }
    }
}

impl<'py> Iterator for Entries<'_, 'py> {
    type Item = (Bound<'py, PyAny>, Bound<'py, PyAny>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live dict, whose state CPython reads anew each time: a position that is none any more ends the walk. The key and
        // the value are alive when it returns; nothing runs before they are held.
        unsafe {
            if ffi::PyDict_Next(self.dict.as_ptr(), &mut self.position, &mut key, &mut value) == 0 {
                return None;
            }
            let py = self.dict.py();
            Some((Bound::from_borrowed_ptr(py, key), Bound::from_borrowed_ptr(py, value)))
        }
    }
}

/// Copies a few words; a call of memcpy would take longer than the move.
///
/// # Safety
/// `to` has room for as many words.
#[inline(always)]
unsafe fn copy_words(from: &[usize], to: *mut usize) {
    let (fours, rest) = from.as_chunks::<4>();
    for (index, four) in fours.iter().enumerate() {
        // SAFETY: four words that the caller has promised.
        unsafe { to.add(4 * index).cast::<[usize; 4]>().write(*four) };
    }
    let to = to.wrapping_add(4 * fours.len());
    // SAFETY: the last words, fewer than four.
    unsafe {
        match *rest {
            [a] => to.write(a),
            [a, b] => to.cast::<[usize; 2]>().write([a, b]),
            [a, b, c] => to.cast::<[usize; 3]>().write([a, b, c]),
            _ => {}
        }
    }
}

#[inline]
fn none() -> &'static mut ffi::PyObject {
    // SAFETY: None lives as long as the interpreter; the reference is only turned into its address.
    unsafe { &mut *ffi::Py_None() }
}

#[inline(always)]
fn body_of(object: NonNull<ffi::PyObject>) -> *mut usize {
    object.as_ptr().cast::<u8>().wrapping_add(size_of::<ffi::PyObject>()).cast()
}

/// A Struct that is being filled. Absent fields borrow None or UNSET until `finish` pays for them; dropped before, it frees itself.
pub struct HalfStruct<'l, 'py> {
    object: NonNull<ffi::PyObject>,
    layout: &'l Layout,
    py: Python<'py>,
}

impl<'py> HalfStruct<'_, 'py> {
    /// Fills the slot of a field that is still absent.
    #[inline(always)]
    pub fn set(&mut self, index: usize, value: Bound<'py, PyAny>) {
        let slot = usize::from(self.layout.slots[index]);
        // SAFETY: the slot lies in the body of the instance, which nobody else knows yet; what it held was borrowed.
        unsafe { body_of(self.object).add(slot).write(value.into_ptr() as usize) };
    }

    /// The instance, complete; `filled` has the bits of the fields that were set.
    #[inline(always)]
    pub fn finish(self, filled: u128) -> Bound<'py, PyAny> {
        let half = ManuallyDrop::new(self);
        let unset = (half.layout.unset & !filled).count_ones();
        for _ in 0..unset {
            // SAFETY: UNSET is alive; each count belongs to a slot that holds it.
            unsafe { ffi::Py_INCREF(half.layout.unset_object.as_ptr()) };
        }
        #[cfg(not(Py_3_12))] // since then None is immortal
        {
            // SAFETY: None is alive and the GIL held; as many references are added as slots hold it.
            unsafe { (*ffi::Py_None()).ob_refcnt += (half.layout.none & !filled).count_ones() as ffi::Py_ssize_t };
        }
        // SAFETY: every slot now owns what it holds, so the instance is whole; its one reference is handed on.
        unsafe { Bound::from_owned_ptr(half.py, half.object.as_ptr()) }
    }
}

impl Drop for HalfStruct<'_, '_> {
    #[cold]
    fn drop(&mut self) {
        for (index, slot) in self.layout.slots.iter().enumerate() {
            let place = body_of(self.object).wrapping_add(usize::from(*slot));
            if (self.layout.none | self.layout.unset) >> index & 1 == 1 {
                // SAFETY: the slot lies in the body. An optional field is never given the object that stands for its absence, so
                // one that holds it has not been set and only borrows it.
                unsafe {
                    if place.read() == self.layout.template[usize::from(*slot)] {
                        place.write(0);
                    }
                }
            }
        }
        // SAFETY: every slot owns what it holds or is empty, which the deallocators of Structs allow; nobody else has the instance.
        unsafe { ffi::Py_DECREF(self.object.as_ptr()) };
    }
}

/// Words of the header of a compact ASCII string, and the bytes they take.
const HEADER: usize = size_of::<ffi::PyASCIIObject>();

/// The bits of a string's state that mean something; the rest is never written by CPython.
const STATE: usize = if cfg!(Py_3_14) { 0x3F_FFFF } else { 0xFF };

/// Makes strings of ASCII text.
pub struct AsciiStrings {
    /// The header of a live string of two letters, its hash not yet computed, with one reference.
    image: [usize; HEADER / WORD],
    /// The self-test has passed.
    trusted: bool,
}

impl AsciiStrings {
    /// Takes the image and tests it.
    pub fn probe(py: Python<'_>) -> Self {
        let mut strings = Self { image: [0; HEADER / WORD], trusted: false };
        let Some(sample) = plain_ascii(py, b"ab") else {
            return strings;
        };
        strings.image = header_of(&sample);
        if cfg!(Py_GIL_DISABLED) || strings.image[0] != 1 || strings.image[2] != 2 {
            return strings; // another object header, or other fields than those that `copy` changes
        }
        strings.trusted =
            [&b"xy"[..], b"some text", b"text of more than sixteen bytes", &[b'z'; 300]].iter().all(|text| {
                let (Some(made), Some(real)) = (strings.copy(py, text), plain_ascii(py, text)) else {
                    return false;
                };
                header_of(&made) == header_of(&real) && made.eq(&real).unwrap_or(false)
            });
        strings
    }

    /// A string of ASCII text; the caller has checked that it is. None with a Python error set if memory is out.
    #[inline(always)]
    pub fn make<'py>(&self, py: Python<'py>, text: &[u8]) -> Option<Bound<'py, PyAny>> {
        debug_assert!(text.is_ascii());
        // Strings of no or one character are CPython's own.
        if self.trusted && text.len() > 1 { self.copy(py, text) } else { plain_ascii(py, text) }
    }

    #[inline(always)]
    fn copy<'py>(&self, py: Python<'py>, text: &[u8]) -> Option<Bound<'py, PyAny>> {
        // SAFETY: what is allocated holds the header, the text and its NUL. The image is the header of a live ASCII string of
        // this interpreter with one reference, no hash and length 2; only the length differs, in the word behind the object header.
        unsafe {
            let object = NonNull::new(ffi::PyObject_Malloc(HEADER + text.len() + 1).cast::<usize>());
            let Some(object) = object else {
                ffi::PyErr_NoMemory();
                return None;
            };
            let words = object.as_ptr();
            ptr::copy_nonoverlapping(self.image.as_ptr(), words, self.image.len());
            words.add(2).write(text.len());
            let characters = words.cast::<u8>().add(HEADER);
            copy_short(text.as_ptr(), characters, text.len());
            characters.add(text.len()).write(0);
            Some(Bound::from_owned_ptr(py, words.cast()))
        }
    }
}

/// Copies `count` bytes, at least 2. Most strings are short, for which a call of memcpy is the dearest part.
///
/// # Safety
/// As for `ptr::copy_nonoverlapping`, with at least two bytes.
#[inline(always)]
unsafe fn copy_short(from: *const u8, to: *mut u8, count: usize) {
    /// Two moves of `N` bytes that may overlap: all of `N` to 2 `N` bytes.
    ///
    /// # Safety
    /// Both hold `count` bytes, which are at least `N`.
    #[inline]
    unsafe fn ends<const N: usize>(from: *const u8, to: *mut u8, count: usize) {
        // SAFETY: both moves lie within `count` bytes; the first reads before the second writes elsewhere.
        unsafe {
            let (head, tail) = (from.cast::<[u8; N]>().read(), from.add(count - N).cast::<[u8; N]>().read());
            to.cast::<[u8; N]>().write(head);
            to.add(count - N).cast::<[u8; N]>().write(tail);
        }
    }
    // SAFETY: the caller's promise, and the lower bound that each arm has.
    unsafe {
        match count {
            0..4 => ends::<2>(from, to, count),
            4..8 => ends::<4>(from, to, count),
            8..16 => ends::<8>(from, to, count),
            16..=32 => ends::<16>(from, to, count),
            _ => ptr::copy_nonoverlapping(from, to, count),
        }
    }
}

fn header_of(string: &Bound<'_, PyAny>) -> [usize; HEADER / WORD] {
    // SAFETY: a compact ASCII string begins with a header of this size.
    let mut header = unsafe { string.as_ptr().cast::<[usize; HEADER / WORD]>().read() };
    header[4] &= STATE; // behind reference count, type, length and hash
    header
}

/// A string of ASCII text, as CPython makes it.
fn plain_ascii<'py>(py: Python<'py>, text: &[u8]) -> Option<Bound<'py, PyAny>> {
    if text.len() < 2 {
        // SAFETY: the text is readable; CPython gives its own string of no or one character.
        let string = unsafe { ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len() as ffi::Py_ssize_t) };
        // SAFETY: a new reference, or NULL with an error set.
        return unsafe { Bound::from_owned_ptr_or_opt(py, string) };
    }
    // SAFETY: a new string of as many ASCII characters, filled before anybody sees it.
    unsafe {
        let string = Bound::from_owned_ptr_or_opt(py, ffi::PyUnicode_New(text.len() as ffi::Py_ssize_t, 127))?;
        let characters = string.as_ptr().cast::<u8>().add(HEADER);
        ptr::copy_nonoverlapping(text.as_ptr(), characters, text.len());
        Some(string)
    }
}

/// A list of the values, which it takes over. None with a Python error set if memory is out; the values are kept then.
#[inline]
pub fn list_of<'py>(py: Python<'py>, values: &mut Vec<Bound<'py, PyAny>>, start: usize) -> Option<Bound<'py, PyAny>> {
    let count = values.len() - start;
    // SAFETY: a new list of as many empty items. They are filled before anybody sees it, with values whose references are handed over:
    // `set_len` forgets them in the vector. A `Bound` is laid out as a pointer.
    unsafe {
        let list = Bound::from_owned_ptr_or_opt(py, ffi::PyList_New(count as ffi::Py_ssize_t))?;
        if count > 0 {
            let items = (*list.as_ptr().cast::<ffi::PyListObject>()).ob_item;
            ptr::copy_nonoverlapping(values.as_ptr().add(start).cast(), items, count);
            values.set_len(start);
        }
        Some(list)
    }
}
