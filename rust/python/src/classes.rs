//! The classes that a schema builds: how an instance of one is made, found out once per class.

use ocppcore::schema::{FieldKind, ObjectType};
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::raw::{Absent, HalfStruct, Layout, Slots};

/// A class of Structs and the attributes that are filled, in the order of the fields that they stand for.
pub struct Class {
    pub object: Py<PyType>,
    pub attributes: Box<[Py<PyString>]>,
    /// Where the slots lie; None if instances are made by calling the class.
    layout: Option<Layout>,
    /// Instances are frozen, and equal ones cannot be told apart but by their identity.
    values: bool,
}

/// What a field asks of its attribute's default.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
    /// It may hold any JSON value, null too.
    Any,
}

impl Class {
    /// Binds a type of the schema to its class.
    pub fn of_type(class: &Bound<'_, PyAny>, model: &ObjectType, unset: &Bound<'_, PyAny>) -> PyResult<Self> {
        let attributes: Vec<&str> = model.fields.iter().map(|field| field.attr.as_str()).collect();
        let presences: Vec<Presence> = model
            .fields
            .iter()
            .map(|field| match field.kind {
                _ if field.required => Presence::Required,
                FieldKind::Any => Presence::Any,
                _ => Presence::Optional,
            })
            .collect();
        Self::bind(class, &attributes, &presences, unset)
    }

    /// Binds a class all of whose attributes are always given: a frame.
    pub fn of_frame(class: &Bound<'_, PyAny>, attributes: &[&str], unset: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::bind(class, attributes, &vec![Presence::Required; attributes.len()], unset)
    }

    fn bind(
        class: &Bound<'_, PyAny>,
        attributes: &[&str],
        presences: &[Presence],
        unset: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let py = class.py();
        let object = class
            .cast::<PyType>()
            .map_err(|_| PyTypeError::new_err(format!("{class} is no class; payloads are built as msgspec Structs")))?;
        let attributes: Box<[Py<PyString>]> =
            attributes.iter().map(|name| PyString::intern(py, name).unbind()).collect();
        // What the probe cannot do with a class shows when an instance is made by calling it.
        let layout = probe(object, &attributes, presences, unset).unwrap_or_default();
        if let Some(layout) = &layout {
            layout.release_here(py);
        }
        let values = is_value(object).unwrap_or(false);
        Ok(Self { object: object.clone().unbind(), attributes, layout, values })
    }

    /// Whether messages may share an instance that holds nothing but immutable scalars.
    #[inline(always)]
    pub fn may_be_shared(&self) -> bool {
        self.values && self.layout.is_some()
    }

    /// The slots of an instance; None for one whose attributes must be asked for: of a subclass, or of a class that keeps them elsewhere.
    #[inline]
    pub fn slots<'a, 'py>(&'a self, object: &'a Bound<'py, PyAny>) -> Option<Slots<'a, 'py>> {
        self.layout.as_ref()?.read(object)
    }

    /// The word of each field behind the header of an instance; None where the slots are not known.
    pub fn words(&self) -> Option<&[u8]> {
        self.layout.as_ref().map(Layout::words)
    }

    /// Whether an object is an instance, of a subclass too.
    #[inline]
    pub fn covers(&self, object: &Bound<'_, PyAny>) -> bool {
        let class = object.get_type();
        class.is(&self.object) || class.mro().iter().any(|base| base.is(&self.object))
    }

    /// A new instance to be filled: slot by slot, or else by way of the arguments for a call. None with a Python error set if memory is out.
    #[inline(always)]
    pub fn begin<'c, 'py>(&'c self, py: Python<'py>) -> Option<Object<'c, 'py>> {
        match &self.layout {
            Some(layout) => layout.begin(py).map(Object::Struct),
            None => Some(Object::Arguments(PyDict::new(py), self)),
        }
    }

    /// An instance of a class all of whose attributes are given. None with a Python error set if it cannot be made.
    #[inline(always)]
    pub fn make<'py, const N: usize>(
        &self,
        py: Python<'py>,
        values: [Bound<'py, PyAny>; N],
    ) -> Option<Bound<'py, PyAny>> {
        match &self.layout {
            Some(layout) => layout.make(py, values),
            None => or_set(py, self.call_with(py, &values)),
        }
    }

    #[cold]
    fn call_with<'py>(&self, py: Python<'py>, values: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
        let arguments = PyDict::new(py);
        for (attribute, value) in self.attributes.iter().zip(values) {
            arguments.set_item(attribute, value)?;
        }
        self.call(&arguments)
    }

    #[cold]
    fn call<'py>(&self, arguments: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let py = arguments.py();
        self.object.bind(py).as_any().call(PyTuple::empty(py), Some(arguments))
    }
}

/// An object in the making. Where a method gives None, a Python error is set.
pub enum Object<'c, 'py> {
    Struct(HalfStruct<'c, 'py>),
    /// The arguments for a call of the class.
    Arguments(Bound<'py, PyDict>, &'c Class),
    /// The dict of an open type, with the keys of its fields, or of a free-form value.
    Dict(Bound<'py, PyDict>, &'c [Py<PyString>]),
}

impl<'py> Object<'_, 'py> {
    /// Gives a field its value.
    #[inline(always)]
    pub fn set(&mut self, index: usize, value: Bound<'py, PyAny>) -> Option<()> {
        // What is handed on is handed on by value: a reference would keep the object out of the registers.
        match self {
            Self::Struct(half) => {
                half.set(index, value);
                Some(())
            }
            Self::Arguments(arguments, class) => put(arguments.as_borrowed(), &class.attributes, index, value),
            Self::Dict(dict, keys) => put(dict.as_borrowed(), keys, index, value),
        }
    }

    /// The object, complete; `seen` has the bits of the fields that were given.
    #[inline(always)]
    pub fn finish(self, seen: u128) -> Option<Bound<'py, PyAny>> {
        match self {
            Self::Struct(half) => Some(half.finish(seen)),
            Self::Arguments(arguments, class) => called(arguments, class),
            Self::Dict(dict, _) => Some(dict.into_any()),
        }
    }
}

#[cold]
#[inline(never)]
fn called<'py>(arguments: Bound<'py, PyDict>, class: &Class) -> Option<Bound<'py, PyAny>> {
    or_set(arguments.py(), class.call(&arguments))
}

/// Puts a field into a dict. None with a Python error set if that fails.
#[cold]
#[inline(never)]
fn put<'py>(
    dict: Borrowed<'_, 'py, PyDict>,
    keys: &[Py<PyString>],
    index: usize,
    value: Bound<'py, PyAny>,
) -> Option<()> {
    or_set(dict.py(), dict.set_item(&keys[index], value))
}

/// The value; None, the error set, if there is none.
pub fn or_set<T>(py: Python<'_>, result: PyResult<T>) -> Option<T> {
    result.map_err(|error| error.restore(py)).ok()
}

/// Whether instances of a class of Structs are frozen and compare by what they hold.
fn is_value(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let config = class.getattr(intern!(py, "__struct_config__"))?;
    Ok(config.getattr(intern!(py, "frozen"))?.is_truthy()? && config.getattr(intern!(py, "eq"))?.is_truthy()?)
}

/// Finds out where a class keeps its fields, by building an instance of sentinels. None or an error if its instances cannot be made by writing
/// slots: the class has the garbage collector's header, a dict, weak references or a hook that runs after `__init__`, is a subclass in
/// another tongue, or its optional fields default to something else than None and UNSET.
fn probe(
    class: &Bound<'_, PyType>,
    attributes: &[Py<PyString>],
    presences: &[Presence],
    unset: &Bound<'_, PyAny>,
) -> PyResult<Option<Layout>> {
    const HAVE_GC: u64 = 1 << 14; // Py_TPFLAGS_HAVE_GC
    let py = class.py();
    if attributes.len() > ocppcore::schema::MAX_FIELDS
        || class.getattr(intern!(py, "__struct_fields__"))?.len()? != attributes.len()
        || class.getattr(intern!(py, "__flags__"))?.extract::<u64>()? & HAVE_GC != 0
        || class.hasattr(intern!(py, "__post_init__"))?
    {
        return Ok(None);
    }
    for absent in ["__itemsize__", "__dictoffset__", "__weakrefoffset__"] {
        if class.getattr(absent)?.extract::<isize>()? != 0 {
            return Ok(None);
        }
    }
    let sentinels: Vec<Bound<'_, PyAny>> =
        attributes.iter().map(|_| py.import("builtins")?.getattr("object")?.call0()).collect::<PyResult<_>>()?;
    let arguments = PyDict::new(py);
    let given = |all: bool| -> PyResult<Bound<'_, PyAny>> {
        arguments.clear();
        for ((name, value), presence) in attributes.iter().zip(&sentinels).zip(presences) {
            if all || *presence == Presence::Required {
                arguments.set_item(name, value)?;
            }
        }
        class.as_any().call(PyTuple::empty(py), Some(&arguments))
    };
    let (full, bare) = (given(true)?, given(false)?);
    let mut absent = Vec::with_capacity(attributes.len());
    for (name, presence) in attributes.iter().zip(presences) {
        let default = bare.getattr(name)?;
        absent.push(match presence {
            Presence::Required => Absent::Never,
            Presence::Optional if default.is_none() => Absent::None,
            _ if default.is(unset) => Absent::Unset,
            // Another default, or one that the field could be given too, which `raw` could not tell from its absence.
            _ => return Ok(None),
        });
    }
    let size = class.getattr(intern!(py, "__basicsize__"))?.extract()?;
    Ok(Layout::probe(class.as_any(), size, &full, &sentinels, &absent, unset))
}
