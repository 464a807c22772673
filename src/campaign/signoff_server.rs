//! Sign-off of a server of somebody's own: the same plans against it before and after.

use super::budget::{Progress, Stop};
use super::conclusion::{Beside, close};
use super::error::CampaignError;
use super::launched::Launched;
use super::part::Part;
use super::repro::Repro;
use super::series::Series;
use super::signoff::{SignedOff, WIRE_REPLAYS, check_on_wire};
use super::store::RunFolder;
use super::undriven::Undriven;
use super::wire::{Driven, Rounds, by_plan, drive_rounds};
use crate::scenario::{Learnt, Target, Workload};
use crate::swarm::Servers;
use crate::trial::canary::CampaignKey;
use crate::trial::measure::Partition;
use crate::trial::record::{CrossCheck, Side};

/// What to sign off.
#[derive(Clone, Debug)]
pub struct ServerSignOff<'s> {
    /// The work.
    pub work: &'s Workload,
    /// The server before the migration.
    pub before: &'s Target,
    /// The server after it.
    pub after: &'s Target,
    /// What stands for places in templates.
    pub given: &'s Servers,
    /// Where plans come from.
    pub seed: u64,
    /// Rounds of each side.
    pub rounds: u64,
    /// Which part of the rounds, for a campaign that several machines share; then its sums are
    /// written too, for `merge`.
    pub partition: Option<Partition>,
    /// Requests that may be sent in all.
    pub requests: Option<u64>,
    /// Where everything is written.
    pub folder: &'s RunFolder,
    /// When to stop early.
    pub stop: &'s Stop,
}

impl ServerSignOff<'_> {
    /// Drives both sides and compares them.
    ///
    /// # Errors
    ///
    /// The run folder cannot be written, or the server of before does not start. What goes wrong
    /// once something was seen is told beside it.
    pub fn run(&self, progress: &dyn Progress) -> Result<SignedOff, CampaignError> {
        let (before, driven) = self.side("before", self.before, None, None, progress)?;
        let Driven { mut repros, learnt, sums: first, .. } = driven;
        // The same plans: what before taught holds for after.
        let (after, driven) = self.side("after", self.after, Some(&before), learnt, progress)?;
        let Driven { repros: left, sums: second, .. } = driven;
        let mut cross_checks = Vec::new();
        let broken = self.cross_check(&repros, &mut cross_checks, progress).err();
        repros.extend(left);
        let backends = [before.backend.clone(), after.backend.clone()];
        let mut beside = Beside { backends, cross_checks, ..Beside::default() };
        beside.was_not_all_replayed(broken.as_ref(), self.stop);
        if let Some(partition) = self.partition {
            let sums = first.into_iter().chain(second).collect();
            let part = Part::new(partition, self.seed, sums, Some(beside.clone()));
            beside.was_not_written(part.write(self.folder).err().as_ref());
        }
        Ok(close([before, after], beside, repros, self.stop.reason()))
    }

    fn launch(&self, target: &Target, log: &str) -> Result<Launched, CampaignError> {
        Launched::start(target, self.given, &self.folder.file(log), self.stop)
    }

    fn side(
        &self,
        side: &str,
        target: &Target,
        before: Option<&Side>,
        learnt: Option<Learnt>,
        progress: &dyn Progress,
    ) -> Result<(Side, Driven), CampaignError> {
        let backend = target.to_string();
        let launched = match self.launch(target, &format!("{side}-server.log")) {
            Ok(launched) => launched,
            // Before it nothing was seen that could be told.
            Err(error) if side == "before" && self.stop.reason().is_none() => return Err(error),
            Err(error) => {
                let driven = Undriven {
                    workload: self.work,
                    side,
                    backend: &backend,
                    rounds: self.rounds,
                    partition: self.partition,
                    stop: self.stop,
                }
                .because_of(&error);
                return Ok((Side::of(backend, vec![driven.level.clone()]), driven));
            }
        };
        let servers = launched.servers();
        let mut rounds = Rounds::new(
            self.work,
            servers,
            target.clone(),
            self.seed,
            self.rounds,
            self.folder,
            self.stop,
        );
        rounds.side = side;
        rounds.before = before.and_then(|side| side.levels.first());
        rounds.series = Series::on_shared_server(CampaignKey::from_seed(self.seed));
        rounds.replays = WIRE_REPLAYS;
        rounds.learnt = learnt;
        rounds.partition = self.partition;
        (rounds.launched, rounds.requests) = (Some(&launched), self.requests);
        let driven = drive_rounds(&rounds, progress)?;
        let level = driven.level.clone();
        Ok((Side::of(backend, vec![level]), driven))
    }

    /// Drives every leaking plan of before on after; none of its repros may show again. What was
    /// checked stands, whatever becomes of the rest.
    fn cross_check(
        &self,
        repros: &[Repro],
        checks: &mut Vec<CrossCheck>,
        progress: &dyn Progress,
    ) -> Result<(), CampaignError> {
        if repros.is_empty() || self.stop.reason().is_some() {
            return Ok(());
        }
        let series = Series::on_shared_server(CampaignKey::from_seed(self.seed));
        let launched = self.launch(self.after, "after-replay-server.log")?;
        progress.begin("after", "replay", "repros of before", repros.len() as u64);
        for (plan, members) in by_plan(repros) {
            let servers = launched.servers();
            checks.extend(check_on_wire(plan, &members, &servers, &series, self.stop)?);
            let found = checks.iter().map(|check| check.findings_around).sum();
            progress.advance(checks.len() as u64, checks.len() as u64, found);
        }
        progress.end();
        Ok(())
    }
}
