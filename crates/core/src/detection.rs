//! What a self-test came to: every known mechanism, switched on in turn, and what found it.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::OracleId;

/// The detection matrix, as it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct DetectionRecord {
    /// The work that each mechanism was looked for under, in words.
    pub work: String,
    /// For how many of a hundred requests each defect was switched on.
    pub share: u32,
    /// Seeds with which each was looked for.
    pub seeds: u64,
    /// The most trials with each seed.
    pub trials: u64,
    /// A row for each mechanism.
    pub rows: Vec<DetectionRow>,
    /// A row for each work without a defect, where that was driven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quiet: Vec<QuietRow>,
}

/// One mechanism.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct DetectionRow {
    /// Its code: `M05`.
    pub mechanism: String,
    /// What it is called.
    pub name: String,
    /// With how many seeds it was found.
    pub found: u64,
    /// Trials until it was found: the median over the seeds; none where that seed did not find it.
    pub median: Option<u64>,
    /// Trials until it was found: the most; none where a seed did not find it.
    pub worst: Option<u64>,
    /// With how many seeds the first leaking trial looked like this mechanism before all others.
    pub named_first: u64,
    /// The oracles that found it, and those that were expected to.
    pub oracles: Vec<OracleCell>,
    /// What driving it over real connections came to, where it was driven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<WireCell>,
    /// What is expected there: `found`, or why not.
    pub wire_expected: String,
    /// The model of the kernel that shows its like, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// What one oracle came to with one mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct OracleCell {
    /// The oracle.
    pub oracle: OracleId,
    /// With how many seeds it found it.
    pub seeds: u64,
    /// Trials until it did: the median over those seeds.
    pub median: Option<u64>,
    /// Trials until it did: the most.
    pub worst: Option<u64>,
    /// Whether it is expected with at least one.
    pub expected: bool,
}

/// What driving one mechanism over real connections came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct WireCell {
    /// In which round it was found, from 1; none where it was not.
    pub found_in_round: Option<u64>,
    /// Rounds driven.
    pub rounds: u64,
    /// How long that took, in seconds.
    pub seconds: f64,
    /// By which oracles.
    pub oracles: Vec<OracleId>,
}

/// One work without a defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct QuietRow {
    /// The scenario, and the level where it is not `explore`.
    pub work: String,
    /// Trials in all.
    pub trials: u64,
    /// Those in which runs of different users overlapped, where they were counted.
    pub overlapping: Option<u64>,
    /// Findings: none, if all is well.
    pub findings: u64,
}
