//! Every schedule, by cost: the one without a deviation, then all with one, then two, each once.
//!
//! A schedule is followed to its last deviation and then by the default policy; on the way from
//! there every switch point offers its other tasks as one more deviation. Since deviations are only
//! ever added behind the last one, no schedule comes twice, and none within the bound is left out.
//! Nothing is reduced: schedules that differ only in the order of independent steps are all tried.

use std::collections::VecDeque;

use super::replay::{Mode, Replay};
use super::switch_point::{Choice, Strategy, SwitchPoint};
use partywall_core::schedule::{Deviation, Schedule};

/// The schedules of one plan that are still to be tried.
#[derive(Debug)]
pub struct Exhaustive {
    bound: Option<usize>,
    waiting: VecDeque<Schedule>,
    tried: Vec<u64>,
}

impl Exhaustive {
    /// All schedules with at most that many deviations; all there are where it is none, which ends
    /// only for the smallest plans.
    pub fn new(bound: Option<usize>) -> Self {
        Self { bound, waiting: VecDeque::from([Schedule::default()]), tried: Vec::new() }
    }

    /// The next schedule to try, in the order of cost; none when all within the bound were tried.
    pub fn next_branch(&mut self) -> Option<Branch> {
        let schedule = self.waiting.pop_front()?;
        let cost = schedule.delays();
        if self.tried.len() <= cost {
            self.tried.resize(cost + 1, 0);
        }
        self.tried[cost] += 1;
        let deepen = self.bound.is_none_or(|bound| cost < bound);
        Some(Branch {
            left: cost,
            replay: Replay::new(&schedule, Mode::Strict),
            schedule,
            deepen,
            deeper: Vec::new(),
        })
    }

    /// Takes in what the tried branch came by.
    pub fn took(&mut self, branch: Branch) {
        let Branch { schedule, deeper, .. } = branch;
        for deviation in deeper {
            let mut longer = schedule.clone();
            longer.deviations.push(deviation);
            self.waiting.push_back(longer);
        }
    }

    /// How many schedules of each cost were tried so far.
    pub fn tried(&self) -> &[u64] {
        &self.tried
    }
}

/// One schedule that is being tried.
#[derive(Debug)]
pub struct Branch {
    schedule: Schedule,
    replay: Replay,
    /// Deviations still to come.
    left: usize,
    deepen: bool,
    deeper: Vec<Deviation>,
}

impl Branch {
    /// How many deviations it has.
    pub fn cost(&self) -> usize {
        self.schedule.delays()
    }
}

impl Strategy for Branch {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        if self.left > 0 {
            let choice = self.replay.choose(at);
            self.left -= usize::from(choice != Choice::Ready(at.default));
            return choice;
        }
        if self.deepen {
            let others = at.ready.iter().enumerate().filter(|(ready, _)| *ready != at.default);
            self.deeper.extend(others.map(|(_, &task)| Deviation {
                after: at.after.clone(),
                step: at.step,
                run: at.names[task].clone(),
            }));
        }
        Choice::Ready(at.default)
    }
}
