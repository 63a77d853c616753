//! Any text is JSON here exactly if it is to serde_json, save for the stated limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocppcore::fuzzing::against_serde(data));
