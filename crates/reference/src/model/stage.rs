//! The stage of one search: its threads, and a tape of what each of them did.
//!
//! The tape is behind the standard library's lock, which loom does not see: recording adds no
//! switch point. Loom switches only *before* an operation on one of its own types, so a step that
//! is recorded right after the operation stands where the operation took place.

use std::borrow::Cow;
use std::fmt;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::spec::{Body, Moment, Property};

/// What a model runs on. One stage serves every execution of a search; each starts it anew.
///
/// Nobody joins the threads: the last to end looks at what came of all of them. A join is a switch
/// point whose waiter is blocked, at which loom must try every thread (three threads that lock one
/// mutex twice each: 7,847 interleavings with joins, 539 without, for the same 90 orders).
pub(super) struct Stage {
    tape: Mutex<Tape>,
    /// How many threads have not ended, the body itself included.
    live: AtomicUsize,
    finale: Mutex<Option<Finale>>,
    /// Called at the end of each execution; true stops the search.
    stop: Box<dyn Fn(&Tape) -> bool + Send + Sync>,
}

type Finale = Box<dyn FnOnce(&Stage) + Send>;

/// The payload that unwinds out of loom, which has no other way to stop.
pub(super) struct Stop;

/// Who is no thread of the story.
pub(super) const STAGEHAND: &str = "stagehand";

/// What was recorded of one execution.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) threads: Vec<&'static str>,
    pub(super) ended: Vec<&'static str>,
    pub(super) steps: Vec<Step>,
    /// The first of each property.
    pub(super) violations: Vec<Violation>,
}

/// One step of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who did it.
    pub thread: &'static str,
    /// What it did: `configure`, `read`, `deliver`.
    pub did: &'static str,
    /// What it read and wrote.
    pub detail: Cow<'static, str>,
}

/// What was found wrong in an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What ought to have held.
    pub property: Property,
    /// What was seen instead.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.seen)
    }
}

impl Stage {
    pub(super) fn new(stop: impl Fn(&Tape) -> bool + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            tape: Mutex::default(),
            live: AtomicUsize::new(0),
            finale: Mutex::default(),
            stop: Box::new(stop),
        })
    }

    /// One execution: the body prepares the stage, starts the threads, and says what must be true
    /// when all of them have ended.
    pub(super) fn perform(self: &Arc<Self>, body: Body) {
        *self.tape() = Tape::default();
        self.live.store(1, Ordering::Relaxed);
        body(self);
        self.leave();
    }

    /// Starts a thread.
    pub(super) fn spawn(self: &Arc<Self>, name: &'static str, part: impl FnOnce(&Actor) + 'static) {
        self.tape().threads.push(name);
        self.live.fetch_add(1, Ordering::Relaxed);
        let actor = Actor { name, stage: Arc::clone(self) };
        loom::thread::spawn(move || {
            part(&actor);
            actor.stage.tape().ended.push(name);
            actor.stage.leave();
        });
    }

    /// What to look at when all threads have ended.
    pub(super) fn finally(&self, finale: impl FnOnce(&Self) + Send + 'static) {
        *self.finale.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(finale));
    }

    /// A thread has ended. The last one clears up and ends the execution.
    fn leave(&self) {
        if self.live.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let finale = self.finale.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(finale) = finale {
            finale(self);
        }
        let stop = (self.stop)(&self.tape());
        if stop {
            // Not a panic: no hook is called, and nothing is printed.
            panic::resume_unwind(Box::new(Stop));
        }
    }

    /// Whoever prepares the stage and clears it up; its steps are not part of the story.
    pub(super) fn stagehand(self: &Arc<Self>) -> Actor {
        Actor { name: STAGEHAND, stage: Arc::clone(self) }
    }

    /// How many steps there have been.
    pub(super) fn tick(&self) -> usize {
        self.tape().steps.len()
    }

    /// Records a step of one of the threads.
    pub(super) fn record(
        &self,
        thread: &'static str,
        did: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let mut tape = self.tape();
        if tape.threads.contains(&thread) {
            tape.steps.push(Step { thread, did, detail: detail.into() });
        }
    }

    /// Records a violation unless that holds. The execution goes on to its end, so that the story
    /// is whole and no thread unwinds while it holds locks.
    pub(super) fn demand(&self, holds: bool, property: Property, seen: impl FnOnce() -> String) {
        if !holds {
            let seen = seen();
            self.tape().violated(Violation { property, seen });
        }
    }

    /// What was recorded of this execution so far.
    pub(super) fn tape(&self) -> std::sync::MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stage")
    }
}

impl Tape {
    /// Whether these moments are among the steps, in this order.
    pub(super) fn reached(&self, moments: &[Moment]) -> bool {
        let mut steps = self.steps.iter();
        moments
            .iter()
            .all(|&(thread, did)| steps.any(|step| step.thread == thread && step.did == did))
    }

    /// Notes a violation; the first of each property counts.
    pub(super) fn violated(&mut self, violation: Violation) {
        if self.violation_of(violation.property).is_none() {
            self.violations.push(violation);
        }
    }

    /// What was seen against that property.
    pub(super) fn violation_of(&self, property: Property) -> Option<&Violation> {
        self.violations.iter().find(|violation| violation.property == property)
    }

    /// The threads that have not ended.
    pub(super) fn unfinished(&self) -> Vec<&'static str> {
        self.threads.iter().filter(|name| !self.ended.contains(name)).copied().collect()
    }
}

/// One thread on the stage.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) name: &'static str,
    pub(super) stage: Arc<Stage>,
}

impl Actor {
    /// Records what the thread did, right after it did it.
    pub(super) fn did(&self, did: &'static str, detail: impl Into<Cow<'static, str>>) {
        self.stage.record(self.name, did, detail);
    }

    /// Records a violation unless that holds.
    pub(super) fn demand(&self, holds: bool, property: Property, seen: impl FnOnce() -> String) {
        self.stage.demand(holds, property, seen);
    }
}
