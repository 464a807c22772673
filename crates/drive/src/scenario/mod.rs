//! Scenario files: as written ([`mod@file`]), then as checked ([`Scenario`]), then made into plans.

mod check;
mod checked;
pub mod choices;
mod embedded;
mod error;
mod faults;
pub mod file;
pub mod load_file;
mod names;
mod protocol_check;
mod reference_check;
mod shape;
mod sharing;
pub mod speech_file;
mod states;
mod target_check;
mod templates;
mod words;
pub mod written;

pub use checked::{Limits, Scenario, environment_in};
pub use embedded::{all_built_in_names, built_in, built_in_names, source_of};
pub use error::ScenarioError;
pub use partywall_core::target::{PlayedUpstream, Reference, Server, Target, UsersFrom};
pub use partywall_explore::workload;
pub use partywall_explore::workload::{
    Act, Faults, Ids, Learnt, Point, Range, ServerWork, Sizes, Workload, are_users,
};
pub use states::{EvidenceSource, MigrationEvidence, MigrationState, SitePlaces};
pub use templates::{TEMPLATES, starters};

/// The JSON Schema of scenario files, ready to publish.
pub fn scenario_schema() -> String {
    let schema = schemars::schema_for!(file::ScenarioFile);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema serialises");
    text.push('\n');
    text
}
