//! The controls: what must be caught, or a clean result does not count.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canary::{Field, Owner, PHANTOM_USER};
use super::via::Via;

/// Whose canary the path control puts into a real user's prompt: nobody's, told apart by the kind
/// of run only, so that its return shows through which kind of run the canary oracle can see.
pub fn phantom_owner(via: Via) -> Owner {
    let run = match via {
        Via::Socket => 1,
        Via::Http => 2,
        Via::Stream => 3,
    };
    Owner { user: PHANTOM_USER, run, field: Field::Prompt }
}

/// How many controls of one kind were planted, and how many of them caught.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Tally {
    /// How many were planted.
    pub planted: u64,
    /// How many were caught.
    pub caught: u64,
    /// What was missed, in words; empty when all were caught.
    #[serde(default)]
    pub missed: Vec<String>,
    /// Path controls: the kinds of run through which nothing came back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed_via: Vec<Via>,
}

impl Tally {
    /// Counts one control; `what` names it in case it was missed.
    pub fn count(&mut self, caught: bool, what: impl FnOnce() -> String) {
        self.planted += 1;
        if caught {
            self.caught += 1;
        } else {
            self.missed.push(what());
        }
    }

    /// Whether controls were planted and each was caught.
    pub fn all_caught(&self) -> bool {
        self.planted > 0 && self.caught == self.planted
    }
}

/// Whether a back end that is known to leak was seen to leak under the same plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Drive {
    /// No such back end was driven; a plain run has none.
    Absent,
    /// It leaked, as it must.
    Fired,
    /// It did not leak: the plans are too weak.
    Missed,
}

/// The controls of one level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Controls {
    /// Judge and path controls together.
    pub planted: u64,
    /// How many of them were caught.
    pub caught: u64,
    /// Recorded bytes altered before decoding: does the judge see it?
    pub judge: Tally,
    /// A phantom's canary sent through the target: would a canary come back recognisably?
    pub path: Tally,
    /// A back end known to leak: do these plans provoke it?
    pub drive: Drive,
}

impl Controls {
    /// The controls of a level from their parts.
    pub fn new(judge: Tally, path: Tally, drive: Drive) -> Self {
        Self {
            planted: judge.planted + path.planted,
            caught: judge.caught + path.caught,
            judge,
            path,
            drive,
        }
    }
}
