//! What one part of a shared campaign came to, as sums that can be added to those of the others.

use serde::{Deserialize, Serialize};

use super::error::CampaignError;
use super::level::LevelTally;
use super::store::RunFolder;
use crate::trial::control::Tally;
use crate::trial::measure::Partition;
use crate::trial::record::SCHEMA_VERSION;

/// The file of a part's sums in its run folder.
pub(super) const FILE: &str = "partition.json";

/// One part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) schema_version: u32,
    pub(super) partywall: String,
    /// Which part.
    pub(super) partition: Partition,
    #[serde(with = "crate::trial::record::as_text")]
    pub(super) seed: u64,
    /// How many trials the whole campaign has.
    pub(super) campaign_trials: u64,
    /// What was driven.
    pub(super) backend: String,
    /// The judge's controls, and the number of the trial that they were planted into.
    pub(super) judged: Option<(u64, Tally)>,
    pub(super) tally: LevelTally,
}

impl Part {
    pub(super) fn new(
        partition: Partition,
        seed: u64,
        campaign_trials: u64,
        backend: String,
        tally: &LevelTally,
        judged: &Option<(u64, Tally)>,
    ) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            partywall: env!("CARGO_PKG_VERSION").into(),
            partition,
            seed,
            campaign_trials,
            backend,
            judged: judged.clone(),
            tally: tally.clone(),
        }
    }

    pub(super) fn write(&self, folder: &RunFolder) -> Result<(), CampaignError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            CampaignError::new(super::error::Kind::Internal, format!("sums: {error}"))
        })?;
        folder.write(FILE, &(text + "\n")).map(|_| ())
    }
}
