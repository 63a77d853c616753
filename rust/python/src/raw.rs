//! Python objects made by writing their memory: the one file that does so, and only where a benchmark shows what it buys.
//!
//! - A Struct is allocated as CPython's default does and its slots are filled directly, at offsets that a probe has found; a call of
//!   its class would cost more than everything else together.
//! - It is released in one pass over its slots, instead of msgspec's over the member tables of all bases.
//! - A short ASCII string is a copy of a live one's header and the text. A self-test compares the result with CPython's own when the
//!   module's tables are made; where they differ, `PyUnicode_New` is used.
//! - An error is allocated by its class and its slots are filled directly, at offsets that a probe has found, instead of by its `__init__`.

use std::cell::RefCell;
use std::mem::{ManuallyDrop, transmute};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

use ocppcore::format::datetime::DateTime;
use ocppcore::schema::MAX_FIELDS;
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};
use pyo3::{Borrowed, ffi};

/// The size of a machine word, of a slot and of a pointer.
const WORD: usize = size_of::<usize>();

/// Words of an object's header: reference count and type.
const HEAD: usize = size_of::<ffi::PyObject>() / WORD;

/// How a Struct class lays out its instances, as the probe has found it. What every instance needs stands first, in one line of the processor's cache.
#[repr(C, align(64))]
pub struct Layout {
    /// A new instance, word by word: its header with one reference, then None or UNSET in the slots of optional fields, else 0. It is filled up to
    /// whole chunks, which CPython's allocator hands out anyway.
    template: Box<[[usize; CHUNK / WORD]]>,
    class: Py<PyAny>,
    fields: u32,
    /// There are fields whose slot begins as UNSET.
    unsets: bool,
    /// The word of each field behind the header; beyond the last field the last one's again, so that no index leads elsewhere.
    slots: [u8; MAX_FIELDS],
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
    /// Finds the slots of `sample`, an instance of `class` whose field number i holds `sentinels[i]`. None if they do not lie as expected, or
    /// if this interpreter's objects have another header.
    pub fn probe(
        class: &Bound<'_, PyAny>,
        size: usize,
        sample: &Bound<'_, PyAny>,
        sentinels: &[Bound<'_, PyAny>],
        absent: &[Absent],
        unset: &Bound<'_, PyAny>,
    ) -> Option<Self> {
        let count = size / WORD;
        if !class.is(sample.get_type()) || count < HEAD || !size.is_multiple_of(WORD) || count > usize::from(u8::MAX) {
            return None;
        }
        // SAFETY: `sample` is a live object of the type `class`, which has no variable part; it has `size` bytes, word-aligned, all of
        // them initialised since its allocator cleared them.
        let words = unsafe { std::slice::from_raw_parts(sample.as_ptr().cast::<usize>(), count) };
        if cfg!(Py_GIL_DISABLED) || words[..HEAD] != [1, class.as_ptr() as usize] {
            return None;
        }
        let mut slots = [0; MAX_FIELDS];
        for (index, sentinel) in sentinels.iter().enumerate() {
            let mut places = (HEAD..count).filter(|place| words[*place] == sentinel.as_ptr() as usize);
            let place = places.next()?;
            if places.next().is_some() {
                return None;
            }
            slots[index..].fill((place - HEAD) as u8);
        }
        let mut chunks = vec![[0; CHUNK / WORD]; count.div_ceil(CHUNK / WORD)].into_boxed_slice();
        let template = chunks.as_flattened_mut();
        template[..HEAD].copy_from_slice(&words[..HEAD]);
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
            template[HEAD + usize::from(slots[index])] = default;
        }
        Some(Self {
            class: class.clone().unbind(),
            template: chunks,
            slots,
            fields: sentinels.len() as u32,
            none: none_fields,
            unsets: unset_fields != 0,
            unset: unset_fields,
            unset_object: unset.clone().unbind(),
        })
    }

    /// The word of each field, behind the object's header.
    pub fn words(&self) -> &[u8] {
        &self.slots[..self.fields as usize]
    }

    /// The word of a field, the header's included.
    #[inline(always)]
    fn slot(&self, index: usize) -> usize {
        HEAD + usize::from(self.slots[index % MAX_FIELDS])
    }

    /// A new instance, its fields still absent. None with a Python error set if memory is out.
    #[inline(always)]
    pub fn begin<'l, 'py>(&'l self, py: Python<'py>) -> Option<HalfStruct<'l, 'py>> {
        // SAFETY: the class is a live type without a variable part and without the GC flag; its instances are released by
        // `PyObject_Free` (the probe's conditions), which `PyObject_Malloc` pairs with. The template is an instance's memory with one
        // reference to it, as the probe has read it from one, and its reference to the class is added.
        unsafe {
            let object = ffi::PyObject_Malloc(self.template.len() * CHUNK).cast::<[usize; CHUNK / WORD]>();
            let Some(object) = NonNull::new(object) else {
                ffi::PyErr_NoMemory();
                return None;
            };
            let (from, to) = (self.template.as_ptr(), object.as_ptr());
            let mut done = 0;
            while done < self.template.len() {
                to.add(done).write(*from.add(done));
                done += 1;
            }
            ffi::Py_INCREF(self.class.as_ptr());
            Some(HalfStruct { object: object.cast(), layout: self, left: self.fields, py })
        }
    }

    /// An instance of a class without optional fields, from the values of all. None with a Python error set if memory is out.
    #[inline(always)]
    pub fn make<'py, const N: usize>(
        &self,
        py: Python<'py>,
        values: [Bound<'py, PyAny>; N],
    ) -> Option<Bound<'py, PyAny>> {
        let mut half = self.begin(py)?;
        for (index, value) in values.into_iter().enumerate() {
            half.set(index, value);
        }
        Some(half.finish(u128::MAX))
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
        let words = self.object.as_ptr().cast::<usize>();
        // SAFETY: the object is of the class that the layout was probed with, or of one with the same layout if somebody has
        // assigned its `__class__` since; the slot lies within it and owns what it holds, or is NULL.
        let held = unsafe { *words.add(self.layout.slot(index)) } as *mut ffi::PyObject;
        if ptr::eq(held, none()) {
            return None;
        }
        // SAFETY: as above; the new reference makes what is held outlive whatever Python code does to the object.
        unsafe { Bound::from_borrowed_ptr_or_opt(self.object.py(), held) }
    }
}

/// An exception class whose instances are made without its `__init__`: allocated as it does, then given what its `N` slots hold.
pub struct Exceptions<const N: usize> {
    class: Py<PyType>,
    no_arguments: Py<PyTuple>,
    /// The word of each slot, the header's included.
    slots: [usize; N],
}

impl<const N: usize> Exceptions<N> {
    /// Finds the slots with these names in `sample`, which is spoiled by it. None if they do not lie as expected.
    pub fn probe(sample: &Bound<'_, PyAny>, names: &[&str; N]) -> PyResult<Option<Self>> {
        let py = sample.py();
        let class = sample.get_type();
        // SAFETY: the class of a live object; its size and flags never change.
        let (count, fits) = unsafe {
            let class = &*class.as_type_ptr();
            let size = class.tp_basicsize as usize;
            (size / WORD, size.is_multiple_of(WORD) && class.tp_itemsize == 0 && class.tp_new.is_some())
        };
        if cfg!(Py_GIL_DISABLED) || !fits || !class.is_subclass_of::<PyBaseException>()? {
            return Ok(None);
        }
        let mut slots = [0; N];
        for (slot, name) in slots.iter_mut().zip(names) {
            let sentinel = PyList::empty(py).into_any();
            sample.setattr(*name, &sentinel)?;
            // SAFETY: a live object without a variable part has this many words, which its allocator cleared.
            let words = unsafe { std::slice::from_raw_parts(sample.as_ptr().cast::<usize>(), count) };
            let mut places = (HEAD..count).filter(|place| words[*place] == sentinel.as_ptr() as usize);
            match (places.next(), places.next()) {
                (Some(place), None) => *slot = place,
                _ => return Ok(None),
            }
        }
        let exceptions = Self { class: class.unbind(), no_arguments: PyTuple::empty(py).unbind(), slots };
        Ok(exceptions.are_empty(py)?.then_some(exceptions))
    }

    /// Whether the slots of a new instance hold nothing.
    fn are_empty(&self, py: Python<'_>) -> PyResult<bool> {
        let new = self.allocate(py)?;
        Ok((0..N).all(|index| self.get(&new, index).is_none()))
    }

    /// Whether an object is of exactly this class.
    pub fn covers(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type_ptr().cast() == self.class.as_ptr()
    }

    /// What a slot of an instance holds; None if that is nothing. The caller has asked `covers`.
    pub fn get<'py>(&self, object: &Bound<'py, PyAny>, index: usize) -> Option<Bound<'py, PyAny>> {
        assert!(self.covers(object));
        // SAFETY: the object is of the class that was probed, or of one with the same layout if somebody has assigned its `__class__` since; the
        // slot lies within it and owns what it holds, or is NULL.
        unsafe {
            let held = *object.as_ptr().cast::<*mut ffi::PyObject>().add(self.slots[index]);
            Bound::from_borrowed_ptr_or_opt(object.py(), held)
        }
    }

    /// An instance with these values in its slots.
    pub fn make<'py>(&self, py: Python<'py>, values: [Bound<'py, PyAny>; N]) -> PyResult<Bound<'py, PyAny>> {
        let object = self.allocate(py)?;
        for (slot, value) in self.slots.iter().zip(values) {
            // SAFETY: the slot lies in the instance, which nobody has seen yet, and is empty, as the probe has seen of new instances; it takes
            // over the reference.
            unsafe { object.as_ptr().cast::<*mut ffi::PyObject>().add(*slot).write(value.into_ptr()) };
        }
        Ok(object)
    }

    fn allocate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let class = self.class.bind(py).as_type_ptr();
        // SAFETY: a live class, which has a `tp_new` (the probe's condition), and arguments as it takes them: a tuple, and no names. A new
        // reference, or NULL with an error set.
        unsafe {
            let new = (*class).tp_new.expect("the probe has seen it");
            Bound::from_owned_ptr_or_err(py, new(class, self.no_arguments.as_ptr(), ptr::null_mut()))
        }
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

#[inline]
fn none() -> &'static mut ffi::PyObject {
    // SAFETY: None lives as long as the interpreter; the reference is only turned into its address.
    unsafe { &mut *ffi::Py_None() }
}

/// A Struct that is being filled. Absent fields borrow None or UNSET until `finish` pays for them; dropped before, it frees itself.
pub struct HalfStruct<'l, 'py> {
    object: NonNull<ffi::PyObject>,
    layout: &'l Layout,
    /// Fields that have not been set.
    left: u32,
    py: Python<'py>,
}

impl<'py> HalfStruct<'_, 'py> {
    /// Fills the slot of a field that is still absent.
    #[inline(always)]
    pub fn set(&mut self, index: usize, value: Bound<'py, PyAny>) {
        // SAFETY: the slot lies in the instance, which nobody else knows yet; what it held was borrowed.
        unsafe { self.object.as_ptr().cast::<usize>().add(self.layout.slot(index)).write(value.into_ptr() as usize) };
        self.left -= 1;
    }

    /// The instance, complete; `filled` has the bits of the fields that were set.
    #[inline(always)]
    pub fn finish(self, filled: u128) -> Bound<'py, PyAny> {
        let half = ManuallyDrop::new(self);
        let mut left = half.left;
        if half.layout.unsets {
            let unset = (half.layout.unset & !filled).count_ones();
            left -= unset;
            for _ in 0..unset {
                // SAFETY: UNSET is alive; each count belongs to a slot that holds it.
                unsafe { ffi::Py_INCREF(half.layout.unset_object.as_ptr()) };
            }
        }
        // Every required field has been set, so that what is left are fields that hold None; which is immortal since 3.12.
        #[cfg(not(Py_3_12))]
        {
            // SAFETY: None is alive and the GIL held; as many references are added as slots hold it.
            unsafe { (*ffi::Py_None()).ob_refcnt += left as ffi::Py_ssize_t };
        }
        let _ = left;
        // SAFETY: every slot now owns what it holds, so the instance is whole; its one reference is handed on.
        unsafe { Bound::from_owned_ptr(half.py, half.object.as_ptr()) }
    }
}

impl Drop for HalfStruct<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        abandon(self.object, self.layout);
    }
}

/// Frees an instance that is being filled.
#[cold]
#[inline(never)]
fn abandon(object: NonNull<ffi::PyObject>, layout: &Layout) {
    for index in 0..layout.fields as usize {
        let slot = layout.slot(index);
        if (layout.none | layout.unset) >> index & 1 == 1 {
            // SAFETY: the slot lies in the instance. An optional field is never given the object that stands for its absence, so one
            // that holds it has not been set and only borrows it.
            unsafe {
                let place = object.as_ptr().cast::<usize>().add(slot);
                if place.read() == layout.template.as_flattened()[slot] {
                    place.write(0);
                }
            }
        }
    }
    // SAFETY: every slot owns what it holds or is empty, which the deallocators of Structs allow; nobody else has the instance.
    unsafe { ffi::Py_DECREF(object.as_ptr()) };
}

/// The `tp_dealloc` that msgspec gives its classes, as the first class had it.
static MSGSPECS: AtomicUsize = AtomicUsize::new(0);

impl Layout {
    /// Lets instances of the class be released here, if they hold nothing but the fields: the probe has found that they have no dict, no weak references and
    /// no header of the garbage collector.
    pub fn release_here(&self, py: Python<'_>) {
        let class = self.class.bind(py).as_ptr().cast::<ffi::PyTypeObject>();
        // SAFETY: a live class, and the GIL is held; nobody else writes to it meanwhile.
        unsafe {
            let Some(before) = (*class).tp_dealloc.map(|dealloc| dealloc as usize) else { return };
            let words = (*class).tp_basicsize as usize / WORD;
            if words != HEAD + self.fields as usize || before == release as *const () as usize {
                return;
            }
            let first = MSGSPECS.compare_exchange(0, before, Ordering::Relaxed, Ordering::Relaxed);
            // A class that is released in another way than the first one keeps its own.
            if first.is_ok() || first == Err(before) {
                (*class).tp_dealloc = Some(release);
            }
        }
    }
}

/// The `tp_dealloc` of the classes that were taken over.
unsafe extern "C" fn release(object: *mut ffi::PyObject) {
    // SAFETY: CPython calls this with the GIL held, for an object of a class that was taken over, to which there is no reference any more. It has as many
    // words as its class says; those behind the header are slots, each of which owns what it holds or is empty. Nobody sees the object any more, so
    // that nothing has to be cleared before what it held is released. As many references to None are given back as slots held it, and None is never
    // released. An instance is allocated by `PyObject_Malloc` or its class's `tp_alloc`, with which `tp_free` pairs, and holds a reference to its class.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if (*class).tp_finalize.is_some() {
            // Somebody has given the class a `__del__`.
            let original: ffi::destructor = transmute(MSGSPECS.load(Ordering::Relaxed));
            return original(object);
        }
        let none = ffi::Py_None();
        let slots = object.cast::<*mut ffi::PyObject>();
        let mut nones = 0;
        for index in HEAD..(*class).tp_basicsize as usize / WORD {
            let held = *slots.add(index);
            if held == none {
                nones += 1;
            } else if !held.is_null() {
                ffi::Py_DECREF(held);
            }
        }
        #[cfg(not(Py_3_12))] // since then it is immortal
        {
            (*none).ob_refcnt -= nones;
        }
        let _: isize = nones;
        if let Some(free) = (*class).tp_free {
            free(object.cast());
        }
        ffi::Py_DECREF(class.cast());
    }
}

/// Words of the header of a compact ASCII string, and the bytes they take.
const HEADER: usize = size_of::<ffi::PyASCIIObject>();

/// The bits of a string's state that mean something; the rest is never written by CPython.
const STATE: usize = 0xFF;

/// The bits of a string's state which say that it is compact and that it is ASCII, where PyO3 does not tell: a self-test asks CPython's own strings.
#[cfg(Py_3_14)]
const COMPACT_ASCII: u32 = 0b110_0000;

/// Whether a string is compact ASCII: its text stands right behind its header then.
///
/// # Safety
/// It is exactly a `str`, and `AsciiStrings::tells_ascii`.
#[inline(always)]
pub unsafe fn is_compact_ascii(string: Borrowed<'_, '_, PyAny>) -> bool {
    #[cfg(not(Py_3_14))]
    // SAFETY: a live string, which is ready; nobody writes to its header while this thread has the GIL and reads it.
    unsafe {
        ffi::PyUnicode_IS_COMPACT_ASCII(string.as_ptr()) != 0
    }
    #[cfg(Py_3_14)]
    // SAFETY: as above.
    unsafe {
        (*string.as_ptr().cast::<ffi::PyASCIIObject>()).state & COMPACT_ASCII == COMPACT_ASCII
    }
}

/// Makes strings of ASCII text.
pub struct AsciiStrings {
    /// The header of a live string of two letters, its hash not yet computed, with one reference.
    image: [usize; HEADER / WORD],
    /// The self-test has passed.
    trusted: bool,
    /// `is_compact_ascii` can be believed.
    told: bool,
    /// CPython's own strings of one character.
    characters: Box<[Py<PyAny>]>,
}

impl AsciiStrings {
    /// Takes the image and tests it.
    pub fn probe(py: Python<'_>) -> PyResult<Self> {
        let character = |code: u8| plain_ascii(py, &[code]).map(Bound::unbind).ok_or_else(|| PyErr::fetch(py));
        let characters = (0..0x80).map(character).collect::<PyResult<_>>()?;
        let mut strings = Self { image: [0; HEADER / WORD], trusted: false, told: false, characters };
        let samples = ["", "a", "ab", "\u{e4}", "ab\u{e4}", "\u{20ac}b", "\u{1f50c}"];
        strings.told = !cfg!(Py_GIL_DISABLED)
            && samples.iter().all(|text| {
                // SAFETY: exactly a `str`, which is only asked.
                unsafe { is_compact_ascii(PyString::new(py, text).as_any().as_borrowed()) == text.is_ascii() }
            });
        let sample = plain_ascii(py, b"ab").ok_or_else(|| PyErr::fetch(py))?;
        strings.image = header_of(&sample);
        if cfg!(Py_GIL_DISABLED) || strings.image[0] != 1 || strings.image[2] != 2 {
            return Ok(strings); // another object header, or other fields than those that are changed
        }
        let text = [b'z'; 300];
        strings.trusted = (2..200).all(|count| {
            let cut = strings.copy(py, &text, 7, 7 + count);
            let whole = strings.copy(py, &text[..count], 0, count);
            let (Some(cut), Some(whole), Some(real)) = (cut, whole, plain_ascii(py, &text[..count])) else {
                return false;
            };
            [cut, whole].iter().all(|made| header_of(made) == header_of(&real) && made.eq(&real).unwrap_or(false))
        });
        Ok(strings)
    }

    /// Whether `is_compact_ascii` can be believed: PyO3's word, or this interpreter's strings as the self-test has found them.
    #[inline(always)]
    pub fn tells_ascii(&self) -> bool {
        !cfg!(Py_3_14) || self.told
    }

    /// A string of the ASCII characters from `start` to `end` of a text; the caller has checked that they are. What stands behind them is not looked
    /// at, though it may be read. None with a Python error set if memory is out.
    #[inline(always)]
    pub fn make<'py>(&self, py: Python<'py>, text: &[u8], start: usize, end: usize) -> Option<Bound<'py, PyAny>> {
        debug_assert!(text[start..end].is_ascii());
        let count = end.wrapping_sub(start);
        // Strings of no or one character are CPython's own.
        if self.trusted && (2..=LONGEST).contains(&count) {
            return self.copy(py, text, start, end);
        }
        self.plain(py, &text[start..end])
    }

    #[inline(never)]
    fn plain<'py>(&self, py: Python<'py>, text: &[u8]) -> Option<Bound<'py, PyAny>> {
        match *text {
            [character @ 0..0x80] => Some(self.characters[usize::from(character)].bind(py).clone()),
            _ => plain_ascii(py, text),
        }
    }

    /// The string is moved sixteen bytes at a time, up to the size that CPython's allocator rounds the object to anyway.
    #[inline(always)]
    fn copy<'py>(&self, py: Python<'py>, text: &[u8], start: usize, end: usize) -> Option<Bound<'py, PyAny>> {
        let count = end - start;
        let size = (HEADER + count + CHUNK) & !(CHUNK - 1);
        let source = text[start..end].as_ptr();
        // SAFETY: what is allocated holds the header, the text and its NUL. The image is the header of a live ASCII string of
        // this interpreter with one reference, no hash and length 2; only the length differs, in the word behind the object header.
        unsafe {
            let object = NonNull::new(ffi::PyObject_Malloc(size).cast::<usize>());
            let Some(object) = object else {
                ffi::PyErr_NoMemory();
                return None;
            };
            let words = object.as_ptr();
            ptr::copy_nonoverlapping(self.image.as_ptr(), words, self.image.len());
            words.add(2).write(count);
            let characters = words.cast::<u8>().add(HEADER);
            if text.len() - start >= size - HEADER {
                copy_chunks(source, characters, count);
            } else {
                copy_short(source, characters, count);
            }
            characters.add(count).write(0);
            Some(Bound::from_owned_ptr(py, words.cast()))
        }
    }
}

/// The bytes that are moved together; objects begin at multiples of it, and take up such.
const CHUNK: usize = 16;

/// The longest string that is made here: of longer ones, the most is the copying.
const LONGEST: usize = 255;

/// Copies `count` bytes, and up to fifteen more.
///
/// # Safety
/// Both have room up to the place where `to`, which lies `HEADER` bytes behind a multiple of `CHUNK`, comes to such a multiple again behind `count` bytes.
#[inline(always)]
unsafe fn copy_chunks(from: *const u8, to: *mut u8, count: usize) {
    /// What lies before the first chunk: nothing, or half of one.
    const FIRST: usize = HEADER.next_multiple_of(CHUNK) - HEADER;
    // SAFETY: the caller's promise: no move begins behind `count` bytes, and none goes beyond the multiple behind them.
    unsafe {
        to.cast::<[u8; FIRST]>().write(from.cast::<[u8; FIRST]>().read());
        let behind = count.saturating_sub(FIRST);
        if behind == 0 {
            return;
        }
        // The first chunk and the last, which of most strings is the second or the first again: how many they are, no processor can guess.
        let last = FIRST + ((behind - 1) & !(CHUNK - 1));
        to.add(FIRST).cast::<[u8; CHUNK]>().write(from.add(FIRST).cast::<[u8; CHUNK]>().read());
        to.add(last).cast::<[u8; CHUNK]>().write(from.add(last).cast::<[u8; CHUNK]>().read());
        let mut done = FIRST + CHUNK;
        while done < last {
            to.add(done).cast::<[u8; CHUNK]>().write(from.add(done).cast::<[u8; CHUNK]>().read());
            done += CHUNK;
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

/// How this interpreter lays out an aware `datetime`: as the declarations of its C interface say, which a self-test has confirmed.
pub struct DateTimeImage {
    /// The header of a live one, with one reference.
    header: [usize; HEAD],
}

impl DateTimeImage {
    /// Takes the image and tests it; `real` makes a `datetime` of the zone the usual way. None if they differ.
    pub fn probe<'py>(zone: &Bound<'py, PyAny>, real: impl Fn(&DateTime) -> Option<Bound<'py, PyAny>>) -> Option<Self> {
        let first =
            DateTime { year: 1, month: 2, day: 3, hour: 4, minute: 5, second: 6, microsecond: 7, offset_minutes: 0 };
        let last = DateTime {
            year: 9876,
            month: 12,
            day: 31,
            hour: 23,
            minute: 59,
            second: 58,
            microsecond: 987_654,
            offset_minutes: 0,
        };
        let sample = real(&first)?;
        let class = sample.get_type();
        // SAFETY: the class of a live object; its size and flags never change, nor what frees its instances.
        let fits = unsafe {
            let of = &*class.as_type_ptr();
            of.tp_basicsize as usize == size_of::<ffi::PyDateTime_DateTime>()
                && of.tp_itemsize == 0
                && ffi::PyType_HasFeature(class.as_type_ptr(), ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_HEAPTYPE) == 0
                && of.tp_free.is_some_and(|free| free as usize == ffi::PyObject_Free as *const () as usize)
        };
        if cfg!(Py_GIL_DISABLED) || !fits {
            return None;
        }
        // SAFETY: a live object begins with its header.
        let image = Self { header: unsafe { sample.as_ptr().cast::<[usize; HEAD]>().read() } };
        if image.header[..] != [1, class.as_ptr() as usize] {
            return None;
        }
        let passes = [first, last].iter().all(|value| {
            let (Some(made), Some(real)) = (image.copy(zone, value), real(value)) else { return false };
            // SAFETY: both are live objects of the size of this declaration, of which only fields are read.
            let fields = |object: &Bound<'_, PyAny>| unsafe {
                let object = &*object.as_ptr().cast::<ffi::PyDateTime_DateTime>();
                (object.hashcode, object.hastzinfo, object.data, object.fold, object.tzinfo)
            };
            fields(&made) == fields(&real) && made.eq(&real).unwrap_or(false)
        });
        passes.then_some(image)
    }

    /// A `datetime` of that zone; `value` is in range. None with a Python error set if memory is out.
    #[inline(always)]
    pub fn copy<'py>(&self, zone: &Bound<'py, PyAny>, value: &DateTime) -> Option<Bound<'py, PyAny>> {
        let [_, high, middle, low] = value.microsecond.to_be_bytes();
        let [century, year] = value.year.to_be_bytes();
        let data = [century, year, value.month, value.day, value.hour, value.minute, value.second, high, middle, low];
        // SAFETY: the class is static, without the GC flag, and frees by `PyObject_Free`, as the probe has seen. All fields are written before
        // anybody sees the object; the zone's new reference is its own.
        unsafe {
            let object = ffi::PyObject_Malloc(size_of::<ffi::PyDateTime_DateTime>()).cast::<ffi::PyDateTime_DateTime>();
            if object.is_null() {
                ffi::PyErr_NoMemory();
                return None;
            }
            object.cast::<[usize; HEAD]>().write(self.header);
            (&raw mut (*object).hashcode).write(-1);
            (&raw mut (*object).hastzinfo).write(1);
            (&raw mut (*object).data).write(data);
            (&raw mut (*object).fold).write(0);
            (&raw mut (*object).tzinfo).write(zone.clone().into_ptr());
            Some(Bound::from_owned_ptr(zone.py(), object.cast()))
        }
    }
}

/// Something that is changed by threads that hold the GIL, and by no others.
pub struct Attached<T>(RefCell<T>);

// SAFETY: `with` alone leads to what is inside, and asks for the proof that the GIL is held, under which no two threads run at once. Where there
// is no GIL, it leads nowhere.
unsafe impl<T: Send> Sync for Attached<T> {}

impl<T> Attached<T> {
    pub fn new(inside: T) -> Self {
        Self(RefCell::new(inside))
    }

    /// What a function makes of it; None where this thread is at it already, or where there is no GIL.
    #[inline(always)]
    pub fn with<R>(&self, _py: Python<'_>, function: impl FnOnce(&mut T) -> R) -> Option<R> {
        if cfg!(Py_GIL_DISABLED) {
            return None;
        }
        Some(function(&mut *self.0.try_borrow_mut().ok()?))
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
