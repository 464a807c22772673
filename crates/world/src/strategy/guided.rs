//! Prefers choices that let milestones meet that have not met yet.
//!
//! A random walk hits most pairs (A in phase i while B emits j) soon, and the last ones late. Once
//! it has hit nothing new for some trials, every second trial is guided: at each switch point the
//! task goes on whose next milestone would meet the most phases for the first time, as far as
//! earlier trials tell which milestone comes next. Until then each trial is the plain random walk,
//! since where the racy steps are not the marked ones guidance only leads away from them.

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;
use super::switch_point::{Choice, Mark, Strategy, SwitchPoint};
use partywall_core::ids::TaskName;

/// How many random walks in a row must have hit nothing new before trials are guided.
const STALE_AFTER: u32 = 8;

/// What the trials of one campaign have hit so far.
#[derive(Debug, Default)]
pub struct Guide {
    /// (A's phase, B's milestone) that met.
    hit: BTreeSet<(u64, u64)>,
    /// Which milestone followed which, in the work of one user.
    next: BTreeMap<u64, u64>,
    trials: u64,
    guided: u64,
    stale: u32,
}

impl Guide {
    /// The strategy of the next trial.
    pub fn next_trial(&mut self, seed: u64) -> Guided<'_> {
        let guides = self.stale >= STALE_AFTER && self.trials % 2 == 1;
        self.trials += 1;
        self.guided += u64::from(guides);
        Guided {
            guide: self,
            guides,
            walk: Random::new(seed),
            rng: fastrand::Rng::with_seed(!seed),
            phases: BTreeMap::new(),
            users: BTreeMap::new(),
            new: 0,
        }
    }

    /// How many pairs have met so far.
    pub fn pairs(&self) -> usize {
        self.hit.len()
    }

    /// How many trials were guided.
    pub fn guided_trials(&self) -> u64 {
        self.guided
    }
}

/// One trial of a guided search.
#[derive(Debug)]
pub struct Guided<'g> {
    guide: &'g mut Guide,
    guides: bool,
    walk: Random,
    rng: fastrand::Rng,
    /// In which phase each user's work is.
    phases: BTreeMap<u64, u64>,
    /// Whose work each task does.
    users: BTreeMap<TaskName, u64>,
    new: u64,
}

impl Guided<'_> {
    /// How many phases the task's next milestone would meet for the first time.
    fn gain(&self, task: &TaskName) -> usize {
        let Some(user) = self.users.get(task) else { return 0 };
        let next = self.phases.get(user).and_then(|phase| self.guide.next.get(phase));
        let Some(next) = next else { return 0 };
        let others = self.phases.iter().filter(|(other, _)| *other != user);
        others.filter(|(_, phase)| !self.guide.hit.contains(&(**phase, *next))).count()
    }
}

impl Strategy for Guided<'_> {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        let walked = self.walk.choose(at);
        if !self.guides {
            return walked;
        }
        let gains: Vec<usize> = at.ready.iter().map(|&task| self.gain(&at.names[task])).collect();
        let most = gains.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return walked;
        }
        let best: Vec<usize> = (0..gains.len()).filter(|&ready| gains[ready] == most).collect();
        Choice::Ready(best[self.rng.usize(..best.len())])
    }

    fn looks_at_marks(&self) -> bool {
        true
    }

    fn reached(&mut self, task: &TaskName, mark: Mark) {
        if self.users.get(task) != Some(&mark.user) {
            self.users.insert(task.clone(), mark.user);
        }
        for (user, phase) in &self.phases {
            if *user != mark.user {
                self.new += u64::from(self.guide.hit.insert((*phase, mark.milestone)));
            }
        }
        if let Some(before) = self.phases.insert(mark.user, mark.milestone) {
            self.guide.next.insert(before, mark.milestone);
        }
    }
}

impl Drop for Guided<'_> {
    fn drop(&mut self) {
        match (self.guides, self.new) {
            (_, 1..) => self.guide.stale = 0,
            (false, 0) => self.guide.stale = self.guide.stale.saturating_add(1),
            (true, 0) => {}
        }
    }
}
