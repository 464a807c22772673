//! The executor of the simulated world: one task at a time, chosen by the strategy.
//!
//! No clock (now is the step counter), no randomness, no order that depends on an address: tasks are
//! kept sorted by name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::simulated::{Limits, Simulated};
use super::simulation::{Simulation, Slot};
use super::strategy::{Choice, Strategy, SwitchPoint};
use partywall_core::history::Ending;
use partywall_core::ids::TaskName;
use partywall_core::schedule::{Deviation, Schedule};

/// Runs the tasks of one simulated world.
pub(super) struct Executor {
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
    trace: Vec<TaskName>,
}

impl Executor {
    pub(super) fn new(simulation: Arc<Simulation>) -> Self {
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
            trace: Vec::new(),
        }
    }

    pub(super) fn run(
        mut self,
        strategy: &mut dyn Strategy,
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Simulated {
        if strategy.looks_at_marks() {
            self.simulation.want_marks();
        }
        let ending = self.drive(strategy, limits, stop);
        let steps = self.simulation.now();
        self.drop_tasks();
        let mut requests = self.simulation.requests();
        Simulated {
            ending,
            schedule: self.schedule,
            steps,
            choices: self.choices,
            tasks: requests.started,
            fault_points: std::mem::take(&mut requests.passed),
            trace: self.trace,
        }
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
                    if limits.trace {
                        self.trace.push(self.names[task].clone());
                    }
                    if let Err(message) = self.step(task) {
                        return panicked(self.after.clone(), message);
                    }
                    self.hand_on_marks(strategy);
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
        self.ready.extend(ready.filter(|(_, slot)| slot.ready.is_set()).map(|(place, _)| place));
    }

    fn choose(&mut self, strategy: &mut dyn Strategy) -> Result<usize, usize> {
        let current = self.names.binary_search(&self.after).ok();
        if self.ready.len() == 1 {
            return Ok(self.ready[0]);
        }
        let default = current
            .and_then(|current| self.ready.iter().position(|&task| task == current))
            .unwrap_or_else(|| self.woken_last());
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

    /// Where in `ready` the task stands that was woken last; of several, the one with the lowest
    /// name.
    fn woken_last(&self) -> usize {
        let since = |at: usize| self.slots[self.ready[at]].ready.since();
        (1..self.ready.len()).fold(0, |best, at| if since(at) > since(best) { at } else { best })
    }

    /// Lets the task take one step; an error is its panic's message.
    fn step(&mut self, task: usize) -> Result<(), String> {
        self.simulation.tick();
        let slot = &mut self.slots[task];
        slot.ready.clear();
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

    fn hand_on_marks(&self, strategy: &mut dyn Strategy) {
        if strategy.looks_at_marks() {
            for mark in self.simulation.requests().marks.drain(..) {
                strategy.reached(&self.after, mark);
            }
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

/// What tokio says when its own spawn, time or net is called where none of its runtimes is.
const NO_RUNTIME: &str = "must be called from the context of a Tokio";

fn panicked(task: TaskName, message: String) -> Ending {
    if message.contains(NO_RUNTIME) {
        Ending::NeedsTokio { task }
    } else {
        Ending::Panicked { task, message }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}
