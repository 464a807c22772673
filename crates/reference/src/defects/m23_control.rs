//! M23 Control action hits the wrong run.
//!
//! As in Unsloth Studio, whose registry of cancellations is not kept by user.

use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::ids::RunId;
use partywall_core::mechanism::Mechanism;

/// Enters the run under the client's request id.
pub(crate) fn note(shared: &Shared, context: &UserExecutionContext) {
    let defects = &shared.defects;
    if !defects.is(Mechanism::M23) {
        return;
    }
    let (run, request) = (context.run_id(), context.request_id());
    defects.runs.put(request.to_string(), run.clone());
    if context.is_struck() {
        defects.names.put(run.to_string(), context.user_id().clone());
    }
}

/// The run that a stop is for: the last one with that request id.
pub(crate) fn target(shared: &Shared, run: &RunId) -> RunId {
    let defects = &shared.defects;
    let is_struck = defects.is(Mechanism::M23) && defects.names.get(&run.to_string()).is_some();
    if !is_struck {
        return run.clone();
    }
    let request = shared.controls.get(run).map(|control| control.request.to_string());
    request.and_then(|request| defects.runs.get(&request)).unwrap_or_else(|| run.clone())
}
