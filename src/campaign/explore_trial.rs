//! One trial in the simulated world.

use std::sync::Arc;

use crate::reference::call_sites::Migration;
use crate::reference::service::Service;
use crate::swarm::transport::InProcess;
use crate::swarm::{self, Patience};
use crate::trial::history::{Ending, History};
use crate::trial::plan::Plan;
use crate::trial::schedule::Schedule;
use crate::world::recorder::Recorder;
use crate::world::simulated::{InsideRuntime, Limits, Simulated, simulate};
use crate::world::strategy::{Mode, Replay, Strategy};

/// What one explored trial left.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What was done and seen.
    pub history: History,
    /// Where it deviated from the default policy.
    pub schedule: Schedule,
    /// Steps taken.
    pub steps: u64,
}

/// Drives the plan once against a fresh reference back end with those call sites migrated.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn explore_trial(
    plan: &Plan,
    migration: Migration,
    strategy: &mut dyn Strategy,
    stop: &dyn Fn() -> bool,
) -> Result<Trial, InsideRuntime> {
    let plan = Arc::new(plan.clone());
    let recorder = Recorder::in_memory();
    let Simulated { ending, schedule, steps, .. } =
        simulate(strategy, Limits::default(), stop, recorder.clone(), |world, users| {
            let backend = InProcess::new(Service::new(world.clone(), migration));
            for (name, user) in swarm::users(world, &backend, &plan, Patience::default()) {
                users.spawn(name, user);
            }
        })?;
    // Nothing is written to disk here, so there is no error to lose.
    let (observations, _) = recorder.finish();
    let plan = Arc::unwrap_or_clone(plan);
    Ok(Trial { history: History { plan, observations, ending: Some(ending) }, schedule, steps })
}

/// Replays a schedule. In strict mode a deviation that was never asked for ends in
/// [`Ending::Diverged`], as one that could not be followed does.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn replay_trial(
    plan: &Plan,
    migration: Migration,
    schedule: &Schedule,
    mode: Mode,
    stop: &dyn Fn() -> bool,
) -> Result<Trial, InsideRuntime> {
    let mut replay = Replay::new(schedule, mode);
    let mut trial = explore_trial(plan, migration, &mut replay, stop)?;
    if let (Mode::Strict, Some(deviation)) = (mode, replay.left_over())
        && trial.history.ending == Some(Ending::Finished)
    {
        trial.history.ending = Some(Ending::Diverged { deviation });
    }
    Ok(trial)
}
