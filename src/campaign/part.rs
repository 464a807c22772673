//! What one part of a shared campaign came to, as sums that can be added to those of the others.

use serde::{Deserialize, Serialize};

use super::conclusion::Beside;
use super::error::CampaignError;
use super::level::LevelTally;
use super::store::RunFolder;
use crate::trial::control::Tally;
use crate::trial::measure::Partition;
use crate::trial::record::SCHEMA_VERSION;

/// The file of a part's sums in its run folder.
pub(super) const FILE: &str = "partition.json";

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

/// One part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) schema_version: u32,
    pub(super) partywall: String,
    /// Which part.
    pub(super) partition: Partition,
    #[serde(with = "crate::trial::record::as_text")]
    pub(super) seed: u64,
    /// The levels, in the order of the report: one of a plain run, all of both sides of a sign-off.
    pub(super) levels: Vec<LevelSums>,
    /// Sign-off: what stands beside the levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sign_off: Option<Beside>,
}

impl Part {
    pub(super) fn new(
        partition: Partition,
        seed: u64,
        levels: Vec<LevelSums>,
        sign_off: Option<Beside>,
    ) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            partywall: env!("CARGO_PKG_VERSION").into(),
            partition,
            seed,
            levels,
            sign_off,
        }
    }

    pub(super) fn write(&self, folder: &RunFolder) -> Result<(), CampaignError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            CampaignError::new(super::error::Kind::Internal, format!("sums: {error}"))
        })?;
        folder.write(FILE, &(text + "\n")).map(|_| ())
    }
}

impl LevelSums {
    /// Writes the part that is this level alone.
    pub(super) fn write(
        &self,
        partition: Partition,
        seed: u64,
        folder: &RunFolder,
    ) -> Result<(), CampaignError> {
        Part::new(partition, seed, vec![self.clone()], None).write(folder)
    }
}
