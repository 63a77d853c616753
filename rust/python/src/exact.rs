//! The usual frame to JSON: one whose objects are of exactly the types that decode gives, and that breaks no rule.
//!
//! It looks at objects where they lie and holds no reference to them, which takes half of the time that `encode` needs. That is sound since
//! nothing in here runs Python code, makes an object that the garbage collector tracks or lets go of the GIL, so that nobody can change or
//! release what the caller's frame holds. Where that cannot be promised or a rule is broken (a subclass, a time zone in
//! Python, a string that is too long), it gives up without a reason, and `encode` does all of it again with care.

use std::sync::Arc;

use ocppcore::format::datetime::DateTime;
use ocppcore::format::{step, uri};
use ocppcore::frame::MAX_ID;
use ocppcore::scan::MAX_DEPTH;
use ocppcore::schema::{Bounds, FieldKind, ObjectType, Step};
use ocppcore::simd::WIDTH;
use ocppcore::write::{Literal, Short, Tokens};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::{Borrowed, ffi, intern};

use crate::classes::Class;
use crate::outgoing::{Role, Values, microseconds};
use crate::raw::is_compact_ascii;
use crate::schema::Schema;

/// How the objects of a type are written.
pub struct Plan {
    /// The address of the class; 0 for an open type, whose objects are dicts, and for a class whose slots cannot be read or that has a long key.
    class: usize,
    fields: Box<[Field]>,
}

struct Field {
    /// `,"name":`
    key: Short,
    /// The word of its slot behind the object's header.
    slot: u8,
    required: bool,
    /// It may hold any JSON value.
    any: bool,
    way: Way,
}

/// How a value is written and judged.
enum Way {
    String { max: u32 },
    Uri { max: u32 },
    Enumeration(Arc<Values>),
    DateTime,
    Integer { min: i64, max: i64 },
    Number { min: f64, max: f64, step: Option<Box<Step>> },
    Boolean,
    Object(u32),
    Any,
    List(Box<Way>, Bounds),
}

impl Way {
    fn new(kind: &FieldKind, enums: &[Arc<Values>]) -> Self {
        match *kind {
            FieldKind::String { max } => Self::String { max },
            FieldKind::Uri { max } => Self::Uri { max },
            FieldKind::Enumeration(which) => Self::Enumeration(enums[which as usize].clone()),
            FieldKind::DateTime => Self::DateTime,
            FieldKind::Integer { min, max } => Self::Integer { min, max },
            FieldKind::Number { min, max, ref step } => Self::Number { min, max, step: step.clone() },
            FieldKind::Boolean => Self::Boolean,
            FieldKind::Object(which) => Self::Object(which),
            FieldKind::Any => Self::Any,
        }
    }
}

impl Plan {
    pub fn new(of: &ObjectType, class: Option<&Class>, enums: &[Arc<Values>]) -> Self {
        let words = class.and_then(Class::words);
        let keys: Option<Vec<_>> = of.fields.iter().map(|field| Literal::key(&field.name).short()).collect();
        let field = |(index, field): (usize, &ocppcore::schema::Field)| {
            let way = Way::new(&field.kind, enums);
            Field {
                key: keys.as_ref().map_or_else(Short::default, |keys| keys[index]),
                slot: words.map_or(0, |words| words[index]),
                required: field.required,
                any: matches!(field.kind, FieldKind::Any),
                way: match field.items {
                    Some(bounds) => Way::List(Box::new(way), bounds),
                    None => way,
                },
            }
        };
        let read = class.filter(|_| words.is_some() && keys.is_some());
        Self {
            class: read.map_or(0, |class| class.object.as_ptr() as usize),
            fields: of.fields.iter().enumerate().map(field).collect(),
        }
    }
}

/// An object that something else holds, for as long as no Python code runs.
type Object<'a, 'py> = Borrowed<'a, 'py, PyAny>;

/// Writes a frame and tells where it ends; None if it is not a usual one.
#[inline(always)]
pub fn frame(schema: &Schema, frame: &Bound<'_, PyAny>, out: &mut Tokens) -> Option<usize> {
    if cfg!(Py_GIL_DISABLED) || !schema.ascii.tells_ascii() {
        return None; // another thread may run at any time, or strings do not lie as `ascii` reads them
    }
    let of = schema.outgoing.frames.iter().find(|of| of.class == frame.get_type_ptr() as usize)?;
    let frame = frame.as_borrowed();
    // SAFETY: the class is the one that the words were probed with.
    let (id, payload) = unsafe { (held(frame, of.id)?, held(frame, of.payload)?) };
    let known = schema.outgoing.payload_of(payload.get_type_ptr() as usize).filter(|known| known.role == of.role)?;
    let id = text(id)?;
    if id.is_empty() || id.len() > MAX_ID as usize {
        return None;
    }
    let at = out.literal(0, &of.head);
    let at = out.string(at, id);
    let at = if of.role == Role::Response {
        out.byte(at, b',')
    } else {
        out.literal(at, &schema.outgoing.actions[known.message as usize])
    };
    let at = Exact { schema, out }.object(payload, known.which, Place { at, depth: 1 })?;
    Some(out.byte(at, b']'))
}

/// Writes a payload alone and tells where it ends; None if it is not a usual one.
pub fn payload(schema: &Schema, payload: &Bound<'_, PyAny>, which: u32, out: &mut Tokens) -> Option<usize> {
    if cfg!(Py_GIL_DISABLED) || !schema.ascii.tells_ascii() {
        return None;
    }
    Exact { schema, out }.object(payload.as_borrowed(), which, Place { at: 0, depth: 0 })
}

struct Exact<'s, 'w> {
    schema: &'s Schema,
    out: &'w mut Tokens,
}

/// Where a value is written. It is handed on by value, so that each token need not wait until memory has it from the one before.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    /// Brackets that are open.
    depth: usize,
}

impl Place {
    /// Where the first item of a list or an object is written.
    #[inline(always)]
    fn open(self) -> Option<Self> {
        (self.depth < MAX_DEPTH).then(|| Self { depth: self.depth + 1, ..self })
    }
}

/// Each writes at a place and tells where what follows is written.
impl Exact<'_, '_> {
    /// An object of the type `which`: a Struct, or a dict where the type is open.
    fn object(&mut self, value: Object<'_, '_>, which: u32, start: Place) -> Option<usize> {
        let schema = self.schema;
        let plan = &schema.outgoing.plans[which as usize];
        if value.get_type_ptr() as usize != plan.class {
            return self.open_object(value, which, plan, start);
        }
        let mut place = start.open()?;
        for field in &plan.fields {
            // SAFETY: the class is the one that the words were probed with.
            let Some(held) = (unsafe { held(value, field.slot) }) else {
                match field {
                    Field { way: Way::Any, .. } => {
                        // In a field that may hold any JSON value, None is one.
                        place.at = self.out.short(place.at, &field.key);
                        place.at = self.out.null(place.at);
                    }
                    Field { required: true, .. } => return None,
                    _ => {}
                }
                continue;
            };
            if field.any && held.is(&schema.door.unset) {
                if field.required {
                    return None;
                }
                continue;
            }
            place.at = self.out.short(place.at, &field.key);
            place.at = self.value(&field.way, held, place)?;
        }
        Some(self.out.close_object(place.at, start.at))
    }

    #[inline(never)]
    fn list(&mut self, way: &Way, bounds: Bounds, value: Object<'_, '_>, start: Place) -> Option<usize> {
        let items = items(value)?;
        if items.len() < bounds.least as usize || items.len() > bounds.most as usize {
            return None;
        }
        let mut place = start.open()?;
        for item in items {
            place.at = self.out.byte(place.at, b',');
            place.at = self.value(way, *item, place)?;
        }
        Some(self.out.close_array(place.at, start.at))
    }

    #[inline(always)]
    fn value(&mut self, way: &Way, value: Object<'_, '_>, place: Place) -> Option<usize> {
        let at = place.at;
        Some(match way {
            Way::String { max } => self.string(value, *max, at)?,
            Way::Enumeration(values) => match values.known.get(value.as_ptr() as usize) {
                Some(literal) => self.out.short(at, literal),
                None => self.named(values, value, at)?,
            },
            Way::Object(which) => self.object(value, *which, place)?,
            Way::Integer { min, max } => {
                let number = integer(value)?;
                if number < *min || number > *max {
                    return None;
                }
                self.out.integer(at, number)
            }
            Way::Number { min, max, step } => {
                let (number, end) = if value.is_exact_instance_of::<PyFloat>() {
                    let number = float(value)?;
                    (number, self.out.number(at, number))
                } else {
                    let number = integer(value)?;
                    (number as f64, self.out.integer(at, number))
                };
                if number < *min || number > *max {
                    return None;
                }
                if let Some(step) = step
                    && !step::is_multiple(&self.out.before(end)[at..], step)
                {
                    return None;
                }
                end
            }
            Way::DateTime => self.datetime(value, at)?,
            Way::Boolean => self.out.boolean(at, boolean(value)?),
            Way::Uri { max } => {
                let text = text(value)?;
                if !uri::is_valid(text.as_bytes()) {
                    return None;
                }
                self.out.string(at, within(text, *max)?)
            }
            Way::Any => self.any(value, place)?,
            Way::List(way, bounds) => self.list(way, *bounds, value, place)?,
        })
    }

    /// A text of at most `max` code points.
    #[inline(always)]
    fn string(&mut self, value: Object<'_, '_>, max: u32, at: usize) -> Option<usize> {
        if !value.is_exact_instance_of::<PyString>() {
            return None;
        }
        match ascii(value) {
            Some(all) if all.len() - WIDTH <= max as usize => Some(self.out.string_behind(at, all)),
            Some(_) => None,
            None => Some(self.out.string(at, within(utf8(value)?, max)?)),
        }
    }

    /// The value of an enumeration that is known by its text alone.
    #[inline(never)]
    fn named(&mut self, values: &Values, value: Object<'_, '_>, at: usize) -> Option<usize> {
        let index = self.schema.tables.enums[values.which as usize].names.find(text(value)?.as_bytes())?;
        Some(self.out.literal(at, &values.literals[index]))
    }

    #[inline(never)]
    fn datetime(&mut self, value: Object<'_, '_>, at: usize) -> Option<usize> {
        let python = &self.schema.outgoing.python;
        if value.get_type_ptr() as usize != python.datetime_class {
            return None;
        }
        // SAFETY: the object is of exactly this type; its time zone is there if the flag says so.
        let time = unsafe { &*value.as_ptr().cast::<ffi::PyDateTime_DateTime>() };
        if time.hastzinfo == 0 {
            return None;
        }
        let ahead = if time.tzinfo == python.utc.as_ptr() {
            0
        } else if let Some(minutes) = self.schema.times.offset_of(time.tzinfo as usize) {
            i64::from(minutes) * 60_000_000
        } else {
            // SAFETY: the time holds its zone.
            let zone = unsafe { Object::from_ptr(value.py(), time.tzinfo) };
            self.offset(zone, value)?
        };
        let [century, year, month, day, hour, minute, second, a, b, c] = time.data;
        let local = DateTime {
            year: u16::from_be_bytes([century, year]),
            month,
            day,
            hour,
            minute,
            second,
            microsecond: u32::from_be_bytes([0, a, b, c]),
            offset_minutes: 0,
        };
        let utc = if ahead == 0 { local } else { local.in_utc(ahead)? };
        Some(self.out.datetime(at, &utc))
    }

    /// The microseconds by which a time zone is ahead of UTC at a time, if it is one that tells so at once.
    #[inline(never)]
    fn offset(&self, zone: Object<'_, '_>, time: Object<'_, '_>) -> Option<i64> {
        let py = time.py();
        if !self.schema.outgoing.python.tells_offset(py, zone.get_type_ptr()) {
            return None;
        }
        // SAFETY: the zone and the time are alive. The class is one of C's that nobody can change, whose method takes exactly a `datetime`, runs no Python
        // code and gives a timedelta, None, or an error, which the careful walk will meet again.
        unsafe {
            let ahead = ffi::PyObject_CallMethodOneArg(zone.as_ptr(), intern!(py, "utcoffset").as_ptr(), time.as_ptr());
            let Some(ahead) = Bound::from_owned_ptr_or_opt(py, ahead) else {
                ffi::PyErr_Clear();
                return None;
            };
            ahead.cast_exact().ok().map(microseconds)
        }
    }

    /// The dict of an open type: its fields by the schema, other entries as they are, in the dict's order.
    #[inline(never)]
    fn open_object(&mut self, value: Object<'_, '_>, which: u32, plan: &Plan, start: Place) -> Option<usize> {
        let of = &self.schema.tables.types[which as usize];
        if !of.open {
            return None;
        }
        let mut seen = 0u128;
        let end = self.dict(value, start, |exact, key, value, place| match of.find(key.as_bytes()) {
            None => exact.any(value, place),
            Some(index) => {
                seen |= 1 << index;
                exact.value(&plan.fields[index].way, value, place)
            }
        })?;
        (of.required & !seen == 0).then_some(end)
    }

    fn any(&mut self, value: Object<'_, '_>, start: Place) -> Option<usize> {
        let at = start.at;
        Some(if value.is_exact_instance_of::<PyString>() {
            self.string(value, u32::MAX, at)?
        } else if value.is_none() {
            self.out.null(at)
        } else if let Some(value) = boolean(value) {
            self.out.boolean(at, value)
        } else if value.is_exact_instance_of::<PyInt>() {
            self.out.integer(at, integer(value)?)
        } else if value.is_exact_instance_of::<PyFloat>() {
            self.out.float(at, float(value)?)
        } else if value.is_exact_instance_of::<PyDict>() {
            self.dict(value, start, |exact, _, value, place| exact.any(value, place))?
        } else {
            let items = items(value)?;
            let mut place = start.open()?;
            for item in items {
                place.at = self.out.byte(place.at, b',');
                place.at = self.any(*item, place)?;
            }
            self.out.close_array(place.at, at)
        })
    }

    #[inline(always)]
    fn dict(
        &mut self,
        value: Object<'_, '_>,
        start: Place,
        mut entry: impl FnMut(&mut Self, &str, Object<'_, '_>, Place) -> Option<usize>,
    ) -> Option<usize> {
        if !value.is_exact_instance_of::<PyDict>() {
            return None;
        }
        let mut place = start.open()?;
        let (mut position, mut key, mut held) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: a live dict that nobody changes meanwhile.
        while unsafe { ffi::PyDict_Next(value.as_ptr(), &mut position, &mut key, &mut held) } != 0 {
            // SAFETY: the dict holds both.
            let (key, held) = unsafe { (Object::from_ptr(value.py(), key), Object::from_ptr(value.py(), held)) };
            let key = text(key)?;
            place.at = self.out.byte(place.at, b',');
            place.at = self.out.string(place.at, key);
            place.at = self.out.byte(place.at, b':');
            place.at = entry(self, key, held, place)?;
        }
        Some(self.out.close_object(place.at, start.at))
    }
}

/// What a slot holds; None if that is None or nothing.
///
/// # Safety
/// The word is one of a slot that the object's class has been probed for.
#[inline(always)]
unsafe fn held<'a, 'py>(object: Object<'a, 'py>, word: u8) -> Option<Object<'a, 'py>> {
    let body = object.as_ptr().cast::<u8>().wrapping_add(size_of::<ffi::PyObject>()).cast::<*mut ffi::PyObject>();
    // SAFETY: the slot lies within the object and owns what it holds, or is NULL; nobody changes it while no Python code runs.
    unsafe {
        let held = *body.add(usize::from(word));
        if held == ffi::Py_None() { None } else { Object::from_ptr_or_opt(object.py(), held) }
    }
}

/// The items of exactly a list or a tuple.
#[inline(always)]
fn items<'a, 'py>(value: Object<'a, 'py>) -> Option<&'a [Object<'a, 'py>]> {
    // SAFETY: the object is of exactly the type whose fields are read; it owns as many items. A `Borrowed` is laid out as a pointer.
    unsafe {
        if value.is_exact_instance_of::<PyList>() {
            let count = ffi::PyList_GET_SIZE(value.as_ptr()) as usize;
            let items = (*value.as_ptr().cast::<ffi::PyListObject>()).ob_item;
            // An empty list has none.
            Some(if count == 0 { &[] } else { std::slice::from_raw_parts(items.cast(), count) })
        } else if value.is_exact_instance_of::<PyTuple>() {
            let count = ffi::PyTuple_GET_SIZE(value.as_ptr()) as usize;
            let items = &raw const (*value.as_ptr().cast::<ffi::PyTupleObject>()).ob_item;
            Some(std::slice::from_raw_parts(items.cast(), count))
        } else {
            None
        }
    }
}

/// The text of exactly a `str`; None for one with a surrogate.
#[inline(always)]
fn text<'a>(value: Object<'a, '_>) -> Option<&'a str> {
    if !value.is_exact_instance_of::<PyString>() {
        return None;
    }
    match ascii(value) {
        // SAFETY: ASCII is UTF-8.
        Some(all) => Some(unsafe { std::str::from_utf8_unchecked(&all[WIDTH..]) }),
        None => utf8(value),
    }
}

/// The text of exactly a `str`, if it is ASCII, behind the last sixteen bytes of the object's header. None for any other.
#[inline(always)]
fn ascii<'a>(value: Object<'a, '_>) -> Option<&'a [u8]> {
    const { assert!(size_of::<ffi::PyASCIIObject>() >= WIDTH) };
    // SAFETY: the object is exactly a `str`, and the way in has asked whether strings tell; the text of a compact ASCII one stands right behind its
    // header. Nobody writes to the header while this thread has the GIL and reads it.
    unsafe {
        is_compact_ascii(value).then(|| {
            let header = value.as_ptr().cast::<ffi::PyASCIIObject>();
            let start = header.add(1).cast::<u8>().sub(WIDTH);
            std::slice::from_raw_parts(start, (*header).length as usize + WIDTH)
        })
    }
}

#[inline(never)]
fn utf8<'a>(value: Object<'a, '_>) -> Option<&'a str> {
    let mut count = 0;
    // SAFETY: the object is a `str`; the UTF-8 lives as long as it. Making it allocates plain memory alone; the error that a surrogate
    // gives is the last thing that happens here.
    unsafe {
        let text = ffi::PyUnicode_AsUTF8AndSize(value.as_ptr(), &mut count);
        if text.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::str::from_utf8_unchecked(std::slice::from_raw_parts(text.cast(), count as usize)))
    }
}

/// The text, if it has at most `max` code points.
#[inline(always)]
fn within(text: &str, max: u32) -> Option<&str> {
    (text.len() <= max as usize || text.chars().count() <= max as usize).then_some(text)
}

/// Exactly an `int` within 64 bits.
#[inline(always)]
fn integer(value: Object<'_, '_>) -> Option<i64> {
    if !value.is_exact_instance_of::<PyInt>() {
        return None;
    }
    let mut overflow = 0;
    // SAFETY: the object is exactly an `int`, so that the call cannot fail.
    let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &mut overflow) };
    (overflow == 0).then_some(number)
}

/// A finite one, of exactly a `float`.
#[inline(always)]
fn float(value: Object<'_, '_>) -> Option<f64> {
    // SAFETY: the caller has seen that it is exactly a `float`.
    let number = unsafe { ffi::PyFloat_AS_DOUBLE(value.as_ptr()) };
    number.is_finite().then_some(number)
}

#[inline(always)]
fn boolean(value: Object<'_, '_>) -> Option<bool> {
    // SAFETY: both live as long as the interpreter; only their addresses are looked at.
    let (yes, no) = unsafe { (ffi::Py_True(), ffi::Py_False()) };
    let (yes, no) = (value.as_ptr() == yes, value.as_ptr() == no);
    // Which of the two it is, nobody can guess.
    (yes | no).then_some(yes)
}
