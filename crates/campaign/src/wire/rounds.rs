//! Barrier rounds on the wire: many simulated users over real connections to a real process.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use crate::wire::drive::drive_watched;
use crate::wire::extra_rounds::{RoundCost, may_help};
use crate::wire::launched::Launched;
use crate::wire::round_keys::RoundKeys;
use crate::wire::shrink::ShrinkBudget;
use partywall_core::canary::CampaignKey;
use partywall_core::control::{Drive, Tally};
use partywall_core::finding::Finding;
use partywall_core::history::{Header, History, to_line};
use partywall_core::measure::Partition;
use partywall_core::plan::Plan;
use partywall_core::record::{FindingRecord, Level, LevelName};
use partywall_drive::scenario::{Learnt, Target, Workload};
use partywall_drive::transport::Servers;
use partywall_explore::exploration::diagnosis::Explainer;
use partywall_explore::exploration::level::LevelTally;
use partywall_explore::exploration::level_sums::LevelSums;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::repro::{Repro, replay_line};
use partywall_explore::store::run_folder::{RunFolder, home, unix_now};
use partywall_world::recorder::Recorder;

/// How often each repro of the wire is driven on the side after a migration.
pub const WIRE_REPLAYS: u64 = 3;

/// What to drive over real connections.
#[derive(Clone)]
#[non_exhaustive]
#[expect(missing_debug_implementations, reason = "it holds a closure")]
pub struct Rounds<'w> {
    /// The work.
    pub workload: &'w Workload,
    /// The server, or its replicas.
    pub servers: Arc<Servers>,
    /// The server where it may be started anew: for each round, or in the middle of one.
    pub launched: Option<&'w Launched>,
    /// Starts the server anew for each round, where more is to be done then than that.
    pub afresh: Option<&'w Afresh<'w>>,
    /// How many requests may be sent in all, for what is told where they do not suffice.
    pub requests: Option<u64>,
    /// What the server is, for repros.
    pub target: Target,
    /// Where plans come from.
    pub seed: u64,
    /// How many rounds.
    pub rounds: u64,
    /// Whether the rounds end with the first that has a finding, and where lost answers take too long.
    pub fail_fast: bool,
    /// The rounds of that server.
    pub keys: RoundKeys,
    /// How often each new finding is driven again to state its rate.
    pub replays: u64,
    /// What making the leaking plans small may cost.
    pub shrink: ShrinkBudget,
    /// How far runs of that server go, where it is known: plans but the first are made from it.
    pub learnt: Option<Learnt>,
    /// `before`, `after`, or empty for a plain run.
    pub side: &'w str,
    /// What before came to, for after: where chance alone kept its runs from meeting in as many
    /// phases, further rounds are driven, up to eight times as many in all.
    pub before: Option<&'w Level>,
    /// How many rounds before drove, for after: what those of the same plans came to is what is
    /// compared.
    pub rounds_before: Option<u64>,
    /// Which part of the rounds, for a campaign that several machines share; then a plain run's sums
    /// are written too, for `merge`.
    pub partition: Option<Partition>,
    /// Where everything is written.
    pub folder: &'w RunFolder,
    /// When to stop early.
    pub stop: &'w Stop,
}

/// Starts a server anew; what was given before has ended.
pub type Afresh<'r> = dyn Fn() -> Result<Arc<Servers>, CampaignError> + 'r;

/// A level with its repros, as they are on disk.
#[derive(Clone, Debug)]
pub struct Driven {
    /// The level, for the report; its drive control is absent.
    pub level: Level,
    /// Rounds with a finding.
    pub leaking: u64,
    /// The repros, one for each finding.
    pub repros: Vec<Repro>,
    /// The sums of a part, which a sign-off puts together with those of its other levels.
    pub(crate) sums: Option<LevelSums>,
    /// How far runs of that server go, where it was learnt.
    pub learnt: Option<Learnt>,
    /// What the level had come to after as many rounds as before drove.
    pub(crate) same: Option<Level>,
}

impl<'w> Rounds<'w> {
    /// Plain rounds against that server.
    pub fn new(
        workload: &'w Workload,
        servers: Arc<Servers>,
        target: Target,
        seed: u64,
        rounds: u64,
        folder: &'w RunFolder,
        stop: &'w Stop,
    ) -> Self {
        Self {
            workload,
            servers,
            launched: None,
            afresh: None,
            requests: None,
            target,
            seed,
            rounds,
            fail_fast: false,
            keys: RoundKeys::of(CampaignKey::from_seed(seed)),
            replays: 5,
            shrink: ShrinkBudget::BESIDE_A_RUN,
            learnt: None,
            side: "",
            before: None,
            rounds_before: None,
            partition: None,
            folder,
            stop,
        }
    }

    /// What starts the server anew, where each round has one of its own.
    pub(super) fn anew(&self) -> Option<Box<Afresh<'w>>> {
        if let Some(afresh) = self.afresh {
            return Some(Box::new(afresh));
        }
        let launched = self.launched.filter(|own| own.is_fresh())?;
        Some(Box::new(|| launched.afresh()))
    }

    /// Whether a further round may bring what after lacks, and leaves enough for what is to come.
    pub(super) fn goes_on(
        &self,
        so_far: &LevelTally,
        judged: Option<&Tally>,
        same: Option<&Level>,
        cost: RoundCost,
    ) -> bool {
        // Who shares a campaign has the rounds that it is divided into.
        let Some(before) = self.before.filter(|_| self.partition.is_none()) else { return false };
        let judged = judged.cloned().unwrap_or_default();
        let after = so_far.clone().finish(judged, Drive::Absent, None);
        // The repros of before are to be driven on after.
        let plans = so_far.planned.max(before.findings.len() as u64);
        let to_come = WIRE_REPLAYS.saturating_mul(plans).saturating_add(1);
        may_help(before, &after, same) && cost.leaves(to_come, self.stop, &self.servers.allowance)
    }

    pub(crate) fn home(&self) -> String {
        home(self.side, LevelName::Wire, &self.workload.scenario)
    }

    /// Drives one round, its history going to disk as it is recorded. What could not be written is
    /// judged all the same.
    pub(crate) async fn record(
        &self,
        relative: &str,
        plan: Plan,
        interval: Duration,
        look: &mut dyn FnMut(&Recorder),
    ) -> Result<(History, Option<CampaignError>), CampaignError> {
        let header = Header::new(unix_now());
        // Plan first: it is on disk before anything of it is done.
        let path =
            self.folder.write(relative, &format!("{}{}", to_line(&header), to_line(&plan)))?;
        let file = File::options().append(true).open(&path);
        let file = file.map_err(|error| CampaignError::storage("write", &path, &error))?;
        let recorder = Recorder::to_file(Box::new(file));
        let (stop, own) = (self.stop, recorder.clone());
        let driven = drive_watched(&self.servers, plan, own, stop, interval, look).await;
        let (history, broken) = driven;
        let mut broken = broken.map(|error| CampaignError::storage("write", &path, &error));
        if recorder.hid_late() {
            broken = broken.or(self.folder.write(relative, &history.to_file(&header)).err());
        } else if let (Some(ending), None) = (&history.ending, &broken) {
            let lines = self.folder.lines(relative);
            broken = lines.and_then(|lines| lines.append(&to_line(ending))).err();
        }
        Ok((history, broken))
    }

    pub(super) fn keep(
        &self,
        record: &mut FindingRecord,
        finding: &Finding,
        explainer: &Explainer<'_>,
        plan: &Plan,
    ) -> Result<Repro, CampaignError> {
        let target = self.target.clone();
        let story = explainer.story(finding);
        explainer.explain(record, &story);
        let repro = Repro::new(LevelName::Wire, target, finding, story, plan.clone(), None);
        let relative = format!("repros/{}-{}.json", self.home(), repro.fingerprint);
        let path = self.folder.write(&relative, &repro.to_file())?;
        record.repro_size = Some(repro.size());
        record.reproduce_with = Some(format!("{} --times 5", replay_line(&path)));
        record.repro = Some(relative);
        Ok(repro)
    }
}

/// The repros, those of one plan together.
pub(crate) fn by_plan(repros: &[Repro]) -> Vec<(&Plan, Vec<&Repro>)> {
    let mut groups: Vec<(&Plan, Vec<&Repro>)> = Vec::new();
    for repro in repros {
        match groups.iter_mut().find(|(plan, _)| **plan == repro.plan) {
            Some((_, members)) => members.push(repro),
            None => groups.push((&repro.plan, vec![repro])),
        }
    }
    groups
}
