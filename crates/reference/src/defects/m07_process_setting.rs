//! M07 Process-wide setting changed per request.
//!
//! As in wet-mcp, which copied the API key of each user into the environment of the process.

use std::sync::Arc;

use super::Ambient;
use crate::context::UserExecutionContext;
use crate::on_drop::OnDrop;
use crate::question::Question;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Sets the setting of the process for the time of a run; in the end it is put back as it was,
/// whoever set it meanwhile. Who has none of their own sets nothing.
pub(crate) fn enter(
    shared: &Arc<Shared>,
    context: &UserExecutionContext,
    settings: &str,
) -> Option<OnDrop<impl FnMut() + use<>>> {
    if !shared.defects.is(Mechanism::M07) || settings.is_empty() {
        return None;
    }
    let own = Ambient::of(context, settings);
    let before = shared.defects.ambient.read().unwrap_or_else(|| own.clone());
    shared.defects.ambient.configure(own);
    let shared = Arc::clone(shared);
    Some(OnDrop(move || shared.defects.ambient.configure(before.clone())))
}

/// Asks under the setting as it is now.
pub(crate) fn apply(shared: &Shared, question: &mut Question) {
    if shared.defects.hits(Mechanism::M07, &question.context)
        && let Some(now) = shared.defects.ambient.read()
    {
        question.settings = now.settings;
    }
}
