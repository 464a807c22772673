//! Checks a model with its controls, and replays one interleaving.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::search::{Search, Searched, Until};
use super::spec::{Control, Expected, ModelSpec, Thoroughness};
use super::story::Story;

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What checking a model came to.
#[derive(Clone, Debug)]
pub struct ModelOutcome {
    /// The model.
    pub name: &'static str,
    /// What it must come to.
    pub expected: Expected,
    /// How many interleavings were explored; up to the refuting one, where there is one.
    pub interleavings: u64,
    /// The most preemptions of an interleaving; none where there was no such bound.
    pub preemption_bound: Option<usize>,
    /// The interleaving in which what it asserts does not hold.
    pub refuted: Option<Story>,
    /// Whether the interesting state was reached at least once.
    pub reached: bool,
    /// What became of each control.
    pub controls: Vec<ControlOutcome>,
    /// How long the search took, without the controls.
    pub seconds: f64,
}

/// What searching a control came to.
#[derive(Clone, Debug)]
pub struct ControlOutcome {
    /// What is broken about it.
    pub name: &'static str,
    /// Whether it was refuted, and for the reason that it must be.
    pub fired: bool,
    /// How many interleavings were explored.
    pub interleavings: u64,
    /// The interleaving that refutes it.
    pub refuted: Option<Story>,
}

impl ModelOutcome {
    /// Whether every interleaving was explored.
    pub fn complete(&self) -> bool {
        self.preemption_bound.is_none() && self.refuted.is_none()
    }

    /// Whether every control was caught. A model of the fault is its own control.
    pub fn control_fired(&self) -> bool {
        match self.expected {
            Expected::Clean => {
                !self.controls.is_empty() && self.controls.iter().all(|control| control.fired)
            }
            Expected::Refuted(_) => self.came_as_expected(),
        }
    }

    /// Whether it came to what it must, and the search can be believed: the interesting state was
    /// reached, and every control was caught.
    pub fn as_expected(&self) -> bool {
        self.came_as_expected() && self.reached && self.control_fired()
    }

    fn came_as_expected(&self) -> bool {
        match (self.expected, &self.refuted) {
            (Expected::Clean, story) => story.is_none(),
            (Expected::Refuted(property), story) => {
                story.as_ref().is_some_and(|story| story.violates(property))
            }
        }
    }
}

/// Checks a model: searches its controls, then the model itself.
///
/// `progress` is told every 100 ms, and at the end, how many interleavings of the model have been
/// explored. The search runs on a thread of its own and cannot be cut short.
pub fn check(spec: &ModelSpec, thoroughness: Thoroughness, progress: &dyn Fn(u64)) -> ModelOutcome {
    let controls = spec.controls.iter().map(|control| check_control(spec, control)).collect();
    let search = of_model(spec, thoroughness);
    let began = Instant::now();
    let searched = explore(search, progress);
    ModelOutcome {
        name: spec.name,
        expected: spec.expected,
        interleavings: searched.interleavings,
        preemption_bound: search.preemptions,
        reached: searched.reached,
        refuted: search.story(searched),
        controls,
        seconds: began.elapsed().as_secs_f64(),
    }
}

fn check_control(spec: &ModelSpec, control: &Control) -> ControlOutcome {
    let search = of_control(spec, control);
    let searched = explore(search, &|_| {});
    let interleavings = searched.interleavings;
    let refuted = search.story(searched);
    ControlOutcome {
        name: control.name,
        fired: refuted.as_ref().is_some_and(|story| story.violates(control.violates)),
        interleavings,
        refuted,
    }
}

/// Runs that execution of a model again (of the named control, if one is given), and tells what
/// happened in it. None if there is no such control, or the search ends before that execution.
///
/// An execution number means something only together with the bound of its search, hence the
/// thoroughness; a control's search is always the ordinary one.
pub fn replay(
    spec: &ModelSpec,
    control: Option<&str>,
    thoroughness: Thoroughness,
    execution: u64,
) -> Option<Story> {
    let search = match control {
        None => of_model(spec, thoroughness),
        Some(name) => of_control(spec, spec.controls.iter().find(|control| control.name == name)?),
    };
    let search = Search { stop_after: Some(execution), ..search };
    let searched = explore(search, &|_| {});
    if searched.interleavings == execution { search.story(searched) } else { None }
}

fn of_model(spec: &ModelSpec, thoroughness: Thoroughness) -> Search {
    Search {
        model: spec.name,
        control: None,
        body: spec.body,
        preemptions: spec.bound.preemptions(thoroughness),
        interesting: spec.interesting,
        until: Until::Anything,
        stop_after: None,
    }
}

/// The ordinary bound is enough for a control: what it finds, the thorough one finds too.
fn of_control(spec: &ModelSpec, control: &Control) -> Search {
    Search {
        control: Some(control.name),
        body: control.body,
        interesting: &[],
        until: Until::Violated(control.violates),
        ..of_model(spec, Thoroughness::Usual)
    }
}

/// Searches on a thread of its own: loom keeps thread-local state, and its body must be `'static`,
/// which progress is not.
fn explore(search: Search, progress: &dyn Fn(u64)) -> Searched {
    let explored = Arc::new(AtomicU64::new(0));
    let (done, result) = mpsc::channel();
    let counter = Arc::clone(&explored);
    let worker = thread::spawn(move || done.send(search.run(&counter)));
    loop {
        match result.recv_timeout(PROGRESS_EVERY) {
            Ok(searched) => {
                worker.join().ok();
                progress(searched.interleavings);
                return searched;
            }
            Err(RecvTimeoutError::Timeout) => progress(explored.load(Ordering::Relaxed)),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the thread of a model's search ended without a result")
            }
        }
    }
}
