//! Faults on their way to Python. The door's maker of errors gets what is known as plain data and gives the exception to raise; what it makes of each
//! kind is learned from samples, after which exceptions are made without it. Their texts are written here too, from the words that the door has for a
//! kind and an expectation, as long as all parts are short and plain: `OcppError.format` says the same of everything, slower.

use std::collections::HashMap;
use std::fmt::Write;
use std::str;

use ocppcore::Expected;
use ocppcore::error::Kind;
use ocppcore::frame::Recovered;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};
use pyo3::{IntoPyObjectExt, PyTraverseError, PyTypeInfo, PyVisit, intern};

use crate::raw::{Attached, Exceptions};
use crate::schema::Schema;

/// Everything that is known of a fault.
pub struct Report<'a, 'py> {
    pub kind: Kind,
    pub path: String,
    /// The byte at which it lies; None for objects.
    pub offset: Option<usize>,
    pub expected: Expected,
    pub data: Option<&'a Bound<'py, PyAny>>,
    pub frame: Recovered,
}

/// What makes the errors of a codec.
pub struct Errors {
    make_error: Py<PyAny>,
    /// Found out at the first error; None where only `make_error` can make them.
    native: PyOnceLock<Option<Native>>,
}

impl Errors {
    pub fn new(make_error: Py<PyAny>) -> Self {
        Self { make_error, native: PyOnceLock::new() }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.make_error)
    }

    /// The exception that says so.
    #[cold]
    pub fn of<'py>(&self, py: Python<'py>, schema: &Schema, report: Report<'_, 'py>) -> PyErr {
        self.make(py, schema, report).map_or_else(|error| error, PyErr::from_value)
    }

    fn make<'py>(&self, py: Python<'py>, schema: &Schema, report: Report<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
        let Report { kind, path, offset, expected, data, frame } = report;
        let none = || py.None().into_bound(py);
        let of_object = offset.is_none() && data.is_none();
        let path = path.into_bound_py_any(py)?;
        let offset = offset.into_bound_py_any(py)?;
        let expected = to_object(py, schema, expected)?;
        let data = data.map_or_else(none, Clone::clone);
        let number = frame.number.into_bound_py_any(py)?;
        let id = frame.id.into_bound_py_any(py)?;
        let action = frame.action.map_or_else(none, |action| schema.action(py, &action).into_any());
        match self.native(py) {
            Some(native) => {
                let class = if of_object { native.of_objects } else { native.of_kinds[kind as usize] };
                let name = native.names[kind as usize].bind(py).clone().into_any();
                let (rules, write) = (native.rules.bind(py).clone(), native.write.bind(py).clone());
                let values =
                    [rules, name, path, offset, expected, data, number, id, action, none(), none(), none(), write];
                native.texts.get().classes[class].make(py, values)
            }
            None => self.make_error.bind(py).call1((kind.name(), path, offset, expected, data, number, id, action)),
        }
    }

    fn native(&self, py: Python<'_>) -> Option<&Native> {
        // What cannot be learned shows when an error is made the other way.
        self.native.get_or_init(py, || Native::learn(self.make_error.bind(py)).unwrap_or_default()).as_ref()
    }
}

/// The slots of an error, in the order in which they are given and read.
const SLOTS: [&str; 13] = [
    "_rules",
    "kind",
    "path",
    "offset",
    "expected",
    "_data",
    "message_type",
    "message_id",
    "action",
    "_found",
    "_end",
    "_finding",
    "_write",
];
const KIND: usize = 1;
const PATH: usize = 2;
const OFFSET: usize = 3;
const EXPECTED: usize = 4;
const DATA: usize = 5;
const ID: usize = 7;
const ACTION: usize = 8;
const FOUND: usize = 9;
const FINDING: usize = 11;

/// What is learned of a codec's errors.
struct Native {
    /// The names of the kinds, in their order.
    names: Box<[Py<PyString>]>,
    /// The class of the errors of each kind, and of those that are no data's: indices into the classes of `texts`.
    of_kinds: Box<[usize]>,
    of_objects: usize,
    rules: Py<PyAny>,
    texts: Py<Texts>,
    /// Its method `write`.
    write: Py<PyAny>,
}

impl Native {
    fn learn(make_error: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = make_error.py();
        let none = || py.None();
        let mut classes: Vec<Exceptions<{ SLOTS.len() }>> = Vec::new();
        let mut class_of = |sample: &Bound<'_, PyAny>| -> PyResult<Option<usize>> {
            if let Some(index) = classes.iter().position(|class| class.covers(sample)) {
                return Ok(Some(index));
            }
            let Some(class) = Exceptions::probe(sample, &SLOTS)? else { return Ok(None) };
            classes.push(class);
            Ok(Some(classes.len() - 1))
        };
        let names: Box<[_]> = Kind::ALL.iter().map(|kind| PyString::intern(py, kind.name()).unbind()).collect();
        let object = make_error.call1((&names[0], "", none(), none(), none(), none(), none(), none()))?;
        let rules = object.getattr("_rules")?.unbind();
        let Some(of_objects) = class_of(&object)? else { return Ok(None) };
        let mut of_kinds = Vec::with_capacity(names.len());
        for name in &names {
            let sample = make_error.call1((name, "", 0, none(), PyBytes::new(py, b""), none(), none(), none()))?;
            let Some(class) = class_of(&sample)? else { return Ok(None) };
            of_kinds.push(class);
        }
        let texts = Py::new(py, Texts { classes: classes.into(), wordings: Attached::new(Vec::new()) })?;
        let write = texts.getattr(py, "write")?;
        Ok(Some(Self { names, of_kinds: of_kinds.into(), of_objects, rules, texts, write }))
    }
}

/// The texts of a codec's errors.
#[pyclass(frozen, module = "ocppcore._native")]
struct Texts {
    classes: Box<[Exceptions<{ SLOTS.len() }>]>,
    wordings: Attached<Vec<Wording>>,
}

/// The words for a kind of fault and an expectation: `OcppError._wording`, kept.
struct Wording {
    class: usize,
    kind: Py<PyAny>,
    expected: Py<PyAny>,
    says: Box<str>,
    /// What leads to the quote; empty where nothing is quoted.
    before_found: Box<str>,
    tells_action: bool,
    advice: Advice,
}

/// What decides on the words for an error: the index of its class, the one `str` that is its kind's name, and what is expected.
struct Topic<'py> {
    class: usize,
    kind: Bound<'py, PyAny>,
    expected: Bound<'py, PyAny>,
}

/// What an error advises to do.
enum Advice {
    Always(Box<str>),
    /// What depends on the value that was found.
    By(HashMap<Box<str>, Box<str>>),
}

/// Kinds and expectations, and values found, whose words are kept.
const KEPT: usize = 64;

/// Characters of a part that `OcppError.format` shows whole, and of a pointer.
const LONGEST_PART: usize = 64;
const LONGEST_PATH: usize = 255;

#[pymethods]
impl Texts {
    /// The text of an error: what `error.format()` gives.
    fn write<'py>(&self, error: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = error.py();
        match self.wordings.with(py, |wordings| self.text(error, wordings)) {
            Some(Ok(text)) => return Ok(PyString::new(py, &text).into_any()),
            Some(Err(Lacks::Wording)) => {
                if let Ok(topic) = self.topic(error) {
                    let wording = Wording::of(error, topic)?;
                    self.wordings.with(py, |wordings| remember(wordings, wording));
                }
            }
            Some(Err(Lacks::Advice { found })) => {
                let advice: String = error.call_method0(intern!(py, "_advice"))?.extract()?;
                self.wordings.with(py, |wordings| self.advise(error, wordings, found, advice));
            }
            Some(Err(Lacks::Plainness)) | None => {}
        }
        error.call_method0(intern!(py, "format"))
    }
}

/// Why a text cannot be written here.
enum Lacks {
    /// Words that are not known yet.
    Wording,
    Advice {
        found: Box<str>,
    },
    /// A part is long, or holds something else than printable ASCII; or somebody has changed the error.
    Plainness,
}

impl Texts {
    fn topic<'py>(&self, error: &Bound<'py, PyAny>) -> Result<Topic<'py>, Lacks> {
        let class = self.classes.iter().position(|class| class.covers(error)).ok_or(Lacks::Plainness)?;
        let get = |index| self.classes[class].get(error, index).ok_or(Lacks::Plainness);
        Ok(Topic { class, kind: get(KIND)?, expected: get(EXPECTED)? })
    }

    /// The text, as `line` in `_errors.py` puts it together.
    fn text(&self, error: &Bound<'_, PyAny>, wordings: &[Wording]) -> Result<String, Lacks> {
        let topic = self.topic(error)?;
        if !self.classes[topic.class].get(error, FINDING).is_some_and(|finding| finding.is_none()) {
            return Err(Lacks::Plainness); // another rule's words
        }
        let wording = wordings.iter().find(|wording| wording.is_for(&topic)).ok_or(Lacks::Wording)?;
        let get = |index| self.classes[topic.class].get(error, index).ok_or(Lacks::Plainness);
        let (path, offset) = (get(PATH)?, get(OFFSET)?);
        let offset: Option<usize> =
            optional::<PyInt>(&offset)?.map(|offset| offset.extract()).transpose().map_err(|_| Lacks::Plainness)?;
        let (id, action, data, found) = (get(ID)?, get(ACTION)?, get(DATA)?, get(FOUND)?);
        let found = match (wording.before_found.is_empty(), offset) {
            (true, _) => None,
            (false, Some(offset)) if !data.is_none() => {
                Some(quoted(bytes_of(&data)?.get(offset..).unwrap_or_default())?)
            }
            _ => part(&found, LONGEST_PART)?,
        };
        let mut text = String::with_capacity(256);
        if let Some(path) = part(&path, LONGEST_PATH)?.filter(|path| !path.is_empty()) {
            text.push_str(path);
            text.push_str(": ");
        }
        text.push_str(&wording.says);
        if let Some(found) = found {
            text.push_str(&wording.before_found);
            text.push_str(found);
        }
        let start = text.len();
        let comes = |text: &mut String| text.push_str(if text.len() == start { " (" } else { ", " });
        if let Some(action) = part(&action, LONGEST_PART)?.filter(|_| wording.tells_action) {
            comes(&mut text);
            text.push_str(action);
        }
        if let Some(id) = part(&id, LONGEST_PART)? {
            if id.bytes().any(|byte| matches!(byte, b'\'' | b'\\')) {
                return Err(Lacks::Plainness); // Python chooses the quotes
            }
            comes(&mut text);
            text.extend(["id '", id, "'"]);
        }
        if let Some(offset) = offset {
            comes(&mut text);
            let _ = write!(text, "byte {offset}"); // into a String, which cannot fail
        }
        if text.len() > start {
            text.push(')');
        }
        let advice = match &wording.advice {
            Advice::Always(advice) => advice,
            Advice::By(known) => {
                let found = found.unwrap_or_default();
                known.get(found).ok_or_else(|| Lacks::Advice { found: found.into() })?
            }
        };
        if !advice.is_empty() {
            text.extend([". ", advice]);
        }
        Ok(text)
    }

    /// Keeps the advice for an error where `found` was found.
    fn advise(&self, error: &Bound<'_, PyAny>, wordings: &mut [Wording], found: Box<str>, advice: String) {
        let Ok(topic) = self.topic(error) else { return };
        let wording = wordings.iter_mut().find(|wording| wording.is_for(&topic));
        if let Some(Wording { advice: Advice::By(known), .. }) = wording
            && is_plain(&advice)
        {
            if known.len() >= KEPT {
                known.clear();
            }
            known.insert(found, advice.into());
        }
    }
}

fn remember(wordings: &mut Vec<Wording>, wording: Wording) {
    if wordings.len() >= KEPT {
        wordings.clear();
    }
    wordings.push(wording);
}

impl Wording {
    /// What the door says of an error's kind and expectation.
    fn of(error: &Bound<'_, PyAny>, topic: Topic<'_>) -> PyResult<Self> {
        let py = error.py();
        let words = error.call_method0(intern!(py, "_wording"))?;
        let (says, before_found, tells_action, advice): (String, String, bool, Option<String>) = words.extract()?;
        Ok(Self {
            class: topic.class,
            kind: topic.kind.unbind(),
            expected: topic.expected.unbind(),
            says: says.into(),
            before_found: before_found.into(),
            tells_action,
            advice: advice.map_or_else(|| Advice::By(HashMap::new()), |advice| Advice::Always(advice.into())),
        })
    }

    fn is_for(&self, topic: &Topic<'_>) -> bool {
        self.kind.as_ptr() == topic.kind.as_ptr()
            && self.class == topic.class
            && same(self.expected.bind(topic.expected.py()), &topic.expected)
    }
}

/// Whether two expectations are one object, or equal texts or integers.
fn same(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> bool {
    if one.is(other) {
        return true;
    }
    if let (Ok(one), Ok(other)) = (one.cast_exact::<PyString>(), other.cast_exact::<PyString>()) {
        return one.to_str().ok() == other.to_str().ok();
    }
    match (one.cast_exact::<PyInt>(), other.cast_exact::<PyInt>()) {
        (Ok(one), Ok(other)) => one.as_any().eq(other).unwrap_or(false),
        _ => false,
    }
}

fn optional<'a, 'py, T: PyTypeInfo>(object: &'a Bound<'py, PyAny>) -> Result<Option<&'a Bound<'py, T>>, Lacks> {
    if object.is_none() {
        return Ok(None);
    }
    object.cast_exact::<T>().map(Some).map_err(|_| Lacks::Plainness)
}

/// A part of a text that is told as it is; None where there is none.
fn part<'a>(object: &'a Bound<'_, PyAny>, longest: usize) -> Result<Option<&'a str>, Lacks> {
    let Some(text) = optional::<PyString>(object)? else { return Ok(None) };
    let text = text.to_str().map_err(|_| Lacks::Plainness)?;
    if text.len() <= longest && is_plain(text) { Ok(Some(text)) } else { Err(Lacks::Plainness) }
}

fn bytes_of<'a>(data: &'a Bound<'_, PyAny>) -> Result<&'a [u8], Lacks> {
    match data.cast_exact::<PyBytes>() {
        Ok(bytes) => Ok(bytes.as_bytes()),
        Err(_) => {
            let text = data.cast_exact::<PyString>().map_err(|_| Lacks::Plainness)?;
            text.to_str().map(str::as_bytes).map_err(|_| Lacks::Plainness)
        }
    }
}

/// Printable ASCII alone.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The value or token that `text` begins with, as `_quote.py` finds it, where it is short and plain.
fn quoted(text: &[u8]) -> Result<&str, Lacks> {
    let window = &text[..text.len().min(LONGEST_PART + 1)];
    let end = match window.first() {
        Some(b'"') => string_end(window, 0),
        Some(b'[' | b'{') => nesting_end(window),
        Some(b',' | b':' | b']' | b'}') => Some(1),
        _ => {
            const ENDS: &[u8] = b" \t\n\r\x0b\x0c,:[]{}";
            let end = window.iter().position(|byte| ENDS.contains(byte));
            end.or_else(|| (window.len() == text.len()).then_some(text.len())).filter(|end| *end > 0)
        }
    };
    let part = end.and_then(|end| str::from_utf8(&window[..end]).ok()).ok_or(Lacks::Plainness)?;
    if part.len() <= LONGEST_PART && is_plain(part) { Ok(part) } else { Err(Lacks::Plainness) }
}

/// The place behind the string that begins at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += 1;
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 1,
            _ => {}
        }
    }
}

/// The place behind the list or object that a text begins with.
fn nesting_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => at = string_end(text, at)? - 1,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The names that values and keys are chosen from, made when they are first told.
pub struct Choices {
    values: Box<[PyOnceLock<Py<PyTuple>>]>,
    fields: Box<[PyOnceLock<Py<PyTuple>>]>,
}

impl Choices {
    pub fn of(tables: &ocppcore::Schema) -> Self {
        let none = |count| (0..count).map(|_| PyOnceLock::new()).collect();
        Self { values: none(tables.enums.len()), fields: none(tables.types.len()) }
    }
}

/// What was expected, as Python has it.
pub fn to_object<'py>(py: Python<'py>, schema: &Schema, expected: Expected) -> PyResult<Bound<'py, PyAny>> {
    let kept = match &expected {
        Expected::Nothing => return Ok(py.None().into_bound(py)),
        Expected::Text(text) => return text.into_bound_py_any(py),
        Expected::Integer(value) => return value.into_bound_py_any(py),
        Expected::Number(value) => return value.into_bound_py_any(py),
        Expected::Integers(values) => return Ok(PyTuple::new(py, values)?.into_any()),
        Expected::Values(which) => &schema.choices.values[*which as usize],
        Expected::Fields(of) => &schema.choices.fields[*of as usize],
    };
    let names = kept.get_or_try_init(py, || {
        let names = expected.names(&schema.tables).unwrap_or_default();
        PyTuple::new(py, names.into_iter().map(|name| PyString::intern(py, name))).map(Bound::unbind)
    })?;
    Ok(names.bind(py).clone().into_any())
}
