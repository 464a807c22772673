//! Where campaigns keep things: the run folder, repros, budgets, and what can go wrong.

pub mod budget;
pub mod error;
pub mod repro;
pub mod run_folder;

pub use run_folder::{Lines, RunFolder};
