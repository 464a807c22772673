//! Scenario files: as written ([`mod@file`]), then as checked ([`Scenario`]), then made into plans.

mod checked;
mod embedded;
mod faults;
pub mod file;
mod generate;
pub mod load_file;
mod mix;
mod server;
mod server_check;
pub mod server_file;
mod server_names;
mod server_plan;
mod server_states;
mod server_strikes;
mod server_target;
mod server_templates;
mod target;

pub use checked::{Range, Scenario, ScenarioError, Sizes, Workload};
pub use embedded::{all_built_in_names, built_in, built_in_names, source_of};
pub use faults::{Faults, Learnt, Point};
pub use mix::Act;
pub use server::{Ids, ServerScenario, ServerWork, environment_in};
pub use server_states::{EvidenceSource, MigrationEvidence, ServerState, SitePlaces};
pub use server_templates::TEMPLATES;
pub use target::{PlayedUpstream, Reference, Server, Target, UsersFrom};

/// The JSON Schema of scenario files of a server of somebody's own, ready to publish.
pub fn scenario_schema() -> String {
    let schema = schemars::schema_for!(server_file::ServerFile);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema serialises");
    text.push('\n');
    text
}
