//! Sign-off: the same plans before and after the migration, and what `fixed` takes.

use std::path::{Path, PathBuf};

use crate::share::part::Part;
pub use crate::signoff::conclusion::SignedOff;
use crate::signoff::conclusion::{Beside, close};
use crate::signoff::cross_check::{CrossChecks, check_explored, check_on_wire};
use crate::signoff::models::{check_models, model_row};
use crate::wire::drive_rounds::drive_rounds;
use crate::wire::failed_start::FailedStart;
use crate::wire::launched::Launched;
use crate::wire::round_keys::RoundKeys;
use crate::wire::rounds::{Driven, Rounds, WIRE_REPLAYS, by_plan};
use partywall_core::measure::Partition;
use partywall_core::record::{Level, LevelName, ModelRow, Side};
use partywall_drive::scenario::{Learnt, Reference, Scenario, Target};
use partywall_drive::transport::ReferenceSubject;
use partywall_drive::transport::Servers;
use partywall_explore::exploration::level_sums::LevelSums;
use partywall_explore::exploration::regressions::{ReplayedFirst, replay_first};
use partywall_explore::exploration::{Exploration, Explored, explore};
use partywall_explore::store::budget::{Progress, Stop};
use partywall_explore::store::error::{CampaignError, Kind};
use partywall_explore::store::repro::Repro;
use partywall_explore::store::run_folder::RunFolder;
use partywall_reference::call_sites::Migration;
use partywall_reference::model::{ModelSpec, Thoroughness, models};

/// A scenario with the two things that are compared.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The scenario.
    pub scenario: Scenario,
    /// What must leak.
    pub before: Target,
    /// What must not.
    pub after: Target,
    /// What stands for places in templates.
    pub given: Servers,
}

/// What to sign off.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignOff<'s> {
    /// The scenarios.
    pub scenarios: &'s [Compared],
    /// Where plans and schedules come from.
    pub seed: u64,
    /// Trials for each scenario; what the scenario says where it is none.
    pub trials: Option<u64>,
    /// Rounds for each scenario; what the scenario says where it is none.
    pub rounds: Option<u64>,
    /// Whether before drives no further round once one has a finding. A part of a campaign drives all.
    pub fail_fast: bool,
    /// Which part of the trials, for a campaign that several machines share; then its sums are
    /// written too, for `merge`.
    pub partition: Option<Partition>,
    /// The nonce of before, against servers that may remember; after has the next one. Drawn where it
    /// is none.
    pub nonce: Option<u32>,
    /// Repros that were saved earlier: none of them may show on after.
    pub saved: &'s [(PathBuf, Repro)],
    /// This program, which is the reference back end on the wire.
    pub program: &'s Path,
    /// Where everything is written.
    pub folder: &'s RunFolder,
    /// When to stop early.
    pub stop: &'s Stop,
}

/// One side as it was driven.
#[derive(Default)]
struct DrivenSide {
    levels: Vec<Level>,
    /// In step with the levels: what each had come to after as many trials as before drove, where
    /// that is known.
    same: Vec<Option<Level>>,
    repros: Vec<Repro>,
    sums: Vec<LevelSums>,
    /// For each scenario its level on the wire, and how far its runs go.
    wire: Vec<(Level, Option<Learnt>)>,
}

/// A server that was started or reached, with the rounds that it is driven.
struct ReachedServer {
    target: Target,
    launched: Launched,
    keys: RoundKeys,
}

impl<'s> SignOff<'s> {
    /// The sign-off of those scenarios with their budgets.
    pub fn new(
        scenarios: &'s [Compared],
        seed: u64,
        program: &'s Path,
        folder: &'s RunFolder,
        stop: &'s Stop,
    ) -> Self {
        let (trials, rounds, partition, nonce) = (None, None, None, None);
        let (saved, fail_fast): (&[_], _) = (&[], true);
        Self {
            scenarios,
            seed,
            trials,
            rounds,
            fail_fast,
            partition,
            nonce,
            saved,
            program,
            folder,
            stop,
        }
    }

    /// Drives both sides and compares them.
    ///
    /// # Errors
    ///
    /// The run folder cannot be written, or what is given for before cannot be used and nothing else was
    /// seen. What goes wrong once something was seen is told beside it.
    pub fn run(&self, progress: &dyn Progress) -> Result<SignedOff, CampaignError> {
        let models = self.models(progress);
        let first = match self.reference(|compared| &compared.after) {
            Some(after) => replay_first(self.saved, &ReferenceSubject(after), self.stop, progress)?,
            None => ReplayedFirst::default(),
        };
        let keys = RoundKeys::of_states(self.seed, self.nonce, 2);
        let before = self.side("before", |compared| &compared.before, None, &keys[0], progress)?;
        let after =
            self.side("after", |compared| &compared.after, Some(&before), &keys[1], progress)?;
        let mut checks = CrossChecks::default();
        let mut repros = before.repros;
        let broken = self.cross_check(&repros, &keys[1], &mut checks, progress).err();
        repros.extend(after.repros);
        let backends =
            [self.in_words(|compared| &compared.before), self.in_words(|compared| &compared.after)];
        // The models are of the two ends of the migration.
        let is_legacy = [
            self.reference(|compared| &compared.before),
            self.reference(|compared| &compared.after),
        ]
        .map(|reference| match reference?.migration {
            Migration::NONE => Some(true),
            Migration::ALL => Some(false),
            _ => None,
        });
        let [left, right] = backends.clone();
        let sides = [Side::of(left, before.levels), Side::of(right, after.levels)];
        let mut beside = Beside {
            backends,
            models,
            is_legacy,
            saved_level: first.level,
            saved_repros: first.rows,
            cross_checks: checks.rows,
            broken: Vec::new(),
        };
        beside.found_left(checks.left.as_ref());
        beside.was_not_all_replayed(broken.as_ref(), self.stop);
        if let Some(partition) = self.partition {
            let sums = before.sums.into_iter().chain(after.sums).collect();
            let part = Part::new(partition, self.seed, sums, Some(beside.clone()));
            beside.was_not_written(part.write(self.folder).err().as_ref());
        }
        Ok(close(sides, &after.same, beside, repros, self.stop.reason()))
    }

    /// What the reference back end is on that side, where a scenario is of it.
    fn reference(&self, side: impl Fn(&Compared) -> &Target) -> Option<Reference> {
        self.scenarios.iter().find_map(|compared| match side(compared) {
            Target::Reference(reference) => Some(*reference),
            Target::Code { .. } | Target::Server { .. } => None,
        })
    }

    fn in_words(&self, side: impl Fn(&Compared) -> &Target) -> String {
        let mut words: Vec<String> =
            self.scenarios.iter().map(|compared| side(compared).to_string()).collect();
        words.dedup();
        words.join("; ")
    }

    /// The models of the kernel, which are of the reference back end.
    fn models(&self, progress: &dyn Progress) -> Vec<ModelRow> {
        if self.reference(|compared| &compared.after).is_none() {
            return Vec::new();
        }
        let specs: Vec<&ModelSpec> = models().iter().collect();
        let outcomes = check_models(&specs, Thoroughness::Usual, progress);
        outcomes.iter().map(|outcome| model_row(outcome, Thoroughness::Usual)).collect()
    }

    /// Drives one side: what can be explored first, then everything on the wire. After is given what
    /// before came to: the same plans, so that what before taught holds for it.
    fn side(
        &self,
        side: &str,
        target: impl Fn(&Compared) -> &Target,
        before: Option<&DrivenSide>,
        keys: &RoundKeys,
        progress: &dyn Progress,
    ) -> Result<DrivenSide, CampaignError> {
        let mut driven = DrivenSide::default();
        for compared in self.scenarios {
            let Target::Reference(reference) = target(compared) else { continue };
            let work = compared.scenario.to_explore().map_err(CampaignError::in_scenario)?;
            let trials = self.trials.unwrap_or(compared.scenario.explore_trials);
            let subject = ReferenceSubject(*reference);
            let mut exploration =
                Exploration::new(work, &subject, self.seed, trials, self.folder, self.stop);
            exploration.side = side;
            exploration.partition = self.partition;
            let Explored { level, repros, sums } = explore(&exploration, progress)?;
            driven.levels.push(level);
            driven.same.push(None);
            driven.sums.extend(sums);
            driven.repros.extend(repros);
        }
        let log = format!("{side}-server.log");
        let mut reached = None;
        for (place, compared) in self.scenarios.iter().enumerate() {
            let before = before.and_then(|side| side.wire.get(place));
            let target = target(compared);
            let own = match self.reach(&mut reached, target, &compared.given, keys, &log) {
                Ok(own) => self.rounds(side, compared, own, before, progress)?,
                // Nothing was seen, and what was given cannot be used: that is no result.
                Err(error)
                    if driven.levels.is_empty()
                        && side == "before"
                        && error.kind() != Kind::Target
                        && self.stop.reason().is_none() =>
                {
                    return Err(error);
                }
                Err(error) => self.failed_start(side, compared, target, &error),
            };
            driven.wire.push((own.level.clone(), own.learnt));
            driven.levels.push(own.level);
            driven.same.push(own.same);
            driven.sums.extend(own.sums);
            driven.repros.extend(own.repros);
        }
        Ok(driven)
    }

    /// The server of that target: the one that is there already, where it is the same.
    fn reach<'r>(
        &self,
        reached: &'r mut Option<ReachedServer>,
        target: &Target,
        given: &Servers,
        keys: &RoundKeys,
        log: &str,
    ) -> Result<&'r ReachedServer, CampaignError> {
        let is_there = reached.as_ref().is_some_and(|own| own.target == *target);
        if !is_there || !matches!(target, Target::Reference(_)) {
            // The old one goes first: it may hold what the new one needs.
            *reached = None;
        }
        Ok(match reached {
            Some(own) => own,
            None => {
                let log = self.folder.file(log);
                let launched = Launched::start(target, self.program, given, &log, self.stop)?;
                let keys = keys.of_state(target, self.seed);
                reached.insert(ReachedServer { target: target.clone(), launched, keys })
            }
        })
    }

    /// The rounds of one side.
    fn count(&self, scenario: &Scenario) -> u64 {
        self.rounds.unwrap_or_else(|| {
            // Enough requests are left for the other side, and for driving what leaks again on both.
            let round = scenario.limits.round_requests.max(1) * (2 + 2 * WIRE_REPLAYS);
            let most = scenario.limits.requests.map_or(u64::MAX, |requests| requests / round);
            scenario.wire_rounds.min(most.max(1))
        })
    }

    fn rounds(
        &self,
        side: &str,
        compared: &Compared,
        reached: &ReachedServer,
        before: Option<&(Level, Option<Learnt>)>,
        progress: &dyn Progress,
    ) -> Result<Driven, CampaignError> {
        let scenario = &compared.scenario;
        let mut rounds = Rounds::new(
            &scenario.wire,
            reached.launched.servers(),
            reached.target.clone(),
            self.seed,
            self.count(scenario),
            self.folder,
            self.stop,
        );
        rounds.side = side;
        // Of the reference back end as many rounds are driven as the scenario says.
        let is_described = reached.target.server().is_some();
        rounds.before = before.filter(|_| is_described).map(|(level, _)| level);
        rounds.rounds_before = before.map(|(level, _)| level.trials);
        rounds.learnt = before.and_then(|(_, learnt)| *learnt);
        rounds.keys = reached.keys.clone();
        rounds.replays = WIRE_REPLAYS;
        rounds.partition = self.partition;
        rounds.fail_fast = self.fail_fast && self.partition.is_none() && side == "before";
        (rounds.launched, rounds.requests) = (Some(&reached.launched), scenario.limits.requests);
        drive_rounds(&rounds, progress)
    }

    fn failed_start(
        &self,
        side: &str,
        compared: &Compared,
        target: &Target,
        error: &CampaignError,
    ) -> Driven {
        let failed = FailedStart {
            workload: &compared.scenario.wire,
            side,
            backend: &target.to_string(),
            rounds: self.count(&compared.scenario),
            partition: self.partition,
            stop: self.stop,
        };
        failed.because_of(error)
    }

    /// Replays every repro of before on after, and explores around those that have a schedule. What
    /// was checked stands, whatever becomes of the rest.
    fn cross_check(
        &self,
        repros: &[Repro],
        keys: &RoundKeys,
        checks: &mut CrossChecks,
        progress: &dyn Progress,
    ) -> Result<(), CampaignError> {
        if repros.is_empty() || self.stop.reason().is_some() {
            return Ok(());
        }
        progress.begin("after", "replay", "repros of before", repros.len() as u64);
        let told = |checks: &CrossChecks| {
            let found = checks.rows.iter().map(|check| check.findings_around).sum();
            let done = checks.rows.len() as u64;
            progress.advance(done, done, found);
        };
        let (wire, explored): (Vec<Repro>, Vec<Repro>) =
            repros.iter().cloned().partition(|repro| repro.level == LevelName::Wire);
        for compared in self.scenarios {
            let Target::Reference(after) = &compared.after else { continue };
            for repro in explored.iter().filter(|repro| compared.is_of(repro)) {
                if self.stop.reason().is_none() {
                    checks.rows.push(check_explored(repro, &ReferenceSubject(*after), self.stop)?);
                    told(checks);
                }
            }
        }
        let mut reached = None;
        for compared in self.scenarios {
            let own: Vec<Repro> = wire.iter().filter(|own| compared.is_of(own)).cloned().collect();
            if own.is_empty() {
                continue;
            }
            let (target, log) = (&compared.after, "after-replay-server.log");
            let ReachedServer { launched, keys, .. } =
                self.reach(&mut reached, target, &compared.given, keys, log)?;
            for (plan, members) in by_plan(&own) {
                let servers = launched.servers();
                checks.add(check_on_wire(plan, &members, &servers, keys, self.stop)?);
                told(checks);
            }
        }
        progress.end();
        Ok(())
    }
}

impl Compared {
    fn is_of(&self, repro: &Repro) -> bool {
        repro.plan.scenario == self.scenario.name
    }
}
