//! Follows a recorded schedule.

use std::collections::BTreeMap;

use super::switch_point::{Choice, Strategy, SwitchPoint};
use partywall_core::ids::TaskName;
use partywall_core::schedule::Schedule;

/// What to do where a deviation does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// End the trial: the schedule is of another system.
    Strict,
    /// Skip it and follow the default policy; used to find out which deviations matter.
    Lenient,
}

/// Replays a schedule; off the schedule it follows the default policy.
#[derive(Debug)]
pub struct Replay {
    mode: Mode,
    pending: BTreeMap<(TaskName, u64), (usize, TaskName)>,
}

impl Replay {
    /// Replays that schedule.
    pub fn new(schedule: &Schedule, mode: Mode) -> Self {
        let pending = schedule.deviations.iter().enumerate().map(|(number, deviation)| {
            ((deviation.after.clone(), deviation.step), (number, deviation.run.clone()))
        });
        Self { mode, pending: pending.collect() }
    }

    /// The first deviation, from 0, that no switch point asked for. Looked at after the trial: in a
    /// strict replay there must be none.
    pub fn left_over(&self) -> Option<usize> {
        self.pending.values().map(|(number, _)| *number).min()
    }
}

impl Strategy for Replay {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        if self.pending.is_empty() {
            return Choice::Ready(at.default);
        }
        let Some((number, run)) = self.pending.remove(&(at.after.clone(), at.step)) else {
            return Choice::Ready(at.default);
        };
        match (at.position(&run), self.mode) {
            (Some(ready), _) => Choice::Ready(ready),
            (None, Mode::Strict) => Choice::Diverged(number),
            (None, Mode::Lenient) => Choice::Ready(at.default),
        }
    }
}
