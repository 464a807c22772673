//! One explored trial of the per-request back end, which must be clean.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| partywall::fuzzing::trial(data));
