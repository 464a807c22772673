//! One trial, many trials, and what they come to: coverage, confidence, controls, verdicts.

pub mod budget;
mod cause;
mod conclusion;
mod confidence;
mod coverage;
pub mod error;
pub mod exhaustive;
pub mod explore;
pub mod explore_trial;
mod judged_trial;
mod level;
pub mod models;
pub mod recorded;
pub mod replay;
pub mod repro;
mod shrink;
pub mod signoff;
pub mod store;
pub mod target_process;
pub mod wire;
