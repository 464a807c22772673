//! M23 Control action hits the wrong run.
//!
//! As in Unsloth Studio, whose registry of cancellations is not kept by user.

use crate::reference::process::Shared;
use crate::trial::ids::{RequestId, RunId};
use crate::trial::mechanism::Mechanism;

/// Enters the run under the client's request id.
pub(in crate::reference) fn note(shared: &Shared, run: &RunId, request: &RequestId) {
    if shared.defects.is(Mechanism::M23) {
        shared.defects.runs.put(request.to_string(), run.clone());
    }
}

/// The run that a stop is for: the last one with that request id.
pub(in crate::reference) fn target(shared: &Shared, run: &RunId) -> RunId {
    let defects = &shared.defects;
    if !defects.is(Mechanism::M23) || !defects.strikes(run.as_str()) {
        return run.clone();
    }
    let request = shared.controls.get(run).map(|control| control.request.to_string());
    request.and_then(|request| defects.runs.get(&request)).unwrap_or_else(|| run.clone())
}
