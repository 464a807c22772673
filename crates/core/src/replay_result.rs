//! What the replays of repros came to.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
