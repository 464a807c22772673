//! The runs whose events came as they should, told apart once for all oracles that look at order.
//!
//! Nearly every run is orderly, and of an orderly one O3, O4 and O6 would find nothing in its order,
//! at several times the cost.

use super::message::{Message, Place};
use super::run_facts::RunFacts;

/// What there is to know of an orderly run: one user who may have it got all its events on one
/// connection, each numbered higher than the one before, and nothing after the one that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orderly {
    /// How many events.
    pub(super) events: u64,
    /// Whether the last one ends it.
    pub(super) ends: bool,
    /// The numbers of the first and the last one.
    first: u64,
    last: u64,
}

impl Orderly {
    /// Of the run with those events, in the order in which they came; nothing if it is not orderly.
    pub(super) fn of(
        messages: &[Message<'_>],
        runs: &[RunFacts<'_>],
        events: &[Place],
    ) -> Option<Self> {
        let (first, _) = events.split_first()?;
        let first = &messages[first.get()];
        if !runs[first.run_at()?].may_be_of(first.observer) {
            return None;
        }
        let mut orderly = Self { events: 0, ends: false, first: first.sequence?, last: 0 };
        for message in events.iter().map(|at| &messages[at.get()]) {
            let number = message.sequence?;
            let rises = orderly.events == 0 || number > orderly.last;
            let same = message.line() == first.line() && message.observer == first.observer;
            if !rises || !same || orderly.ends {
                return None;
            }
            let events = orderly.events + 1;
            orderly = Self { events, ends: message.is_terminal, last: number, ..orderly };
        }
        Some(orderly)
    }

    /// Whether its numbers are 1, 2 and so on.
    pub(super) fn is_whole(self) -> bool {
        // They rise, so there is no other way; a numbering that begins elsewhere is looked at.
        self.first == 1 && self.last == self.events
    }
}
