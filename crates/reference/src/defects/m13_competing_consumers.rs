//! M13 Competing consumers on one queue.
//!
//! As in Cheshire Cat AI, where all WebSocket connections read one queue and each message goes
//! to one of them.

use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::ids::UserName;
use partywall_core::mechanism::Mechanism;

/// Whoever reads the queue next.
pub(crate) fn target(shared: &Shared, context: &UserExecutionContext) -> Option<UserName> {
    if !shared.defects.hits(Mechanism::M13, context) {
        return None;
    }
    let readers = shared.connections.users();
    let turn = usize::try_from(shared.defects.counter.next()).unwrap_or_default();
    readers.get(turn.checked_rem(readers.len())?).cloned()
}
