//! What the replays of repros came to.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::Fingerprint;
use super::record::LevelName;

/// What the replay of a repro came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplayResult {
    /// The same finding was made.
    Same,
    /// The repro was followed to its end, and the finding was not made.
    Gone,
    /// The repro could not be followed.
    Diverged,
    /// The replay did not end.
    Unfinished,
    /// It is of another back end or level, and was not replayed.
    NotTried,
}

impl fmt::Display for ReplayResult {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Same => "same",
            Self::Gone => "gone",
            Self::Diverged => "diverged",
            Self::Unfinished => "unfinished",
            Self::NotTried => "not tried here",
        })
    }
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
