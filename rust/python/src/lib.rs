//! The extension module `ocppcore._native`: the native backend's half of the seam in `python/ocppcore/_backend.py`.
//!
//! `schema` binds the core's tables to msgspec's classes, `engine` is what a codec inherits, `build` makes Structs from what a walk reads, `encode` reads
//! them back, `errors` makes the exceptions for faults and writes their texts. `grading` asks a codec's policy. Memory of Python objects is written in `raw` alone. `entry` is a
//! shorter way in for single frames. `columns` reads logs into tables, which `arrow` lends
//! to other libraries.

mod arrow;
mod batch;
mod build;
mod classes;
mod columns;
mod encode;
mod engine;
mod entry;
mod errors;
mod exact;
mod grading;
mod input;
mod outgoing;
mod raw;
mod schema;

use pyo3::prelude::*;

/// The native backend of ocppcore. Its door is `ocppcore.Codec`.
// On purpose: what is compiled for a free-threaded Python takes no short way, but still walks what another thread may change
// (docs/decisions/0006). Such a Python enables the GIL when it loads this.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<schema::Schema>()?;
    module.add_class::<engine::Engine>()?;
    entry::install(module.py())?;
    module.add_class::<columns::Columns>()?;
    module.add_class::<columns::LogReader>()
}
