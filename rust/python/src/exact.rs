//! The usual frame to JSON: one whose objects are of exactly the types that decode gives, and that breaks no rule.
//!
//! It looks at objects where they lie and holds no reference to them, which takes half of the time that `encode` needs. That is sound since
//! nothing in here runs Python code, makes an object that the garbage collector tracks or lets go of the GIL, so that nobody can change or
//! release what the caller's frame holds. Where that cannot be promised or a rule is broken (a subclass, a time zone that decode has not
//! given, a string that is too long), it gives up without a reason, and `encode` does all of it again with care.

use ocppcore::format::datetime::DateTime;
use ocppcore::format::{step, uri};
use ocppcore::frame::MAX_ID;
use ocppcore::scan::MAX_DEPTH;
use ocppcore::schema::{Bounds, FieldKind, ObjectType};
use ocppcore::write::{Literal, Writer};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::{Borrowed, ffi};

use crate::classes::Class;
use crate::outgoing::Role;
use crate::schema::Schema;

/// How the objects of a type are written.
pub struct Plan {
    /// The address of the class; 0 for an open type, whose objects are dicts, and for a class whose slots cannot be read.
    class: usize,
    fields: Box<[Field]>,
}

struct Field {
    /// `,"name":`
    key: Literal,
    kind: FieldKind,
    items: Option<Bounds>,
    /// The word of its slot behind the object's header.
    slot: u8,
    required: bool,
    any: bool,
}

impl Plan {
    pub fn new(of: &ObjectType, class: Option<&Class>) -> Self {
        let words = class.and_then(Class::words);
        let field = |(index, field): (usize, &ocppcore::schema::Field)| Field {
            key: Literal::key(&field.name),
            kind: field.kind.clone(),
            items: field.items,
            slot: words.map_or(0, |words| words[index]),
            required: field.required,
            any: matches!(field.kind, FieldKind::Any),
        };
        Self {
            class: class.filter(|_| words.is_some()).map_or(0, |class| class.object.as_ptr() as usize),
            fields: of.fields.iter().enumerate().map(field).collect(),
        }
    }
}

/// An object that something else holds, for as long as no Python code runs.
type Object<'a, 'py> = Borrowed<'a, 'py, PyAny>;

/// Writes a frame; None if it is not a usual one.
#[inline(always)]
pub fn frame(schema: &Schema, frame: &Bound<'_, PyAny>, out: &mut Writer) -> Option<()> {
    if cfg!(Py_GIL_DISABLED) {
        return None; // another thread may run at any time
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
    out.literal(&of.head);
    out.string(id);
    if of.role == Role::Response {
        out.byte(b',');
    } else {
        out.literal(&schema.outgoing.actions[known.message as usize]);
    }
    let mut exact = Exact { schema, out, depth: 1 };
    exact.object(payload, known.which)?;
    out.byte(b']');
    Some(())
}

/// Writes a payload alone; None if it is not a usual one.
pub fn payload(schema: &Schema, payload: &Bound<'_, PyAny>, which: u32, out: &mut Writer) -> Option<()> {
    if cfg!(Py_GIL_DISABLED) {
        return None;
    }
    Exact { schema, out, depth: 0 }.object(payload.as_borrowed(), which)
}

struct Exact<'s, 'w> {
    schema: &'s Schema,
    out: &'w mut Writer,
    /// Brackets that are open.
    depth: usize,
}

impl Exact<'_, '_> {
    #[inline(always)]
    fn open(&mut self) -> Option<usize> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        Some(self.out.position())
    }

    /// An object of the type `which`: a Struct, or a dict where the type is open.
    fn object(&mut self, value: Object<'_, '_>, which: u32) -> Option<()> {
        let schema = self.schema;
        let plan = &schema.outgoing.plans[which as usize];
        if value.get_type_ptr() as usize != plan.class {
            return self.open_object(value, which, plan);
        }
        let start = self.open()?;
        for field in &plan.fields {
            // SAFETY: the class is the one that the words were probed with.
            let Some(held) = (unsafe { held(value, field.slot) }) else {
                match field {
                    Field { any: true, items: None, .. } => {
                        // In a field that may hold any JSON value, None is one.
                        self.out.literal(&field.key);
                        self.out.null();
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
            self.out.literal(&field.key);
            self.member(field, held)?;
        }
        self.depth -= 1;
        self.out.close_object(start);
        Some(())
    }

    #[inline(always)]
    fn member(&mut self, field: &Field, value: Object<'_, '_>) -> Option<()> {
        match field.items {
            None => self.value(&field.kind, value),
            Some(bounds) => self.list(&field.kind, bounds, value),
        }
    }

    #[inline(never)]
    fn list(&mut self, kind: &FieldKind, bounds: Bounds, value: Object<'_, '_>) -> Option<()> {
        let items = items(value)?;
        if items.len() < bounds.least as usize || items.len() > bounds.most as usize {
            return None;
        }
        let start = self.open()?;
        for item in items {
            self.out.byte(b',');
            self.value(kind, *item)?;
        }
        self.depth -= 1;
        self.out.close_array(start);
        Some(())
    }

    #[inline(always)]
    fn value(&mut self, kind: &FieldKind, value: Object<'_, '_>) -> Option<()> {
        match kind {
            FieldKind::String { max } => {
                let text = text(value)?;
                self.out.string(within(text, *max)?);
            }
            FieldKind::Enumeration(which) => {
                let values = &self.schema.outgoing.enums[*which as usize];
                match values.known(value.as_ptr() as usize) {
                    Some(literal) => self.out.literal(literal),
                    None => {
                        let index = self.schema.tables.enums[*which as usize].names.find(text(value)?.as_bytes())?;
                        self.out.literal(&values.literals[index]);
                    }
                }
            }
            FieldKind::Object(which) => self.object(value, *which)?,
            FieldKind::Integer { min, max } => {
                let number = integer(value)?;
                if number < *min || number > *max {
                    return None;
                }
                self.out.integer(number);
            }
            FieldKind::Number { min, max, step } => {
                let start = self.out.position();
                let number = if value.is_exact_instance_of::<PyFloat>() {
                    let number = float(value)?;
                    self.out.number(number);
                    number
                } else {
                    let number = integer(value)?;
                    self.out.integer(number);
                    number as f64
                };
                if number < *min || number > *max {
                    return None;
                }
                if let Some(step) = step
                    && !step::is_multiple(&self.out.as_bytes()[start..], step)
                {
                    return None;
                }
            }
            FieldKind::DateTime => self.datetime(value)?,
            FieldKind::Boolean => self.out.boolean(boolean(value)?),
            FieldKind::Uri { max } => {
                let text = text(value)?;
                if !uri::is_valid(text.as_bytes()) {
                    return None;
                }
                self.out.string(within(text, *max)?);
            }
            FieldKind::Any => self.any(value)?,
        }
        Some(())
    }

    #[inline(never)]
    fn datetime(&mut self, value: Object<'_, '_>) -> Option<()> {
        let python = &self.schema.outgoing.python;
        if value.get_type_ptr() as usize != python.datetime_class {
            return None;
        }
        // SAFETY: the object is of exactly this type; its time zone is there if the flag says so.
        let time = unsafe { &*value.as_ptr().cast::<ffi::PyDateTime_DateTime>() };
        if time.hastzinfo == 0 {
            return None;
        }
        let ahead =
            if time.tzinfo == python.utc.as_ptr() { 0 } else { self.schema.times.offset_of(time.tzinfo as usize)? };
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
        if ahead == 0 {
            self.out.datetime(&local);
        } else {
            self.out.datetime(&local.in_utc(i64::from(ahead) * 60_000_000)?);
        }
        Some(())
    }

    /// The dict of an open type: its fields by the schema, other entries as they are, in the dict's order.
    #[inline(never)]
    fn open_object(&mut self, value: Object<'_, '_>, which: u32, plan: &Plan) -> Option<()> {
        let of = &self.schema.tables.types[which as usize];
        if !of.open {
            return None;
        }
        let mut seen = 0u128;
        self.dict(value, |exact, key, value| match of.find(key.as_bytes()) {
            None => exact.any(value),
            Some(index) => {
                seen |= 1 << index;
                exact.member(&plan.fields[index], value)
            }
        })?;
        (of.required & !seen == 0).then_some(())
    }

    fn any(&mut self, value: Object<'_, '_>) -> Option<()> {
        if value.is_exact_instance_of::<PyString>() {
            self.out.string(text(value)?);
        } else if value.is_none() {
            self.out.null();
        } else if let Some(value) = boolean(value) {
            self.out.boolean(value);
        } else if value.is_exact_instance_of::<PyInt>() {
            self.out.integer(integer(value)?);
        } else if value.is_exact_instance_of::<PyFloat>() {
            self.out.float(float(value)?);
        } else if value.is_exact_instance_of::<PyDict>() {
            self.dict(value, |exact, _, value| exact.any(value))?;
        } else {
            let items = items(value)?;
            let start = self.open()?;
            for item in items {
                self.out.byte(b',');
                self.any(*item)?;
            }
            self.depth -= 1;
            self.out.close_array(start);
        }
        Some(())
    }

    #[inline(always)]
    fn dict(
        &mut self,
        value: Object<'_, '_>,
        mut entry: impl FnMut(&mut Self, &str, Object<'_, '_>) -> Option<()>,
    ) -> Option<()> {
        if !value.is_exact_instance_of::<PyDict>() {
            return None;
        }
        let start = self.open()?;
        let (mut position, mut key, mut held) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: a live dict that nobody changes meanwhile.
        while unsafe { ffi::PyDict_Next(value.as_ptr(), &mut position, &mut key, &mut held) } != 0 {
            // SAFETY: the dict holds both.
            let (key, held) = unsafe { (Object::from_ptr(value.py(), key), Object::from_ptr(value.py(), held)) };
            let key = text(key)?;
            self.out.byte(b',');
            self.out.string(key);
            self.out.byte(b':');
            entry(self, key, held)?;
        }
        self.depth -= 1;
        self.out.close_object(start);
        Some(())
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
    #[cfg(not(Py_3_14))] // since then its state is no business of others
    {
        // SAFETY: the object is exactly a `str`, which is ready; the text of a compact ASCII one stands behind its header.
        unsafe {
            if ffi::PyUnicode_IS_COMPACT_ASCII(value.as_ptr()) != 0 {
                let header = value.as_ptr().cast::<ffi::PyASCIIObject>();
                let text = std::slice::from_raw_parts(header.add(1).cast::<u8>(), (*header).length as usize);
                return Some(std::str::from_utf8_unchecked(text));
            }
        }
    }
    utf8(value)
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
    if value.as_ptr() == yes { Some(true) } else { (value.as_ptr() == no).then_some(false) }
}
