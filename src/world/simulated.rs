//! The simulated world: one task at a time, and a strategy says which.
//!
//! A trial is a value: the same plan and the same schedule give the same observations, byte for
//! byte. There is no clock (now is the step counter), no randomness, and no order that depends on
//! an address: tasks are kept sorted by name.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::BoxFuture;

use super::World;
use super::recorder::Recorder;
use super::strategy::{Choice, Strategy, SwitchPoint};
use crate::trial::history::Ending;
use crate::trial::ids::TaskName;
use crate::trial::schedule::{Deviation, Schedule};

/// The number of a task in its world, by order of its start.
pub(super) type TaskId = u64;

/// How far a trial may go.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Steps in all; a back end that takes more hangs.
    pub steps: u64,
    /// Steps after every user has come to the end of their plan, for detached work to settle.
    pub settling_steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 200_000, settling_steps: 20_000 }
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
    /// Starts a task that the trial waits for.
    pub fn spawn(
        &self,
        name: impl Into<TaskName>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.0.spawn(name.into(), Box::pin(task), true);
    }
}

/// What world handles and the executor share. All of it is used by one thread at a time.
#[derive(Default)]
pub(super) struct Simulation {
    steps: AtomicU64,
    requests: Mutex<Requests>,
}

/// What tasks asked for since the executor last looked.
#[derive(Default)]
struct Requests {
    started: u64,
    names: BTreeMap<TaskName, u64>,
    spawned: Vec<Slot>,
    aborted: Vec<TaskId>,
    patience: BTreeMap<u64, (Waker, Arc<AtomicBool>)>,
    waits: u64,
}

struct Slot {
    id: TaskId,
    name: TaskName,
    awaited: bool,
    steps: u64,
    future: BoxFuture<'static, ()>,
    ready: Arc<Ready>,
    waker: Waker,
}

struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Simulation {
    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    pub(super) fn spawn(
        &self,
        name: TaskName,
        future: BoxFuture<'static, ()>,
        awaited: bool,
    ) -> TaskId {
        let mut requests = self.requests();
        let taken = requests.names.entry(name.clone()).or_insert(0);
        *taken += 1;
        let name = if *taken == 1 { name } else { TaskName::new(format!("{name}#{taken}")) };
        let id = requests.started;
        requests.started += 1;
        let ready = Arc::new(Ready(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&ready));
        requests.spawned.push(Slot { id, name, awaited, steps: 0, future, ready, waker });
        id
    }

    pub(super) fn abort(&self, id: TaskId) {
        self.requests().aborted.push(id);
    }
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Simulation(step {})", self.now())
    }
}

/// Ready once nothing else in the world can go on.
pub(super) struct Patience {
    simulation: Arc<Simulation>,
    wait: Option<(u64, Arc<AtomicBool>)>,
}

impl Patience {
    pub(super) fn new(simulation: Arc<Simulation>) -> Self {
        Self { simulation, wait: None }
    }
}

impl Future for Patience {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Some((_, out)) = &this.wait
            && out.load(Ordering::Relaxed)
        {
            return Poll::Ready(());
        }
        let mut requests = this.simulation.requests();
        let (id, out) = this.wait.get_or_insert_with(|| {
            requests.waits += 1;
            (requests.waits, Arc::new(AtomicBool::new(false)))
        });
        requests.patience.insert(*id, (context.waker().clone(), Arc::clone(out)));
        Poll::Pending
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if let Some((id, _)) = self.wait {
            self.simulation.requests().patience.remove(&id);
        }
    }
}

struct Executor {
    simulation: Arc<Simulation>,
    /// Sorted by name, in step with `names`.
    slots: Vec<Slot>,
    names: Vec<TaskName>,
    ready: Vec<usize>,
    after: TaskName,
    after_steps: u64,
    awaited_left: usize,
    schedule: Schedule,
    choices: u64,
}

impl Executor {
    fn new(simulation: Arc<Simulation>) -> Self {
        Self {
            simulation,
            slots: Vec::new(),
            names: Vec::new(),
            ready: Vec::new(),
            after: TaskName::new(""),
            after_steps: 0,
            awaited_left: 0,
            schedule: Schedule::default(),
            choices: 0,
        }
    }

    fn run(
        mut self,
        strategy: &mut dyn Strategy,
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Simulated {
        let ending = self.drive(strategy, limits, stop);
        let steps = self.simulation.now();
        self.drop_tasks();
        Simulated { ending, schedule: self.schedule, steps, choices: self.choices }
    }

    fn drive(
        &mut self,
        strategy: &mut dyn Strategy,
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Ending {
        let mut settled_at = None;
        loop {
            self.take_requests();
            let now = self.simulation.now();
            if self.awaited_left == 0
                && now >= *settled_at.get_or_insert(now + limits.settling_steps)
            {
                return Ending::Finished;
            }
            if now >= limits.steps {
                return Ending::StepLimit { steps: limits.steps };
            }
            if stop() {
                return Ending::Stopped;
            }
            self.find_ready();
            if self.ready.is_empty() {
                if self.awaited_left == 0 {
                    return Ending::Finished;
                }
                if self.end_one_patience() {
                    continue;
                }
                return self.stuck();
            }
            match self.choose(strategy) {
                Ok(task) => {
                    if let Err(message) = self.step(task) {
                        return Ending::Panicked { task: self.after.clone(), message };
                    }
                }
                Err(deviation) => return Ending::Diverged { deviation },
            }
        }
    }

    /// Puts new tasks in their place and drops aborted ones.
    fn take_requests(&mut self) {
        loop {
            let mut requests = self.simulation.requests();
            let spawned = std::mem::take(&mut requests.spawned);
            let aborted = std::mem::take(&mut requests.aborted);
            drop(requests);
            if spawned.is_empty() && aborted.is_empty() {
                return;
            }
            for slot in spawned {
                self.awaited_left += usize::from(slot.awaited);
                let place = self.names.partition_point(|name| *name < slot.name);
                self.names.insert(place, slot.name.clone());
                self.slots.insert(place, slot);
            }
            for id in aborted {
                // Dropping the future may spawn, wake and abort in turn: hence the loop.
                if let Some(place) = self.slots.iter().position(|slot| slot.id == id) {
                    self.remove(place);
                }
            }
        }
    }

    fn remove(&mut self, place: usize) {
        let slot = self.slots.remove(place);
        self.names.remove(place);
        self.awaited_left -= usize::from(slot.awaited);
        drop(slot);
    }

    fn find_ready(&mut self) {
        self.ready.clear();
        let ready = self.slots.iter().enumerate();
        self.ready.extend(
            ready.filter(|(_, slot)| slot.ready.0.load(Ordering::Relaxed)).map(|(place, _)| place),
        );
    }

    fn choose(&mut self, strategy: &mut dyn Strategy) -> Result<usize, usize> {
        let current = self.names.binary_search(&self.after).ok();
        let default = current
            .and_then(|current| self.ready.iter().position(|&task| task == current))
            .unwrap_or(0);
        if self.ready.len() == 1 {
            return Ok(self.ready[0]);
        }
        self.choices += 1;
        let chosen = strategy.choose(&SwitchPoint {
            names: &self.names,
            ready: &self.ready,
            current,
            after: &self.after,
            step: self.after_steps,
            default,
        });
        match chosen {
            Choice::Ready(choice) => {
                let task = self.ready[choice];
                if choice != default {
                    self.schedule.deviations.push(Deviation {
                        after: self.after.clone(),
                        step: self.after_steps,
                        run: self.names[task].clone(),
                    });
                }
                Ok(task)
            }
            Choice::Diverged(deviation) => Err(deviation),
        }
    }

    /// Lets the task take one step; an error is its panic's message.
    fn step(&mut self, task: usize) -> Result<(), String> {
        self.simulation.steps.fetch_add(1, Ordering::Relaxed);
        let slot = &mut self.slots[task];
        slot.ready.0.store(false, Ordering::Relaxed);
        slot.steps += 1;
        self.after = slot.name.clone();
        self.after_steps = slot.steps;
        let mut context = Context::from_waker(&slot.waker);
        let polled = catch_unwind(AssertUnwindSafe(|| slot.future.as_mut().poll(&mut context)));
        match polled {
            Ok(Poll::Pending) => Ok(()),
            Ok(Poll::Ready(())) => {
                self.remove(task);
                Ok(())
            }
            Err(panic) => Err(panic_message(&*panic)),
        }
    }

    /// Nothing can go on: the longest-waiting user's patience ends. False if nobody waits so.
    fn end_one_patience(&self) -> bool {
        let first = self.simulation.requests().patience.pop_first();
        first.is_some_and(|(_, (waker, out))| {
            out.store(true, Ordering::Relaxed);
            waker.wake();
            true
        })
    }

    fn stuck(&self) -> Ending {
        let left = self.slots.iter().filter(|slot| slot.awaited).map(|slot| slot.name.clone());
        Ending::Stuck { tasks: left.collect() }
    }

    /// Drops what is left in order of the names, so that even that is the same every time.
    fn drop_tasks(&mut self) {
        self.names.clear();
        for slot in std::mem::take(&mut self.slots) {
            // A destructor that panics must not take the verdict of the trial with it.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(slot)));
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
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
