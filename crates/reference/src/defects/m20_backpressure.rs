//! M20 Backpressure coupling.
//!
//! As in hoister, with one bounded broadcast channel for all tenants: who reads slowly costs
//! others events.

use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// How many events may wait in the process, for whomever; a user alone may fill it too, so that O5,
/// which knows nothing of what varies alone, does not see this one.
const MOST_WAITING: u64 = 4;

/// Whether the event is dropped because others' events wait.
pub(crate) fn drops(shared: &Shared, context: &UserExecutionContext) -> bool {
    let full = || shared.defects.waiting.get(&()).is_some_and(|waiting| waiting >= MOST_WAITING);
    shared.defects.hits(Mechanism::M20, context) && full()
}

/// The event waits for that many connections.
pub(crate) fn queued(shared: &Shared, connections: usize) {
    if shared.defects.is(Mechanism::M20) {
        shared.defects.waiting.change((), || 0, |waiting| *waiting += connections as u64);
    }
}

/// A connection has taken an event.
pub(crate) fn taken(shared: &Shared) {
    if shared.defects.is(Mechanism::M20) {
        shared.defects.waiting.change((), || 0, |waiting| *waiting = waiting.saturating_sub(1));
    }
}
