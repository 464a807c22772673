//! A range that plans draw numbers from.

use fastrand::Rng;

/// From the fewest to the most, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The fewest.
    pub least: u32,
    /// The most; not below the fewest.
    pub most: u32,
}

impl Range {
    pub(super) fn draw(self, rng: &mut Rng) -> u32 {
        rng.u32(self.least..=self.most)
    }
}
