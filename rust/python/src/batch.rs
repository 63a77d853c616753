//! Many frames at once, and large ones: what lets go of the GIL, or calls a method once for many frames.
//!
//! Without the GIL only bytes are read that nobody can change: those of `bytes` and `str` objects that are held meanwhile, and copies of
//! other buffers.

use std::sync::{Mutex, PoisonError};
use std::thread;

use ocppcore::batch::{self, Rules};
use ocppcore::error::Fault;
use ocppcore::frame;
use ocppcore::scan::Cursor;
use ocppcore::schema::FrameKind;
use ocppcore::sink::{Check, Stop};
use ocppcore::validate::Walker;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString, PyType};

use crate::engine::{Answered, Engine, waiting};
use crate::input::Input;
use crate::raw;

/// Copies of a version's tables for work without the GIL, each for one thread at a time.
#[derive(Default)]
pub struct Spares(Mutex<Vec<ocppcore::Schema>>);

/// The copies that are kept between two calls.
const MOST_SPARES: usize = 16;

impl Spares {
    /// Does work with `count` copies of the tables.
    fn lend<T>(&self, tables: &ocppcore::Schema, count: usize, work: impl FnOnce(&[ocppcore::Schema]) -> T) -> T {
        let mut lent = {
            let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let rest = spares.len().saturating_sub(count);
            spares.split_off(rest)
        };
        lent.resize_with(count, || tables.clone());
        let done = work(&lent);
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spares.append(&mut lent);
        spares.truncate(MOST_SPARES);
        done
    }
}

/// `Codec.decode_many`: the frame or the error of each.
pub fn decode_many<'py>(
    engine: &Engine,
    frames: &Bound<'py, PyAny>,
    pending: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = frames.py();
    let mut decoded = Vec::new();
    match Lines::of(frames)? {
        None => {
            if let Ok(list) = frames.cast_exact::<PyList>() {
                decoded.reserve(list.len());
            }
            for frame in each(frames)? {
                decoded.push(one(engine, &frame?, pending)?);
            }
        }
        Some(Lines::Text(text)) => {
            for line in batch::lines(text.to_str()?.as_bytes()) {
                let line = PyString::from_bytes(py, line)?;
                decoded.push(one(engine, line.as_any(), pending)?);
            }
        }
        Some(Lines::Bytes(bytes)) => {
            for line in batch::lines(bytes.as_bytes()) {
                decoded.push(one(engine, &PyBytes::new(py, line), pending)?);
            }
        }
    }
    raw::list_of(py, &mut decoded, 0).ok_or_else(|| PyErr::fetch(py))
}

/// The frame in `data`, or the OcppError that decode would raise; what else it raises is raised.
#[inline]
fn one<'py>(
    engine: &Engine,
    data: &Bound<'py, PyAny>,
    pending: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    engine.decode(data, pending).or_else(|error| {
        static FAULT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = data.py();
        let class = FAULT.import(py, "ocppcore._errors", "OcppError")?;
        if error.is_instance(py, class) { Ok(error.into_value(py).into_bound(py).into_any()) } else { Err(error) }
    })
}

/// The items of an iterable of frames.
fn each<'py>(frames: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    let misused = |name: Bound<'py, PyString>| {
        PyTypeError::new_err(format!(
            "frames must be an iterable of str and buffers, or one str or buffer with a frame in each line, not {name}"
        ))
    };
    match frames.get_type().getattr_opt(intern!(frames.py(), "__iter__"))? {
        Some(_) => frames.try_iter(),
        None => Err(misused(frames.get_type().name()?)),
    }
}

/// One text of many lines.
enum Lines<'py> {
    Text(Bound<'py, PyString>),
    Bytes(Bound<'py, PyBytes>),
}

impl<'py> Lines<'py> {
    /// None for an iterable of frames. A text with surrogates is read as its bytes, which decode refuses line by line.
    fn of(frames: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        if let Ok(text) = frames.cast::<PyString>()
            && text.to_str().is_ok()
        {
            return Ok(Some(Self::Text(text.clone())));
        }
        // SAFETY: the object is alive; the call only looks at its type.
        if !frames.is_instance_of::<PyString>() && unsafe { ffi::PyObject_CheckBuffer(frames.as_ptr()) } == 0 {
            return Ok(None);
        }
        let input = Input::of(frames)?;
        Ok(Some(Self::Bytes(match input.object().cast::<PyBytes>() {
            Ok(bytes) => bytes.clone(),
            Err(_) => PyBytes::new(frames.py(), input.bytes()),
        })))
    }
}

/// The frames that a thread takes at a time: enough to make the taking cheap, few enough to share the work out evenly.
const MOST_AT_A_TIME: usize = 256;

/// What was found in each frame, in their order.
struct Verdicts {
    /// 0 for a frame without a fault, else the place of the fault's kind among `Kind::ALL`, counted from 1.
    kinds: Vec<u8>,
    /// The byte of the frame at which the fault lies; -1 where there is none.
    offsets: Vec<i64>,
}

/// Checks frames on as many threads as there are copies of the tables: hints that two threads write to would make both slower than one.
fn check(rules: Rules<'_>, tables: &[ocppcore::Schema], frames: &[&[u8]]) -> Verdicts {
    let mut verdicts = Verdicts { kinds: vec![0; frames.len()], offsets: vec![-1; frames.len()] };
    let size = (frames.len() / (8 * tables.len().max(1))).clamp(1, MOST_AT_A_TIME);
    let places = verdicts.kinds.chunks_mut(size).zip(verdicts.offsets.chunks_mut(size));
    let work = Mutex::new(frames.chunks(size).zip(places));
    let run = |tables: &ocppcore::Schema| {
        loop {
            let taken = work.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((frames, (kinds, offsets))) = taken else { break };
            for ((frame, kind), offset) in frames.iter().zip(kinds).zip(offsets) {
                if let Some(fault) = rules.fault(tables, frame) {
                    *kind = fault.kind as u8 + 1;
                    *offset = fault.offset as i64;
                }
            }
        }
    };
    let Some((own, others)) = tables.split_first() else { return verdicts };
    thread::scope(|scope| {
        for tables in others {
            // Where no thread can be had, those that there are do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, || run(tables));
        }
        run(own);
    });
    verdicts
}

/// The kind of fault of each frame and its offset, as `Verdicts` has them, the offsets as the bytes of 64-bit integers.
pub fn check_many<'py>(
    engine: &Engine,
    frames: &Bound<'py, PyAny>,
    threads: usize,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let py = frames.py();
    let rules = Rules { limits: engine.limits.as_ref(), max_size: engine.max_size };
    let schema = engine.schema.get();
    let checked = |frames: &[&[u8]]| {
        let threads = threads.clamp(1, frames.len().max(1));
        schema.spares.lend(&schema.tables, threads, |tables| check(rules, tables, frames))
    };
    let verdicts = match Lines::of(frames)? {
        Some(lines) => {
            let text = match &lines {
                Lines::Text(text) => text.to_str()?.as_bytes(),
                Lines::Bytes(bytes) => bytes.as_bytes(),
            };
            py.detach(|| checked(&batch::lines(text).collect::<Vec<_>>()))
        }
        None => {
            let held: Vec<Bound<'_, PyAny>> = each(frames)?.collect::<PyResult<_>>()?;
            let inputs: Vec<Input<'_, '_>> = held.iter().map(Input::of).collect::<PyResult<_>>()?;
            let texts: Vec<&[u8]> = inputs.iter().map(Input::bytes).collect();
            py.detach(|| checked(&texts))
        }
    };
    let mut offsets = Vec::with_capacity(verdicts.offsets.len() * size_of::<i64>());
    verdicts.offsets.iter().for_each(|offset| offsets.extend_from_slice(&offset.to_ne_bytes()));
    Ok((PyBytes::new(py, &verdicts.kinds), PyBytes::new(py, &offsets)))
}

/// Bytes from which on a frame is validated without the GIL: to let go of it and to get it back costs two percent of such a frame's time.
pub const LARGE: usize = 1 << 17;

/// The first fault of a large frame, and the type and action that it was read as where `pending` knows its id.
pub fn fault_of_large<'e>(
    engine: &'e Engine,
    input: &Input<'_, '_>,
    pending: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Option<Fault>, Option<Answered<'e>>)> {
    let schema = engine.schema.get();
    let text = input.bytes();
    let mut answered = None;
    if let Some(pending) = pending {
        // What Python code has to say is asked before.
        let mut cursor = Cursor::new(text);
        if let Ok(head) = frame::head(&mut cursor, &schema.tables)
            && head.kind == FrameKind::CallResult
            && frame::payload_start(&mut cursor, &head).is_ok()
        {
            answered = waiting(schema, pending, &head.id)?;
        }
    }
    let (limits, which) = (engine.limits.as_ref(), answered.map(|answered| answered.which));
    let fault = input.object().py().detach(|| {
        schema.spares.lend(&schema.tables, 1, |tables| {
            let mut check = Check;
            let mut walker = Walker::new(&tables[0], limits, Cursor::new(text), &mut check);
            match walker.frame(|_| Ok::<_, Stop>(which)) {
                Ok(_) => None,
                Err(Stop) => walker.cursor.fault,
            }
        })
    });
    Ok((fault, answered))
}
