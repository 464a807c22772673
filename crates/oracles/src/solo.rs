//! What each user gets alone: the baseline of O5.

use std::collections::{BTreeMap, BTreeSet};

use partywall_core::ids::UserName;

/// So often a user must have been driven alone before anything is said of them.
const LEAST: u32 = 2;

/// What each user gets alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solos(pub(super) BTreeMap<UserName, Solo>);

/// What one user gets alone, as far as all their solo histories agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Solo {
    pub(super) histories: u32,
    /// One of the histories did not come to its end.
    pub(super) unfinished: bool,
    /// None where the histories differ, or the run does not stand for itself.
    pub(super) runs: BTreeMap<u16, Option<Account>>,
    /// What came although they start nothing, in any of the histories.
    pub(super) others: BTreeSet<String>,
    /// Whether an event came of a run that is not known to be theirs.
    pub(super) strays: bool,
}

/// What came of a run, whenever it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) events: BTreeMap<u64, String>,
    pub(super) answer: Option<String>,
}

impl Solos {
    /// What that user gets alone, where it is known.
    pub(super) fn of(&self, user: &UserName) -> Option<&Solo> {
        self.0.get(user).filter(|solo| solo.histories >= LEAST && !solo.unfinished)
    }
}

impl Solo {
    pub(super) fn run(&self, number: u16) -> Option<&Account> {
        self.runs.get(&number)?.as_ref()
    }
}
