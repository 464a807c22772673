//! M03 Correlation/routing key collides between clients.
//!
//! As in the MCP TypeScript SDK before 1.26, where one map from request id to stream served
//! clients whose ids all count from 0.

use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::ids::UserName;
use partywall_core::mechanism::Mechanism;

/// Enters the client's request id into the map that events are routed by.
pub(crate) fn note(shared: &Shared, context: &UserExecutionContext) {
    if shared.defects.is(Mechanism::M03) {
        shared.defects.names.put(context.request_id().to_string(), context.user_id().clone());
    }
}

/// Whom the map names for the request.
pub(crate) fn target(shared: &Shared, context: &UserExecutionContext) -> Option<UserName> {
    let hit = shared.defects.hits(Mechanism::M03, context);
    hit.then(|| shared.defects.names.get(&context.request_id().to_string())).flatten()
}
