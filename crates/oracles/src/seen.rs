//! Genuine canaries that came in, and whose they are.

use super::message::{Channel, Place};
use partywall_core::canary::{Owner, Sighting};
use partywall_core::history::History;
use partywall_core::ids::UserName;

/// Stands for a run of an earlier trial on the same back end: plans count runs from 1. What a user
/// gave there is still their own, and whoever else sees it sees it across the boundary.
pub(super) const EARLIER: u16 = 0;

/// Whose canary that is, in a trial of that round.
pub(super) fn owner_in(round: u32, sighting: &Sighting) -> Owner {
    match sighting.round == round {
        true => sighting.owner,
        false => Owner { run: EARLIER, ..sighting.owner },
    }
}

/// Whether the user of that name gave it in an earlier round: it may come back at any time.
pub(super) fn is_own_of_earlier(history: &History, owner: Owner, name: &UserName) -> bool {
    let own =
        |user: &partywall_core::plan::UserPlan| user.index == owner.user && user.name == *name;
    owner.run == EARLIER && history.plan.users.iter().any(own)
}

/// A genuine canary that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<'h> {
    /// Whose data it marks.
    pub owner: Owner,
    /// The place in the history of the observation that it was complete with.
    pub(super) at: Place,
    /// That observation's number.
    pub n: u64,
    /// The number of the observation that it begins in: an earlier one if it came in pieces.
    pub from: u64,
    /// Who saw it.
    pub observer: &'h UserName,
    /// How it came.
    pub channel: Channel,
    /// The message that it was complete with, if it was a message.
    pub(super) message: Place,
}

impl Seen<'_> {
    /// The place in the history of the observation that it was complete with.
    pub fn at(&self) -> usize {
        self.at.get()
    }

    /// The message that it was complete with, if it was a message.
    pub(super) fn message(&self) -> Option<usize> {
        self.message.some()
    }
}
