//! Any frame is accepted or refused at a byte of its own; the walk that locates a fault meets the same one.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocppcore::fuzzing::frame(data));
