//! The simulated world: one task at a time, and a strategy says which.
//!
//! A trial is a value: the same plan and the same schedule give the same observations, byte for
//! byte. There is no clock (now is the step counter), no randomness, and no order that depends on
//! an address: tasks are kept sorted by name.

use std::cell::Cell;
use std::future::Future;
use std::sync::{Arc, Once};

use super::executor::Executor;
use super::recorder::Recorder;
pub use super::simulation::FaultPoints;
use super::simulation::Simulation;
use super::strategy::Strategy;
use super::world::World;
use partywall_core::history::Ending;
use partywall_core::ids::TaskName;
use partywall_core::plan::Fault;
use partywall_core::schedule::Schedule;

/// How far a trial may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps in all; a back end that takes more hangs.
    pub steps: u64,
    /// Steps after every user has come to the end of their plan, for detached work to settle.
    pub settling_steps: u64,
    /// Whether to keep which task took each step.
    pub trace: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 200_000, settling_steps: 20_000, trace: false }
    }
}

/// What a trial in the simulated world came to, beside what was recorded.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// How it ended.
    pub ending: Ending,
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
    /// Which task took each step, the first at 0; empty unless [`Limits::trace`] asked for it.
    pub trace: Vec<TaskName>,
}

/// Why a trial cannot be simulated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InsideRuntime;

impl std::fmt::Display for InsideRuntime {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(
            "the simulated world cannot run inside a tokio runtime, whose cooperative budget would \
             stall it; call it from a thread of its own",
        )
    }
}

impl std::error::Error for InsideRuntime {}

/// Runs tasks under that strategy until all users are done and the world is at rest.
///
/// `start` makes the first tasks with [`Users::spawn`]; `stop` is asked at every step.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn simulate(
    strategy: &mut dyn Strategy,
    limits: Limits,
    stop: &dyn Fn() -> bool,
    recorder: Recorder,
    start: impl FnOnce(&World, &Users),
) -> Result<Simulated, InsideRuntime> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(InsideRuntime);
    }
    let _quiet = QuietPanics::begin();
    let simulation = Arc::new(Simulation::default());
    let world = World::simulated(Arc::clone(&simulation), recorder);
    start(&world, &Users(Arc::clone(&simulation)));
    Ok(Executor::new(simulation).run(strategy, limits, stop))
}

/// Starts the tasks that a trial waits for.
#[derive(Debug)]
pub struct Users(Arc<Simulation>);

impl Users {
    /// Plans what goes wrong.
    pub fn plan_faults(&self, faults: &[Fault]) {
        self.0.plan_faults(faults);
    }

    /// Starts a task that the trial waits for.
    pub fn spawn(
        &self,
        name: impl Into<TaskName>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.0.spawn(name.into(), Box::pin(task), true);
    }
}

thread_local! {
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// Keeps the default panic hook from printing what the trial's ending says anyway, on this thread.
struct QuietPanics;

impl QuietPanics {
    fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if QUIET.with(Cell::get) == 0 {
                    previous(panic);
                }
            }));
        });
        QUIET.with(|depth| depth.set(depth.get() + 1));
        Self
    }
}

impl Drop for QuietPanics {
    fn drop(&mut self) {
        QUIET.with(|depth| depth.set(depth.get() - 1));
    }
}
