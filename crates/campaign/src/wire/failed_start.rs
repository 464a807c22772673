//! A wire level whose server failed to start. Nothing was driven; the report says so beside the
//! results of the other levels.

use crate::wire::rounds::Driven;
use partywall_core::control::{Drive, Tally};
use partywall_core::measure::Partition;
use partywall_core::record::{LevelName, SearchMethod};
use partywall_drive::scenario::Workload;
use partywall_explore::exploration::level::LevelTally;
use partywall_explore::exploration::level_sums::LevelSums;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::CampaignError;

/// What was to be driven.
#[derive(Clone, Copy, Debug)]
pub struct FailedStart<'u> {
    /// The work.
    pub workload: &'u Workload,
    /// `before`, `after`, or empty for a plain run.
    pub side: &'u str,
    /// What the server is, in words.
    pub backend: &'u str,
    /// How many rounds.
    pub rounds: u64,
    /// Which part of them.
    pub partition: Option<Partition>,
    /// Whether somebody asked for the end.
    pub stop: &'u Stop,
}

impl FailedStart<'_> {
    /// The level, which is inconclusive. That the server is not there is no reason where it was not
    /// waited for.
    pub fn because_of(&self, error: &CampaignError) -> Driven {
        let slice = self.partition.unwrap_or(Partition::WHOLE);
        let own = slice.share_of(self.rounds);
        let mut tally =
            LevelTally::new(LevelName::Wire, self.workload, SearchMethod::BarrierRounds, own);
        tally.partition = slice;
        let stopped = self.stop.reason();
        if stopped.is_none() {
            tally.note(error.reason_code(), error);
        }
        let sums = self.partition.map(|_| LevelSums {
            side: self.side.into(),
            backend: self.backend.into(),
            campaign_trials: self.rounds,
            judged: None,
            tally: tally.clone(),
        });
        let level = tally.finish(Tally::default(), Drive::Absent, stopped);
        Driven { level, leaking: 0, repros: Vec::new(), sums, learnt: None, same: None }
    }
}
