//! M05 Last-writer-wins slot ('current' client/session/run).
//!
//! As in the MCP TypeScript SDK before 1.26, where a server that is connected again silently
//! replaces its one transport.

use super::Ambient;
use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::ids::UserName;
use partywall_core::mechanism::Mechanism;

/// Makes the run's user the current one.
pub(crate) fn note(shared: &Shared, context: &UserExecutionContext) {
    if shared.defects.is(Mechanism::M05) {
        shared.defects.ambient.configure(Ambient::of(context, ""));
    }
}

/// The current user, whoever the event is for.
pub(crate) fn target(shared: &Shared, context: &UserExecutionContext) -> Option<UserName> {
    let hit = shared.defects.hits(Mechanism::M05, context);
    hit.then(|| shared.defects.ambient.read()).flatten().map(|current| current.user)
}
