//! What a strategy is asked at a switch point, and what it answers.

use partywall_core::ids::TaskName;

/// Chooses who goes on. The simulated world asks once at every switch point at which more than one
/// task can; it records what deviates from the default policy, so a strategy keeps no schedule.
pub trait Strategy: Send {
    /// The index into [`SwitchPoint::ready`] of the task that goes on, or that the strategy cannot
    /// follow its schedule here, which ends the trial.
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice;

    /// Whether it wants to be told of milestones; asked throughout the trial.
    fn looks_at_marks(&self) -> bool {
        false
    }

    /// The task's last step came to a milestone.
    fn reached(&mut self, _task: &TaskName, _mark: Mark) {}
}

/// A milestone that some user's work came to, as numbers that are the same in every trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Whose work.
    pub user: u64,
    /// Which milestone.
    pub milestone: u64,
}

/// What a strategy answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// That one of the ready tasks goes on.
    Ready(usize),
    /// The deviation of that number, from 0, asks for a task that cannot go on here.
    Diverged(usize),
}

/// A switch point, as a strategy sees it.
#[derive(Clone, Copy, Debug)]
pub struct SwitchPoint<'w> {
    /// The names of all tasks, sorted.
    pub names: &'w [TaskName],
    /// Which of them can go on, ascending, hence sorted by name; never empty.
    pub ready: &'w [usize],
    /// The task that ran last; none at the start, or when it has ended.
    pub current: Option<usize>,
    /// Its name, also after it has ended; empty at the start.
    pub after: &'w TaskName,
    /// How many steps it had taken by then.
    pub step: u64,
    /// The default policy's choice, as an index into `ready`.
    pub default: usize,
}

impl SwitchPoint<'_> {
    /// Where in `ready` the task of that name stands, if it can go on.
    pub fn position(&self, name: &TaskName) -> Option<usize> {
        self.ready.iter().position(|&task| self.names[task] == *name)
    }
}
