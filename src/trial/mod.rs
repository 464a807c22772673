//! The vocabulary: plain data that every other layer speaks in.
//!
//! No clock, no randomness, no I/O, no async. [`record`] is the whole report record, the only
//! thing that `report/` reads.

pub mod canary;
pub mod control;
pub mod dialect;
pub mod finding;
pub mod history;
pub mod ids;
pub mod plan;
pub mod raw;
pub mod record;
pub mod schedule;
pub mod verdict;
