//! Sign-off of a server of somebody's own: the same plans against it before and after.

use super::budget::{Progress, Stop};
use super::conclusion::{compare, conclude};
use super::error::CampaignError;
use super::launched::Launched;
use super::repro::{Repro, Target};
use super::series::Series;
use super::signoff::{SignedOff, WIRE_REPLAYS, check_on_wire};
use super::store::RunFolder;
use super::wire::{Driven, Rounds, by_plan, drive_rounds};
use crate::scenario::{ServerTarget, Workload};
use crate::swarm::Servers;
use crate::trial::canary::CampaignKey;
use crate::trial::control::Drive;
use crate::trial::record::{CrossCheck, Side};
use crate::trial::verdict::Verdict;

/// What to sign off.
#[derive(Clone, Debug)]
pub struct ServerSignOff<'s> {
    /// The work.
    pub work: &'s Workload,
    /// The server before the migration.
    pub before: &'s ServerTarget,
    /// The server after it.
    pub after: &'s ServerTarget,
    /// What stands for places in templates.
    pub given: &'s Servers,
    /// Where plans come from.
    pub seed: u64,
    /// Rounds of each side.
    pub rounds: u64,
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
    /// The run folder cannot be written, or a server does not start.
    pub fn run(&self, progress: &dyn Progress) -> Result<SignedOff, CampaignError> {
        let (before, mut repros) = self.side("before", self.before, progress)?;
        let (mut after, left) = self.side("after", self.after, progress)?;
        for (own, earlier) in after.levels.iter_mut().zip(&before.levels) {
            let leaked = earlier.verdict == Verdict::Leaked;
            own.controls.drive = if leaked { Drive::Fired } else { Drive::Missed };
        }
        let cross_checks = self.cross_check(&repros, progress)?;
        let comparison = compare(&before.levels, &after.levels);
        repros.extend(left);
        let (outcome, reasons) =
            conclude(self.stop.reason(), &before, &after, &cross_checks, &comparison);
        Ok(SignedOff {
            outcome,
            reasons,
            before,
            after,
            cross_checks,
            models: Vec::new(),
            comparison,
            saved_repros: Vec::new(),
            repros,
        })
    }

    fn launch(&self, target: &ServerTarget, log: &str) -> Result<Launched, CampaignError> {
        Launched::start(target, self.given, &self.folder.file(log), self.stop)
    }

    fn side(
        &self,
        side: &str,
        target: &ServerTarget,
        progress: &dyn Progress,
    ) -> Result<(Side, Vec<Repro>), CampaignError> {
        let launched = self.launch(target, &format!("{side}-server.log"))?;
        let kept = Target::Server { target: Box::new(target.clone()) };
        let backend = kept.in_words();
        let servers = launched.servers();
        let mut rounds =
            Rounds::new(self.work, servers, kept, self.seed, self.rounds, self.folder, self.stop);
        rounds.side = side;
        rounds.series = Series::on_shared_server(CampaignKey::from_seed(self.seed));
        rounds.replays = WIRE_REPLAYS;
        (rounds.launched, rounds.requests) = (Some(&launched), self.requests);
        let Driven { level, repros } = drive_rounds(&rounds, progress)?;
        Ok((Side { backend, verdict: level.verdict, levels: vec![level] }, repros))
    }

    /// Drives every leaking plan of before on after; none of its repros may show again.
    fn cross_check(
        &self,
        repros: &[Repro],
        progress: &dyn Progress,
    ) -> Result<Vec<CrossCheck>, CampaignError> {
        let mut checks: Vec<CrossCheck> = Vec::new();
        if repros.is_empty() || self.stop.reason().is_some() {
            return Ok(checks);
        }
        progress.begin("after", "replay", "repros of before", repros.len() as u64);
        let series = Series::on_shared_server(CampaignKey::from_seed(self.seed));
        let launched = self.launch(self.after, "after-replay-server.log")?;
        for (plan, members) in by_plan(repros) {
            let servers = launched.servers();
            checks.extend(check_on_wire(plan, &members, &servers, &series, self.stop)?);
            let found = checks.iter().map(|check| check.findings_around).sum();
            progress.advance(checks.len() as u64, checks.len() as u64, found);
        }
        progress.end();
        Ok(checks)
    }
}
