//! The whole report record: the only thing that `report/` reads. `report.json` is this, serialised.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assumption::Assumption;
use super::audit::AuditRecord;
use super::control::Controls;
use super::detection::DetectionRecord;
use super::finding::{Evidence, FindingKind, Fingerprint, OracleId};
use super::heard::Heard;
use super::ids::UserName;
use super::measure::{LeakMatrix, Partition, Source, Spread, Subject};
use super::migration::MigrationRecord;
use super::replay_result::ReplayResult;
use super::timeline::{Crossing, Timeline};
use super::verdict::{ExitCode, Outcome, Reason, Verdict};
use super::via::Via;

pub mod as_text;
mod method;
mod model_row;

pub use method::SearchMethod;
pub use model_row::ModelRow;

/// The version of the report format that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that one call of `signoff`, `explore`, `run` or `check` came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Record {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The program's version.
    pub partywall: String,
    /// The subcommand.
    pub command: String,
    /// The name of the run folder's series.
    pub name: String,
    /// Wall-clock time of the start, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The seed that every plan and schedule came from; a decimal number, as text since not every
    /// JSON reader keeps 64 bits.
    #[serde(with = "as_text")]
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = "^[0-9]+$")))]
    pub seed: u64,
    /// The run folder: where everything that was recorded is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Plain runs: what was driven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// What it comes to.
    pub verdict: Outcome,
    /// The exit code that goes with it.
    pub exit_code: ExitCode,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Sign-off: the side that must leak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Side>,
    /// Sign-off: the side that must not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Side>,
    /// Sign-off: before's repros replayed on after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cross_checks: Vec<CrossCheck>,
    /// Repros that were saved earlier, replayed before anything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saved_repros: Vec<SavedRepro>,
    /// The models of the kernel, where they were checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelRow>,
    /// Sign-off: what after must reach of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparison: Vec<Comparison>,
    /// Plain runs: the levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// Where the scenario that was given first says what is driven: the place of all that is of no
    /// level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The tested builds, as they were named or as they were driven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Subject>,
    /// Which part of a campaign this is; none for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// Every state between legacy and migrated, where they were driven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationRecord>,
    /// The self-test: every known mechanism, and what found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<DetectionRecord>,
    /// Sign-off: what still uses the deprecated accessor in the source, where it was audited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditRecord>,
    /// What a reader of a clean verdict should know was not tried.
    pub not_tried: Vec<String>,
    /// What each oracle that took part looks for.
    pub rules: Vec<Rule>,
}

impl Record {
    /// Every level, with the side that it belongs to (empty for plain runs).
    pub fn all_levels(&self) -> impl Iterator<Item = (&'static str, &Level)> {
        fn named<'r>(
            name: &'static str,
            side: Option<&'r Side>,
        ) -> impl Iterator<Item = (&'static str, &'r Level)> {
            side.into_iter().flat_map(|side| &side.levels).map(move |level| (name, level))
        }
        named("before", self.before.as_ref())
            .chain(named("after", self.after.as_ref()))
            .chain(self.levels.iter().map(|level| ("", level)))
    }

    /// The same levels, to be changed.
    pub fn all_levels_mut(&mut self) -> impl Iterator<Item = &mut Level> {
        let sides = self.before.iter_mut().chain(&mut self.after);
        sides.flat_map(|side| &mut side.levels).chain(&mut self.levels)
    }
}

/// One side of a sign-off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Side {
    /// What was driven: `reference back end, migrated none`.
    pub backend: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// Its levels.
    pub levels: Vec<Level>,
}

impl Side {
    /// What those levels come to.
    pub fn of(backend: String, levels: Vec<Level>) -> Self {
        let verdict = Verdict::all_of(levels.iter().map(|level| level.verdict));
        Self { backend, verdict, levels }
    }

    /// How many trials were driven beyond those that were asked for.
    pub fn trials_further(&self) -> u64 {
        self.levels.iter().fold(0, |sum, level| sum.saturating_add(level.trials_further()))
    }
}

/// Which of the three levels of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LevelName {
    /// Thread interleavings of the kernel, by loom.
    Model,
    /// Task interleavings in the simulated world.
    Explore,
    /// Real connections to a real process.
    Wire,
    /// A recorded history, judged again.
    Recorded,
}

impl LevelName {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Explore => "explore",
            Self::Wire => "wire",
            Self::Recorded => "recorded",
        }
    }
}

/// One scenario at one level of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Level {
    /// Which level.
    pub level: LevelName,
    /// The scenario, or the model.
    pub scenario: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<Reason>,
    /// How the trials were chosen: `random walk`, `barrier rounds`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub method: SearchMethod,
    /// What a search whose trials are not drawn independently may claim instead of a bound: how many
    /// schedules there were, or the odds of finding a bug.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// Fewest and most simulated users of a trial, bystanders included.
    pub users: [u32; 2],
    /// Trials driven and judged.
    pub trials: u64,
    /// Trials that were asked for.
    pub trials_planned: u64,
    /// Trials in which runs of different users overlapped.
    pub trials_overlapping: u64,
    /// Runs started.
    pub runs_started: u64,
    /// Runs whose terminal event or answer came.
    pub runs_completed: u64,
    /// Runs whose outcome is unknown (cut connections and given-up waits).
    pub runs_unknown: u64,
    /// Pairs of runs of different users that overlapped, summed over trials.
    pub overlapping_pairs: u64,
    /// For how long two runs of different users were under way at once, summed over pairs:
    /// milliseconds on the wire, steps in the simulated world.
    #[serde(default)]
    pub time_together: u64,
    /// How many of the ordered phase pairs were hit.
    pub phase_coverage: PhaseCoverage,
    /// How likely a leak could still be; null after a leak and where no bound can be stated.
    pub leak_probability_upper_bound: Option<UpperBound>,
    /// The controls.
    pub controls: Controls,
    /// A row for each oracle.
    pub oracles: Vec<OracleRow>,
    /// The findings, one for each fingerprint.
    pub findings: Vec<FindingRecord>,
    /// What was found that does not change the verdict, one for each fingerprint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<FindingRecord>,
    /// What was taken for granted of the server, learnt from what it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<Assumption>,
    /// The first trial with a finding, from 1.
    pub first_leak_at_trial: Option<u64>,
    /// What the back end says of itself that did not show: a warning, not a leak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<Latent>,
    /// Where the scenario that the plans were made from says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who saw whose data, and in how many trials.
    #[serde(default, skip_serializing_if = "LeakMatrix::is_empty")]
    pub leak_matrix: LeakMatrix,
    /// When in its trial each trial's first crossing was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_first_leak: Option<Spread>,
    /// How long completed runs took, from their start to their last event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Spread>,
    /// What is drawn of the trials that findings were made in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timelines: Vec<Timeline>,
    /// What the server said, where the level is inconclusive.
    #[serde(default, skip_serializing_if = "Heard::is_empty")]
    pub heard: Heard,
}

impl Level {
    /// Of the trials that were asked for, those that were driven.
    pub fn trials_of_plan(&self) -> u64 {
        self.trials.min(self.trials_planned)
    }

    /// The trials that were driven beyond those that were asked for.
    pub fn trials_further(&self) -> u64 {
        self.trials.saturating_sub(self.trials_planned)
    }

    /// The timeline of the trial that the finding was made in.
    pub fn timeline_of(&self, finding: &FindingRecord) -> Option<&Timeline> {
        let history = finding.history.as_deref()?;
        self.timelines.iter().find(|timeline| timeline.history == history)
    }
}

/// Latent contamination: by the back end's own reports, something in its memory that works for one
/// user was bound to another, in trials in which nothing was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Latent {
    /// In how many of the trials without a finding.
    pub trials: u64,
    /// The first of them, from 1.
    pub first_trial: u64,
    /// The first report of that trial, in words; server text.
    pub example: String,
}

/// How many ordered pairs (A in phase i while B emits j) were hit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct PhaseCoverage {
    /// The phases, in golden-path order.
    pub phases: Vec<String>,
    /// Pairs hit at least once.
    pub hit: u64,
    /// All pairs.
    pub of: u64,
    /// `hit / of`; 0 where there are none.
    pub share: f64,
    /// How often each pair was hit: a row for each phase of A, a column for each event of B.
    pub counts: Vec<Vec<u64>>,
    /// How long a run was in each phase of A on average, in milliseconds; empty where the back end
    /// reports what it emits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean_milliseconds: Vec<f64>,
}

/// An upper bound on the probability that one more trial leaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct UpperBound {
    /// The bound: 1 − 0.05^(1/n).
    pub value: f64,
    /// Always 0.95.
    pub confidence: f64,
    /// What n counts: `trial` or `barrier round`.
    pub unit: String,
    /// How many independently drawn units with overlap.
    pub n: u64,
    /// How they were drawn.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub method: SearchMethod,
    /// Whether all of them ran against one process, so that they are less than independent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_process: bool,
}

/// What one oracle did at a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct OracleRow {
    /// The oracle.
    pub oracle: OracleId,
    /// Trials in which its precondition held.
    pub judged_trials: u64,
    /// How much it looked at: canaries, ids, events.
    pub judged_items: u64,
    /// Why its precondition did not hold, where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<String>,
    /// Distinct findings.
    pub findings: u64,
}

/// One finding, deduplicated by fingerprint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct FindingRecord {
    /// What stays the same when it is found again.
    pub fingerprint: Fingerprint,
    /// Who found it.
    pub oracle: OracleId,
    /// What kind of wrong it is.
    pub kind: FindingKind,
    /// Whose data it was.
    pub victim: UserName,
    /// The victim's run, by its number in the plan, where it is known.
    pub victim_run: Option<u16>,
    /// Who saw it.
    pub observer: UserName,
    /// What the victim was doing.
    pub victim_operation: String,
    /// How the victim's run was started, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim_via: Option<Via>,
    /// Where the observer saw it.
    pub observer_operation: String,
    /// One sentence.
    pub summary: String,
    /// At which event it was seen first: `agent_thinking of triage`; server text, hostile.
    pub event: Option<String>,
    /// The observations that prove it.
    pub evidence: Vec<Evidence>,
    /// The chain of causes, where the back end reported it.
    pub chain: Vec<String>,
    /// What most likely went wrong, where the chain of causes tells: a known mechanism, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<String>,
    /// The history of the trial that is told, relative to the run folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// How the data went, by the numbers of that history; none for what did not cross.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossing: Option<Crossing>,
    /// In how many trials it was found.
    pub seen_in_trials: u64,
    /// The first of them, from 1.
    pub first_trial: u64,
    /// The repro file, relative to the run folder.
    pub repro: Option<String>,
    /// How small the repro is, in words.
    pub repro_size: Option<String>,
    /// Wire: in how many of how many tries the repro reproduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproduction_rate: Option<Rate>,
    /// The exact line that reproduces it.
    pub reproduce_with: Option<String>,
}

/// A share, as its two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Rate {
    /// How often it happened.
    pub hit: u64,
    /// How often it was tried.
    pub of: u64,
}

/// A repro that was saved earlier, replayed before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SavedRepro {
    /// The file.
    pub file: String,
    /// The finding that it is of.
    pub fingerprint: Fingerprint,
    /// The finding in one sentence, as the file has it.
    pub summary: String,
    /// What strict replay came to.
    pub replay: ReplayResult,
    /// The number of the deviation from which it could not be followed, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged_at: Option<usize>,
}

/// A repro of before, replayed on after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct CrossCheck {
    /// The level that it was found at.
    pub level: LevelName,
    /// The finding of before.
    pub fingerprint: Fingerprint,
    /// The repro file.
    pub repro: String,
    /// What strict replay on after came to.
    pub replay: ReplayResult,
    /// Schedules around it that were tried on after.
    pub schedules_around: u64,
    /// Findings among them.
    pub findings_around: u64,
}

/// One figure that after must reach in relation to before: a back end that serialises everything
/// leaks nothing either, and would pass otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Comparison {
    /// The level.
    pub level: LevelName,
    /// The scenario.
    pub scenario: String,
    /// What is compared: `overlap`, `phase coverage`, `runs completed`.
    pub figure: String,
    /// Before's share; none where after stands for itself.
    pub before: Option<f64>,
    /// After's share.
    pub after: f64,
    /// The least that after's share must be.
    pub needed: f64,
    /// Whether it is.
    pub met: bool,
}

/// What an oracle looks for, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Rule {
    /// The oracle.
    pub oracle: OracleId,
    /// One line.
    pub short: String,
    /// What it means when it fires.
    pub meaning: String,
    /// When it can say nothing.
    pub precondition: String,
    /// What to check next.
    pub next: String,
}
