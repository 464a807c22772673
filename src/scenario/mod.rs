//! Scenario files: as written ([`mod@file`]), then as checked ([`Scenario`]), then made into plans.

mod checked;
mod embedded;
pub mod file;
mod generate;
mod mix;
mod server;
mod server_check;
pub mod server_file;
mod server_plan;

pub use checked::{Range, Scenario, ScenarioError, Sizes, Workload};
pub use embedded::{built_in, built_in_names, source_of};
pub use server::{ServerScenario, ServerTarget, ServerWork, environment_in};
