//! The canary scan: any text, cut anywhere, with one canary planted in it.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| partywall::fuzzing::canary(data));
