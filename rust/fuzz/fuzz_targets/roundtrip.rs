//! A frame that is accepted, written anew, is accepted again and stays the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocppcore::fuzzing::roundtrip(data));
