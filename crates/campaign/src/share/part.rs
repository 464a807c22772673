//! What one part of a shared campaign came to, as a file.

use serde::{Deserialize, Serialize};

use crate::signoff::conclusion::Beside;
use partywall_core::measure::Partition;
use partywall_core::record::SCHEMA_VERSION;
use partywall_explore::exploration::level_sums::LevelSums;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::run_folder::RunFolder;

/// The file of a part's sums in its run folder.
pub(crate) const FILE: &str = "partition.json";

/// One part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) schema_version: u32,
    pub(crate) partywall: String,
    /// Which part.
    pub(crate) partition: Partition,
    #[serde(with = "partywall_core::record::as_text")]
    pub(crate) seed: u64,
    /// The levels, in the order of the report: one of a plain run, all of both sides of a sign-off.
    pub(crate) levels: Vec<LevelSums>,
    /// Sign-off: what stands beside the levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sign_off: Option<Beside>,
}

impl Part {
    pub(crate) fn new(
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

    pub(crate) fn write(&self, folder: &RunFolder) -> Result<(), CampaignError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            CampaignError::new(
                partywall_explore::store::error::Kind::Internal,
                format!("sums: {error}"),
            )
        })?;
        folder.write(FILE, &(text + "\n")).map(|_| ())
    }
}

/// Writes the part that is that level alone.
pub fn write_level(
    sums: &LevelSums,
    partition: Partition,
    seed: u64,
    folder: &RunFolder,
) -> Result<(), CampaignError> {
    Part::new(partition, seed, vec![sums.clone()], None).write(folder)
}
