//! What it says against a level that a trial did not come to its end.

use partywall_core::history::Ending;
use partywall_core::verdict::{Reason, ReasonCode};

/// The reason, for the trial of that number; none where the trial was over, or was stopped by
/// somebody who says so for the whole level.
pub(crate) fn reason_of(ending: &Ending, trial: u64) -> Option<Reason> {
    Some(match ending {
        Ending::Finished | Ending::Stopped => return None,
        Ending::Stuck { tasks } => Reason::new(
            ReasonCode::BackendHangs,
            format!("trial {trial}: nothing could go on although {} users were left", tasks.len()),
        ),
        Ending::StepLimit { steps } => Reason::new(
            ReasonCode::BackendHangs,
            format!("trial {trial} was not over after {steps} steps"),
        ),
        Ending::Panicked { task, message } => Reason::new(
            ReasonCode::BackendPanicked,
            format!("trial {trial}: the task {task} panicked: {message}"),
        ),
        Ending::NeedsTokio { task } => Reason::new(
            ReasonCode::NeedsTokio,
            format!(
                "trial {trial}: the task {task} called tokio's own spawn, time or net; take the \
                     `World`'s instead"
            ),
        ),
        Ending::Nondeterministic { step } => Reason::new(
            ReasonCode::Nondeterministic,
            format!(
                "trial {trial}: the same plan and schedule, driven again, parted at step {step}; \
                     look for a clock, randomness or an unordered map"
            ),
        ),
        Ending::Diverged { deviation } => Reason::new(
            ReasonCode::ReplayDiverged,
            format!("trial {trial}: deviation {deviation} could not be followed"),
        ),
        Ending::Flooded { bytes } => Reason::new(
            ReasonCode::UnexpectedProtocol,
            format!(
                "trial {trial} was stopped: the server had sent {} MB, far more than was asked for",
                bytes >> 20
            ),
        ),
    })
}
