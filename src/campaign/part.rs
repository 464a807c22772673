//! What one part of a shared campaign came to, as a file.

use serde::{Deserialize, Serialize};

use super::conclusion::Beside;
use super::error::CampaignError;
use super::level_sums::LevelSums;
use super::store::RunFolder;
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

/// Writes the part that is that level alone.
pub(crate) fn write_level(
    sums: &LevelSums,
    partition: Partition,
    seed: u64,
    folder: &RunFolder,
) -> Result<(), CampaignError> {
    Part::new(partition, seed, vec![sums.clone()], None).write(folder)
}
