//! Logs into columns: the core's reader and its tables as Python sees them.

use std::sync::Arc;

use ocppcore::log::{self, Beside, Limits};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrow::{self, Parts};
use crate::schema::Schema;

/// The tables that a log is read into and how messages fill them, embedded.
const COLUMNS: &[u8] = include_bytes!("../../../python/ocppcore/_model/columns.json");

/// A table in memory that other libraries take through the Arrow PyCapsule interface.
#[pyclass(frozen, module = "ocppcore._native")]
pub struct Columns(Parts);

#[pymethods]
impl Columns {
    /// One table of the rows of several, which are not copied.
    #[staticmethod]
    fn joined(parts: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let first = parts.first().ok_or_else(|| PyValueError::new_err("no parts to join"))?;
        let specs = Arc::clone(&first.0.specs);
        Ok(Self(Parts { specs, batches: parts.iter().flat_map(|part| part.0.batches.iter().cloned()).collect() }))
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.0.batches.iter().map(|batch| batch.rows).sum()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        arrow::schema_capsule(py, &self.0)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = requested_schema; // a wish that need not be granted
        arrow::stream_capsule(py, self.0.clone())
    }
}

/// Reads frames in the order of a log into columns. `tables` are those wanted.
///
/// A batch is full at `most_frames` frames or `most_bytes` bytes of them; `most_open` calls are remembered for their answers.
#[pyclass(module = "ocppcore._native")]
pub struct LogReader {
    reader: log::LogReader,
    names: Vec<String>,
}

#[pymethods]
impl LogReader {
    #[new]
    fn new(
        schema: &Bound<'_, Schema>,
        max_size: usize,
        tables: Vec<String>,
        most_frames: usize,
        most_bytes: usize,
        most_open: usize,
    ) -> PyResult<Self> {
        let limits = Limits { max_size, most_frames, most_bytes, most_open };
        let reader = log::LogReader::new(schema.get().tables.clone(), COLUMNS, &tables, limits);
        Ok(Self { reader: reader.map_err(PyValueError::new_err)?, names: tables })
    }

    #[getter]
    fn full(&self) -> bool {
        self.reader.is_full()
    }

    fn lines(&mut self, py: Python<'_>, block: &Bound<'_, PyBytes>, begin: usize, end: usize) -> usize {
        let block = block.as_bytes();
        let text = &block[..end.min(block.len())];
        let reader = &mut self.reader;
        py.detach(|| reader.lines(text, begin))
    }

    fn frame(
        &mut self,
        data: &Bound<'_, PyBytes>,
        line: i64,
        station: Option<&str>,
        time: Option<i64>,
        direction: Option<&str>,
    ) {
        let (station, direction) = (station.map(str::as_bytes), direction.map(str::as_bytes));
        self.reader.frame(data.as_bytes(), Beside { line, station, time, direction });
    }

    fn take<'py>(&mut self, py: Python<'py>, last: bool) -> PyResult<Bound<'py, PyDict>> {
        let specs: Vec<_> = self.reader.tables().iter().map(|table| Arc::new(table.specs.clone())).collect();
        let taken = PyDict::new(py);
        for ((name, specs), batch) in self.names.iter().zip(specs).zip(self.reader.take(last)) {
            let batches = if batch.rows == 0 { Vec::new() } else { vec![Arc::new(batch)] };
            taken.set_item(name, Columns(Parts { specs, batches }))?;
        }
        Ok(taken)
    }
}
