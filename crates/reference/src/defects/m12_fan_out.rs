//! M12 Over-broad fan-out.
//!
//! As in the OpenClaw web chat, whose scoped send fell back to a broadcast where the target had
//! no subscriber.

use std::sync::Arc;

use crate::context::UserExecutionContext;
use crate::delivery::Delivery;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// The target has no connection: everybody gets it.
pub(crate) fn to_all(shared: &Shared, context: &UserExecutionContext, event: &Arc<Delivery>) {
    if shared.defects.hits(Mechanism::M12, context) {
        for user in shared.connections.users() {
            shared.connections.emit(&user, event);
        }
    }
}
