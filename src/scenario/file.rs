//! A scenario file exactly as it is written; what is missing stays missing.

use serde::Deserialize;
use toml::Spanned;

/// The version of the scenario format that this program reads.
pub const SCENARIO_VERSION: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// [`SCENARIO_VERSION`].
    pub version: Spanned<u32>,
    /// A short name: letters, digits, `-` and `_`.
    pub name: Spanned<String>,
    /// One line for reports.
    pub title: String,
    /// What every level has in common.
    pub workload: WorkloadTable,
    /// The simulated world.
    pub explore: ExploreTable,
    /// Real connections.
    pub wire: WireTable,
}

/// What every level has in common.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadTable {
    /// Runs that each user starts, one after the other.
    pub runs_per_user: Spanned<u16>,
    /// How runs are started; drawn for each run.
    pub via: Spanned<Vec<Spanned<String>>>,
    /// Whether the work is the mix of everything that some mechanism needs.
    #[serde(default)]
    pub mix: bool,
    /// What users do with their runs, drawn for each: a choice of what the mix is made of.
    #[serde(default)]
    pub acts: Option<Spanned<Vec<Spanned<String>>>>,
    /// Whether the users of the mix sit two at a browser, one after the other; where it is left
    /// out, they do in some trials.
    #[serde(default)]
    pub share_browsers: Option<Spanned<bool>>,
    /// Runs that the first user starts all at once.
    #[serde(default)]
    pub heavy_runs: Option<Spanned<u16>>,
    /// Whether one more user is connected and does nothing.
    #[serde(default)]
    pub bystander: bool,
    /// How many of a hundred socket runs lose their connection in mid-run.
    #[serde(default)]
    pub vanish_percent: Option<Spanned<u8>>,
}

/// The simulated world.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExploreTable {
    /// Fewest and most users, besides the bystander.
    pub users: Spanned<[u32; 2]>,
    /// The sub-agents of each run, in order.
    pub agents: Spanned<Vec<String>>,
    /// Fewest and most turns before a user starts.
    pub start_delay: Spanned<[u32; 2]>,
    /// Fewest and most turns that a stub call takes.
    pub stub_delay: Spanned<[u32; 2]>,
    /// Fewest and most faults of a trial.
    #[serde(default)]
    pub faults: Option<Spanned<[u32; 2]>>,
    /// Trials of a sign-off.
    pub trials: Spanned<u64>,
}

/// Real connections.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireTable {
    /// Fewest and most users, the bystander included.
    pub users: Spanned<[u32; 2]>,
    /// The sub-agents of each run, in order.
    pub agents: Spanned<Vec<String>>,
    /// Fewest and most milliseconds before a user starts.
    pub start_delay: Spanned<[u32; 2]>,
    /// Fewest and most milliseconds that a stub call takes.
    pub stub_delay: Spanned<[u32; 2]>,
    /// Rounds of a sign-off.
    pub rounds: Spanned<u64>,
}
