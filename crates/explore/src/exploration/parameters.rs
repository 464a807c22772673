//! What to explore, and what it comes to.

use crate::exploration::alone::{ALONE_EVERY, Alone};
use crate::exploration::explore_trial::Trial;
use crate::exploration::judged_trial::{JudgedTrial, judge_trial_beside};
use crate::exploration::level_sums::LevelSums;
use crate::exploration::search::Search;
use crate::exploration::subject::Subject;
use crate::store::budget::Stop;
use crate::store::error::{CampaignError, Kind};
use crate::store::repro::Repro;
use crate::store::run_folder::{RunFolder, home};
use crate::workload::Workload;
use partywall_core::canary::Scanner;
use partywall_core::finding::OracleId;
use partywall_core::measure::Partition;
use partywall_core::record::{Level, LevelName};
use partywall_oracles::Solos;
use partywall_world::simulated::InsideRuntime;

/// What to explore.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exploration<'e> {
    /// The work.
    pub workload: &'e Workload,
    /// What is explored.
    pub subject: &'e dyn Subject,
    /// How schedules are chosen.
    pub search: Search,
    /// Where plans and schedules come from.
    pub seed: u64,
    /// How many trials.
    pub trials: u64,
    /// Stop after that many distinct findings; never where it is none.
    pub enough: Option<u64>,
    /// `before`, `after`, or empty for a plain run.
    pub side: &'e str,
    /// Which part of the trials, for a campaign that several machines share.
    pub partition: Option<Partition>,
    /// Whether some of the trials are compared with their users alone (O5).
    pub alone: bool,
    /// Threads that run trials; the result does not depend on it.
    pub workers: usize,
    /// Oracles that may say nothing of this back end without making the verdict doubtful.
    pub may_be_blind: &'e [OracleId],
    /// Where everything is written.
    pub folder: &'e RunFolder,
    /// When to stop early.
    pub stop: &'e Stop,
}

/// A level with its repros, as they are on disk.
#[derive(Clone, Debug)]
pub struct Explored {
    /// The level, for the report; its drive control is absent.
    pub level: Level,
    /// The repros, one for each finding.
    pub repros: Vec<Repro>,
    /// The sums of a part, to be written.
    pub sums: Option<LevelSums>,
}

/// One trial with what it came to.
pub(crate) struct Done {
    pub(crate) number: u64,
    pub(crate) judged: JudgedTrial,
    pub(crate) trial: Trial,
}

impl<'e> Exploration<'e> {
    /// A plain exploration to the end of its budget, on two workers.
    pub fn new(
        workload: &'e Workload,
        subject: &'e dyn Subject,
        seed: u64,
        trials: u64,
        folder: &'e RunFolder,
        stop: &'e Stop,
    ) -> Self {
        Self {
            workload,
            subject,
            search: Search::Random,
            seed,
            trials,
            enough: None,
            side: "",
            partition: None,
            alone: true,
            workers: 2,
            may_be_blind: &[],
            folder,
            stop,
        }
    }

    /// The trials that are driven.
    pub(crate) fn slice(&self) -> Partition {
        self.partition.unwrap_or(Partition::WHOLE)
    }

    /// Judges the trial of that number: one in [`ALONE_EVERY`] beside its users alone.
    pub(crate) fn judged(
        &self,
        number: u64,
        trial: &Trial,
        scanner: &Scanner,
    ) -> Result<JudgedTrial, CampaignError> {
        let agents = &self.workload.agents;
        let judge =
            |solos: Option<&Solos>| judge_trial_beside(&trial.history, agents, scanner, solos);
        if !self.alone || !number.is_multiple_of(ALONE_EVERY) {
            return Ok(judge(None));
        }
        let stop = || self.stop.reason().is_some();
        let mut alone = Alone::new(&trial.history.plan, self.subject, &stop);
        let judged = alone.judge(|solos| judge(Some(solos)), |judged| &judged.findings);
        judged.map_err(inside_runtime)
    }

    pub(crate) fn home(&self) -> String {
        home(self.side, LevelName::Explore, &self.workload.scenario)
    }
}

/// The seed of a trial's random walk; another stream than the plan's.
pub fn walk_seed(seed: u64, trial: u64) -> u64 {
    seed.rotate_left(32) ^ trial.wrapping_mul(0xD134_2543_DE82_EF95)
}

/// An error of the harness: the simulated world refuses to run inside a runtime.
pub fn inside_runtime(error: InsideRuntime) -> CampaignError {
    CampaignError::new(Kind::Internal, error.to_string())
}
