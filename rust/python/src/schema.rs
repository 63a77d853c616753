//! A version's tables, bound to the classes that its messages are built as.

use std::collections::HashMap;

use ocppcore::leaves::Leaves;
use ocppcore::scan::Text;
use ocppcore::schema::FrameKind;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use crate::batch::Spares;
use crate::build::Times;
use crate::classes::Class;
use crate::errors::Choices;
use crate::outgoing::Outgoing;
use crate::raw::{AsciiStrings, Attached};

/// The compact models, embedded: `make` generates them, the Python backend reads the same files.
const MODELS: [(&str, &[u8]); 3] = [
    ("v16", include_bytes!("../../../python/ocppcore/_model/v16.json")),
    ("v201", include_bytes!("../../../python/ocppcore/_model/v201.json")),
    ("v21", include_bytes!("../../../python/ocppcore/_model/v21.json")),
];

/// Set to 0 when a schema is made, decode makes each small object anew (docs/decisions/0010): for measuring what sharing is worth.
const SHARE_LEAVES: &str = "OCPPCORE_SHARE_LEAVES";

/// The tables of one version's model and the classes that are built from it.
///
/// `model` is the compact model as JSON; `classes` maps the name of a type to its Struct class (open types have none); `door` holds the classes of the
/// frames and `UNSET`. ValueError says what is wrong with a model.
#[pyclass(frozen, module = "ocppcore._native")]
pub struct Schema {
    pub tables: ocppcore::Schema,
    /// By the index of the type; None for an open one.
    pub classes: Vec<Option<Class>>,
    /// The values of the enumerations, one after the other.
    pub enums: Vec<Py<PyString>>,
    /// The actions, as the messages stand.
    actions: Vec<Py<PyString>>,
    /// The wire names of the fields of each open type, the keys of its dict.
    pub keys: Vec<Vec<Py<PyString>>>,
    pub door: Door,
    pub ascii: AsciiStrings,
    pub times: Times,
    pub outgoing: Outgoing,
    pub choices: Choices,
    pub spares: Spares,
    /// Leaves that messages share, by the index of the type.
    pub leaves: Attached<Vec<Leaves<Py<PyAny>>>>,
    /// Address of a class -> index of the message whose request or response it is.
    messages: HashMap<usize, u32>,
    /// Address of a class -> index of its type.
    types: HashMap<usize, u32>,
}

/// The classes that the door hands in.
pub struct Door {
    pub call: Class,
    pub call_result: Class,
    pub call_error: Class,
    pub call_result_error: Class,
    pub send: Class,
    pub raw_payload: Class,
    pub peek: Class,
    pub tolerated: Class,
    pub unset: Py<PyAny>,
}

impl Door {
    fn of(door: &Bound<'_, PyDict>) -> PyResult<Self> {
        let get = |name: &str| door.get_item(name)?.ok_or_else(|| PyTypeError::new_err(format!("door lacks {name}")));
        let unset = get("UNSET")?;
        let class = |name: &str, attributes: &[&str]| Class::of_frame(&get(name)?, attributes, &unset);
        let refusal = ["id", "code", "description", "details"];
        Ok(Self {
            call: class("Call", &["id", "payload"])?,
            call_result: class("CallResult", &["id", "payload"])?,
            call_error: class("CallError", &refusal)?,
            call_result_error: class("CallResultError", &refusal)?,
            send: class("Send", &["id", "payload"])?,
            raw_payload: class("RawPayload", &["data", "offset"])?,
            peek: class("Peek", &["type", "id", "action", "source", "start"])?,
            tolerated: class(
                "Tolerated",
                &["frame", "_findings", "_extras", "_reported", "_look", "_data", "_pending"],
            )?,
            unset: unset.unbind(),
        })
    }

    /// The class of a kind of frame.
    #[inline]
    pub fn class_of(&self, kind: FrameKind) -> &Class {
        match kind {
            FrameKind::Call => &self.call,
            FrameKind::CallResult => &self.call_result,
            FrameKind::CallError => &self.call_error,
            FrameKind::CallResultError => &self.call_result_error,
            FrameKind::Send => &self.send,
        }
    }
}

#[pymethods]
impl Schema {
    #[new]
    fn new(model: &[u8], classes: &Bound<'_, PyDict>, door: &Bound<'_, PyDict>) -> PyResult<Self> {
        Self::bind(ocppcore::Schema::load(model).map_err(PyValueError::new_err)?, classes, door)
    }

    /// The tables of a version that comes with ocppcore: "v16", "v201" or "v21".
    #[staticmethod]
    fn builtin(module: &str, classes: &Bound<'_, PyDict>, door: &Bound<'_, PyDict>) -> PyResult<Self> {
        // Read anew for each set of classes: codecs of the same share one Schema, and a copy kept to save the reading would double the tables.
        match MODELS.iter().find(|(name, _)| *name == module) {
            Some((_, model)) => Self::new(model, classes, door),
            None => Err(PyValueError::new_err(format!("there is no version {module}"))),
        }
    }
}

impl Schema {
    fn bind(mut tables: ocppcore::Schema, classes: &Bound<'_, PyDict>, door: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = classes.py();
        if std::env::var(SHARE_LEAVES).is_ok_and(|value| value == "0") {
            // Tables without a leaf: the walk never asks for what is shared, and pays nothing for being able to.
            tables.types.iter_mut().for_each(|of| of.leaf = false);
        }
        let door = Door::of(door)?;
        let unset = door.unset.bind(py);
        let intern = |text: &String| PyString::intern(py, text).unbind();
        let mut bound = Vec::with_capacity(tables.types.len());
        let mut types = HashMap::new();
        for (index, model) in tables.types.iter().enumerate() {
            bound.push(match classes.get_item(&model.name)? {
                _ if model.open => None,
                Some(class) => {
                    types.insert(class.as_ptr() as usize, index as u32);
                    Some(Class::of_type(&class, model, unset)?)
                }
                None => {
                    return Err(PyValueError::new_err(format!("classes lacks one for the type {}", model.name)));
                }
            });
        }
        let mut messages = HashMap::new();
        for (index, message) in tables.messages.iter().enumerate() {
            for which in [message.request, message.response].into_iter().flatten() {
                if let Some(class) = &bound[which as usize] {
                    messages.insert(class.object.as_ptr() as usize, index as u32);
                }
            }
        }
        let enums: Vec<Vec<_>> = tables.enums.iter().map(|values| values.values.iter().map(intern).collect()).collect();
        let actions = tables.messages.iter().map(|message| intern(&message.action)).collect();
        Ok(Self {
            actions,
            spares: Spares::default(),
            choices: Choices::of(&tables),
            leaves: Attached::new(tables.types.iter().map(|_| Leaves::default()).collect()),
            outgoing: Outgoing::new(py, &tables, &bound, &enums, &door)?,
            enums: enums.into_iter().flatten().collect(),
            keys: tables
                .types
                .iter()
                .map(|model| {
                    if model.open { model.fields.iter().map(|field| intern(&field.name)).collect() } else { Vec::new() }
                })
                .collect(),
            ascii: AsciiStrings::probe(py)?,
            times: Times::new(py)?,
            classes: bound,
            door,
            messages,
            types,
            tables,
        })
    }

    /// The action of a message that the schema knows, as the one `str` that all its frames share.
    #[inline]
    pub fn shared_action<'py>(&self, py: Python<'py>, action: &Text<'_>) -> Option<Bound<'py, PyAny>> {
        let index = self.tables.message_index(&action.bytes())?;
        Some(self.actions.get(index)?.bind(py).clone().into_any())
    }

    /// The same for an action that stands alone; a new `str` for one that the schema does not know.
    pub fn action<'py>(&self, py: Python<'py>, action: &str) -> Bound<'py, PyString> {
        match self.tables.message_index(action.as_bytes()).and_then(|index| self.actions.get(index)) {
            Some(shared) => shared.bind(py).clone(),
            None => PyString::new(py, action),
        }
    }

    /// The index of the type whose class this is.
    #[inline]
    pub fn type_of(&self, class: &Bound<'_, PyType>) -> Option<u32> {
        self.types.get(&(class.as_ptr() as usize)).copied()
    }

    /// The message that a user means: by its action, or by the class of its request or response. ValueError for one that is not known.
    pub fn message_of(&self, meant: &Bound<'_, PyAny>) -> PyResult<&ocppcore::schema::Message> {
        if let Ok(action) = meant.cast::<PyString>() {
            let action = action.to_str()?;
            return self.tables.message(action).ok_or_else(|| self.unknown(meant));
        }
        let Ok(class) = meant.cast::<PyType>() else {
            let kind = meant.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "an action is meant by its name, or by its request or response type, not by {kind}"
            )));
        };
        match self.messages.get(&(class.as_ptr() as usize)) {
            Some(index) => Ok(&self.tables.messages[*index as usize]),
            None => Err(self.unknown(meant)),
        }
    }

    /// The ValueError for an action or a class that is not known, in the words that Python has for both backends.
    #[cold]
    fn unknown(&self, meant: &Bound<'_, PyAny>) -> PyErr {
        let words = || {
            let versions = meant.py().import("ocppcore._versions")?;
            versions.call_method1("unknown_action", (meant, &self.tables.version, &self.actions))
        };
        match words() {
            Ok(words) => PyValueError::new_err(words.unbind()),
            Err(error) => error,
        }
    }

    /// The type of the answer to a message, and its action. ValueError for a SEND, which nobody answers.
    pub fn answer_to(&self, meant: &Bound<'_, PyAny>) -> PyResult<(u32, &str)> {
        let message = self.message_of(meant)?;
        match message.response {
            Some(which) => Ok((which, &message.action)),
            None => Err(PyValueError::new_err(format!("'{}' has no response", message.action))),
        }
    }
}
