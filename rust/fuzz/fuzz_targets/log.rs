//! Any bytes are lines of a log, and every batch of its tables is sound.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocppcore::fuzzing::log(data));
