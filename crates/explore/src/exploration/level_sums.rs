//! What one level came to in a part of a shared campaign, as sums that can be added to those of the
//! other parts.

use serde::{Deserialize, Serialize};

use crate::exploration::level::LevelTally;
use partywall_core::control::Tally;

/// The sums of one level.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LevelSums {
    /// `before`, `after`, or empty for a plain run.
    pub side: String,
    /// What was driven.
    pub backend: String,
    /// How many trials of it the whole campaign has.
    pub campaign_trials: u64,
    /// The judge's controls, and the number of the trial that they were planted into.
    pub judged: Option<(u64, Tally)>,
    /// Its trials, added up.
    pub tally: LevelTally,
}
