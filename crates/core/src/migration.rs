//! The migration matrix: the states between legacy and migrated, and what leaks in them.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::UpperBound;

/// States of a migration, with what follows from them together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct MigrationRecord {
    /// The call sites: in the order in which a request passes them, or in which a scenario names
    /// them.
    pub sites: Vec<String>,
    /// What is known of each call site of somebody's own system, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub site_rows: Vec<SiteRow>,
    /// The scenarios that each state was driven with, and how many trials of each.
    pub scenarios: Vec<ScenarioTrials>,
    /// The states: every one between legacy and migrated, or those that a scenario lists. Those with
    /// fewer migrated sites come first.
    pub states: Vec<StateRow>,
    /// Sites that leak where all others are migrated.
    pub leak_alone: Vec<String>,
    /// Sites that contaminate where all others are migrated, without a leak on the wire.
    pub latent_alone: Vec<String>,
    /// The smallest sets of sites whose migration makes the system clean: without one of theirs it
    /// is not, as far as the states show.
    pub smallest_clean: Vec<Vec<String>>,
    /// A suggested order of migration.
    pub order: Vec<StepRow>,
    /// What the states do not determine, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undetermined: Vec<String>,
}

impl MigrationRecord {
    /// Whether these are listed states of somebody's own system.
    pub fn is_listed(&self) -> bool {
        !self.site_rows.is_empty()
    }
}

/// What is known of one call site of somebody's own system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SiteRow {
    /// The call site, as the scenario names it.
    pub site: String,
    /// Where the audit has it: `path:line`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audited: Vec<String>,
    /// Whether the workload exercised it, in any state in which it is legacy.
    pub exercised: Exercise,
    /// What shows that.
    pub shown_by: String,
    /// What the state comes to in which it is the only one that is legacy; none where no such state
    /// is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<StateVerdict>,
}

/// Whether the workload exercised a call site. It is never assumed: without evidence it is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Exercise {
    /// Nothing tells.
    Unknown,
    /// The evidence that shows other call sites does not show this one.
    NotExercised,
    /// It ran before the workload began, and nothing shows it after that.
    BeforeOnly,
    /// It ran while the workload was driven, or what it does was seen to leak.
    Exercised,
}

impl Exercise {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown whether exercised",
            Self::NotExercised => "not exercised",
            Self::BeforeOnly => "ran at start-up only",
            Self::Exercised => "exercised",
        }
    }
}

/// Whether a call site that is legacy in a state was exercised there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct LegacySite {
    /// The call site.
    pub site: String,
    /// Whether it was.
    pub exercised: Exercise,
}

/// How often a scenario was driven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ScenarioTrials {
    /// The scenario.
    pub scenario: String,
    /// Trials of it in each state.
    pub trials: u64,
}

/// What a state of the migration comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct StateRow {
    /// Its name, where a scenario lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The sites that are migrated in it.
    pub migrated: Vec<String>,
    /// Listed states: the sites that are not, and whether the workload exercised them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy: Vec<LegacySite>,
    /// Listed states: whether the server told that agents were built with another user's settings;
    /// none where nothing tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contaminated: Option<bool>,
    /// Why it is inconclusive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
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

impl StateRow {
    /// Counts a trial.
    pub fn count(&mut self, overlapped: bool, leaked: bool, is_contaminated: bool) {
        self.trials += 1;
        self.overlapping += u64::from(overlapped);
        if leaked {
            self.leaking += 1;
            self.first_leak_at_trial.get_or_insert(self.trials);
        } else if is_contaminated {
            self.latent += 1;
            self.first_latent_at_trial.get_or_insert(self.trials);
        }
    }

    /// The state in which exactly those sites are migrated; nothing is known of it yet.
    pub fn of(migrated: Vec<String>) -> Self {
        Self {
            name: None,
            migrated,
            legacy: Vec::new(),
            contaminated: None,
            doubts: Vec::new(),
            verdict: StateVerdict::Inconclusive,
            trials: 0,
            overlapping: 0,
            runs_started: 0,
            runs_completed: 0,
            leaking: 0,
            first_leak_at_trial: None,
            latent: 0,
            first_latent_at_trial: None,
            leaks: Vec::new(),
            leak_probability_upper_bound: None,
        }
    }
}

/// Something that leaks in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct LeakRow {
    /// What, in words.
    pub what: String,
    /// In how many trials.
    pub trials: u64,
    /// The line that shows it again, where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproduce_with: Option<String>,
}

/// One step of the suggested order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct StepRow {
    /// What to migrate next: one site, or several where no state between is listed.
    pub migrate: Vec<String>,
    /// The state after it, as a position in `states`.
    pub state: u32,
    /// What that state comes to.
    pub verdict: StateVerdict,
    /// What leaks after it.
    pub leaks: Vec<LeakRow>,
}
