//! Frames and payloads to JSON: one walk over Structs, driven by the same tables as decode, that judges each value and writes it.
//!
//! Python code may run in a few places, all of them marked: a time zone is asked, a subclass's attribute read. Whatever is still needed
//! afterwards is held by a reference of its own, and lists and dicts are asked for their size again at each step.

use std::cell::Cell;

use ocppcore::error::{Expected, Kind};
use ocppcore::format::datetime::DateTime;
use ocppcore::format::number::{self, Integral};
use ocppcore::format::{step, uri};
use ocppcore::frame::{MAX_ID, Recovered};
use ocppcore::locate::{Reading, expected_of, locate};
use ocppcore::scan::{Cursor, MAX_DEPTH};
use ocppcore::schema::{Bounds, FieldKind, FrameKind, ObjectType, Step};
use ocppcore::sink::{Check, Stop};
use ocppcore::validate::{Limits, Walker};
use ocppcore::write::{Tokens, Writer};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDateAccess, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTimeAccess, PyTuple,
    PyTzInfoAccess,
};

use crate::classes::Class;
use crate::engine::Engine;
use crate::errors::Report;
use crate::exact;
use crate::outgoing::{Payload, Role, microseconds};
use crate::raw::Entries;
use crate::schema::Schema;

/// The longest id of a refusal: a bad id is echoed up to this length, in code points.
const MAX_ECHOED_ID: usize = 100;

/// Memory that a thread keeps between two calls.
const KEPT_MEMORY: usize = 1 << 16;

thread_local! {
    static MEMORY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Why nothing is written.
enum Halt {
    /// A value breaks a rule. The steps lead to it, the last one first.
    Fault { kind: Kind, expected: Expected, steps: Vec<String> },
    /// Python code that was called has raised, or the API is misused.
    Raised(PyErr),
}

/// Boxed, so that what is written does not pay for what is not.
type Done<T = ()> = Result<T, Box<Halt>>;

impl From<PyErr> for Box<Halt> {
    #[cold]
    fn from(error: PyErr) -> Self {
        Box::new(Halt::Raised(error))
    }
}

#[cold]
fn fault(kind: Kind, expected: Expected) -> Box<Halt> {
    Box::new(Halt::Fault { kind, expected, steps: Vec::new() })
}

/// The fault lies within this field, entry or item.
#[cold]
fn within(mut halt: Box<Halt>, step: &str) -> Box<Halt> {
    if let Halt::Fault { steps, .. } = &mut *halt {
        steps.push(step.replace('~', "~0").replace('/', "~1"));
    }
    halt
}

/// Encodes a frame; `Codec.encode` documents it.
pub fn frame<'py>(engine: &Engine, frame: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    match usual(engine, frame) {
        Some(written) => Ok(written),
        None => any_frame(engine, frame),
    }
}

/// Encodes a usual frame; None for any other.
#[inline(always)]
pub fn usual<'py>(engine: &Engine, frame: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    at_once(frame.py(), |out| exact::frame(engine.schema.get(), frame, out))
}

/// The bytes that `write` writes; it tells where they end.
#[inline(always)]
fn at_once<'py>(py: Python<'py>, write: impl FnOnce(&mut Tokens) -> Option<usize>) -> Option<Bound<'py, PyBytes>> {
    MEMORY.with(|kept| {
        let mut out = Tokens::into(kept.take());
        let written = write(&mut out).map(|end| PyBytes::new(py, out.before(end)));
        keep(kept, out.into_memory());
        written
    })
}

/// Keeps memory for the next call, unless it is large.
#[inline(always)]
fn keep(kept: &Cell<Vec<u8>>, memory: Vec<u8>) {
    if memory.capacity() <= KEPT_MEMORY {
        kept.set(memory);
    }
}

/// Encodes a frame whatever it is made of.
#[inline(never)]
pub fn any_frame<'py>(engine: &Engine, frame: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = frame.py();
    let schema = engine.schema.get();
    let (kind, class) = frame_class(schema, frame)?;
    let Some(&(number, _)) = schema.tables.frames.iter().find(|(_, known)| *known == kind) else {
        let version = &schema.tables.version;
        return Err(PyValueError::new_err(format!("OCPP {version} has no {} frames", class.object.bind(py).name()?)));
    };
    let id = attribute(class, frame, 0)?;
    let mut about = About { number: Some(number), id: Some(&id), action: None };
    let second = attribute(class, frame, 1)?;
    match kind {
        FrameKind::CallError | FrameKind::CallResultError => {
            let (description, details) = (attribute(class, frame, 2)?, attribute(class, frame, 3)?);
            write(engine, py, &about, |encoder| {
                encoder.head(number, &id, MAX_ECHOED_ID)?;
                for text in [&second, &description] {
                    encoder.out.byte(b',');
                    let text = text.cast::<PyString>().map_err(|_| error_field("string"))?;
                    encoder.out.string(text_of(text)?);
                }
                encoder.out.byte(b',');
                let details = details.cast::<PyDict>().map_err(|_| error_field("object"))?;
                // What stands in an error's details has no payload to point into.
                encoder.any_dict(details).map_err(without_path)?;
                encoder.out.byte(b']');
                Ok(())
            })
        }
        FrameKind::CallResult if schema.door.raw_payload.covers(&second) => {
            let data = attribute(&schema.door.raw_payload, &second, 0)?;
            let data = data.cast::<PyBytes>().map_err(|_| {
                PyTypeError::new_err("the data of a RawPayload must be bytes, as decode gives it".to_owned())
            })?;
            write(engine, py, &about, |encoder| {
                encoder.head(number, &id, MAX_ID as usize)?;
                encoder.out.byte(b',');
                encoder.raw(data.as_bytes())?;
                encoder.out.byte(b']');
                Ok(())
            })
        }
        FrameKind::Call | FrameKind::CallResult | FrameKind::Send => {
            let payload = known_payload(schema, &second)?;
            let (role, says) = match kind {
                FrameKind::Call => (Role::Request, "a Call holds a request"),
                FrameKind::CallResult => (Role::Response, "a CallResult holds a response or a RawPayload"),
                _ => (Role::Send, "a Send holds a payload that nobody answers"),
            };
            if payload.role != role {
                let found = second.get_type().name()?;
                let found_role = match payload.role {
                    Role::Request => "a request: use Call",
                    Role::Response => "a response: use CallResult",
                    Role::Send => "such a payload: use Send",
                };
                return Err(PyValueError::new_err(format!("{says}, and {found} is {found_role}")));
            }
            about.action = Some(&schema.tables.messages[payload.message as usize].action);
            write(engine, py, &about, |encoder| {
                encoder.head(number, &id, MAX_ID as usize)?;
                match role {
                    Role::Response => encoder.out.byte(b','),
                    _ => encoder.out.literal(&schema.outgoing.actions[payload.message as usize]),
                }
                encoder.object(&second, payload.which)?;
                encoder.out.byte(b']');
                Ok(())
            })
        }
    }
}

/// Encodes a payload without a frame; `Codec.encode_payload` documents it.
pub fn payload<'py>(engine: &Engine, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let schema = engine.schema.get();
    let known = known_payload(schema, value)?;
    if let Some(written) = at_once(value.py(), |out| exact::payload(schema, value, known.which, out)) {
        return Ok(written);
    }
    let action = &schema.tables.messages[known.message as usize].action;
    let about = About { number: None, id: None, action: Some(action) };
    write(engine, value.py(), &about, |encoder| encoder.object(value, known.which))
}

/// What an error tells of its frame.
struct About<'a, 'py> {
    number: Option<u32>,
    id: Option<&'a Bound<'py, PyAny>>,
    action: Option<&'a str>,
}

fn write<'py>(
    engine: &Engine,
    py: Python<'py>,
    about: &About<'_, 'py>,
    body: impl FnOnce(&mut Encoder<'_, 'py>) -> Done,
) -> PyResult<Bound<'py, PyBytes>> {
    let out = Writer::reusing(MEMORY.take());
    let schema = engine.schema.get();
    let mut encoder = Encoder { py, schema, limits: engine.limits.as_ref(), out, depth: 0 };
    let done = body(&mut encoder).map(|()| PyBytes::new(py, encoder.out.as_bytes()));
    MEMORY.with(|kept| keep(kept, encoder.out.into_memory()));
    done.map_err(|halt| raised(engine, py, about, *halt))
}

#[cold]
fn raised(engine: &Engine, py: Python<'_>, about: &About<'_, '_>, halt: Halt) -> PyErr {
    let (kind, expected, steps) = match halt {
        Halt::Raised(error) => return error,
        Halt::Fault { kind, expected, steps } => (kind, expected, steps),
    };
    let path = match kind {
        Kind::Depth => String::new(),
        _ => steps.iter().rev().flat_map(|step| ["/", step]).collect(),
    };
    let frame = Recovered {
        number: about.number.map(i64::from),
        id: about.id.and_then(|id| id.extract().ok()),
        action: about.action.map(str::to_owned),
    };
    let report = Report { kind, path, offset: None, expected, data: None, frame };
    engine.errors.of(py, engine.schema.get(), report)
}

#[cold]
fn error_field(expected: &str) -> Box<Halt> {
    fault(Kind::ErrorFieldType, Expected::Text(expected.to_owned()))
}

#[cold]
fn without_path(mut halt: Box<Halt>) -> Box<Halt> {
    if let Halt::Fault { steps, .. } = &mut *halt {
        steps.clear();
    }
    halt
}

fn frame_class<'s>(schema: &'s Schema, frame: &Bound<'_, PyAny>) -> PyResult<(FrameKind, &'s Class)> {
    use FrameKind::{Call, CallError, CallResult, CallResultError, Send};
    const KINDS: [FrameKind; 5] = [Call, CallResult, CallError, CallResultError, Send];
    let classes = KINDS.map(|kind| (kind, schema.door.class_of(kind)));
    let exact = classes.iter().find(|(_, class)| frame.get_type().is(&class.object));
    exact.or_else(|| classes.iter().find(|(_, class)| class.covers(frame))).copied().ok_or_else(|| misused_frame(frame))
}

#[cold]
fn misused_frame(frame: &Bound<'_, PyAny>) -> PyErr {
    match frame.get_type().name() {
        Ok(name) => PyTypeError::new_err(format!(
            "encode takes a frame (Call, CallResult, CallError, CallResultError, Send), not {name}; \
             a payload goes into one, Call(id, payload), or to encode_payload"
        )),
        Err(error) => error,
    }
}

fn known_payload(schema: &Schema, value: &Bound<'_, PyAny>) -> PyResult<Payload> {
    match schema.outgoing.payload(&value.get_type()) {
        Some(payload) => Ok(payload),
        None => {
            let (name, version) = (value.get_type().fully_qualified_name()?, &schema.tables.version);
            Err(PyTypeError::new_err(format!(
                "{name} is no payload of OCPP {version}: use a request, a response or the payload of a SEND of this version, \
                 or make your own known by codec.extend(messages=[...])"
            )))
        }
    }
}

/// An attribute by the index of its field. Where it is not read from a slot, Python code may run.
#[inline]
fn attribute<'py>(class: &Class, object: &Bound<'py, PyAny>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    match class.slots(object) {
        Some(slots) => Ok(slots.get(index).unwrap_or_else(|| object.py().None().into_bound(object.py()))),
        None => object.getattr(&class.attributes[index]),
    }
}

/// The text of a string; a lone surrogate has none.
#[inline]
fn text_of<'a>(string: &'a Bound<'_, PyString>) -> Done<&'a str> {
    string.to_str().map_err(|_| fault(Kind::Surrogate, Expected::Nothing))
}

/// Where a value stands: a field, or an item of its list.
#[derive(Clone, Copy)]
struct Place {
    of: u32,
    index: usize,
    in_item: bool,
}

struct Encoder<'s, 'py> {
    py: Python<'py>,
    schema: &'s Schema,
    limits: Option<&'s Limits>,
    out: Writer,
    /// Brackets that are open.
    depth: usize,
}

impl<'s, 'py> Encoder<'s, 'py> {
    /// `[2,"id"`
    #[inline]
    fn head(&mut self, number: u32, id: &Bound<'py, PyAny>, max: usize) -> Done {
        self.open()?;
        self.out.byte(b'[');
        self.out.integer(i64::from(number));
        self.out.byte(b',');
        let id = id.cast::<PyString>().map_err(|_| fault(Kind::MessageIdType, Expected::Text("string".to_owned())))?;
        let id = text_of(id)?;
        if id.is_empty() || id.len() > max && id.chars().count() > max {
            return Err(fault(Kind::MessageIdLength, Expected::Integer(max as i64)));
        }
        self.out.string(id);
        Ok(())
    }

    /// A payload that is JSON already; it goes out as it is once it is well-formed.
    fn raw(&mut self, data: &[u8]) -> Done {
        let tables = &self.schema.tables;
        let mut cursor = Cursor::new(data);
        cursor.depth = self.depth;
        let mut check = Check;
        let mut walker = Walker::new(tables, None, cursor.clone(), &mut check);
        if let (Err(Stop), Some(found)) = (walker.object_alone(), walker.cursor.fault) {
            let located = locate(found, tables, None, cursor, Reading::Object);
            let steps = located.path.strip_prefix('/').map(str::to_owned).into_iter().collect();
            return Err(Box::new(Halt::Fault { kind: found.kind, expected: located.expected, steps }));
        }
        self.out.json(data);
        Ok(())
    }

    #[inline]
    fn open(&mut self) -> Done {
        if self.depth == MAX_DEPTH {
            return Err(fault(Kind::Depth, Expected::Integer(MAX_DEPTH as i64)));
        }
        self.depth += 1;
        Ok(())
    }

    /// An object of the type `which`: a Struct, or a dict where the type is open.
    fn object(&mut self, value: &Bound<'py, PyAny>, which: u32) -> Done {
        let schema = self.schema;
        let of = &schema.tables.types[which as usize];
        // The caller has seen that this is the class of the payload, or `value` that it is an object of the type.
        let Some(class) = &schema.classes[which as usize] else { unreachable!("open types are written as dicts") };
        self.open()?;
        let start = self.out.position();
        match class.slots(value) {
            Some(slots) => {
                for index in 0..of.fields.len() {
                    self.field(of, which, index, slots.get(index))?;
                }
            }
            None => {
                for (index, name) in class.attributes.iter().enumerate() {
                    // Python code may run here.
                    let held = value.getattr(name)?;
                    self.field(of, which, index, (!held.is_none()).then_some(held))?;
                }
            }
        }
        self.depth -= 1;
        self.out.close_object(start);
        Ok(())
    }

    /// A field of a Struct, with its key; None is passed as None.
    #[inline]
    fn field(&mut self, of: &ObjectType, which: u32, index: usize, held: Option<Bound<'py, PyAny>>) -> Done {
        let field = &of.fields[index];
        let any = matches!(field.kind, FieldKind::Any);
        let unset = &self.schema.door.unset;
        match held {
            Some(held) if !((any || field.required) && held.is(unset)) => {
                self.out.literal(&self.schema.outgoing.keys[which as usize][index]);
                self.member(of, which, index, &held)
            }
            // In a field that may hold any JSON value, None is one.
            None if any && field.items.is_none() => {
                self.out.literal(&self.schema.outgoing.keys[which as usize][index]);
                self.out.null();
                Ok(())
            }
            _ if field.required => Err(within(fault(Kind::Missing, Expected::Text(field.name.clone())), &field.name)),
            _ => Ok(()),
        }
    }

    /// The value of a field; its key is written.
    #[inline]
    fn member(&mut self, of: &ObjectType, which: u32, index: usize, held: &Bound<'py, PyAny>) -> Done {
        let field = &of.fields[index];
        let place = Place { of: which, index, in_item: false };
        let done = match field.items {
            None => self.value(&field.kind, place, held),
            Some(bounds) => self.list(&field.kind, place, bounds, held),
        };
        done.map_err(|halt| within(halt, &field.name))
    }

    fn list(&mut self, kind: &FieldKind, place: Place, bounds: Bounds, value: &Bound<'py, PyAny>) -> Done {
        let Some(items) = Items::of(value) else { return Err(self.wrong_type(place, value)) };
        self.open()?;
        let start = self.out.position();
        let mut count = 0;
        // A list may change while a time zone is asked: its size is looked at each time.
        while let Some(item) = items.get(count as usize)? {
            if count == bounds.most {
                return Err(self.broken(Kind::TooMany, place));
            }
            self.out.byte(b',');
            self.value(kind, Place { in_item: true, ..place }, &item)
                .map_err(|halt| within(halt, &count.to_string()))?;
            count += 1;
        }
        if count < bounds.least {
            return Err(self.broken(Kind::TooFew, place));
        }
        self.depth -= 1;
        self.out.close_array(start);
        Ok(())
    }

    #[inline]
    fn value(&mut self, kind: &FieldKind, place: Place, value: &Bound<'py, PyAny>) -> Done {
        match kind {
            FieldKind::String { max } => {
                let text = self.text(place, value)?;
                self.length(text, *max, place)?;
                self.out.string(text);
            }
            FieldKind::Enumeration(which) => {
                let values = &self.schema.outgoing.enums[*which as usize];
                if let Some(literal) = values.known.get(value.as_ptr() as usize) {
                    self.out.short(literal);
                    return Ok(());
                }
                let text = self.text(place, value)?;
                match self.schema.tables.enums[*which as usize].names.find(text.as_bytes()) {
                    Some(index) => self.out.literal(&values.literals[index]),
                    None => return Err(self.broken(Kind::Enum, place)),
                }
            }
            FieldKind::DateTime => self.datetime(place, value)?,
            FieldKind::Object(which) => match (&self.schema.classes[*which as usize], value.cast::<PyDict>()) {
                (Some(class), _) if class.covers(value) => self.object(value, *which)?,
                (None, Ok(dict)) => self.open_object(dict, *which)?,
                _ => return Err(self.wrong_type(place, value)),
            },
            FieldKind::Integer { min, max } => {
                let number = self.integer(place, value)?;
                if number < *min {
                    return Err(self.broken(Kind::Minimum, place));
                }
                if number > *max {
                    return Err(self.broken(Kind::Maximum, place));
                }
                self.out.integer(number);
            }
            FieldKind::Number { min, max, step } => self.number(place, value, (*min, *max), step.as_deref())?,
            FieldKind::Boolean => match value.cast::<PyBool>() {
                Ok(value) => self.out.boolean(value.is_true()),
                Err(_) => return Err(self.wrong_type(place, value)),
            },
            FieldKind::Uri { max } => {
                let text = self.text(place, value)?;
                if !uri::is_valid(text.as_bytes()) {
                    return Err(self.broken(Kind::Format, place));
                }
                self.length(text, *max, place)?;
                self.out.string(text);
            }
            FieldKind::Any => self.any(value)?,
        }
        Ok(())
    }

    #[inline]
    fn text<'a>(&self, place: Place, value: &'a Bound<'py, PyAny>) -> Done<&'a str> {
        match value.cast::<PyString>() {
            Ok(string) => text_of(string),
            Err(_) => Err(self.wrong_type(place, value)),
        }
    }

    #[inline]
    fn length(&self, text: &str, max: u32, place: Place) -> Done {
        if text.len() > max as usize { self.length_slowly(text, max, place) } else { Ok(()) }
    }

    #[cold]
    fn length_slowly(&self, text: &str, max: u32, place: Place) -> Done {
        let length = text.chars().count();
        let raised = || self.limits.and_then(|limits| limits.get(&(place.of, place.index as u16)).copied());
        if length <= max as usize || raised().is_some_and(|raised| length <= raised as usize) {
            return Ok(());
        }
        Err(self.broken(Kind::Length, place))
    }

    #[inline]
    fn integer(&self, place: Place, value: &Bound<'py, PyAny>) -> Done<i64> {
        if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
            return Err(self.wrong_type(place, value));
        }
        value.extract().map_err(|_| fault(Kind::NumberRange, Expected::Nothing))
    }

    fn number(&mut self, place: Place, value: &Bound<'py, PyAny>, (min, max): (f64, f64), step: Option<&Step>) -> Done {
        let start = self.out.position();
        let out_of_range = || fault(Kind::NumberRange, Expected::Nothing);
        let number = if let Ok(float) = value.cast::<PyFloat>() {
            let number = float.value();
            if !number.is_finite() {
                return Err(out_of_range());
            }
            self.out.number(number);
            number
        } else if value.is_instance_of::<PyInt>() {
            let number = self.integer(place, value)?;
            self.out.integer(number);
            number as f64
        } else if self.is_decimal(value) {
            // `Decimal.__str__` runs no code of a subclass.
            let text = self.schema.outgoing.python.decimal_text.bind(self.py).call1((value,))?;
            let text = text.cast::<PyString>().map_err(PyErr::from)?;
            self.decimal(text_of(text)?).ok_or_else(out_of_range)?
        } else {
            return Err(self.wrong_type(place, value));
        };
        if number < min {
            return Err(self.broken(Kind::Minimum, place));
        }
        if number > max {
            return Err(self.broken(Kind::Maximum, place));
        }
        match step {
            Some(step) if !step::is_multiple(&self.out.as_bytes()[start..], step) => {
                Err(self.broken(Kind::MultipleOf, place))
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn is_decimal(&self, value: &Bound<'py, PyAny>) -> bool {
        let decimal = &self.schema.outgoing.python.decimal;
        value.get_type().mro().iter().any(|base| base.is(decimal))
    }

    /// Writes a Decimal given as `str` writes it; None for one that is not finite or that no number of JSON may be.
    fn decimal(&mut self, text: &str) -> Option<f64> {
        const WHOLE: u64 = 10_000_000_000_000_000;
        let number = number::scan(text.as_bytes(), 0).ok().filter(|number| number.text.len() == text.len())?;
        let value = number.float()?;
        match number.integral() {
            Integral::Value(whole) if whole.unsigned_abs() < WHOLE => self.out.integer(whole),
            _ => self.out.json(text.as_bytes()),
        }
        Some(value)
    }

    fn datetime(&mut self, place: Place, value: &Bound<'py, PyAny>) -> Done {
        let Ok(time) = value.cast::<PyDateTime>() else {
            // The JSON type, a string, is what is written, not what is taken.
            let kind = if value.is_none() { Kind::Null } else { Kind::Type };
            return Err(fault(kind, Expected::Text("datetime".to_owned())));
        };
        let python = &self.schema.outgoing.python;
        let local = DateTime {
            year: time.get_year() as u16,
            month: time.get_month(),
            day: time.get_day(),
            hour: time.get_hour(),
            minute: time.get_minute(),
            second: time.get_second(),
            microsecond: time.get_microsecond(),
            offset_minutes: 0,
        };
        let zone = time.get_tzinfo();
        if zone.as_ref().is_some_and(|zone| zone.is(&python.utc)) {
            self.out.datetime(&local);
            return Ok(());
        }
        if let Some(zone) = &zone {
            python.meet(zone)?;
        }
        // Python code may run here: the time zone's. The value is held by whoever asked for it to be written.
        let ahead = python.utc_offset.bind(self.py).call1((value,))?;
        let utc = ahead.cast().ok().and_then(|ahead| local.in_utc(microseconds(ahead)));
        match utc {
            Some(utc) => self.out.datetime(&utc),
            None => return Err(self.broken(Kind::Format, place)),
        }
        Ok(())
    }

    /// The dict of an open type: its fields by the schema, other entries as they are, in the dict's order.
    fn open_object(&mut self, dict: &Bound<'py, PyDict>, which: u32) -> Done {
        let schema = self.schema;
        let of = &schema.tables.types[which as usize];
        let mut seen = 0u128;
        self.dict(dict, |encoder, key, value| match of.find(key.as_bytes()) {
            None => encoder.any(value).map_err(|halt| within(halt, key)),
            Some(index) => {
                // Only keys with an equality of their own can be two and read alike.
                if seen >> index & 1 == 1 {
                    return Err(within(fault(Kind::DuplicateKey, Expected::Nothing), key));
                }
                seen |= 1 << index;
                encoder.member(of, which, index, value)
            }
        })?;
        let missing = of.required & !seen;
        if missing != 0 {
            let name = &of.fields[missing.trailing_zeros() as usize].name;
            return Err(within(fault(Kind::Missing, Expected::Text(name.clone())), name));
        }
        Ok(())
    }

    fn dict(
        &mut self,
        dict: &Bound<'py, PyDict>,
        mut entry: impl FnMut(&mut Self, &str, &Bound<'py, PyAny>) -> Done,
    ) -> Done {
        self.open()?;
        let start = self.out.position();
        let count = dict.len();
        for (key, value) in Entries::of(dict) {
            let key = key.cast::<PyString>().map_err(|_| fault(Kind::Type, Expected::Nothing))?;
            let key = text_of(key)?;
            self.out.byte(b',');
            self.out.string(key);
            self.out.byte(b':');
            entry(self, key, &value)?;
            if dict.len() != count {
                return Err(PyRuntimeError::new_err("a dict has changed while it was encoded").into());
            }
        }
        self.depth -= 1;
        self.out.close_object(start);
        Ok(())
    }

    /// Any value that JSON has. No Python code runs; the depth limit ends what is cyclic.
    fn any(&mut self, value: &Bound<'py, PyAny>) -> Done {
        let out_of_range = || fault(Kind::NumberRange, Expected::Nothing);
        if let Ok(text) = value.cast::<PyString>() {
            self.out.string(text_of(text)?);
        } else if value.is_none() {
            self.out.null();
        } else if let Ok(value) = value.cast::<PyBool>() {
            self.out.boolean(value.is_true());
        } else if value.is_instance_of::<PyInt>() {
            self.out.integer(value.extract().map_err(|_| out_of_range())?);
        } else if let Ok(float) = value.cast::<PyFloat>() {
            let number = float.value();
            if !number.is_finite() {
                return Err(out_of_range());
            }
            self.out.float(number);
        } else if let Ok(dict) = value.cast::<PyDict>() {
            self.any_dict(dict)?;
        } else if let Some(items) = Items::of(value) {
            self.open()?;
            let start = self.out.position();
            let mut count = 0;
            while let Some(item) = items.get(count)? {
                self.out.byte(b',');
                self.any(&item).map_err(|halt| within(halt, &count.to_string()))?;
                count += 1;
            }
            self.depth -= 1;
            self.out.close_array(start);
        } else {
            return Err(fault(Kind::Type, Expected::Nothing));
        }
        Ok(())
    }

    fn any_dict(&mut self, dict: &Bound<'py, PyDict>) -> Done {
        self.dict(dict, |encoder, key, value| encoder.any(value).map_err(|halt| within(halt, key)))
    }

    /// The fault of a value of a wrong type.
    #[cold]
    fn wrong_type(&self, place: Place, value: &Bound<'py, PyAny>) -> Box<Halt> {
        self.broken(if value.is_none() { Kind::Null } else { Kind::Type }, place)
    }

    #[cold]
    fn broken(&self, kind: Kind, place: Place) -> Box<Halt> {
        let field = (place.of, place.index);
        fault(kind, expected_of(&self.schema.tables, self.limits, kind, field, place.in_item))
    }
}

/// A list or a tuple.
enum Items<'a, 'py> {
    List(&'a Bound<'py, PyList>),
    Tuple(&'a Bound<'py, PyTuple>),
}

impl<'a, 'py> Items<'a, 'py> {
    #[inline]
    fn of(value: &'a Bound<'py, PyAny>) -> Option<Self> {
        match value.cast::<PyList>() {
            Ok(list) => Some(Self::List(list)),
            Err(_) => value.cast::<PyTuple>().ok().map(Self::Tuple),
        }
    }

    /// An item, held; None behind the last one.
    #[inline]
    fn get(&self, index: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self {
            Self::List(list) if index < list.len() => list.get_item(index).map(Some),
            Self::Tuple(tuple) if index < tuple.len() => tuple.get_item(index).map(Some),
            _ => Ok(None),
        }
    }
}
