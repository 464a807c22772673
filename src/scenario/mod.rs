//! Scenario files: as written ([`mod@file`]), then as checked ([`Scenario`]), then made into plans.

mod checked;
mod embedded;
pub mod file;
mod generate;
mod mix;

pub use checked::{Range, Scenario, ScenarioError, Sizes, Workload};
pub use embedded::{built_in, built_in_names, source_of};
pub use mix::Act;
