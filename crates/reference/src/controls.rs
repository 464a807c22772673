//! Stop and approve: what a user may do to a run of their own while it goes on.

use std::sync::Arc;

use super::context::UserExecutionContext;
use super::defects::m23_control;
use super::shared::{RunControl, Shared};
use super::supervisor::RunError;
use partywall_core::ids::RunId;

/// Makes a run controllable.
pub(crate) fn open(shared: &Shared, context: &UserExecutionContext) {
    let (run, request) = (context.run_id(), context.request_id().clone());
    m23_control::note(shared, context);
    let control = RunControl { request, stopped: false, approved: false, waiting: None };
    shared.controls.put(run.clone(), control);
}

/// Asks the run to stop; false if it has ended, or is past the point where it can.
pub(crate) fn stop(shared: &Shared, run: &RunId) -> bool {
    let run = m23_control::target(shared, run);
    let stopped = shared.controls.edit(&run, |control| {
        control.stopped = true;
        // Who waits for an approval is woken by the end of the channel.
        control.waiting = None;
    });
    stopped.is_some()
}

/// Lets the run go on where it waits for an approval; false if it has ended.
pub(crate) fn approve(shared: &Shared, run: &RunId) -> bool {
    let approved = shared.controls.edit(run, |control| {
        control.approved = true;
        if let Some(waiting) = control.waiting.take() {
            // The run may be cancelled meanwhile.
            let _ = waiting.send(());
        }
    });
    approved.is_some()
}

/// Whether the run may go on.
///
/// # Errors
///
/// [`RunError::Stopped`] where its user stopped it.
pub(crate) fn look(shared: &Shared, run: &RunId) -> Result<(), RunError> {
    match shared.controls.edit(run, |control| control.stopped) {
        Some(true) => Err(RunError::Stopped),
        _ => Ok(()),
    }
}

/// Waits until the run is approved or stopped.
///
/// # Errors
///
/// [`RunError::Stopped`] where its user stopped it.
pub(crate) async fn approval(shared: &Arc<Shared>, run: &RunId) -> Result<(), RunError> {
    let wait = shared.controls.edit(run, |control| {
        if control.approved || control.stopped {
            return None;
        }
        let (sender, approvals) = shared.world.channel(1);
        control.waiting = Some(sender);
        Some(approvals)
    });
    if let Some(Some(mut approvals)) = wait {
        approvals.receive().await;
    }
    look(shared, run)
}

/// Takes the controls away: from here on the run cannot be stopped.
///
/// # Errors
///
/// [`RunError::Stopped`] where its user stopped it before.
pub(crate) fn close(shared: &Shared, run: &RunId) -> Result<(), RunError> {
    match shared.controls.take(run) {
        Some(RunControl { stopped: true, .. }) => Err(RunError::Stopped),
        _ => Ok(()),
    }
}
