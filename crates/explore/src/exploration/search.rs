//! How the schedules of an exploration are chosen, and what each way may claim.

use std::sync::{Mutex, PoisonError};

use crate::exploration::explore_trial::{Trial, explore_trial, explore_twice};
use crate::exploration::level::{Claimed, LevelTally};
use crate::exploration::subject::Subject;
use crate::workload::Workload;
use partywall_core::plan::{FaultKind, Plan};
use partywall_core::record::{LevelName, SearchMethod};
use partywall_world::simulated::InsideRuntime;
use partywall_world::strategy::{Guide, Pct, Random, Strategy};

/// One trial in that many is driven twice, so that a back end that is not deterministic is told as
/// such and not as a leak that cannot be replayed.
const TWICE_EVERY: u64 = 16;

/// How schedules are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Search {
    /// A seeded random walk: every trial is drawn independently.
    #[default]
    Random,
    /// Probabilistic concurrency testing.
    Pct {
        /// The depth of the bugs that it has stated odds for.
        depth: u32,
    },
    /// Random walks, and once those hit no new pairs of phases, walks towards new ones.
    Guided,
    /// Every schedule of the first plan, by number of deviations.
    Exhaustive {
        /// The most deviations; none for all schedules there are.
        delays: Option<usize>,
    },
    /// A fault at every point of some plans at which production may drop something.
    Sweep {
        /// What goes wrong.
        kinds: Vec<FaultKind>,
        /// How many plans.
        plans: u64,
    },
}

impl Search {
    /// Whether it tries trial after trial, each with a plan and a schedule of its own.
    pub(crate) fn is_sampling(&self) -> bool {
        !matches!(self, Self::Exhaustive { .. } | Self::Sweep { .. })
    }
}

/// Chooses the schedules of one exploration's trials.
#[derive(Debug)]
pub(crate) struct Searcher<'s> {
    search: &'s Search,
    guide: Mutex<Guide>,
}

impl<'s> Searcher<'s> {
    pub(crate) fn new(search: &'s Search) -> Self {
        Self { search, guide: Mutex::default() }
    }

    /// What a guided trial chooses depends on those before it, so they are run one by one.
    pub(crate) fn workers(&self, wanted: usize) -> usize {
        if *self.search == Search::Guided { 1 } else { wanted.max(1) }
    }

    /// Drives the trial of that number.
    pub(crate) fn trial(
        &self,
        number: u64,
        seed: u64,
        plan: &Plan,
        subject: &dyn Subject,
        stop: &dyn Fn() -> bool,
    ) -> Result<Trial, InsideRuntime> {
        let drive = |strategy: &mut dyn Strategy| {
            if number % TWICE_EVERY == TWICE_EVERY - 1 {
                explore_twice(plan, subject, strategy, stop)
            } else {
                explore_trial(plan, subject, strategy, stop)
            }
        };
        match self.search {
            Search::Pct { depth } => {
                // Where to put the change points: as many switch points as a walk comes by.
                let probe = explore_trial(plan, subject, &mut Random::new(!seed), stop)?;
                drive(&mut Pct::new(seed, *depth, probe.choices))
            }
            Search::Guided => {
                let mut guide = self.guide.lock().unwrap_or_else(PoisonError::into_inner);
                let mut guided = guide.next_trial(seed);
                drive(&mut guided)
            }
            _ => drive(&mut Random::new(seed)),
        }
    }

    /// How the trials were chosen, with what can be claimed of it.
    pub(crate) fn method(&self, odds: &Odds) -> Claimed {
        match self.search {
            Search::Pct { depth } => {
                let method = SearchMethod::Pct { depth: *depth };
                Claimed { method, claims: odds.stated(*depth) }
            }
            Search::Guided => {
                let guide = self.guide.lock().unwrap_or_else(PoisonError::into_inner);
                let claim = format!(
                    "{} of {} random walks went towards pairs of phases that had not met",
                    guide.guided_trials(),
                    odds.trials
                );
                Claimed { method: SearchMethod::GuidedWalk, claims: vec![claim] }
            }
            _ => Claimed { method: SearchMethod::RandomWalk, claims: Vec::new() },
        }
    }

    /// An empty level for it.
    pub(crate) fn tally(&self, workload: &Workload, planned: u64) -> LevelTally {
        match self.search {
            Search::Pct { depth } => {
                LevelTally::systematic(SearchMethod::Pct { depth: *depth }, workload, planned)
            }
            _ => LevelTally::new(LevelName::Explore, workload, SearchMethod::RandomWalk, planned),
        }
    }
}

/// The size of the trials, for what PCT may claim of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Odds {
    trials: u64,
    most_tasks: u64,
    most_choices: u64,
}

impl Odds {
    pub(crate) fn add(&mut self, trial: &Trial) {
        self.trials += 1;
        self.most_tasks = self.most_tasks.max(trial.tasks);
        self.most_choices = self.most_choices.max(trial.choices);
    }

    fn stated(&self, depth: u32) -> Vec<String> {
        let Self { trials, most_tasks, most_choices } = *self;
        let once = Pct::least_probability(most_tasks, most_choices, depth);
        let all = -(trials as f64 * (-once).ln_1p()).exp_m1();
        let power = depth - 1;
        vec![
            format!("a trial finds a bug of that depth with at least 1/(n·k^{power}) = {once:.1e}"),
            format!("n = {most_tasks} tasks, k = {most_choices} switch points"),
            format!("all {trials} trials with at least {all:.1e}"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pct_states_the_odds_of_its_own_trials() {
        let odds = Odds { trials: 1_000, most_tasks: 2, most_choices: 50 };
        // 1/(2·50) a trial; 1 − (1 − 0.01)^1000 in all.
        let stated = odds.stated(2).join("; ");
        assert!(stated.contains("1/(n·k^1) = 1.0e-2; n = 2 tasks, k = 50"), "{stated}");
        assert!(stated.ends_with("all 1000 trials with at least 1.0e0"), "{stated}");
        assert!(odds.stated(3)[0].ends_with("1/(n·k^2) = 2.0e-4"));
    }
}
