//! Drives the rounds of a wire level, one after the other, and writes what they show.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::share::part::write_level;
use crate::wire::blind_spots::may_be_blind;
use crate::wire::drive::user_runtime;
use crate::wire::extra_rounds::{MOST_TIMES, RoundCost, time_of};
use crate::wire::open_files;
use crate::wire::rates::Leak;
use crate::wire::round::Round;
use crate::wire::rounds::{Driven, Rounds};
use crate::wire::run_delay::run_delay;
use crate::wire::run_profile::run_profile;
use crate::wire::said_alone;
use crate::wire::shrink::ShrinkBudget;
use crate::wire::watch::Watch;
use partywall_core::canary::{CampaignKey, Scanner};
use partywall_core::control::{Drive, Tally};
use partywall_core::dialect::Dialect;
use partywall_core::finding::{Finding, OracleId};
use partywall_core::history::{Ending, Header, History};
use partywall_core::measure::Partition;
use partywall_core::plan::Plan;
use partywall_core::record::{Level, LevelName, SearchMethod};
use partywall_core::verdict::{Reason, ReasonCode};
use partywall_drive::scenario::{Ids, Workload};
use partywall_drive::upstream::{Company, Upstream};
use partywall_explore::exploration::at_once::AtOnce;
use partywall_explore::exploration::diagnosis::Explainer;
use partywall_explore::exploration::judged_trial::{JudgedTrial, judge_trial};
use partywall_explore::exploration::level::LevelTally;
use partywall_explore::exploration::level_sums::LevelSums;
use partywall_explore::exploration::timeline::draw;
use partywall_explore::store::budget::Progress;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::run_folder::unix_now;
use partywall_oracles::judge_control;
use partywall_world::recorder::Recorder;

/// How many runs of one user alone are driven, and how many milliseconds they should take in all.
const LEAST_ALONE: u16 = 3;
const MOST_ALONE: u16 = 8;
const TIME_ALONE: u64 = 3_000;
/// How many more times what runs take alone and together is measured, where the server seems to serve
/// them one after the other: a machine that had other work makes it seem so, and a lock stays one.
const MORE_LOOKS: u32 = 3;
/// How long rounds may take in all once answers are lost, where they are not all asked for: so many
/// times their users' patience, and no longer than that. The level cannot become clean any more, and
/// each round waits for its answers in vain.
const MOST_PATIENCE: u32 = 6;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long a call waits at the upstream for another one: of the same user, and of a second one.
const HOLD_ALONE: Duration = Duration::from_millis(300);
const HOLD: Duration = Duration::from_secs(2);

/// The rounds that are under way, and what they have shown so far.
struct Campaign<'w> {
    rounds: Rounds<'w>,
    /// The work, which later rounds know more of.
    workload: Workload,
    runtime: Runtime,
    scanner: Scanner,
    progress: &'w dyn Progress,
    tally: LevelTally,
    leaks: Vec<Leak>,
    /// Rounds with a finding.
    leaking: u64,
    /// The judge control, with the round that it was planted into.
    judge: Option<(u64, Tally)>,
    cost: RoundCost,
    /// What the level had come to after as many rounds as before drove.
    same: Option<Level>,
    /// How long the rounds took since answers are lost.
    waited: Duration,
}

/// Drives the rounds and writes everything that they show.
///
/// # Errors
///
/// The run folder cannot be written, or the system allows too few open files.
pub fn drive_rounds<'w>(
    rounds: &Rounds<'w>,
    progress: &'w dyn Progress,
) -> Result<Driven, CampaignError> {
    let workload = rounds.workload;
    open_files::make_room(workload.users.most as usize + usize::from(workload.bystander))?;
    let slice = rounds.partition.unwrap_or(Partition::WHOLE);
    let own = slice.share_of(rounds.rounds);
    progress.begin(rounds.side, "wire", &workload.scenario, own);
    let mut campaign = Campaign {
        rounds: rounds.clone(),
        workload: workload.clone(),
        runtime: user_runtime()?,
        scanner: Scanner::new(CampaignKey::from_seed(rounds.seed)),
        progress,
        tally: tally(rounds, slice, own),
        leaks: Vec::new(),
        leaking: 0,
        judge: None,
        cost: RoundCost::default(),
        same: None,
        waited: Duration::ZERO,
    };
    for place in 0..own.saturating_mul(MOST_TIMES) {
        let goes_on = rounds.stop.reason().is_none() && campaign.goes_on(place, own);
        if !goes_on || campaign.round(slice.trial(place), place + 1 == own).is_break() {
            break;
        }
    }
    Ok(campaign.finish())
}

/// The tally of no round yet.
fn tally(rounds: &Rounds<'_>, slice: Partition, own: u64) -> LevelTally {
    let mut tally =
        LevelTally::new(LevelName::Wire, rounds.workload, SearchMethod::BarrierRounds, own);
    tally.partition = slice;
    if let Some(work) = &rounds.workload.server {
        let (blind, claims) = may_be_blind(work, rounds.workload.users.most);
        tally.may_be_blind(&blind);
        tally.claims = claims;
        if work.ids == Ids::Unique {
            let text =
                "collisions of ids that clients choose, since the scenario says `ids = \"unique\"`";
            tally.notices.push(Reason::new(ReasonCode::CollisionsNotTried, text));
        }
        if work.linger == 0 && work.protocol.events.is_some() {
            let deaf = "what the server pushes after the last run is not heard: `linger` is 0";
            tally.claims.push(deaf.into());
        }
    }
    if rounds.target.has_judged_upstream() {
        tally.must_see(OracleId::Attribution);
    }
    tally
}

impl Campaign<'_> {
    /// Whether the round in that place is planned, or may help as an extra one.
    fn goes_on(&self, place: u64, own: u64) -> bool {
        if place < own {
            return true;
        }
        let judged = self.judge.as_ref().map(|(_, judged)| judged);
        let goes_on = self.rounds.goes_on(&self.tally, judged, self.same.as_ref(), self.cost);
        if goes_on {
            let most = own.saturating_mul(MOST_TIMES);
            self.progress.extend(most, "further rounds, since too few phases have met");
        }
        goes_on
    }

    /// Drives a round and judges it; breaks where no other is to follow. In the last that is planned,
    /// users listen on for what the server pushes late.
    fn round(&mut self, round: u64, is_last: bool) -> ControlFlow<()> {
        let left = self.rounds.servers.allowance.left().unwrap_or_default();
        let mut plan = self.rounds.keys.plant(self.workload.round(self.rounds.seed, round));
        let linger = self.workload.server.as_ref().map_or(0, |work| work.linger);
        if is_last && self.rounds.stop.leaves(Duration::from_millis(linger.into())) {
            plan.linger = linger;
        }
        self.start_anew(round)?;
        let relative = format!("histories/{}-round-{:04}.jsonl", self.rounds.home(), round + 1);
        let driven = self.drive(&relative, plan, round);
        for (code, error) in &driven.errors {
            self.tally.note(*code, error);
        }
        let Some(mut history) = driven.history else { return ControlFlow::Break(()) };
        if let Some(users) = self.all_alike() {
            // What crosses between users whom the server cannot tell apart is no leak, and that
            // nothing crosses proves nothing.
            let text = format!(
                "what the server can tell users apart by is the same for all {users} of them: each \
                 log-in gives the same, or nothing of it comes back with their runs"
            );
            let judged = judge_trial(&history, &self.workload.agents, &self.scanner);
            if !self.tally.add_unjudged(&judged, &history) {
                self.tally.note(ReasonCode::UsersAlike, &text);
            }
            return ControlFlow::Break(());
        }
        let allowance = &self.rounds.servers.allowance;
        self.cost.add(&history, left.saturating_sub(allowance.left().unwrap_or_default()));
        if let Err(error) = self.find_out_said_alone(&mut history, &relative) {
            self.tally.note(error.reason_code(), &error);
        }
        self.judge(&history, &relative, round);
        if self.rounds.rounds_before == Some(self.tally.trials) {
            self.same = Some(self.tally.clone().finish(Tally::default(), Drive::Absent, None));
        }
        if self.rounds.servers.allowance.is_spent() {
            let most = self.rounds.requests.unwrap_or_default();
            let text = format!("the limit of {most} requests was reached in round {}", round + 1);
            self.tally.note(ReasonCode::BudgetCut, &text);
            return ControlFlow::Break(());
        }
        let flooded = matches!(history.ending, Some(Ending::Flooded { .. }));
        let in_vain = self.tally.is_in_vain() || self.tally.waits_for_greeting();
        if flooded || !driven.errors.is_empty() || in_vain {
            // Every further round would come to the same, or only wait.
            return ControlFlow::Break(());
        }
        let has_enough =
            |own: &mut Self| !own.tally.findings.is_empty() || own.waits_too_long(&history);
        if self.rounds.fail_fast && has_enough(self) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Whether the rounds have waited too long for answers that are lost; then it tells so.
    fn waits_too_long(&mut self, round: &History) -> bool {
        if !self.tally.loses_answers() {
            return false;
        }
        self.waited += time_of(round);
        let patience = Duration::from_millis(round.plan.protocol.patience.into());
        let longest = LONGEST_WAIT.min(patience * MOST_PATIENCE);
        let is_over = self.waited >= longest && self.tally.trials < self.tally.planned;
        if is_over {
            let text = format!(
                "answers are lost, so the rounds ended after {} of {}; drive all of them with \
                 `--no-fail-fast`, or give a smaller `run_seconds` in `[limits]`",
                self.tally.trials, self.tally.planned
            );
            self.tally.note(ReasonCode::BudgetCut, &text);
        }
        is_over
    }

    /// Finds out, once, whether the names that users are shown in that round are words of the server's
    /// own, and tells it.
    fn find_out_said_alone(
        &mut self,
        history: &mut History,
        relative: &str,
    ) -> Result<(), CampaignError> {
        let known = Arc::clone(&self.rounds.servers.said_alone);
        if known.get().is_some() || self.rounds.stop.reason().is_some() {
            return Ok(());
        }
        let said = self.rounds.said_alone(&self.runtime, &self.workload, history)?;
        let Some(said) = said else { return Ok(()) };
        let _ = known.set(said.clone());
        if !said.is_empty() {
            let names: Vec<_> = said.iter().map(|name| format!("`{name}`")).collect();
            let text = format!(
                "texts are not searched for {}: the server says it to a user who is alone, too",
                names.join(", ")
            );
            self.tally.notices.push(Reason::new(ReasonCode::NamesNotSearched, text));
            said_alone::tell(history, said);
            self.rounds.folder.write(relative, &history.to_file(&Header::new(unix_now())))?;
        }
        Ok(())
    }

    /// How many users the server was shown the same by, where they are to be told apart and are not.
    fn all_alike(&self) -> Option<usize> {
        let work = self.workload.server.as_ref().filter(|work| !work.anonymous)?;
        let is_external = !work.protocol.is_reference();
        is_external.then(|| self.rounds.servers.identities.all_alike()).flatten()
    }

    /// Starts the server anew, where each round but the first has one of its own.
    fn start_anew(&mut self, round: u64) -> ControlFlow<()> {
        let Some(anew) = self.rounds.anew().filter(|_| round > 0) else {
            return ControlFlow::Continue(());
        };
        match anew() {
            Ok(servers) => {
                self.rounds.servers = servers;
                return ControlFlow::Continue(());
            }
            // Who asks for the end does not wait for a server to be ready.
            Err(_) if self.rounds.stop.reason().is_some() => {}
            Err(error) => self.tally.note(error.reason_code(), &error),
        }
        ControlFlow::Break(())
    }

    /// Drives a round; the first leak is printed as soon as it is seen.
    fn drive(&self, relative: &str, plan: Plan, round: u64) -> Round {
        let mut told = !self.tally.findings.is_empty();
        let mut watch = Watch::new(&self.scanner, &plan);
        let mut look = |recorder: &Recorder| {
            // One round that is told of is enough; what is found there is told when it is over.
            if let Some(what) = watch.look(recorder)
                && !told
                && self.all_alike().is_none()
            {
                told = true;
                self.progress.crossed(&what);
            }
        };
        self.rounds.round(&self.runtime, relative, plan, round, &mut look)
    }

    /// Judges a round, and keeps what it shows.
    fn judge(&mut self, history: &History, relative: &str, round: u64) {
        let judged = judge_trial(history, &self.workload.agents, &self.scanner);
        self.tally.look_for_expected(history);
        let lost = self.workload.vanish_percent;
        let server = self.workload.server.as_mut();
        if let Some(work) = server.filter(|work| work.faults.would_learn(lost)) {
            let learnt = self.rounds.learnt.or_else(|| run_profile(history, &self.scanner));
            (self.rounds.learnt, work.faults.learnt) = (learnt, learnt);
        }
        self.leaking += u64::from(!judged.findings.is_empty());
        if self.judge.is_none() && judged.overlap.pairs > 0 {
            self.progress.say("planting controls");
            let dialect = Dialect::of(&history.plan);
            self.judge = Some((round, judge_control(history, &dialect, self.rounds.seed)));
        }
        let explainer = Explainer::new(history, &judged.findings);
        for (record, place) in self.tally.add(&judged) {
            let finding = &judged.findings[place];
            let told = &mut self.tally.findings[record];
            told.history = Some(relative.to_owned());
            let plan = plan_of_repro(history, finding);
            match self.rounds.keep(told, finding, &explainer, &plan) {
                Ok(repro) => self.leaks.push(Leak::new(repro, finding, history)),
                Err(error) => self.tally.note(ReasonCode::HistoryCut, &error),
            }
            self.progress.found(&self.tally.findings[record]);
        }
        let tally = &self.tally;
        self.progress.advance(tally.trials, tally.trials_overlapping, tally.findings.len() as u64);
    }

    /// Finds out whether the server works on several runs at once, where nothing that was seen shows
    /// it: calls for two users are held for each other at the upstream, if that is partywall's; else
    /// what runs of one user alone take tells whether they only waited for each other.
    fn drive_few(&mut self) {
        let may_drive = |own: &Self| {
            own.rounds.stop.reason().is_none() && !own.rounds.servers.allowance.is_spent()
        };
        let is_asked = |own: &Self| {
            own.tally.findings.is_empty() && own.tally.trials_overlapping > 0 && may_drive(own)
        };
        let is_open =
            |own: &Self| matches!(own.tally.at_once(), AtOnce::Unknown | AtOnce::TooShort);
        if let Some(upstream) = self.rounds.servers.upstream.clone()
            && is_asked(self)
            && is_open(self)
        {
            self.progress.say("holding calls for two users for each other at the upstream");
            let own_calls_meet = self.held(&upstream, 1, HOLD_ALONE).met > 0;
            // Where the calls of one run meet each other, that those of two meet says nothing.
            if !own_calls_meet && may_drive(self) {
                let company = self.held(&upstream, 2, HOLD);
                self.tally.met_upstream = match (company.met, company.alone) {
                    (0, 0 | 1) => None,
                    (met, _) => Some(met > 0),
                };
            }
        }
        for look in 0..=MORE_LOOKS {
            let is_again = match self.tally.at_once() {
                AtOnce::Unknown => false,
                AtOnce::OneByOne(_) | AtOnce::Busy(_) => true,
                AtOnce::Shown | AtOnce::Held | AtOnce::TooShort | AtOnce::Several(_) => break,
            };
            if is_again {
                let plan = self.workload.round(self.rounds.seed, u64::from(look));
                let driven = self.drive_beside(plan, &format!("again-{look}"));
                if let Some(judged) = self.keep_crossings(driven) {
                    self.tally.add_served(&judged);
                }
            }
            if !is_asked(self) {
                break;
            }
            self.progress.say("driving one user alone");
            let runs = self.tally.shortest_run().map_or(MOST_ALONE, |shortest| {
                u16::try_from(TIME_ALONE / shortest.max(1)).unwrap_or(MOST_ALONE)
            });
            let plan = self.workload.alone(self.rounds.seed, runs.clamp(LEAST_ALONE, MOST_ALONE));
            let before = run_delay().unwrap_or_default();
            let driven = self.drive_beside(plan, &format!("alone-{}", look + 1));
            let waited = run_delay().unwrap_or_default().saturating_sub(before);
            if let Some((_, _, judged)) = driven {
                self.tally.add_alone(&judged, waited);
            }
        }
    }

    /// Keeps what crossed in a plan that is none of the rounds: it is as real as elsewhere. Gives back
    /// what was driven without a finding.
    fn keep_crossings(
        &mut self,
        driven: Option<(History, String, JudgedTrial)>,
    ) -> Option<JudgedTrial> {
        let (history, relative, judged) = driven?;
        if judged.findings.is_empty() {
            return Some(judged);
        }
        self.judge(&history, &relative, u64::MAX);
        None
    }

    /// Drives that many users while calls at the upstream are held for company, so long at most.
    fn held(&mut self, upstream: &Upstream, users: u32, hold: Duration) -> Company {
        let plan = self.workload.few(self.rounds.seed, users, 1);
        let mut driven = None;
        let company = upstream.hold_for_company(hold, || {
            driven = self.drive_beside(plan, &format!("held-{users}"));
        });
        self.keep_crossings(driven);
        company
    }

    /// Drives a plan that is none of the rounds.
    fn drive_beside(&self, plan: Plan, name: &str) -> Option<(History, String, JudgedTrial)> {
        let relative = format!("histories/{}-{name}.jsonl", self.rounds.home());
        let plan = self.rounds.keys.plant(plan);
        let driven = self.rounds.round(&self.runtime, &relative, plan, u64::MAX, &mut |_| {});
        let history = driven.history?;
        let judged = judge_trial(&history, &self.workload.agents, &self.scanner);
        Some((history, relative, judged))
    }

    /// Drives what leaked again, and concludes.
    fn finish(mut self) -> Driven {
        self.drive_few();
        let stopped = self.rounds.stop.reason();
        if self.tally.is_in_vain() {
            // What shows where nothing works is not worth more than a second look.
            (self.rounds.replays, self.rounds.shrink) = (1, ShrinkBudget::NONE);
        }
        let Self { rounds, progress, mut tally, mut leaks, judge, same, .. } = self;
        if let Err(error) = rounds.settle(&self.runtime, &mut tally.findings, &mut leaks, progress)
        {
            // What was found is told all the same.
            tally.note(error.reason_code(), &error);
        }
        // All rounds are there, and yet somebody asked for the end.
        let interrupted = rounds.stop.reason().filter(|code| *code == ReasonCode::Interrupted);
        let stopped = stopped.or(interrupted);
        progress.end();
        let sums = rounds.partition.map(|_| LevelSums {
            side: rounds.side.into(),
            backend: rounds.target.to_string(),
            campaign_trials: rounds.rounds,
            judged: judge.clone(),
            tally: tally.clone(),
        });
        if let (Some(partition), Some(sums), "") = (rounds.partition, &sums, rounds.side)
            && let Err(error) = write_level(sums, partition, rounds.seed, rounds.folder)
        {
            tally.note(error.reason_code(), &error);
        }
        let judge = judge.map_or_else(Tally::default, |(_, tally)| tally);
        let mut level = tally.finish(judge, Drive::Absent, stopped);
        draw(rounds.folder, &mut level);
        let repros = leaks.into_iter().map(|leak| leak.repro).collect();
        Driven { level, leaking: self.leaking, repros, sums, learnt: rounds.learnt, same }
    }
}

/// The plan by which the finding is driven again: users listen on only where it came so late.
fn plan_of_repro(history: &History, finding: &Finding) -> Plan {
    let mut plan = history.plan.clone();
    let time_of = |n: u64| history.observations.iter().find(|seen| seen.n == n).map(|seen| seen.at);
    let last = finding.evidence.iter().filter_map(|evidence| time_of(evidence.n)).max();
    let end = history.observations.last().map_or(0, |last| last.at);
    if last.is_some_and(|last| last + u64::from(plan.linger) <= end) {
        plan.linger = 0;
    }
    plan
}
