//! The sink that builds: values become Python objects as the walk reads them.

use std::sync::Mutex;

use ocppcore::error::Fault;
use ocppcore::format::datetime::DateTime;
use ocppcore::leaves::{Key, Recall};
use ocppcore::scan::Text;
use ocppcore::schema::ObjectType;
use ocppcore::simd::Bytes;
use ocppcore::sink::{Place, Settlement};
use ocppcore::sink::{Sink, Stop};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::classes::{Class, Object, or_set};
use crate::grading::{Judge, Strict};
use crate::outgoing::Addresses;
use crate::raw::{self, DateTimeImage};
use crate::schema::Schema;

/// Builds Structs, lists, dicts and scalars.
pub struct Build<'s, 'py, J = Strict> {
    py: Python<'py>,
    schema: &'s Schema,
    judge: J,
    /// Items of the lists that are being read, the innermost last.
    items: Vec<Bound<'py, PyAny>>,
}

impl<'s, 'py> Build<'s, 'py> {
    pub fn new(py: Python<'py>, schema: &'s Schema) -> Self {
        Self::judged(py, schema, Strict)
    }
}

impl<'s, 'py, J> Build<'s, 'py, J> {
    /// One that asks a judge about faults.
    pub fn judged(py: Python<'py>, schema: &'s Schema, judge: J) -> Self {
        Self { py, schema, judge, items: Vec::new() }
    }

    #[inline]
    pub fn python(&self) -> Python<'py> {
        self.py
    }

    /// A string of the text as `str`; None with a Python error set if memory is out.
    #[inline(always)]
    pub fn text(&self, text: &Text<'_>) -> Option<Bound<'py, PyAny>> {
        if text.ascii && !text.escaped {
            return self.schema.ascii.make(self.py, text.raw, 0, text.raw.len());
        }
        self.long_text(text)
    }

    #[inline(never)]
    fn long_text(&self, text: &Text<'_>) -> Option<Bound<'py, PyAny>> {
        let bytes = text.bytes();
        let mut characters = [0; 256];
        if let Some(count) = latin_1(&bytes, &mut characters) {
            // SAFETY: as many characters are readable; a new reference, or NULL with an error set.
            return unsafe {
                let string = ffi::PyUnicode_FromKindAndData(1, characters.as_ptr().cast(), count as ffi::Py_ssize_t);
                Bound::from_owned_ptr_or_opt(self.py, string)
            };
        }
        // SAFETY: the bytes are readable; a new reference, or NULL with an error set.
        unsafe {
            let string =
                ffi::PyUnicode_DecodeUTF8(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t, std::ptr::null());
            Bound::from_owned_ptr_or_opt(self.py, string)
        }
    }
}

/// Writes a short text of characters up to U+00FF with a byte for each, and tells how many they are; None for any other text.
fn latin_1(utf8: &[u8], characters: &mut [u8; 256]) -> Option<usize> {
    let (mut at, mut count) = (0, 0);
    while let Some(&byte) = utf8.get(at) {
        let room = characters.get_mut(count)?;
        (*room, at) = match byte {
            0..0x80 => (byte, at + 1),
            0xC2 | 0xC3 => (byte << 6 | utf8.get(at + 1)? & 0x3F, at + 2),
            _ => return None,
        };
        count += 1;
    }
    Some(count)
}

impl<'s, 'py, J: Judge> Sink for Build<'s, 'py, J> {
    type Value = Bound<'py, PyAny>;
    type Object = Object<'s, 'py>;
    type List = usize;

    const REMEMBERS: bool = true;
    const SETTLES: bool = J::SETTLES;

    #[inline(always)]
    fn string(&mut self, text: &Text<'_>) -> Result<Self::Value, Stop> {
        self.text(text).ok_or(Stop)
    }

    #[inline(always)]
    fn ascii(&mut self, text: &[u8], start: usize, end: usize) -> Result<Self::Value, Stop> {
        self.schema.ascii.make(self.py, text, start, end).ok_or(Stop)
    }

    #[inline(always)]
    fn enumeration(&mut self, number: usize) -> Result<Self::Value, Stop> {
        Ok(self.schema.enums[number].bind(self.py).clone().into_any())
    }

    #[inline(always)]
    fn integer(&mut self, value: i64) -> Result<Self::Value, Stop> {
        // SAFETY: the GIL is held; a new reference, or NULL with an error set.
        unsafe { Bound::from_owned_ptr_or_opt(self.py, ffi::PyLong_FromLongLong(value)) }.ok_or(Stop)
    }

    #[inline(always)]
    fn number(&mut self, value: f64) -> Result<Self::Value, Stop> {
        // SAFETY: the GIL is held; a new reference, or NULL with an error set.
        unsafe { Bound::from_owned_ptr_or_opt(self.py, ffi::PyFloat_FromDouble(value)) }.ok_or(Stop)
    }

    #[inline]
    fn boolean(&mut self, value: bool) -> Result<Self::Value, Stop> {
        // Taken from a table: which of the two it is, no processor can guess.
        let both = [PyBool::new(self.py, false), PyBool::new(self.py, true)];
        Ok(both[usize::from(value)].to_owned().into_any())
    }

    #[inline]
    fn null(&mut self) -> Result<Self::Value, Stop> {
        Ok(self.py.None().into_bound(self.py))
    }

    #[inline(always)]
    fn datetime(&mut self, value: &DateTime) -> Result<Self::Value, Stop> {
        self.schema.times.make(self.py, value).ok_or(Stop)
    }

    #[inline(always)]
    fn object(&mut self, _: &ObjectType, which: u32) -> Result<Self::Object, Stop> {
        self.judge.begins(which);
        match &self.schema.classes[which as usize] {
            Some(class) => class.begin(self.py).ok_or(Stop),
            None => Ok(Object::Dict(PyDict::new(self.py), &self.schema.keys[which as usize])),
        }
    }

    #[inline(always)]
    fn field(
        &mut self,
        object: &mut Self::Object,
        _: &ObjectType,
        index: usize,
        value: Self::Value,
    ) -> Result<(), Stop> {
        object.set(index, value).ok_or(Stop)
    }

    #[inline(always)]
    fn finish(&mut self, object: Self::Object, seen: u128) -> Result<Self::Value, Stop> {
        object.finish(seen).ok_or(Stop)
    }

    #[inline(always)]
    fn recall(&mut self, which: u32, text: Bytes<'_>, at: usize) -> Recall<Self::Value> {
        let recalled = self.schema.leaves.with(self.py, |leaves| match leaves[which as usize].recall(text, at) {
            Recall::Known(value, end) => Recall::Known(value.bind(self.py).clone(), end),
            Recall::New(key) => Recall::New(key),
            Recall::Passed => Recall::Passed,
        });
        recalled.unwrap_or(Recall::Passed)
    }

    #[inline(never)]
    fn remember(&mut self, which: u32, key: Key, object: &[u8], value: &Self::Value) {
        let class = self.schema.classes[which as usize].as_ref();
        if class.is_some_and(Class::may_be_shared) {
            let kept = self.schema.leaves.with(self.py, |leaves| {
                let before = leaves[which as usize].keep(key, object, || value.clone().unbind());
                before.map(|before| before.into_bound(self.py))
            });
            drop(kept); // what has gone is released when nobody is at the leaves any more
        }
    }

    fn settle(&mut self, fault: Fault, place: Place, token: &[u8]) -> Settlement {
        self.judge.settle(fault, place, token)
    }

    fn dict(&mut self) -> Result<Self::Object, Stop> {
        Ok(Object::Dict(PyDict::new(self.py), &[]))
    }

    fn entry(&mut self, object: &mut Self::Object, key: &Text<'_>, value: Self::Value) -> Result<(), Stop> {
        let key = self.string(key)?;
        match object {
            Object::Dict(dict, _) => or_set(self.py, dict.set_item(key, value)).ok_or(Stop),
            _ => unreachable!("a Struct has fields only"),
        }
    }

    fn finish_dict(&mut self, object: Self::Object) -> Result<Self::Value, Stop> {
        object.finish(0).ok_or(Stop)
    }

    #[inline(always)]
    fn list(&mut self) -> Result<Self::List, Stop> {
        // One allocation serves all lists of most messages.
        self.items.reserve(32);
        Ok(self.items.len())
    }

    #[inline(always)]
    fn item(&mut self, _: &mut Self::List, value: Self::Value) -> Result<(), Stop> {
        self.items.push(value);
        Ok(())
    }

    #[inline(always)]
    fn finish_list(&mut self, list: Self::List) -> Result<Self::Value, Stop> {
        raw::list_of(self.py, &mut self.items, list).ok_or(Stop)
    }
}

/// Makes date-times, through the C interface of Python's `datetime`.
pub struct Times {
    utc: Py<PyAny>,
    image: Option<DateTimeImage>,
    zones: Mutex<Zones>,
}

/// Time zones as they are met; each stays for good, so that its address is its own.
struct Zones {
    /// By their offset in minutes, from -23:59 on.
    zones: Vec<Option<Py<PyAny>>>,
    /// The offset of each by its address.
    offsets: Addresses<i16>,
}

/// The farthest offset from UTC, in minutes.
const FARTHEST: i16 = 24 * 60 - 1;

impl Times {
    /// Loads Python's `datetime`.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let utc = py.import("datetime")?.getattr("timezone")?.getattr("utc")?.unbind();
        // SAFETY: the GIL is held; this loads the interface or leaves it NULL with an error set.
        unsafe { ffi::PyDateTime_IMPORT() };
        // SAFETY: as above; the pointer is only compared.
        if unsafe { ffi::PyDateTimeAPI() }.is_null() {
            return Err(PyErr::fetch(py));
        }
        let zones = std::iter::repeat_with(|| None).take(usize::from(FARTHEST.unsigned_abs()) * 2 + 1).collect();
        let image = DateTimeImage::probe(utc.bind(py), |value| at(py, value, utc.bind(py)));
        Ok(Self { utc, image, zones: Mutex::new(Zones { zones, offsets: Addresses::default() }) })
    }

    /// An aware `datetime` that keeps its offset. None with a Python error set if it cannot be made.
    #[inline(always)]
    pub fn make<'py>(&self, py: Python<'py>, value: &DateTime) -> Option<Bound<'py, PyAny>> {
        match &self.image {
            Some(image) if value.offset_minutes == 0 => image.copy(self.utc.bind(py), value),
            _ => self.elsewhere(py, value),
        }
    }

    #[inline(never)]
    fn elsewhere<'py>(&self, py: Python<'py>, value: &DateTime) -> Option<Bound<'py, PyAny>> {
        let zone = match value.offset_minutes {
            0 => self.utc.bind(py).clone(),
            minutes => or_set(py, self.zone(py, minutes))?,
        };
        match &self.image {
            Some(image) => image.copy(&zone, value),
            None => at(py, value, &zone),
        }
    }

    #[inline(never)]
    fn zone<'py>(&self, py: Python<'py>, minutes: i16) -> PyResult<Bound<'py, PyAny>> {
        let index = usize::from((minutes + FARTHEST).unsigned_abs());
        let known = |known: &Zones| known.zones[index].as_ref().map(|zone| zone.bind(py).clone());
        if let Some(zone) = self.zones.lock().ok().as_deref().and_then(known) {
            return Ok(zone);
        }
        // Python is called without the lock.
        let datetime = py.import("datetime")?;
        let seconds = i32::from(minutes) * 60;
        let zone = datetime.getattr("timezone")?.call1((datetime.getattr("timedelta")?.call1((0, seconds))?,))?;
        let Ok(mut known) = self.zones.lock() else { return Ok(zone) };
        // Another thread may have been here meanwhile; its zone stays.
        let kept = known.zones[index].get_or_insert(zone.unbind()).bind(py).clone();
        known.offsets.insert(kept.as_ptr() as usize, minutes);
        Ok(kept)
    }

    /// The offset in minutes of the time zone at an address, if it is one that `make` has given.
    #[inline(never)]
    pub fn offset_of(&self, address: usize) -> Option<i16> {
        self.zones.lock().ok()?.offsets.get(&address).copied()
    }
}

/// A `datetime` as CPython makes it.
fn at<'py>(py: Python<'py>, value: &DateTime, zone: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: `Times::new` has loaded the interface; the fields are in range, the zone is alive; a new reference, or NULL with an error.
    unsafe {
        let api = &*ffi::PyDateTimeAPI();
        let made = (api.DateTime_FromDateAndTime)(
            i32::from(value.year),
            i32::from(value.month),
            i32::from(value.day),
            i32::from(value.hour),
            i32::from(value.minute),
            i32::from(value.second),
            value.microsecond as i32,
            zone.as_ptr(),
            api.DateTimeType,
        );
        Bound::from_owned_ptr_or_opt(py, made)
    }
}
