//! Many trials in the simulated world: each its own plan and its own random walk.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::budget::{Progress, Stop};
use super::cause::chain;
use super::error::{CampaignError, Kind};
use super::explore_trial::{Trial, explore_trial};
use super::judged_trial::{JudgedTrial, judge_trial};
use super::level::{LevelTally, RANDOM_WALK};
use super::repro::{Repro, Target};
use super::shrink::shrink;
use super::store::{Lines, RunFolder};
use crate::oracle::judge_control;
use crate::reference::call_sites::Migration;
use crate::scenario::Workload;
use crate::trial::canary::{CampaignKey, Scanner};
use crate::trial::control::{Drive, Tally};
use crate::trial::dialect::Dialect;
use crate::trial::finding::{Finding, Fingerprint};
use crate::trial::history::{Header, to_line};
use crate::trial::record::{FindingRecord, Level, LevelName};
use crate::world::simulated::InsideRuntime;
use crate::world::strategy::Random;

/// What to explore.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exploration<'e> {
    /// The work.
    pub workload: &'e Workload,
    /// The call sites that are migrated.
    pub migration: Migration,
    /// Where plans and schedules come from.
    pub seed: u64,
    /// How many trials.
    pub trials: u64,
    /// Stop after that many distinct findings; never where it is none.
    pub enough: Option<u64>,
    /// `before`, `after`, or empty for a plain run.
    pub side: &'e str,
    /// Threads that run trials; the result does not depend on it.
    pub workers: usize,
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
}

/// One trial with what it came to.
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) judged: JudgedTrial,
    pub(super) trial: Trial,
}

#[derive(serde::Serialize)]
struct TrialLine<'t> {
    trial: u64,
    steps: u64,
    delays: usize,
    overlapping_pairs: u64,
    findings: Vec<&'t Fingerprint>,
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
    let Exploration { workload, trials, side, folder, stop, .. } = exploration;
    progress.begin(side, "explore", &workload.scenario, *trials);
    let home = exploration.home();
    let log = folder.lines(&format!("{home}/trials.jsonl"))?;
    let mut tally = LevelTally::new(LevelName::Explore, workload, RANDOM_WALK, *trials);
    let mut found = Vec::new();
    let mut first_overlapping = None;
    exploration.each_trial(|done| {
        let new = tally.add(&done.judged);
        if done.judged.overlapping_pairs > 0 && first_overlapping.is_none() {
            first_overlapping = Some(done.number);
        }
        exploration.log(&log, &done)?;
        for (record, place) in new {
            found.push(exploration.keep(&mut tally.findings[record], &done, place)?);
        }
        progress.advance(tally.trials, tally.trials_overlapping, tally.findings.len() as u64);
        let enough = exploration.enough.is_some_and(|enough| tally.findings.len() as u64 >= enough);
        Ok(!enough)
    })?;
    let stopped = stop.reason();
    let mut repros = Vec::new();
    for (record, (repro, finding)) in tally.findings.iter_mut().zip(found) {
        progress.say(&format!("shrinking {}", finding.fingerprint));
        repros.push(exploration.smallest(record, repro, &finding)?);
    }
    let judge = match first_overlapping {
        Some(number) => exploration.judge_control(number)?,
        None => Tally::default(),
    };
    progress.end();
    Ok(Explored { level: tally.finish(judge, Drive::Absent, stopped), repros })
}

impl<'e> Exploration<'e> {
    /// A plain exploration to the end of its budget, on two workers.
    pub fn new(
        workload: &'e Workload,
        migration: Migration,
        seed: u64,
        trials: u64,
        folder: &'e RunFolder,
        stop: &'e Stop,
    ) -> Self {
        Self { workload, migration, seed, trials, enough: None, side: "", workers: 2, folder, stop }
    }

    pub(super) fn home(&self) -> String {
        home(self.side, LevelName::Explore, &self.workload.scenario)
    }

    /// Runs the trials on the workers, and hands them to `take` in the order of their numbers
    /// until it says that it has enough.
    fn each_trial(
        &self,
        mut take: impl FnMut(Done) -> Result<bool, CampaignError>,
    ) -> Result<(), CampaignError> {
        let next = AtomicU64::new(0);
        let enough = AtomicBool::new(false);
        let (sender, results) = mpsc::sync_channel(64);
        std::thread::scope(|scope| {
            for worker in 0..self.workers.max(1) {
                let (sender, next, enough) = (sender.clone(), &next, &enough);
                scope.spawn(move || self.work(worker, next, enough, &sender));
            }
            drop(sender);
            let taken = take_in_order(results, &mut take);
            // Whatever the reason, the workers need not go on.
            enough.store(true, Ordering::Relaxed);
            taken
        })
    }

    fn work(
        &self,
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
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.trials
                || enough.load(Ordering::Relaxed)
                || self.stop.reason().is_some()
            {
                return;
            }
            let plan = self.workload.plan(self.seed, number);
            let done = in_hand.take(&to_line(&plan)).and_then(|()| {
                let mut strategy = Random::new(walk_seed(self.seed, number));
                let trial = explore_trial(&plan, self.migration, &mut strategy, &|| false);
                let trial = trial.map_err(inside_runtime)?;
                let judged = judge_trial(&trial.history, &self.workload.agents, &scanner);
                Ok(Done { number, judged, trial })
            });
            // Nobody listens any more: there was enough.
            if results.send(done).is_err() {
                return;
            }
        }
    }

    pub(super) fn log(&self, log: &Lines, done: &Done) -> Result<(), CampaignError> {
        log.append(&to_line(&TrialLine {
            trial: done.number,
            steps: done.trial.steps,
            delays: done.trial.schedule.delays(),
            overlapping_pairs: done.judged.overlapping_pairs,
            findings: done.judged.findings.iter().map(|finding| &finding.fingerprint).collect(),
        }))
    }

    /// Writes a new finding at once, as it was found; it is made smaller later.
    pub(super) fn keep(
        &self,
        record: &mut FindingRecord,
        done: &Done,
        place: usize,
    ) -> Result<(Repro, Finding), CampaignError> {
        let finding = done.judged.findings[place].clone();
        let repro = self.repro(&finding, &done.trial);
        self.write(record, &repro, &done.trial)?;
        Ok((repro, finding))
    }

    fn repro(&self, finding: &Finding, trial: &Trial) -> Repro {
        let target = Target::Reference { migrated: self.migration.to_string() };
        let story = chain(&trial.history, finding);
        let plan = trial.history.plan.clone();
        Repro::new(LevelName::Explore, target, finding, story, plan, Some(&trial.schedule))
    }

    fn write(
        &self,
        record: &mut FindingRecord,
        repro: &Repro,
        trial: &Trial,
    ) -> Result<(), CampaignError> {
        let name = format!("{}-{}", self.home(), repro.fingerprint);
        let history = trial.history.to_file(&Header::new(unix_now()));
        self.folder.write(&format!("histories/{name}.jsonl"), &history)?;
        let relative = format!("repros/{name}.json");
        let path = self.folder.write(&relative, &repro.to_file())?;
        record.chain.clone_from(&repro.story);
        record.repro_size = Some(repro.size());
        record.reproduce_with = Some(replay_line(&path));
        record.repro = Some(relative);
        Ok(())
    }

    pub(super) fn smallest(
        &self,
        record: &mut FindingRecord,
        repro: Repro,
        finding: &Finding,
    ) -> Result<Repro, CampaignError> {
        let schedule = repro.schedule()?;
        let stop = || self.stop.reason().is_some();
        let shrunk = shrink(&repro.plan, &schedule, self.migration, &finding.fingerprint, &stop)
            .map_err(inside_runtime)?;
        let Some(shrunk) = shrunk else { return Ok(repro) };
        let small = self.repro(&shrunk.finding, &shrunk.trial);
        // What the report tells is what the repro shows.
        record.victim.clone_from(&shrunk.finding.victim);
        record.victim_run = shrunk.finding.victim_run;
        record.observer.clone_from(&shrunk.finding.observer);
        record.summary = shrunk.finding.summary();
        record.evidence.clone_from(&shrunk.finding.evidence);
        self.write(record, &small, &shrunk.trial)?;
        Ok(small)
    }

    /// The judge control on one trial that overlapped: the same trial, since it replays exactly.
    fn judge_control(&self, number: u64) -> Result<Tally, CampaignError> {
        let plan = self.workload.plan(self.seed, number);
        let mut strategy = Random::new(walk_seed(self.seed, number));
        let trial = explore_trial(&plan, self.migration, &mut strategy, &|| false);
        let history = trial.map_err(inside_runtime)?.history;
        Ok(judge_control(&history, &Dialect::reference(), self.seed))
    }
}

fn take_in_order(
    results: mpsc::Receiver<Result<Done, CampaignError>>,
    take: &mut dyn FnMut(Done) -> Result<bool, CampaignError>,
) -> Result<(), CampaignError> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for done in results {
        let done = done?;
        waiting.insert(done.number, done);
        while let Some(done) = waiting.remove(&next) {
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

/// The line that reproduces a finding. A path that a shell would take apart is quoted.
pub(crate) fn replay_line(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if text.chars().all(plain) {
        format!("partywall replay {text}")
    } else {
        format!("partywall replay '{}'", text.replace('\'', r"'\''"))
    }
}

/// Seconds since 1970; for headers only.
pub(crate) fn unix_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
