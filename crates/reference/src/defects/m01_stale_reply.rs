//! M01 Stale reply on a reused upstream connection.
//!
//! As in redis-py 4.5.1, where a cancelled command left its reply on the pooled connection.

use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Whether a call that is dropped gives its connection back with the reply unread.
pub(crate) fn keeps_unread(shared: &Shared, context: &UserExecutionContext) -> bool {
    shared.defects.hits(Mechanism::M01, context)
}
