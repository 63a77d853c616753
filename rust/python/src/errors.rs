//! Faults on their way to Python: the door's maker of errors gets what is known as plain data and gives the exception to raise.

use ocppcore::Expected;
use ocppcore::frame::Recovered;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Everything that is known of a fault.
pub struct Report<'a, 'py> {
    pub kind: &'static str,
    pub path: String,
    /// The byte at which it lies; None for objects.
    pub offset: Option<usize>,
    pub expected: Expected,
    pub data: Option<&'a Bound<'py, PyAny>>,
    pub frame: Recovered,
}

impl Report<'_, '_> {
    /// The exception that says so.
    #[cold]
    pub fn error(self, make_error: &Bound<'_, PyAny>) -> PyErr {
        self.make(make_error).unwrap_or_else(|error| error)
    }

    fn make(self, make_error: &Bound<'_, PyAny>) -> PyResult<PyErr> {
        let py = make_error.py();
        let frame = self.frame;
        let expected = to_object(py, self.expected)?;
        let made = make_error.call1((
            self.kind,
            self.path,
            self.offset,
            expected,
            self.data,
            frame.number,
            frame.id,
            frame.action,
        ))?;
        Ok(PyErr::from_value(made))
    }
}

/// What was expected, as Python has it.
pub fn to_object(py: Python<'_>, expected: Expected) -> PyResult<Bound<'_, PyAny>> {
    match expected {
        Expected::Nothing => Ok(py.None().into_bound(py)),
        Expected::Text(text) => text.into_bound_py_any(py),
        Expected::Integer(value) => value.into_bound_py_any(py),
        Expected::Number(value) => value.into_bound_py_any(py),
        Expected::Names(names) => Ok(PyTuple::new(py, names)?.into_any()),
        Expected::Integers(values) => Ok(PyTuple::new(py, values)?.into_any()),
    }
}
