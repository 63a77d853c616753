//! Data as it is handed in: bytes as they are, text as its UTF-8, any other buffer as a copy that nobody else can change.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

/// Data and its bytes.
pub enum Input<'a, 'py> {
    Bytes(Cow<'a, Bound<'py, PyBytes>>),
    Text(&'a Bound<'py, PyString>, Utf8<'a, 'py>),
}

/// The bytes of a text. One that holds surrogates has no UTF-8; the scanner is given the bytes that they would have, and refuses them.
pub enum Utf8<'a, 'py> {
    Own(&'a [u8]),
    Surrogates(Bound<'py, PyBytes>),
}

impl<'a, 'py> Input<'a, 'py> {
    /// Takes `str` or any object with a buffer; TypeError for anything else.
    #[inline(always)]
    pub fn of(data: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = data.cast::<PyBytes>() {
            return Ok(Self::Bytes(Cow::Borrowed(bytes)));
        }
        if let Ok(text) = data.cast::<PyString>() {
            return Ok(Self::Text(text, Utf8::of(text)?));
        }
        Self::copy_of(data)
    }

    #[inline(never)]
    fn copy_of(data: &Bound<'py, PyAny>) -> PyResult<Self> {
        // SAFETY: the object is alive; the call only looks at its type.
        if unsafe { ffi::PyObject_CheckBuffer(data.as_ptr()) } == 0 {
            let kind = data.get_type().name()?;
            let parsed = data.is_instance_of::<PyDict>() || data.is_instance_of::<PyList>();
            let advice = if parsed { "; from_builtins takes a payload of dicts and lists" } else { "" };
            return Err(PyTypeError::new_err(format!(
                "data must be str or an object with a buffer (bytes, bytearray, memoryview), not {kind}{advice}"
            )));
        }
        // SAFETY: the object has a buffer, so that this copies its bytes; a new reference, or NULL with an error set.
        let copy = unsafe { Bound::from_owned_ptr_or_err(data.py(), ffi::PyBytes_FromObject(data.as_ptr()))? };
        Ok(Self::Bytes(Cow::Owned(copy.cast_into()?)))
    }

    /// The bytes that are read.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Text(_, Utf8::Own(bytes)) => bytes,
            Self::Text(_, Utf8::Surrogates(bytes)) => bytes.as_bytes(),
        }
    }

    /// The data for an error to quote from: bytes or str.
    pub fn object(&self) -> &Bound<'py, PyAny> {
        match self {
            Self::Bytes(bytes) => bytes.as_any(),
            Self::Text(text, _) => text.as_any(),
        }
    }
}

impl<'a, 'py> Utf8<'a, 'py> {
    #[inline]
    fn of(text: &'a Bound<'py, PyString>) -> PyResult<Self> {
        match text.to_str() {
            Ok(own) => Ok(Self::Own(own.as_bytes())),
            Err(_) => Self::with_surrogates(text),
        }
    }

    #[cold]
    fn with_surrogates(text: &Bound<'py, PyString>) -> PyResult<Self> {
        let py = text.py();
        let bytes = text.call_method1(intern!(py, "encode"), (intern!(py, "utf-8"), intern!(py, "surrogatepass")))?;
        Ok(Self::Surrogates(bytes.cast_into()?))
    }
}
