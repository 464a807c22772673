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
mod server_templates;

pub use checked::{Range, Scenario, ScenarioError, Sizes, Workload};
pub use embedded::{all_built_in_names, built_in, built_in_names, source_of};
pub use mix::Act;
pub use server::{ServerScenario, ServerTarget, ServerWork, environment_in};
pub use server_templates::TEMPLATES;

/// The JSON Schema of scenario files of a server of somebody's own, ready to publish.
pub fn scenario_schema() -> String {
    let schema = schemars::schema_for!(server_file::ServerFile);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema serialises");
    text.push('\n');
    text
}
