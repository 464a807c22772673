//! What one level came to in a part of a shared campaign, as sums that can be added to those of the
//! other parts.

use serde::{Deserialize, Serialize};

use super::level::LevelTally;
use crate::trial::control::Tally;

/// The sums of one level.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LevelSums {
    /// `before`, `after`, or empty for a plain run.
    pub(super) side: String,
    /// What was driven.
    pub(super) backend: String,
    /// How many trials of it the whole campaign has.
    pub(super) campaign_trials: u64,
    /// The judge's controls, and the number of the trial that they were planted into.
    pub(super) judged: Option<(u64, Tally)>,
    pub(super) tally: LevelTally,
}
