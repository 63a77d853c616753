//! The value rules that go beyond JSON: numbers, date-times, URIs and decimal steps, each judged on its text.

pub mod datetime;
pub mod float;
pub mod number;
pub mod step;
pub mod uri;
