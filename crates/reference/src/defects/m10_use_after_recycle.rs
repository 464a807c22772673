//! M10 Use after recycle.
//!
//! As in Fiber, whose strings alias a request buffer that is recycled when the handler returns.

use std::sync::Arc;

use crate::context::UserExecutionContext;
use crate::earlier::remember;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Turns, or milliseconds, until the detached work comes to it.
const LATER: u32 = 4;

/// Leaves the answer to a detached task, which reads it from the buffer when it comes to it.
pub(crate) fn keeps_later(
    shared: &Arc<Shared>,
    context: &UserExecutionContext,
    buffer: u64,
) -> bool {
    if !shared.defects.hits(Mechanism::M10, context) {
        return false;
    }
    let (shared, context) = (Arc::clone(shared), context.clone());
    let world = shared.world.clone();
    world.spawn(format!("{}/keep", context.run_id()), async move {
        shared.world.sleep(LATER).await;
        let text = shared.buffers.get(&buffer).unwrap_or_default();
        remember(&shared, &context, "agent", &text);
    });
    true
}
