//! M11 Wrong ambient context.
//!
//! As in Node and uvicorn, where a pooled socket or a connection keeps the context of another
//! request.

use super::Ambient;
use crate::context::UserExecutionContext;
use crate::question::Question;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Sets the ambient identity where an agent begins to work.
pub(crate) fn enter(shared: &Shared, context: &UserExecutionContext, settings: &str) {
    if shared.defects.is(Mechanism::M11) {
        shared.defects.ambient.configure(Ambient::of(context, settings));
    }
}

/// Calls the tool as whoever the ambient identity is after all that was awaited.
pub(crate) fn apply(shared: &Shared, question: &mut Question) {
    if shared.defects.hits(Mechanism::M11, &question.context)
        && let Some(now) = shared.defects.ambient.read()
    {
        question.credential = now.user;
        question.settings = now.settings;
    }
}
