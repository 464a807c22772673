//! Everything that the program reads from files, and the oracles on what reads.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| partywall::fuzzing::history(data));
