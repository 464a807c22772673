//! Sign-off: the same plans before and after the migration, and what `fixed` takes.

use std::path::PathBuf;
use std::sync::Arc;

use super::budget::{Progress, Stop};
use super::conclusion::{Beside, close};
use super::error::CampaignError;
use super::explore::{Exploration, Explored, explore};
use super::judged_trial::mostly_ended;
use super::launched::Launched;
use super::models::{check_models, model_row};
use super::part::{LevelSums, Part};
use super::regressions::replay_first;
use super::replay::{Replayed, explore_around, replay_explored, replayed};
use super::repro::Repro;
use super::series::Series;
use super::store::RunFolder;
use super::subject::{Reference, Subject};
use super::undriven::Undriven;
use super::wire::{
    Driven, Rounds, by_plan, drive_plan, drive_rounds, judge_findings, user_runtime,
};
use crate::model::{ModelSpec, Thoroughness, models};
use crate::reference::call_sites::Migration;
use crate::scenario::Scenario;
use crate::swarm::Servers;
use crate::trial::canary::CampaignKey;
use crate::trial::measure::Partition;
use crate::trial::plan::Plan;
use crate::trial::record::{Comparison, CrossCheck, LevelName, ModelRow, SavedRepro, Side};
use crate::trial::verdict::{Outcome, Reason};
use crate::world::recorder::Recorder;

/// Schedules around each explored repro that are tried on after.
const SCHEDULES_AROUND: u64 = 1_000;
/// How often each repro of the wire is driven on after.
pub const WIRE_REPLAYS: u64 = 3;

/// What to sign off.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignOff<'s> {
    /// The scenarios.
    pub scenarios: &'s [Scenario],
    /// The call sites that are migrated before.
    pub before: Migration,
    /// The call sites that are migrated after.
    pub after: Migration,
    /// Where plans and schedules come from.
    pub seed: u64,
    /// Trials for each scenario; what the scenario says where it is none.
    pub trials: Option<u64>,
    /// Rounds for each scenario; what the scenario says where it is none.
    pub rounds: Option<u64>,
    /// Which part of the trials, for a campaign that several machines share; then its sums are
    /// written too, for `merge`.
    pub partition: Option<Partition>,
    /// Repros that were saved earlier: none of them may show on after.
    pub saved: &'s [(PathBuf, Repro)],
    /// Where everything is written.
    pub folder: &'s RunFolder,
    /// When to stop early.
    pub stop: &'s Stop,
}

/// What a sign-off came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedOff {
    /// The verdict.
    pub outcome: Outcome,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The side that must leak.
    pub before: Side,
    /// The side that must not.
    pub after: Side,
    /// Before's repros replayed on after.
    pub cross_checks: Vec<CrossCheck>,
    /// The models of the kernel.
    pub models: Vec<ModelRow>,
    /// What after reached of before.
    pub comparison: Vec<Comparison>,
    /// What the saved repros came to on after.
    pub saved_repros: Vec<SavedRepro>,
    /// The repros of all findings, as they are on disk.
    pub repros: Vec<Repro>,
}

impl<'s> SignOff<'s> {
    /// The sign-off of the whole migration with the budgets of the scenarios.
    pub fn new(
        scenarios: &'s [Scenario],
        seed: u64,
        folder: &'s RunFolder,
        stop: &'s Stop,
    ) -> Self {
        Self {
            scenarios,
            before: Migration::NONE,
            after: Migration::ALL,
            seed,
            trials: None,
            rounds: None,
            partition: None,
            saved: &[],
            folder,
            stop,
        }
    }

    /// Drives both sides and compares them.
    ///
    /// # Errors
    ///
    /// The run folder cannot be written. That a server does not start is told in the report.
    pub fn run(&self, progress: &dyn Progress) -> Result<SignedOff, CampaignError> {
        let models = self.models(progress);
        let after_now = Reference::from(self.after);
        let first = replay_first(self.saved, &after_now, self.stop, progress)?;
        let (before, mut repros, mut sums) = self.side("before", self.before, progress)?;
        let (after, left, own) = self.side("after", self.after, progress)?;
        let mut cross_checks = Vec::new();
        let broken = self.cross_check(&repros, &mut cross_checks, progress).err();
        repros.extend(left);
        sums.extend(own);
        // The models are of the two ends of the migration.
        let is_legacy = [self.before, self.after].map(|migration| match migration {
            Migration::NONE => Some(true),
            Migration::ALL => Some(false),
            _ => None,
        });
        let mut beside = Beside {
            backends: [before.backend.clone(), after.backend.clone()],
            models,
            is_legacy,
            saved_level: first.level,
            saved_repros: first.rows,
            cross_checks,
            broken: Vec::new(),
        };
        beside.was_not_all_replayed(broken.as_ref(), self.stop);
        if let Some(partition) = self.partition {
            let part = Part::new(partition, self.seed, sums, Some(beside.clone()));
            beside.was_not_written(part.write(self.folder).err().as_ref());
        }
        Ok(close([before, after], beside, repros, self.stop.reason()))
    }

    fn models(&self, progress: &dyn Progress) -> Vec<ModelRow> {
        let specs: Vec<&ModelSpec> = models().iter().collect();
        let outcomes = check_models(&specs, Thoroughness::Usual, progress);
        outcomes.iter().map(|outcome| model_row(outcome, Thoroughness::Usual)).collect()
    }

    fn side(
        &self,
        side: &str,
        migration: Migration,
        progress: &dyn Progress,
    ) -> Result<(Side, Vec<Repro>, Vec<LevelSums>), CampaignError> {
        let reference = Reference::from(migration);
        let mut levels = Vec::new();
        let mut repros = Vec::new();
        let mut sums = Vec::new();
        for scenario in self.scenarios {
            let trials = self.trials.unwrap_or(scenario.explore_trials);
            let mut exploration = Exploration::new(
                &scenario.explore,
                &reference,
                self.seed,
                trials,
                self.folder,
                self.stop,
            );
            exploration.side = side;
            exploration.partition = self.partition;
            let Explored { level, repros: explored, sums: own } = explore(&exploration, progress)?;
            levels.push(level);
            sums.extend(own);
            repros.extend(explored);
        }
        let log = self.folder.file(&format!("{side}-server.log"));
        let target = reference.target();
        let process = Launched::start(&target, &Servers::default(), &log, self.stop);
        let series = Series::of(CampaignKey::from_seed(self.seed));
        for scenario in self.scenarios {
            let rounds = self.rounds.unwrap_or(scenario.wire_rounds);
            let process = match &process {
                Ok(process) => process,
                Err(error) => {
                    let undriven = Undriven {
                        workload: &scenario.wire,
                        side,
                        backend: &target.to_string(),
                        rounds,
                        partition: self.partition,
                        stop: self.stop,
                    };
                    let Driven { level, sums: own, .. } = undriven.because_of(error);
                    levels.push(level);
                    sums.extend(own);
                    continue;
                }
            };
            let mut rounds = Rounds::new(
                &scenario.wire,
                process.servers(),
                target.clone(),
                self.seed,
                rounds,
                self.folder,
                self.stop,
            );
            rounds.side = side;
            rounds.series = series.clone();
            rounds.replays = WIRE_REPLAYS;
            rounds.partition = self.partition;
            let Driven { level, repros: driven, sums: own, .. } = drive_rounds(&rounds, progress)?;
            levels.push(level);
            sums.extend(own);
            repros.extend(driven);
        }
        Ok((Side::of(reference.to_string(), levels), repros, sums))
    }

    /// Replays every repro of before on after, and explores around those that have a schedule. What
    /// was checked stands, whatever becomes of the rest.
    fn cross_check(
        &self,
        repros: &[Repro],
        checks: &mut Vec<CrossCheck>,
        progress: &dyn Progress,
    ) -> Result<(), CampaignError> {
        if repros.is_empty() || self.stop.reason().is_some() {
            return Ok(());
        }
        progress.begin("after", "replay", "repros of before", repros.len() as u64);
        let found =
            |checks: &[CrossCheck]| checks.iter().map(|check| check.findings_around).sum::<u64>();
        let (wire, explored): (Vec<Repro>, Vec<Repro>) =
            repros.iter().cloned().partition(|repro| repro.level == LevelName::Wire);
        for repro in &explored {
            if self.stop.reason().is_some() {
                break;
            }
            checks.push(self.check_explored(repro)?);
            progress.advance(checks.len() as u64, checks.len() as u64, found(checks));
        }
        let log = self.folder.file("after-replay-server.log");
        let target = Reference::from(self.after).target();
        let process = Launched::start(&target, &Servers::default(), &log, self.stop)?;
        let (servers, series) = (process.servers(), Series::of(CampaignKey::from_seed(self.seed)));
        for (plan, members) in by_plan(&wire) {
            checks.extend(check_on_wire(plan, &members, &servers, &series, self.stop)?);
            progress.advance(checks.len() as u64, checks.len() as u64, found(checks));
        }
        progress.end();
        Ok(())
    }

    fn check_explored(&self, repro: &Repro) -> Result<CrossCheck, CampaignError> {
        let (replayed, _) = replay_explored(repro, &Reference::from(self.after), self.stop)?;
        let around =
            explore_around(repro, &Reference::from(self.after), SCHEDULES_AROUND, self.stop)?;
        Ok(CrossCheck {
            level: LevelName::Explore,
            fingerprint: repro.fingerprint.clone(),
            repro: format!(
                "repros/before-explore-{}-{}.json",
                repro.plan.scenario, repro.fingerprint
            ),
            replay: word(replayed).into(),
            schedules_around: around.schedules,
            findings_around: around.with_findings,
        })
    }
}

/// Drives one leaking plan of before on after; none of its repros may show again.
pub(super) fn check_on_wire(
    plan: &Plan,
    repros: &[&Repro],
    servers: &Arc<Servers>,
    series: &Series,
    stop: &Stop,
) -> Result<Vec<CrossCheck>, CampaignError> {
    let runtime = user_runtime()?;
    let mut worst = vec![Replayed::Gone; repros.len()];
    let mut with_findings = 0;
    for _ in 0..WIRE_REPLAYS {
        let driven = drive_plan(servers, series.plant(plan.clone()), Recorder::in_memory(), stop);
        let (history, _) = runtime.block_on(driven);
        let findings = judge_findings(&history);
        with_findings += u64::from(!findings.is_empty());
        let ended = mostly_ended(&history);
        for (worst, repro) in worst.iter_mut().zip(repros) {
            let came_to = match replayed(&findings, &history, &repro.fingerprint) {
                // What may not be sent any more, or is not answered, cannot show anything.
                Replayed::Gone if servers.allowance.is_spent() || !ended => Replayed::Unfinished,
                came_to => came_to,
            };
            if *worst != Replayed::Same && came_to != Replayed::Gone {
                *worst = came_to;
            }
        }
    }
    let check = |(repro, worst): (&&Repro, Replayed)| CrossCheck {
        level: LevelName::Wire,
        fingerprint: repro.fingerprint.clone(),
        repro: format!("repros/before-wire-{}-{}.json", plan.scenario, repro.fingerprint),
        replay: word(worst).into(),
        schedules_around: 0,
        findings_around: with_findings,
    };
    Ok(repros.iter().zip(worst).map(check).collect())
}

fn word(replayed: Replayed) -> &'static str {
    match replayed {
        Replayed::Same => "same",
        Replayed::Gone => "gone",
        Replayed::Diverged(_) | Replayed::Unfinished => "diverged",
    }
}
