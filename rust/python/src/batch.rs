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
use pyo3::types::{PyBytes, PyIterator, PyList, PyString, PyTuple, PyType};

use crate::engine::{Answered, Engine, Unusual, waiting};
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
        None => match frames.cast_exact::<PyList>() {
            Ok(list) => {
                decoded.reserve(list.len());
                let mut index = 0;
                while let Some((frame, why)) = engine.usual_many(list, &mut index, &mut decoded) {
                    decoded.push(unusual(engine, &frame, pending, why)?);
                }
            }
            Err(_) => {
                for frame in each(frames)? {
                    decoded.push(one(engine, &frame?, pending)?);
                }
            }
        },
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
    engine.usual(data).or_else(|why| unusual(engine, data, pending, why))
}

/// The same for what was not decoded at once.
#[inline(never)]
fn unusual<'py>(
    engine: &Engine,
    data: &Bound<'py, PyAny>,
    pending: Option<&Bound<'py, PyAny>>,
    why: Unusual,
) -> PyResult<Bound<'py, PyAny>> {
    engine.unusual(data, pending, why).or_else(|error| {
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

/// The bytes of frames that a thread takes at a time: enough to make the taking cheap, few enough to share the work out evenly.
const PART: usize = 1 << 16;

/// The frames that a thread takes at a time, at most.
const MOST_AT_A_TIME: usize = 256;

/// The bytes of frames for which another thread is started; it takes as long to start as these take to check.
const WORTH_A_THREAD: usize = 1 << 17;

/// What was found in each frame, in their order.
#[derive(Default)]
struct Verdicts {
    /// 0 for a frame without a fault, else the place of the fault's kind among `Kind::ALL`, counted from 1.
    kinds: Vec<u8>,
    /// The byte of the frame at which the fault lies, as a 64-bit integer has it; -1 where there is none.
    offsets: Vec<[u8; 8]>,
}

impl Verdicts {
    fn of<'t>(rules: Rules<'_>, tables: &ocppcore::Schema, frames: impl Iterator<Item = &'t [u8]>) -> Self {
        let mut verdicts = Self::default();
        verdicts.kinds.reserve(frames.size_hint().0);
        verdicts.offsets.reserve(frames.size_hint().0);
        for frame in frames {
            let (kind, offset) = match rules.fault(tables, frame) {
                Some(fault) => (fault.kind as u8 + 1, fault.offset as i64),
                None => (0, -1),
            };
            verdicts.kinds.push(kind);
            verdicts.offsets.push(offset.to_ne_bytes());
        }
        verdicts
    }
}

/// Checks the parts of some work on as many threads as there are copies of the tables: hints that two threads write to would make both slower than
/// one. Each thread writes to memory of its own too.
fn check<P: Send>(
    parts: impl Iterator<Item = P> + Send,
    tables: &[ocppcore::Schema],
    judge: impl Fn(&ocppcore::Schema, P) -> Verdicts + Sync,
) -> Verdicts {
    let (parts, done) = (Mutex::new(parts.enumerate()), Mutex::new(Vec::new()));
    let run = |tables: &ocppcore::Schema| {
        loop {
            let taken = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, part)) = taken else { break };
            let verdicts = judge(tables, part);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, verdicts));
        }
    };
    if let Some((own, others)) = tables.split_first() {
        thread::scope(|scope| {
            for tables in others {
                // Where no thread can be had, those that there are do its work.
                let _ = thread::Builder::new().spawn_scoped(scope, || run(tables));
            }
            run(own);
        });
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    let mut all = Verdicts::default();
    for (_, mut verdicts) in done {
        all.kinds.append(&mut verdicts.kinds);
        all.offsets.append(&mut verdicts.offsets);
    }
    all
}

fn bytes_of<'a>(frame: &'a Bound<'_, PyAny>) -> Option<&'a [u8]> {
    frame.cast::<PyBytes>().ok().map(|bytes| bytes.as_bytes())
}

/// The kind of fault of each frame and its offset, as `Verdicts` has them.
pub fn check_many<'py>(
    engine: &Engine,
    frames: &Bound<'py, PyAny>,
    threads: usize,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let py = frames.py();
    let rules = Rules { limits: engine.limits.as_ref(), max_size: engine.max_size };
    let schema = engine.schema.get();
    let threads = |size: usize| threads.clamp(1, (size / WORTH_A_THREAD).max(1));
    let checked = |texts: &[&[u8]]| {
        let size = texts.iter().map(|text| text.len()).sum::<usize>();
        let count = (texts.len() * PART / size.max(1)).clamp(1, MOST_AT_A_TIME);
        schema.spares.lend(&schema.tables, threads(size), |tables| {
            check(texts.chunks(count), tables, |tables, texts| Verdicts::of(rules, tables, texts.iter().copied()))
        })
    };
    let verdicts = match Lines::of(frames)? {
        Some(lines) => {
            let text = match &lines {
                Lines::Text(text) => text.to_str()?.as_bytes(),
                Lines::Bytes(bytes) => bytes.as_bytes(),
            };
            py.detach(|| {
                schema.spares.lend(&schema.tables, threads(text.len()), |tables| {
                    let judge = |tables: &_, part: &_| Verdicts::of(rules, tables, batch::lines(part));
                    check(batch::parts(text, PART), tables, judge)
                })
            })
        }
        None => {
            // Nobody can change a tuple, and it holds them all.
            let held = match frames.cast_exact::<PyList>() {
                Ok(list) => list.to_tuple(),
                Err(_) => PyTuple::new(py, each(frames)?.collect::<PyResult<Vec<_>>>()?)?,
            };
            match held.as_slice().iter().map(bytes_of).collect::<Option<Vec<_>>>() {
                Some(texts) => py.detach(|| checked(&texts)),
                None => {
                    let inputs: Vec<Input<'_, '_>> = held.as_slice().iter().map(Input::of).collect::<PyResult<_>>()?;
                    let texts: Vec<&[u8]> = inputs.iter().map(Input::bytes).collect();
                    py.detach(|| checked(&texts))
                }
            }
        }
    };
    Ok((PyBytes::new(py, &verdicts.kinds), PyBytes::new(py, verdicts.offsets.as_flattened())))
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
