//! Barrier rounds on the wire: many simulated users over real connections to a real process.

use std::cell::Cell;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::blind_spots::may_be_blind;
use super::budget::{Progress, Stop};
use super::error::{CampaignError, Kind};
use super::explore::home;
use super::finding_files::{replay_line, unix_now};
use super::further::{Dearest, MOST_TIMES, may_help};
use super::judged_trial::judge_trial;
use super::launched::Launched;
use super::learnt::learn;
use super::level::LevelTally;
use super::open_files;
use super::part::LevelSums;
use super::repro::{Repro, Target};
use super::series::Series;
use super::signoff::WIRE_REPLAYS;
use super::store::RunFolder;
use super::timeline::draw;
use super::watch::Watch;
use super::wire_rates::Leak;
use super::wire_shrink::ShrinkBudget;
use crate::oracle::{Case, judge, judge_control};
use crate::scenario::{Learnt, Workload};
use crate::swarm::transport::Wire;
use crate::swarm::{self, Servers};
use crate::trial::canary::{CampaignKey, Scanner};
use crate::trial::control::{Drive, Tally};
use crate::trial::dialect::Dialect;
use crate::trial::finding::{Finding, Fingerprint, OracleId};
use crate::trial::history::{Ending, Header, History, to_line};
use crate::trial::measure::Partition;
use crate::trial::plan::{Plan, UserPlan};
use crate::trial::record::{FindingRecord, Level, LevelName};
use crate::trial::verdict::ReasonCode;
use crate::upstream::Account;
use crate::world::World;
use crate::world::recorder::Recorder;

/// How often a round looks whether it must stop, and writes what was recorded since.
pub(super) const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// The most bytes that a round may send, and for each run: a server must not be able to fill memory
/// and disk. The reference back end sends some 20 kB for a run.
const MOST_HELD: u64 = 16 << 20;
const MOST_HELD_PER_RUN: u64 = 256 << 10;

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
    /// The rounds of that server.
    pub series: Series,
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
    pub(super) sums: Option<LevelSums>,
    /// How far runs of that server go, where it was learnt.
    pub learnt: Option<Learnt>,
}

/// The runtime that simulated users run on. One thread: the server has the other cores.
///
/// # Errors
///
/// The system refuses it.
pub fn user_runtime() -> Result<tokio::runtime::Runtime, CampaignError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CampaignError::new(Kind::Internal, format!("no runtime: {error}")))
}

/// Drives the rounds and writes everything that they show.
///
/// # Errors
///
/// The run folder cannot be written, or the system allows too few open files.
pub fn drive_rounds(rounds: &Rounds<'_>, progress: &dyn Progress) -> Result<Driven, CampaignError> {
    let mut rounds = rounds.clone();
    let Rounds { workload, side, stop, .. } = rounds;
    open_files::make_room(workload.users.most as usize + usize::from(workload.bystander))?;
    let slice = rounds.partition.unwrap_or(Partition::WHOLE);
    let own = slice.share_of(rounds.rounds);
    let rounds = &mut rounds;
    progress.begin(side, "wire", &workload.scenario, own);
    let runtime = user_runtime()?;
    let scanner = Scanner::new(CampaignKey::from_seed(rounds.seed));
    let mut tally = LevelTally::new(LevelName::Wire, workload, "barrier rounds", own);
    tally.partition = slice;
    if let Some(work) = &workload.server {
        let (blind, claims) = may_be_blind(&work.protocol);
        tally.may_be_blind(&blind);
        tally.claims = claims;
    }
    if rounds.target.has_judged_upstream() {
        tally.must_see(OracleId::Attribution);
    }
    let mut leaks = Vec::new();
    let mut leaking = 0;
    let mut judge = None;
    let mut workload = workload.clone();
    let mut dearest = Dearest::default();
    for place in 0..own.saturating_mul(MOST_TIMES) {
        if stop.reason().is_some() {
            break;
        }
        if place >= own {
            let judged = judge.as_ref().map(|(_, judged)| judged);
            if !rounds.goes_on(&tally, judged, dearest) {
                break;
            }
            progress.extend(
                own.saturating_mul(MOST_TIMES),
                "further rounds, since too few phases have met",
            );
        }
        let round = slice.trial(place);
        let left = rounds.servers.allowance.left().unwrap_or_default();
        let plan = rounds.series.plant(workload.round(rounds.seed, round));
        if let Some(anew) = rounds.anew().filter(|_| round > 0) {
            match anew() {
                Ok(servers) => rounds.servers = servers,
                // Who asks for the end does not wait for a server to be ready.
                Err(_) if stop.reason().is_some() => break,
                Err(error) => {
                    tally.note(error.reason_code(), &error);
                    break;
                }
            }
        }
        let relative = format!("histories/{}-round-{:04}.jsonl", rounds.home(), round + 1);
        let told = Cell::new(!tally.findings.is_empty());
        let tell = |what: &str| {
            // One round that is told of is enough; what is found there is told when it is over.
            if !told.replace(true) {
                progress.crossed(what);
            }
        };
        let mut watch = Watch::new(&scanner, &plan);
        let mut look = |recorder: &Recorder| {
            if let Some(what) = watch.look(recorder) {
                tell(&what);
            }
        };
        let driven = rounds.round(&runtime, &relative, plan, round, &mut look);
        for (code, error) in &driven.errors {
            tally.note(*code, error);
        }
        let Some(history) = driven.history else { break };
        let taken = left.saturating_sub(rounds.servers.allowance.left().unwrap_or_default());
        dearest.add(&history, taken);
        let judged = judge_trial(&history, &workload.agents, &scanner);
        let lost = workload.vanish_percent;
        if let Some(work) = workload.server.as_mut().filter(|work| work.faults.would_learn(lost)) {
            rounds.learnt = rounds.learnt.or_else(|| learn(&history, &scanner));
            work.faults.learnt = rounds.learnt;
        }
        leaking += u64::from(!judged.findings.is_empty());
        if judge.is_none() && judged.overlapping_pairs > 0 {
            progress.say("planting controls");
            judge =
                Some((round, judge_control(&history, &Dialect::of(&history.plan), rounds.seed)));
        }
        for (record, place) in tally.add(&judged) {
            let finding = &judged.findings[place];
            tally.findings[record].history = Some(relative.clone());
            match rounds.keep(&mut tally.findings[record], finding, &history.plan) {
                Ok(repro) => leaks.push(Leak::new(repro, finding, &history)),
                Err(error) => tally.note(ReasonCode::HistoryCut, &error),
            }
            progress.found(&tally.findings[record]);
        }
        progress.advance(tally.trials, tally.trials_overlapping, tally.findings.len() as u64);
        let flooded = matches!(history.ending, Some(Ending::Flooded { .. }));
        if rounds.servers.allowance.is_spent() {
            let most = rounds.requests.unwrap_or_default();
            let text = format!("the limit of {most} requests was reached in round {}", round + 1);
            tally.note(ReasonCode::BudgetCut, &text);
            break;
        }
        if flooded || !driven.errors.is_empty() || tally.is_in_vain() {
            // Every further round would come to the same, or only wait.
            break;
        }
    }
    let stopped = stop.reason();
    if tally.is_in_vain() {
        // What shows where nothing works is not worth more than a second look.
        (rounds.replays, rounds.shrink) = (1, ShrinkBudget::NONE);
    }
    if let Err(error) = rounds.settle(&runtime, &mut tally.findings, &mut leaks, progress) {
        // What was found is told all the same.
        tally.note(error.reason_code(), &error);
    }
    // All rounds are there, and yet somebody asked for the end.
    let interrupted = stop.reason().filter(|code| *code == ReasonCode::Interrupted);
    let stopped = stopped.or(interrupted);
    progress.end();
    let sums = rounds.partition.map(|_| LevelSums {
        side: rounds.side.into(),
        backend: rounds.target.in_words(),
        campaign_trials: rounds.rounds,
        judged: judge.clone(),
        tally: tally.clone(),
    });
    if let (Some(partition), Some(sums), "") = (rounds.partition, &sums, rounds.side)
        && let Err(error) = sums.write(partition, rounds.seed, rounds.folder)
    {
        tally.note(error.reason_code(), &error);
    }
    let judge = judge.map_or_else(Tally::default, |(_, tally)| tally);
    let mut level = tally.finish(judge, Drive::Absent, stopped);
    draw(rounds.folder, &mut level);
    let repros = leaks.into_iter().map(|leak| leak.repro).collect();
    Ok(Driven { level, leaking, repros, sums, learnt: rounds.learnt })
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
            series: Series::of(CampaignKey::from_seed(seed)),
            replays: 5,
            shrink: ShrinkBudget::BESIDE_A_RUN,
            learnt: None,
            side: "",
            before: None,
            partition: None,
            folder,
            stop,
        }
    }

    /// What starts the server anew, where each round has one of its own.
    fn anew(&self) -> Option<Box<Afresh<'w>>> {
        if let Some(afresh) = self.afresh {
            return Some(Box::new(afresh));
        }
        let launched = self.launched.filter(|own| own.is_fresh())?;
        Some(Box::new(|| launched.afresh()))
    }

    /// Whether a further round may bring what after lacks, and leaves enough for what is to come.
    fn goes_on(&self, so_far: &LevelTally, judged: Option<&Tally>, dearest: Dearest) -> bool {
        // Who shares a campaign has the rounds that it is divided into.
        let Some(before) = self.before.filter(|_| self.partition.is_none()) else { return false };
        let judged = judged.cloned().unwrap_or_default();
        let after = so_far.clone().finish(judged, Drive::Absent, None);
        // The repros of before are to be driven on after.
        let plans = so_far.planned.max(before.findings.len() as u64);
        let to_come = WIRE_REPLAYS.saturating_mul(plans).saturating_add(1);
        may_help(before, &after) && dearest.leaves(to_come, self.stop, &self.servers.allowance)
    }

    pub(super) fn home(&self) -> String {
        home(self.side, LevelName::Wire, &self.workload.scenario)
    }

    /// Drives one round, its history going to disk as it is recorded. What could not be written is
    /// judged all the same.
    pub(super) async fn record(
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

    fn keep(
        &self,
        record: &mut FindingRecord,
        finding: &Finding,
        plan: &Plan,
    ) -> Result<Repro, CampaignError> {
        let target = self.target.clone();
        let repro = Repro::new(LevelName::Wire, target, finding, Vec::new(), plan.clone(), None);
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

pub(crate) fn shows(findings: &[Finding], fingerprint: &Fingerprint) -> bool {
    findings.iter().any(|finding| finding.fingerprint == *fingerprint)
}

/// What all oracles find in a history.
pub(crate) fn judge_findings(history: &History) -> Vec<Finding> {
    judge(&Case::new(history, &Dialect::of(&history.plan))).findings
}

/// Drives a plan once over real connections; gives the history and the first error of writing it.
pub async fn drive_plan(
    servers: &Arc<Servers>,
    plan: Plan,
    recorder: Recorder,
    stop: &Stop,
) -> (History, Option<std::io::Error>) {
    drive_watched(servers, plan, recorder, stop, STOP_INTERVAL, &mut |_| {}).await
}

/// The same; what is recorded is looked at now and then.
pub(super) async fn drive_watched(
    servers: &Arc<Servers>,
    plan: Plan,
    recorder: Recorder,
    stop: &Stop,
    interval: Duration,
    watch: &mut dyn FnMut(&Recorder),
) -> (History, Option<std::io::Error>) {
    let plan = Arc::new(plan);
    let most = MOST_HELD + plan.runs().count() as u64 * MOST_HELD_PER_RUN;
    let (secrets, told) = servers.hidden(&plan);
    let recorder = recorder.hiding(secrets);
    let world = World::live(Some(recorder.clone()));
    told.into_iter().for_each(|(user, what)| world.observe(&user, None, what));
    if let Some(upstream) = &servers.upstream {
        let account = |user: &UserPlan| Account::new(&user.name, None);
        upstream.know(&plan.users.iter().map(account).collect::<Vec<_>>());
        upstream.report_to(Some(world.clone()));
    }
    let mut users = JoinSet::new();
    let backend = Wire::to(servers, &plan.protocol);
    for (_, user) in swarm::users(&world, &backend, servers.given(), &plan) {
        users.spawn(user);
    }
    let held = || recorder.held() + servers.unrecorded.bytes();
    let mut ending = Ending::Finished;
    let mut look = tokio::time::interval(interval);
    loop {
        tokio::select! {
            joined = users.join_next() => match joined {
                None => break,
                Some(Err(panic)) => {
                    let message = panic.to_string();
                    ending = Ending::Panicked { task: "a simulated user".into(), message };
                }
                Some(Ok(())) => {}
            },
            _ = look.tick() => {
                recorder.flush();
                if stop.reason().is_some() || servers.allowance.is_spent() {
                    ending = Ending::Stopped;
                    break;
                } else if held() <= most {
                    watch(&recorder);
                } else {
                    ending = Ending::Flooded { bytes: held() };
                    break;
                }
            }
        }
    }
    if ending == Ending::Finished && held() > most {
        // It came between two looks.
        ending = Ending::Flooded { bytes: held() };
    }
    users.shutdown().await;
    if let Some(upstream) = &servers.upstream {
        upstream.hush();
    }
    let (observations, broken) = recorder.finish();
    let plan = Arc::try_unwrap(plan).unwrap_or_else(|plan| (*plan).clone());
    (History { plan, observations, ending: Some(ending) }, broken)
}
