//! A seeded random walk: at every switch point each ready task is as likely as any other.

use super::switch_point::{Choice, Strategy, SwitchPoint};

/// The random walk.
#[derive(Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// The walk of that seed.
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }
}

impl Strategy for Random {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        Choice::Ready(self.0.usize(..at.ready.len()))
    }
}
