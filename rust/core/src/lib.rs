//! The OCPP-J protocol without any Python: frames are scanned, validated against schema tables and handed to a sink as they are read.
//!
//! The walk of a frame: `frame` reads the envelope, `validate` the payload, driven by the tables of `schema`, reading bytes through `scan` and
//! judging values with `format`. A `sink` says what becomes of the values. What is wrong is a `Fault`; `locate` says,
//! on the error path alone, where it lies and what was expected; `settle` asks a sink that knows a policy whether it must end the walk. `write` is
//! the way out.
//!
//! `log` reads the frames of a log into `columns`; `rows` says which fields fill which.

pub mod batch;
pub mod columns;
pub mod error;
pub mod format;
pub mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod leaves;
pub mod locate;
pub mod log;
pub mod names;
pub mod rows;
pub mod scan;
pub mod schema;
pub mod settle;
pub mod simd;
pub mod sink;
pub mod validate;
pub mod write;

pub use error::{CodeTable, Expected, Fault, Kind};
pub use frame::{Body, Head};
pub use schema::Schema;
pub use sink::{Check, Sink};
pub use validate::Walker;
