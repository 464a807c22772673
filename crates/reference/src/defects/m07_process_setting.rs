//! M07 Process-wide setting changed per request.
//!
//! As in wet-mcp, which copied the API key of each user into the environment of the process.

use std::sync::Arc;

use super::Ambient;
use crate::context::UserExecutionContext;
use crate::question::Question;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// The setting as it was; put back when dropped, whoever set it meanwhile.
pub(crate) struct Restore {
    shared: Arc<Shared>,
    before: Ambient,
}

/// Sets the setting of the process for the time of a run. Who has none of their own sets nothing.
pub(crate) fn enter(
    shared: &Arc<Shared>,
    context: &UserExecutionContext,
    settings: &str,
) -> Option<Restore> {
    if !shared.defects.is(Mechanism::M07) || settings.is_empty() {
        return None;
    }
    let own = Ambient::of(context, settings);
    let before = shared.defects.ambient.read().unwrap_or_else(|| own.clone());
    shared.defects.ambient.configure(own);
    Some(Restore { shared: Arc::clone(shared), before })
}

impl Drop for Restore {
    fn drop(&mut self) {
        self.shared.defects.ambient.configure(self.before.clone());
    }
}

/// Asks under the setting as it is now.
pub(crate) fn apply(shared: &Shared, question: &mut Question) {
    if shared.defects.hits(Mechanism::M07, &question.context)
        && let Some(now) = shared.defects.ambient.read()
    {
        question.settings = now.settings;
    }
}
