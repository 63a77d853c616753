//! What a codec inherits: decode, validate, peek, resolve and their kin as methods of a class, so that nothing stands between a user's
//! call and the walk.

use ocppcore::error::{Expected, Fault, Kind};
use ocppcore::frame::{self, Body, Head, Recovered, Request};
use ocppcore::locate::{Located, Reading, Step, locate, located};
use ocppcore::scan::{Cursor, Text};
use ocppcore::schema::Message;
use ocppcore::sink::{Check, Sink, Stop};
use ocppcore::validate::{Limits, Walker};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyList, PyString};
use pyo3::{IntoPyObjectExt, PyTraverseError, PyVisit, intern};

use crate::batch;
use crate::build::Build;
use crate::encode;
use crate::errors::{Errors, Report};
use crate::grading::{Graded, Grading, Judge, Passed, Strict};
use crate::input::Input;
use crate::schema::Schema;

/// Brackets that are open before the payload of a frame begins.
const FRAME_DEPTH: usize = 1;

/// The native engine of a codec; `ocppcore.Codec` documents its methods.
///
/// `limits` maps "type.field" to a raised maximum length; `make_error` makes the exception for a fault. `second_look`, if there is one,
/// decides about faults as `decode` meets them (`settle`); what is refused all the same it is given as what `decode` would raise, and its arguments:
/// what it gives or raises is the answer.
#[pyclass(subclass, frozen, module = "ocppcore._native")]
pub struct Engine {
    pub schema: Py<Schema>,
    pub max_size: usize,
    pub limits: Option<Limits>,
    pub errors: Errors,
    grading: Option<Box<Grading>>,
}

/// The answer that a CALLRESULT was read as, since `pending` knows its id.
#[derive(Clone, Copy)]
pub struct Answered<'s> {
    pub which: u32,
    action: &'s str,
}

/// A fault that a walk has met, and the steps that it has noted on its way out.
pub struct Met {
    fault: Fault,
    trail: Vec<Step>,
}

/// Why data was not decoded at once.
pub enum Unusual {
    /// It is no request in one of the usual styles, or neither bytes nor a text.
    Other,
    /// The walk has ended early. Without a fault, a Python error is set.
    Stopped(Option<Box<Met>>),
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (schema, max_size, limits, make_error, second_look=None))]
    fn new(
        schema: Bound<'_, Schema>,
        max_size: usize,
        limits: &Bound<'_, PyDict>,
        make_error: Py<PyAny>,
        second_look: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let raised = raised_limits(schema.get(), limits)?;
        let limits = (!raised.is_empty()).then_some(raised);
        let grading = second_look.map(|look| Box::new(Grading::new(look)));
        Ok(Self { schema: schema.unbind(), max_size, limits, errors: Errors::new(make_error), grading })
    }

    #[pyo3(signature = (data, pending=None))]
    pub fn decode<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        pending: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.usual(data).or_else(|why| self.unusual(data, pending, why))
    }

    #[pyo3(signature = (data, pending=None))]
    fn decode_with_findings<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        pending: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let Some(grading) = &self.grading else {
            let frame = self.decode(data, pending)?;
            return or_error(py, self.tolerated(frame, Passed::Nothing, data, None));
        };
        let mut judge = Graded::new(self, grading);
        let build = Build::judged(py, self.schema.get(), &mut judge);
        let frame = self.input(data).and_then(|input| self.decode_into(py, &input, pending, build));
        let passed = judge.passed;
        match frame {
            // No other buffer need say the same later.
            Ok(frame)
                if passed == Passed::Nothing
                    || data.is_instance_of::<PyBytes>()
                    || data.is_instance_of::<PyString>() =>
            {
                let pending = self.pending_of(&frame, pending)?;
                or_error(py, self.tolerated(frame, passed, data, pending))
            }
            _ => grading.look.bind(py).call_method1(intern!(py, "tolerated"), (data, pending)),
        }
    }

    #[pyo3(signature = (data, pending=None))]
    fn validate<'py>(&self, data: &Bound<'py, PyAny>, pending: Option<&Bound<'py, PyAny>>) -> PyResult<()> {
        let input = self.input(data)?;
        if input.bytes().len() < batch::LARGE {
            return self.frame(data.py(), &input, pending, &mut Check).map(drop);
        }
        match batch::fault_of_large(self, &input, pending)? {
            (None, _) => Ok(()),
            (fault, answered) => Err(self.stopped(data.py(), &input, fault, answered)),
        }
    }

    #[pyo3(signature = (frames, pending=None))]
    fn decode_many<'py>(
        &self,
        frames: &Bound<'py, PyAny>,
        pending: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        batch::decode_many(self, frames, pending)
    }

    #[pyo3(name = "_check_many")]
    fn check_many<'py>(
        &self,
        frames: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        batch::check_many(self, frames, threads)
    }

    fn peek<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let input = self.input(data)?;
        let schema = self.schema.get();
        let mut cursor = Cursor::new(input.bytes());
        let head = frame::head(&mut cursor, &schema.tables);
        let read = head.and_then(|head| Ok((head, frame::payload_start(&mut cursor, &head)?)));
        let (head, start) = match (read, cursor.fault) {
            (Ok(read), _) => read,
            (Err(Stop), Some(fault)) => return Err(self.fault(&input, fault, Reading::Frame { answered: None }, None)),
            (Err(Stop), None) => return Err(PyErr::fetch(py)),
        };
        let build = Build::new(py, schema);
        let action = match &head.action {
            Some(action) => match schema.shared_action(py, action) {
                Some(shared) => shared,
                None => string(&build, action)?,
            },
            None => py.None().into_bound(py),
        };
        let start = start.map_or(-1, |start| start as isize).into_bound_py_any(py)?;
        let number = head.number.into_bound_py_any(py)?;
        let id = string(&build, &head.id)?;
        or_error(py, schema.door.peek.make(py, [number, id, action, input.object().clone(), start]))
    }

    fn resolve<'py>(&self, frame: &Bound<'py, PyAny>, action: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = frame.py();
        let schema = self.schema.get();
        if !frame.is_instance(schema.door.call_result.object.bind(py))? {
            return Err(PyTypeError::new_err(format!("resolve takes a CallResult, not {}", frame.get_type().name()?)));
        }
        let (which, action) = schema.answer_to(action)?;
        let payload = frame.getattr(intern!(py, "payload"))?;
        if !payload.is_instance(schema.door.raw_payload.object.bind(py))? {
            return if schema.type_of(&payload.get_type()) == Some(which) {
                Ok(frame.clone())
            } else {
                let found = payload.get_type().name()?;
                Err(PyValueError::new_err(format!("the frame holds a {found}, which does not answer '{action}'")))
            };
        }
        let data = payload.getattr(intern!(py, "data"))?;
        let start: usize = payload.getattr(intern!(py, "offset"))?.extract()?;
        let id = frame.getattr(intern!(py, "id"))?;
        let input = Input::of(&data)?;
        let mut build = Build::new(py, schema);
        let mut cursor = Cursor::new(input.bytes());
        cursor.depth = FRAME_DEPTH;
        let mut walker = Walker::new(&schema.tables, self.limits.as_ref(), cursor, &mut build);
        match (walker.payload_alone(which), walker.cursor.fault) {
            (Ok(value), _) => or_error(py, schema.door.call_result.make(py, [id, value])),
            (Err(Stop), None) => Err(PyErr::fetch(py)),
            (Err(Stop), Some(fault)) => {
                let (trail, reading) = (walker.trail, Reading::Payload { which });
                let located = located(fault, trail, &schema.tables, self.limits.as_ref(), input.bytes(), reading);
                let frame = Recovered { number: Some(3), id: id.extract().ok(), action: Some(action.to_owned()) };
                let text = as_in_frame(py, start, input.bytes());
                let report = Report {
                    kind: fault.kind,
                    path: located.path,
                    offset: Some(start.saturating_add(fault.offset)),
                    expected: located.expected,
                    data: text.as_ref(),
                    frame,
                };
                Err(self.errors.of(py, schema, report))
            }
        }
    }

    fn decode_payload<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        action: &Bound<'py, PyAny>,
        kind: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let schema = self.schema.get();
        let (which, action) = payload_type(schema, action, kind)?;
        let input = Input::of(data)?;
        if input.bytes().len() > self.max_size {
            return Err(self.too_long(&input, Recovered { action: Some(action.to_owned()), ..Recovered::default() }));
        }
        let mut build = Build::new(py, schema);
        let cursor = Cursor::new(input.bytes());
        let mut walker = Walker::new(&schema.tables, self.limits.as_ref(), cursor, &mut build);
        match (walker.payload_alone(which), walker.cursor.fault) {
            (Ok(value), _) => Ok(value),
            (Err(Stop), None) => Err(PyErr::fetch(py)),
            (Err(Stop), Some(fault)) => {
                let frame = Recovered { action: Some(action.to_owned()), ..Recovered::default() };
                let (trail, reading) = (walker.trail, Reading::Payload { which });
                let place = located(fault, trail, &schema.tables, self.limits.as_ref(), input.bytes(), reading);
                Err(self.report(&input, fault, place, frame))
            }
        }
    }

    fn encode<'py>(&self, frame: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        encode::frame(self, frame)
    }

    fn encode_payload<'py>(&self, payload: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        encode::payload(self, payload)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.errors.traverse(&visit)?;
        if let Some(grading) = &self.grading {
            visit.call(&grading.look)?;
        }
        visit.call(&self.schema)
    }
}

impl Engine {
    /// Decodes a request that is written in one of the usual ways, which most frames are. Without a policy it touches nothing but the objects
    /// that it makes.
    #[inline(never)]
    pub fn usual<'py>(&self, data: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>, Unusual> {
        match &self.grading {
            None => self.usual_into(data, Strict),
            Some(grading) => self.usual_graded(data, grading),
        }
    }

    /// Decodes the frames of a list from `index` on, as long as `usual` does; what ended it and where, unless that is the end of the list.
    #[inline(never)]
    pub fn usual_many<'py>(
        &self,
        frames: &Bound<'py, PyList>,
        index: &mut usize,
        decoded: &mut Vec<Bound<'py, PyAny>>,
    ) -> Option<(Bound<'py, PyAny>, Unusual)> {
        let mut build = Build::new(frames.py(), self.schema.get());
        // Asked for one by one: whoever has a second look at a frame may change the list.
        while let Ok(frame) = frames.get_item(*index) {
            *index += 1;
            let read = match &self.grading {
                None => self.usual_by(&frame, &mut build),
                Some(grading) => self.usual_graded(&frame, grading),
            };
            match read {
                Ok(read) => decoded.push(read),
                Err(why) => return Some((frame, why)),
            }
        }
        None
    }

    #[inline(never)]
    fn usual_graded<'py>(&self, data: &Bound<'py, PyAny>, grading: &Grading) -> Result<Bound<'py, PyAny>, Unusual> {
        self.usual_into(data, Graded::new(self, grading))
    }

    #[inline(always)]
    fn usual_into<'py, J: Judge>(&self, data: &Bound<'py, PyAny>, judge: J) -> Result<Bound<'py, PyAny>, Unusual> {
        self.usual_by(data, &mut Build::judged(data.py(), self.schema.get(), judge))
    }

    #[inline(always)]
    fn usual_by<'py, J: Judge>(
        &self,
        data: &Bound<'py, PyAny>,
        build: &mut Build<'_, 'py, J>,
    ) -> Result<Bound<'py, PyAny>, Unusual> {
        let py = data.py();
        let text = self.usual_text(data).ok_or(Unusual::Other)?;
        let schema = self.schema.get();
        let mut walker = Walker::new(&schema.tables, self.limits.as_ref(), Cursor::new(text), build);
        match walker.usual_request() {
            Some(Ok(Request { kind, id, payload })) => schema
                .ascii
                .make(py, id, 0, id.len())
                .and_then(|id| schema.door.class_of(kind).make(py, [id, payload]))
                .ok_or(Unusual::Stopped(None)),
            Some(Err(Stop)) => {
                let trail = walker.trail;
                Err(Unusual::Stopped(walker.cursor.fault.map(|fault| Box::new(Met { fault, trail }))))
            }
            None => Err(Unusual::Other),
        }
    }

    /// What `decode_with_findings` gives of a request that is written in one of the usual ways; None where that takes longer.
    #[inline(never)]
    pub fn usual_with_findings<'py>(&self, data: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let Some(grading) = &self.grading else {
            let frame = self.usual_into(data, Strict).ok()?;
            return self.tolerated(frame, Passed::Nothing, data, None);
        };
        let mut judge = Graded::new(self, grading);
        match self.usual_into(data, &mut judge) {
            Ok(frame) => self.tolerated(frame, judge.passed, data, None),
            Err(_) => {
                drop(PyErr::take(data.py())); // the longer way will meet it again
                None
            }
        }
    }

    /// A frame and how much was let pass in it; whoever asks what that is will have it told. None with a Python error set if memory is out.
    #[inline]
    fn tolerated<'py>(
        &self,
        frame: Bound<'py, PyAny>,
        passed: Passed,
        data: &Bound<'py, PyAny>,
        pending: Option<Bound<'py, PyAny>>,
    ) -> Option<Bound<'py, PyAny>> {
        let py = data.py();
        let none = || py.None().into_bound(py);
        let reported = PyBool::new(py, passed == Passed::Told).to_owned().into_any();
        let (look, data, pending) = match &self.grading {
            Some(grading) if passed != Passed::Nothing => {
                (grading.look.bind(py).clone(), data.clone(), pending.unwrap_or_else(none))
            }
            _ => (none(), none(), none()),
        };
        self.schema.get().door.tolerated.make(py, [frame, none(), none(), reported, look, data, pending])
    }

    /// What of `pending` says how a frame was read: the mapping itself may be another one later.
    fn pending_of<'py>(
        &self,
        frame: &Bound<'py, PyAny>,
        pending: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = frame.py();
        let Some(pending) = pending.filter(|_| frame.get_type().is(&self.schema.get().door.call_result.object)) else {
            return Ok(None);
        };
        let id = frame.getattr(intern!(py, "id"))?;
        let known = PyDict::new(py);
        known.set_item(&id, pending.call_method1(intern!(py, "get"), (&id,))?)?;
        Ok(Some(known.into_any()))
    }

    /// The bytes of data as it mostly comes, if it is not too long.
    #[inline(always)]
    fn usual_text<'a>(&self, data: &'a Bound<'_, PyAny>) -> Option<&'a [u8]> {
        let text = if let Ok(bytes) = data.cast_exact::<PyBytes>() {
            bytes.as_bytes()
        } else {
            data.cast_exact::<PyString>().ok()?.to_str().ok()?.as_bytes()
        };
        (text.len() <= self.max_size).then_some(text)
    }

    /// `None` for a request without fault that is written in one of the usual ways.
    #[inline(never)]
    pub fn usual_verdict<'py>(&self, data: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let text = self.usual_text(data).filter(|text| text.len() < batch::LARGE)?;
        let mut check = Check;
        let tables = &self.schema.get().tables;
        let mut walker = Walker::new(tables, self.limits.as_ref(), Cursor::new(text), &mut check);
        walker.usual_request()?.ok()?;
        Some(data.py().None().into_bound(data.py()))
    }

    /// The head of a frame that is written in one of the usual ways.
    #[inline(never)]
    pub fn usual_peek<'py>(&self, data: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let py = data.py();
        let schema = self.schema.get();
        let (head, start) = frame::usual_peek(self.usual_text(data)?, &schema.tables)?;
        let id = schema.ascii.make(py, head.id.raw, 0, head.id.raw.len())?;
        let action = match &head.action {
            Some(action) => schema.shared_action(py, action)?,
            None => py.None().into_bound(py),
        };
        let number = PyInt::new(py, head.number).into_any();
        let start = PyInt::new(py, start).into_any();
        schema.door.peek.make(py, [number, id, action, data.clone(), start])
    }

    /// Decodes what `usual` has left.
    #[cold]
    #[inline(never)]
    pub fn unusual<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        pending: Option<&Bound<'py, PyAny>>,
        why: Unusual,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let answer = match why {
            // Nobody but CPython itself has run since, so that the error is still set.
            Unusual::Stopped(None) => Err(PyErr::fetch(py)),
            Unusual::Stopped(Some(met)) if self.grading.is_none() => {
                self.input(data).and_then(|input| Err(self.met(&input, *met, None)))
            }
            why => self.input(data).and_then(|input| self.decode_any(py, &input, pending, &why)),
        };
        match (answer, &self.grading) {
            (Err(error), Some(grading)) => look_again(grading.look.bind(py), &error, data, pending),
            (answer, _) => answer,
        }
    }

    /// The data of a frame, if it is not too long.
    #[inline(always)]
    fn input<'a, 'py>(&self, data: &'a Bound<'py, PyAny>) -> PyResult<Input<'a, 'py>> {
        let input = Input::of(data)?;
        if input.bytes().len() > self.max_size {
            return Err(self
                .too_long(&input, frame::recover(&input.bytes()[..frame::RECOVERY_WINDOW.min(input.bytes().len())])));
        }
        Ok(input)
    }

    #[cold]
    #[inline(never)]
    fn too_long(&self, input: &Input<'_, '_>, frame: Recovered) -> PyErr {
        let report = Report {
            kind: Kind::Size,
            path: String::new(),
            offset: Some(self.max_size),
            expected: Expected::Integer(self.max_size as i64),
            data: Some(input.object()),
            frame,
        };
        self.errors.of(input.object().py(), self.schema.get(), report)
    }

    /// Decodes a frame that is not a request written in one of the usual ways, or of which the policy has not let everything pass: then what is
    /// raised is what a strict walk meets first.
    #[inline(never)]
    fn decode_any<'py>(
        &self,
        py: Python<'py>,
        input: &Input<'_, 'py>,
        pending: Option<&Bound<'py, PyAny>>,
        why: &Unusual,
    ) -> PyResult<Bound<'py, PyAny>> {
        let schema = self.schema.get();
        if let (Some(grading), Unusual::Other) = (&self.grading, why) {
            let build = Build::judged(py, schema, Graded::new(self, grading));
            if let Ok(frame) = self.decode_into(py, input, pending, build) {
                return Ok(frame);
            }
        }
        self.decode_into(py, input, pending, Build::new(py, schema))
    }

    fn decode_into<'py, J: Judge>(
        &self,
        py: Python<'py>,
        input: &Input<'_, 'py>,
        pending: Option<&Bound<'py, PyAny>>,
        mut build: Build<'_, 'py, J>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let schema = self.schema.get();
        let (head, body) = self.frame(py, input, pending, &mut build)?;
        let id = string(&build, &head.id)?;
        let class = schema.door.class_of(head.kind);
        match body {
            Body::Payload { value, .. } => or_error(py, class.make(py, [id, value])),
            Body::Raw { start, end } => {
                let text = PyBytes::new(py, &input.bytes()[start..end]);
                let start = start.into_bound_py_any(py)?;
                let raw = or_error(py, schema.door.raw_payload.make(py, [text.into_any(), start]))?;
                or_error(py, class.make(py, [id, raw]))
            }
            Body::Refusal(refusal) => {
                let code = string(&build, &refusal.code)?;
                let description = string(&build, &refusal.description)?;
                or_error(py, class.make(py, [id, code, description, refusal.details]))
            }
        }
    }

    /// Walks a frame into a sink.
    #[inline(always)]
    fn frame<'a, 'py, S: Sink>(
        &self,
        py: Python<'py>,
        input: &'a Input<'_, 'py>,
        pending: Option<&Bound<'py, PyAny>>,
        sink: &mut S,
    ) -> PyResult<(Head<'a>, Body<'a, S::Value>)> {
        let schema = self.schema.get();
        let mut answered = None;
        let mut walker = Walker::new(&schema.tables, self.limits.as_ref(), Cursor::new(input.bytes()), sink);
        let walked = walker.frame(|id| {
            answered = match pending {
                Some(pending) => waiting(schema, pending, id).map_err(|error| {
                    error.restore(py);
                    Stop
                })?,
                None => None,
            };
            Ok(answered.map(|answered| answered.which))
        });
        match (walked, walker.cursor.fault) {
            (Ok(read), _) => Ok(read),
            (Err(Stop), Some(fault)) => Err(self.met(input, Met { fault, trail: walker.trail }, answered)),
            (Err(Stop), None) => Err(PyErr::fetch(py)),
        }
    }

    /// The exception for what the walk of a frame has met.
    #[cold]
    #[inline(never)]
    fn met(&self, input: &Input<'_, '_>, met: Met, answered: Option<Answered<'_>>) -> PyErr {
        let reading = Reading::Frame { answered: answered.map(|answered| answered.which) };
        let tables = &self.schema.get().tables;
        let place = located(met.fault, met.trail, tables, self.limits.as_ref(), input.bytes(), reading);
        self.report(input, met.fault, place, head_of(input, answered.map(|answered| answered.action)))
    }

    /// The exception for the walk of a frame that has ended early.
    #[cold]
    #[inline(never)]
    fn stopped(
        &self,
        py: Python<'_>,
        input: &Input<'_, '_>,
        fault: Option<Fault>,
        answered: Option<Answered<'_>>,
    ) -> PyErr {
        let Some(fault) = fault else { return PyErr::fetch(py) };
        let which = answered.map(|answered| answered.which);
        let action = answered.map(|answered| answered.action);
        self.fault(input, fault, Reading::Frame { answered: which }, action)
    }

    /// The exception for a fault of a frame; `action` is the one that an answer was read as.
    #[cold]
    fn fault(&self, input: &Input<'_, '_>, fault: Fault, reading: Reading, action: Option<&str>) -> PyErr {
        let tables = &self.schema.get().tables;
        let place = locate(fault, tables, self.limits.as_ref(), Cursor::new(input.bytes()), reading);
        self.report(input, fault, place, head_of(input, action))
    }

    #[cold]
    fn report(&self, input: &Input<'_, '_>, fault: Fault, place: Located, frame: Recovered) -> PyErr {
        let report = Report {
            kind: fault.kind,
            path: place.path,
            offset: Some(fault.offset),
            expected: place.expected,
            data: Some(input.object()),
            frame,
        };
        self.errors.of(input.object().py(), self.schema.get(), report)
    }
}

/// What can be read of a frame's head; `action` is the one that an answer was read as.
fn head_of(input: &Input<'_, '_>, action: Option<&str>) -> Recovered {
    let mut frame = frame::recover(input.bytes());
    if let Some(action) = action {
        frame.action = Some(action.to_owned());
    }
    frame
}

/// What the codec's policy makes of data that was refused.
#[cold]
#[inline(never)]
fn look_again<'py>(
    look: &Bound<'py, PyAny>,
    error: &PyErr,
    data: &Bound<'py, PyAny>,
    pending: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    look.call1((error.value(data.py()), data, pending))
}

#[inline]
fn string<'py, J>(build: &Build<'_, 'py, J>, text: &Text<'_>) -> PyResult<Bound<'py, PyAny>> {
    or_error(build.python(), build.text(text))
}

/// The object, or the Python error that is set.
#[inline]
fn or_error<'py>(py: Python<'py>, made: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    made.ok_or_else(|| PyErr::fetch(py))
}

/// What `pending` says about an id.
pub fn waiting<'s>(schema: &'s Schema, pending: &Bound<'_, PyAny>, id: &Text<'_>) -> PyResult<Option<Answered<'s>>> {
    let py = pending.py();
    let id = string(&Build::new(py, schema), id)?;
    let meant = match pending.cast_exact::<PyDict>() {
        Ok(pending) => pending.get_item(id)?,
        Err(_) => match pending.getattr_opt(intern!(py, "get"))? {
            Some(get) => Some(get.call1((id,))?),
            None => {
                let name = pending.get_type().name()?;
                let error = format!("pending must map message ids to actions or payload types, not be a {name}");
                return Err(PyTypeError::new_err(error));
            }
        },
    };
    let Some(meant) = meant.filter(|meant| !meant.is_none()) else {
        return Ok(None);
    };
    let (which, action) = schema.answer_to(&meant)?;
    Ok(Some(Answered { which, action }))
}

/// The type of a payload that comes without a frame, and its action.
fn payload_type<'s>(
    schema: &'s Schema,
    action: &Bound<'_, PyAny>,
    kind: &Bound<'_, PyAny>,
) -> PyResult<(u32, &'s str)> {
    let name: &Bound<'_, PyString> = action.cast().map_err(|_| PyTypeError::new_err("action must be str"))?;
    let kind: &Bound<'_, PyString> = kind.cast().map_err(|_| PyTypeError::new_err("kind must be str"))?;
    let of: fn(&Message) -> Option<u32> = match kind.to_str()? {
        "request" => |message| message.request,
        "response" => |message| message.response,
        "send" => |message| message.send,
        other => {
            let error = format!("unknown kind of payload '{other}': use 'request', 'response' or 'send'");
            return Err(PyValueError::new_err(error));
        }
    };
    let message = schema.message_of(name.as_any())?;
    let which = of(message).ok_or_else(|| PyValueError::new_err(format!("'{}' has no {kind}", message.action)))?;
    Ok((which, &message.action))
}

/// The limits by type and field.
fn raised_limits(schema: &Schema, limits: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let mut raised = Limits::default();
    for (name, length) in limits.iter() {
        let name: String = name.extract()?;
        let place = name.split_once('.').and_then(|(of, field)| {
            let which = schema.tables.type_index(of)?;
            let index = schema.tables.types[which as usize].find(field.as_bytes())?;
            Some((which, index as u16))
        });
        let place = place.ok_or_else(|| PyValueError::new_err(format!("limits: there is no field {name}")))?;
        raised.insert(place, u32::try_from(length.extract::<u64>()?).unwrap_or(u32::MAX));
    }
    Ok(raised)
}

/// A payload's bytes moved to where they stood in their frame, for an error to quote from. None if they are said to have stood absurdly far.
fn as_in_frame<'py>(py: Python<'py>, start: usize, payload: &[u8]) -> Option<Bound<'py, PyAny>> {
    const FAR: usize = 1 << 26;
    let padding = (start <= FAR).then(|| vec![b' '; start])?;
    Some(PyBytes::new(py, &[&padding, payload].concat()).into_any())
}
