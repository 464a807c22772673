//! Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).
//!
//! Every task has a random priority, and the ready one with the highest goes on. At d − 1 random
//! steps the task that would go on falls below all others. A bug that needs d ordered steps among n
//! tasks and k steps is found with a probability of at least 1/(n·k^(d−1)) a trial.

use std::collections::BTreeMap;

use super::switch_point::{Choice, Strategy, SwitchPoint};
use partywall_core::ids::TaskName;

/// The strategy of that depth.
#[derive(Debug)]
pub struct Pct {
    rng: fastrand::Rng,
    /// Higher goes first. Those of change points lie below all others.
    priorities: BTreeMap<TaskName, u64>,
    /// At which choices the running task falls, ascending.
    change_points: Vec<u64>,
    choices: u64,
}

/// Where the priorities of change points end and those of tasks begin.
const TASKS_FROM: u64 = 1 << 32;

impl Pct {
    /// Depth `depth` (at least 1) for a trial of about `choices` switch points at which more than
    /// one task can go on; see [`crate::simulated::Simulated::choices`].
    pub fn new(seed: u64, depth: u32, choices: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut change_points: Vec<u64> =
            (1..depth.max(1)).map(|_| rng.u64(0..choices.max(1))).collect();
        change_points.sort_unstable();
        Self { rng, priorities: BTreeMap::new(), change_points, choices: 0 }
    }

    /// The least probability with which one trial finds a bug of that depth: 1/(n·k^(d−1)).
    pub fn least_probability(tasks: u64, choices: u64, depth: u32) -> f64 {
        let ways = tasks.max(1) as f64 * (choices.max(1) as f64).powi(depth.max(1) as i32 - 1);
        1.0 / ways
    }

    fn highest(&mut self, at: &SwitchPoint<'_>) -> usize {
        let mut best = (0, 0);
        for (ready, &task) in at.ready.iter().enumerate() {
            let rng = &mut self.rng;
            let name = &at.names[task];
            let priority = match self.priorities.get(name) {
                Some(priority) => *priority,
                None => {
                    let drawn = rng.u64(TASKS_FROM..);
                    self.priorities.insert(name.clone(), drawn);
                    drawn
                }
            };
            if priority > best.1 {
                best = (ready, priority);
            }
        }
        best.0
    }
}

impl Strategy for Pct {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        let mut highest = self.highest(at);
        while self.change_points.first().is_some_and(|point| *point <= self.choices) {
            self.change_points.remove(0);
            // The k-th of d − 1 change points gives the priority d − k: later ones lie lower.
            let fallen = self.change_points.len() as u64 + 1;
            self.priorities.insert(at.names[at.ready[highest]].clone(), fallen);
            highest = self.highest(at);
        }
        self.choices += 1;
        Choice::Ready(highest)
    }
}
