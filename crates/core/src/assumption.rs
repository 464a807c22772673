//! What is taken for granted of a server, learnt from what it does.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a server does that would be a fault in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Assumption {
    /// It counts the runs of each user on their own.
    RunIdsOfUsers,
    /// It gives the id of a run that has ended to another.
    RunIdsReused,
    /// It takes the ids of runs from a clock.
    RunIdsFromClock,
    /// It may deliver an event more than once.
    AtLeastOnce,
    /// It numbers events across runs.
    SequenceAcrossRuns,
}

impl fmt::Display for Assumption {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::RunIdsOfUsers => {
                "the server counts the runs of each user on their own, so an equal run id is no leak"
            }
            Self::RunIdsReused => {
                "the server reuses the id of a run that has ended, so an equal run id is no leak"
            }
            Self::RunIdsFromClock => {
                "the server takes run ids from a clock, so an equal run id is no leak"
            }
            Self::AtLeastOnce => {
                "the server delivers events at least once, so an equal copy of an event on the same \
                 connection is no fault"
            }
            Self::SequenceAcrossRuns => {
                "the server numbers events across runs, so a gap in the numbers of a run is no loss"
            }
        })
    }
}
