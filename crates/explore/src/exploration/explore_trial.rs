//! One trial in the simulated world.

use std::sync::Arc;

use crate::exploration::subject::Subject;
use crate::user::{Given, users as users_of};
use partywall_core::history::{Ending, History};
use partywall_core::ids::TaskName;
use partywall_core::plan::Plan;
use partywall_core::schedule::Schedule;
use partywall_world::recorder::Recorder;
use partywall_world::simulated::{FaultPoints, InsideRuntime, Limits, Simulated, simulate};
use partywall_world::strategy::{Mode, Replay, Strategy, Twice};

/// What one explored trial left.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What was done and seen.
    pub history: History,
    /// Where it deviated from the default policy.
    pub schedule: Schedule,
    /// Steps taken.
    pub steps: u64,
    /// Switch points at which more than one task could go on.
    pub choices: u64,
    /// Tasks that were started.
    pub tasks: u64,
    /// How many points at which production may drop something were passed.
    pub fault_points: FaultPoints,
    /// Which task took each step; empty unless it was asked for.
    pub trace: Vec<TaskName>,
}

/// Drives the plan once against a fresh back end.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn explore_trial(
    plan: &Plan,
    subject: &dyn Subject,
    strategy: &mut dyn Strategy,
    stop: &dyn Fn() -> bool,
) -> Result<Trial, InsideRuntime> {
    trial_within(plan, subject, strategy, stop, Limits::default())
}

fn trial_within(
    plan: &Plan,
    subject: &dyn Subject,
    strategy: &mut dyn Strategy,
    stop: &dyn Fn() -> bool,
    limits: Limits,
) -> Result<Trial, InsideRuntime> {
    let plan = Arc::new(plan.clone());
    let recorder = Recorder::in_memory();
    let simulated = simulate(strategy, limits, stop, recorder.clone(), |world, users| {
        users.plan_faults(&plan.faults);
        let backend = subject.back_end(world);
        for (name, user) in users_of(world, &*backend, Given::default(), &plan) {
            users.spawn(name, user);
        }
    })?;
    // Nothing is written to disk here, so there is no error to lose.
    let (observations, _) = recorder.finish();
    let Simulated { ending, schedule, steps, choices, tasks, fault_points, trace } = simulated;
    let plan = Arc::unwrap_or_clone(plan);
    let history = History { plan, observations, ending: Some(ending) };
    Ok(Trial { history, schedule, steps, choices, tasks, fault_points, trace })
}

/// Drives the plan twice with the same choices. Where the two part, or the histories differ, the
/// trial ends in [`Ending::Nondeterministic`]: something draws on what neither plan nor schedule
/// holds, and no finding of it could be replayed.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub(crate) fn explore_twice(
    plan: &Plan,
    subject: &dyn Subject,
    strategy: &mut dyn Strategy,
    stop: &dyn Fn() -> bool,
) -> Result<Trial, InsideRuntime> {
    let mut twice = Twice::new(strategy);
    let mut trial = explore_trial(plan, subject, &mut twice, stop)?;
    if trial.history.ending == Some(Ending::Stopped) {
        return Ok(trial);
    }
    let mut again = twice.again();
    let second = explore_trial(plan, subject, &mut again, stop)?;
    let stopped = second.history.ending == Some(Ending::Stopped);
    if !stopped && (again.parted() || second.history != trial.history) {
        let pairs = trial.history.observations.iter().zip(&second.history.observations);
        let differ = pairs.into_iter().find(|(first, second)| first != second);
        let step = differ.map_or(trial.steps.min(second.steps), |(first, _)| first.at);
        trial.history.ending = Some(Ending::Nondeterministic { step });
    }
    Ok(trial)
}

/// Replays a schedule. In strict mode a deviation that was never asked for ends in
/// [`Ending::Diverged`], as one that could not be followed does. The steps are traced.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn replay_trial(
    plan: &Plan,
    subject: &dyn Subject,
    schedule: &Schedule,
    mode: Mode,
    stop: &dyn Fn() -> bool,
) -> Result<Trial, InsideRuntime> {
    let mut replay = Replay::new(schedule, mode);
    let limits = Limits { trace: mode == Mode::Strict, ..Limits::default() };
    let mut trial = trial_within(plan, subject, &mut replay, stop, limits)?;
    if let (Mode::Strict, Some(deviation)) = (mode, replay.left_over())
        && trial.history.ending == Some(Ending::Finished)
    {
        trial.history.ending = Some(Ending::Diverged { deviation });
    }
    Ok(trial)
}
