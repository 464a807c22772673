//! The migration matrix: every state between legacy and migrated, and what leaks in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::UpperBound;

/// Every state of a migration, with what follows from them together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationRecord {
    /// The call sites, in the order in which a request passes them.
    pub sites: Vec<String>,
    /// The scenarios that each state was driven with, and how many trials of each.
    pub scenarios: Vec<ScenarioTrials>,
    /// The states; none of the sites is migrated in the first, all of them in the last.
    pub states: Vec<StateRow>,
    /// Sites that leak where all others are migrated.
    pub leak_alone: Vec<String>,
    /// Sites that contaminate where all others are migrated, without a leak on the wire.
    pub latent_alone: Vec<String>,
    /// The smallest sets of sites whose migration makes the system clean: without one of theirs it
    /// is not.
    pub smallest_clean: Vec<Vec<String>>,
    /// A suggested order of migration.
    pub order: Vec<StepRow>,
}

/// How often a scenario was driven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioTrials {
    /// The scenario.
    pub scenario: String,
    /// Trials of it in each state.
    pub trials: u64,
}

/// What a state of the migration comes to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StateVerdict {
    /// Nothing crossed, and no contamination was reported.
    Clean,
    /// Nothing shows on the wire, although agents were built with another user's settings.
    Latent,
    /// Neither could be shown.
    Inconclusive,
    /// At least one finding.
    Leaked,
}

impl StateVerdict {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Latent => "latent",
            Self::Inconclusive => "inconclusive",
            Self::Leaked => "leaked",
        }
    }
}

/// One state of the migration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StateRow {
    /// The sites that are migrated in it.
    pub migrated: Vec<String>,
    /// What it comes to.
    pub verdict: StateVerdict,
    /// Trials driven.
    pub trials: u64,
    /// Trials in which runs of different users overlapped.
    pub overlapping: u64,
    /// Runs that users started.
    pub runs_started: u64,
    /// Those that completed.
    pub runs_completed: u64,
    /// Trials with a finding.
    pub leaking: u64,
    /// The first of them, from 1.
    pub first_leak_at_trial: Option<u64>,
    /// Trials without a finding in which agents were built with another user's settings.
    pub latent: u64,
    /// The first of them, from 1.
    pub first_latent_at_trial: Option<u64>,
    /// What leaked, the most frequent first.
    pub leaks: Vec<LeakRow>,
    /// How likely a leak could still be; none after a leak.
    pub leak_probability_upper_bound: Option<UpperBound>,
}

/// Something that leaks in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeakRow {
    /// What, in words.
    pub what: String,
    /// In how many trials.
    pub trials: u64,
}

/// One step of the suggested order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRow {
    /// The site to migrate next.
    pub migrate: String,
    /// The state after it, as a position in `states`.
    pub state: u32,
    /// What that state comes to.
    pub verdict: StateVerdict,
    /// What leaks after it.
    pub leaks: Vec<LeakRow>,
}
