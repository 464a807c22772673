//! One search: loom runs a body through its interleavings and stops at the first that is wrong.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once};

use super::spec::{Body, Moment, Property};
use super::stage::{Stage, Stop, Tape, Violation};
use super::story::Story;

/// What is searched, and how far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    pub(super) model: &'static str,
    /// The control, if one is searched.
    pub(super) control: Option<&'static str>,
    pub(super) body: Body,
    pub(super) preemptions: Option<usize>,
    pub(super) interesting: &'static [Moment],
    pub(super) until: Until,
    /// Stop after this execution, whatever it came to. Loom's search is deterministic, so the same
    /// number is the same interleaving again.
    pub(super) stop_after: Option<u64>,
}

/// What ends a search before its end. A deadlock and a panic always do, since loom cannot go on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// Whatever is found wrong.
    Anything,
    /// A violation of that property; others are passed over.
    Violated(Property),
}

/// What a search came to.
#[derive(Debug)]
pub(super) struct Searched {
    pub(super) interleavings: u64,
    pub(super) reached: bool,
    /// The execution at which it stopped, if it did not come to its end.
    pub(super) stopped_at: Option<Tape>,
}

impl Search {
    /// Searches on this thread; `explored` counts along, for whoever shows progress.
    pub(super) fn run(self, explored: &Arc<AtomicU64>) -> Searched {
        quiet_on_this_thread();
        let reached = Arc::new(AtomicBool::new(false));
        let (seen, counter) = (Arc::clone(&reached), Arc::clone(explored));
        let stage = Stage::new(move |tape| {
            if !seen.load(Ordering::Relaxed) && tape.reached(self.interesting) {
                seen.store(true, Ordering::Relaxed);
            }
            let number = counter.load(Ordering::Relaxed);
            self.stop_after.map_or_else(|| self.until.is_met(tape), |last| last == number)
        });
        let (performed, counter) = (Arc::clone(&stage), Arc::clone(explored));
        let ended = panic::catch_unwind(AssertUnwindSafe(|| {
            builder(self.preemptions).check(move || {
                counter.fetch_add(1, Ordering::Relaxed);
                performed.perform(self.body);
            });
        }));
        let stopped_at = ended.err().map(|payload| {
            let mut tape = stage.tape().clone();
            if let Some(violation) = violation_of(payload.as_ref(), &tape) {
                tape.violated(violation);
            }
            tape
        });
        Searched {
            interleavings: explored.load(Ordering::Relaxed),
            reached: reached.load(Ordering::Relaxed),
            stopped_at,
        }
    }

    /// The story of the execution at which the search stopped, if it did.
    pub(super) fn story(self, searched: Searched) -> Option<Story> {
        let mut tape = searched.stopped_at?;
        let wrong = match self.until {
            Until::Violated(property) => tape.violation_of(property).cloned(),
            Until::Anything => None,
        };
        Some(Story {
            model: self.model,
            control: self.control,
            preemption_bound: self.preemptions,
            execution: searched.interleavings,
            violation: wrong.or_else(|| tape.violations.drain(..).next()),
            threads: tape.threads,
            steps: tape.steps,
        })
    }
}

impl Until {
    fn is_met(self, tape: &Tape) -> bool {
        match self {
            Self::Anything => !tape.violations.is_empty(),
            Self::Violated(property) => tape.violation_of(property).is_some(),
        }
    }
}

/// Every setting is given here: loom would read the missing ones from the environment.
fn builder(preemptions: Option<usize>) -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.max_threads = loom::MAX_THREADS;
    builder.max_branches = 10_000;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = preemptions;
    builder.checkpoint_file = None;
    builder.checkpoint_interval = usize::MAX;
    builder.location = false;
    builder.log = false;
    builder
}

/// What a panic of loom (a deadlock) or of the kernel means.
fn violation_of(payload: &(dyn Any + Send), tape: &Tape) -> Option<Violation> {
    if payload.is::<Stop>() {
        return None;
    }
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    if text.starts_with("deadlock") {
        let waiting = tape.unfinished().join(" and ");
        let seen = format!("deadlock: {waiting} waits and nobody is left to end it");
        return Some(Violation { property: Property::Progress, seen });
    }
    Some(Violation { property: Property::NoPanic, seen: format!("panicked: {text}") })
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics of this thread out of the output: they are told as a story instead. The hook of
/// everybody else stays as it is.
fn quiet_on_this_thread() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                others(info);
            }
        }));
    });
    QUIET.set(true);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex as Unseen;

    use super::*;
    use crate::model::sync::Mutex;

    static ORDERS: Unseen<BTreeSet<Vec<&'static str>>> = Unseen::new(BTreeSet::new());

    fn three_threads_lock_twice(stage: &Arc<Stage>) {
        let shared = Arc::new(Mutex::new(()));
        for name in ["a", "b", "c"] {
            let shared = Arc::clone(&shared);
            stage.spawn(name, move |actor| {
                for _ in 0..2 {
                    drop(shared.lock());
                    actor.did("lock", "");
                }
            });
        }
        stage.finally(|stage| {
            let order = stage.tape().steps.iter().map(|step| step.thread).collect();
            ORDERS.lock().expect("no panic while it is held").insert(order);
        });
    }

    #[test]
    fn a_complete_search_visits_every_order() {
        let search = Search {
            model: "",
            control: None,
            body: three_threads_lock_twice,
            preemptions: None,
            interesting: &[],
            until: Until::Anything,
            stop_after: None,
        };
        let searched = search.run(&Arc::default());
        assert!(searched.stopped_at.is_none());
        // 6! / (2! 2! 2!) orders; loom visits some of them more than once.
        assert_eq!(ORDERS.lock().expect("no panic while it is held").len(), 90);
        assert_eq!(searched.interleavings, 539);
    }
}
