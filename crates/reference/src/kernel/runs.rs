//! The run–thread registry: run → whose it is, and what it came to.

use std::collections::{BTreeMap, VecDeque};

use super::lock;
use super::sync::Mutex;

/// What is known of every run. A name that is taken is refused, whoever asks.
#[derive(Debug)]
pub(crate) struct RunRegistry<R, O, A> {
    most_finished: usize,
    runs: Mutex<Runs<R, O, A>>,
}

#[derive(Debug)]
struct Runs<R, O, A> {
    known: BTreeMap<R, Run<O, A>>,
    finished: VecDeque<R>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run<O, A> {
    /// Whose it is.
    pub(crate) owner: O,
    /// What it came to; none while it goes on.
    pub(crate) answer: Option<A>,
}

impl<R: Ord + Clone, O: Clone, A: Clone> RunRegistry<R, O, A> {
    /// A registry that remembers at most that many finished runs.
    pub(crate) fn new(most_finished: usize) -> Self {
        let runs = Runs { known: BTreeMap::new(), finished: VecDeque::new() };
        Self { most_finished, runs: Mutex::new(runs) }
    }

    /// Registers a run; false, and nothing is changed, if the name is taken.
    pub(crate) fn register(&self, run: R, owner: O) -> bool {
        let mut runs = lock(&self.runs);
        if runs.known.contains_key(&run) {
            return false;
        }
        runs.known.insert(run, Run { owner, answer: None });
        true
    }

    /// The run has ended with that answer. Only the first end counts.
    pub(crate) fn finish(&self, run: &R, answer: A) {
        let mut runs = lock(&self.runs);
        let Some(known) = runs.known.get_mut(run) else { return };
        if known.answer.is_some() {
            return;
        }
        known.answer = Some(answer);
        runs.finished.push_back(run.clone());
        if runs.finished.len() > self.most_finished
            && let Some(oldest) = runs.finished.pop_front()
        {
            runs.known.remove(&oldest);
        }
    }

    /// What is known of a run.
    pub(crate) fn get(&self, run: &R) -> Option<Run<O, A>> {
        lock(&self.runs).known.get(run).cloned()
    }
}
