//! Many trials in the simulated world: each its own plan and its own schedule.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::alone::{ALONE_EVERY, Alone};
use super::budget::{Progress, Stop};
use super::collector::Collector;
use super::error::{CampaignError, Kind};
use super::exhaustive::exhaust;
use super::explore_trial::Trial;
use super::judged_trial::{JudgedTrial, judge_trial_beside};
use super::part::LevelSums;
use super::repro::Repro;
use super::search::{Search, Searcher};
use super::store::RunFolder;
use super::subject::Subject;
use super::sweep::sweep;
use crate::oracle::Solos;
use crate::scenario::Workload;
use crate::trial::canary::{CampaignKey, Scanner};
use crate::trial::finding::OracleId;
use crate::trial::history::to_line;
use crate::trial::measure::Partition;
use crate::trial::record::{Level, LevelName};
use crate::world::simulated::InsideRuntime;

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
    /// Which part of the trials, for a campaign that several machines share; then a plain run's sums
    /// are written too, for `merge`.
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
    /// The sums of a part, which a sign-off puts together with those of its other levels.
    pub(super) sums: Option<LevelSums>,
}

/// One trial with what it came to.
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) judged: JudgedTrial,
    pub(super) trial: Trial,
}

/// Runs the exploration and writes everything that it finds.
///
/// # Errors
///
/// The run folder cannot be written, or the simulated world cannot run here.
pub fn explore(
    exploration: &Exploration<'_>,
    progress: &dyn Progress,
) -> Result<Explored, CampaignError> {
    match &exploration.search {
        Search::Exhaustive { delays } => {
            return Ok(exhaust(exploration, *delays, progress)?.explored);
        }
        Search::Sweep { kinds, plans } => return sweep(exploration, kinds, *plans, progress),
        search => debug_assert!(search.is_sampling()),
    }
    let Exploration { workload, trials, side, .. } = exploration;
    let own = exploration.slice().share_of(*trials);
    progress.begin(side, "explore", &workload.scenario, own);
    let searcher = Searcher::new(&exploration.search);
    let mut tally = searcher.tally(workload, own);
    tally.partition = exploration.slice();
    let mut collector = Collector::new(exploration, tally)?;
    exploration.each_trial(&searcher, |done| collector.take(done, progress))?;
    let method = searcher.method(&collector.odds);
    collector.finish(method, own, progress)
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
    pub(super) fn slice(&self) -> Partition {
        self.partition.unwrap_or(Partition::WHOLE)
    }

    /// Judges the trial of that number: one in [`ALONE_EVERY`] beside its users alone.
    pub(super) fn judged(
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

    pub(super) fn home(&self) -> String {
        home(self.side, LevelName::Explore, &self.workload.scenario)
    }

    /// Runs the trials on the workers, and hands them to `take` in the order of their numbers
    /// until it says that it has enough.
    fn each_trial(
        &self,
        searcher: &Searcher<'_>,
        mut take: impl FnMut(Done) -> Result<bool, CampaignError>,
    ) -> Result<(), CampaignError> {
        let next = AtomicU64::new(0);
        let enough = AtomicBool::new(false);
        let (sender, results) = mpsc::sync_channel(64);
        std::thread::scope(|scope| {
            for worker in 0..searcher.workers(self.workers) {
                let (sender, next, enough) = (sender.clone(), &next, &enough);
                scope.spawn(move || self.work(searcher, worker, next, enough, &sender));
            }
            drop(sender);
            let taken = take_in_order(self.slice(), results, &mut take);
            // Whatever the reason, the workers need not go on.
            enough.store(true, Ordering::Relaxed);
            taken
        })
    }

    fn work(
        &self,
        searcher: &Searcher<'_>,
        worker: usize,
        next: &AtomicU64,
        enough: &AtomicBool,
        results: &mpsc::SyncSender<Result<Done, CampaignError>>,
    ) {
        let scanner = Scanner::new(CampaignKey::from_seed(self.seed));
        let in_hand = format!("{}/in-hand-{worker}.json", self.home());
        let mut in_hand = match self.folder.in_hand(&in_hand) {
            Ok(in_hand) => in_hand,
            Err(error) => {
                let _ = results.send(Err(error));
                return;
            }
        };
        loop {
            let number = self.slice().trial(next.fetch_add(1, Ordering::Relaxed));
            if number >= self.trials
                || enough.load(Ordering::Relaxed)
                || self.stop.reason().is_some()
            {
                return;
            }
            let plan = self.workload.plan(self.seed, number);
            let done = in_hand.take(&to_line(&plan)).and_then(|()| {
                let seed = walk_seed(self.seed, number);
                let stop = || self.stop.reason().is_some();
                let trial = searcher.trial(number, seed, &plan, self.subject, &stop);
                let trial = trial.map_err(inside_runtime)?;
                let judged = self.judged(number, &trial, &scanner)?;
                Ok(Done { number, judged, trial })
            });
            // Nobody listens any more: there was enough.
            if results.send(done).is_err() {
                return;
            }
        }
    }
}

fn take_in_order(
    slice: Partition,
    results: mpsc::Receiver<Result<Done, CampaignError>>,
    take: &mut dyn FnMut(Done) -> Result<bool, CampaignError>,
) -> Result<(), CampaignError> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for done in results {
        let done = done?;
        waiting.insert(done.number, done);
        while let Some(done) = waiting.remove(&slice.trial(next)) {
            next += 1;
            if !take(done)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The folder of one level within the run folder.
pub(crate) fn home(side: &str, level: LevelName, scenario: &str) -> String {
    match side {
        "" => format!("{}-{scenario}", level.as_str()),
        side => format!("{side}-{}-{scenario}", level.as_str()),
    }
}

/// The seed of a trial's random walk; another stream than the plan's.
pub(crate) fn walk_seed(seed: u64, trial: u64) -> u64 {
    seed.rotate_left(32) ^ trial.wrapping_mul(0xD134_2543_DE82_EF95)
}

pub(crate) fn inside_runtime(error: InsideRuntime) -> CampaignError {
    CampaignError::new(Kind::Internal, error.to_string())
}
