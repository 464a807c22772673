//! The vocabulary: plain data that every other layer speaks in.
//!
//! No clock, no randomness, no I/O, no async. [`record`] is the whole report record, the only
//! thing that `report/` reads.

pub mod assumption;
pub mod audit;
pub mod call_site;
pub mod canary;
pub mod compared;
pub mod control;
pub mod defect;
pub mod detection;
pub mod dialect;
pub mod failure;
pub mod finding;
pub mod fix;
pub mod heard;
pub mod hidden;
pub mod history;
pub mod ids;
pub mod json;
pub mod lenient;
pub mod line;
pub mod measure;
pub mod mechanism;
pub mod members;
pub mod migration;
pub mod note;
pub mod plan;
pub mod pointers;
pub mod protocol;
pub mod raw;
pub mod reader;
pub mod record;
pub mod replay_result;
pub mod run_controls;
pub mod schedule;
pub mod severity;
pub mod spare;
pub mod target;
pub mod template;
pub mod text;
pub mod timeline;
pub mod unmet;
pub mod verdict;
pub mod via;
