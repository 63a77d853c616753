//! Any payload, of a type that the first bytes choose, is accepted or refused at a byte of its own.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocppcore::fuzzing::payload(data));
