//! Makes a repro small: fewer users, fewer steps, fewer deviations, the same fingerprint.
//!
//! For each smaller plan the old deviations are tried first (those that no longer fit are skipped),
//! then every schedule with at most one deviation, then a number of seeded walks. What still shows
//! the finding is recorded anew, so the result replays strictly. At last the cheapest schedule is
//! searched for exhaustively.

use std::cell::RefCell;

use crate::exploration::alone::Alone;
use crate::exploration::diagnosis::Explainer;
use crate::exploration::exploration::inside_runtime;
use crate::exploration::explore_trial::{Trial, explore_trial, replay_trial};
use crate::exploration::subject::Subject;
use crate::store::budget::Stop;
use crate::store::error::CampaignError;
use crate::store::repro::Repro;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::finding::{Finding, Fingerprint, OracleId};
use partywall_core::plan::{Plan, Step, Twist, UserPlan, Via};
use partywall_core::record::LevelName;
use partywall_core::schedule::{Deviation, Schedule};
use partywall_oracles::{Case, judge};
use partywall_world::simulated::InsideRuntime;
use partywall_world::strategy::{Exhaustive, Mode, Random};

/// Seeded walks for each smaller plan that nothing cheaper serves.
const WALKS: u64 = 12;
/// Schedules with at most one deviation that are tried for each smaller plan.
const CHEAP: u64 = 120;
/// Deviations up to which the cheapest schedule of the smallest plan is searched for.
const CHEAPEST: usize = 2;
/// Actions of a plan that is short enough to be read at a glance.
const FEW_ACTIONS: usize = 5;
/// Trials that this search may take.
const SEARCHED: u64 = 4_000;

/// A finding with the plan and schedule that show it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    pub plan: Plan,
    pub(crate) schedule: Schedule,
    pub(crate) trial: Trial,
    pub(crate) finding: Finding,
}

/// Shrinks plan and schedule as long as the back end still shows the fingerprint. None if they do
/// not show it to begin with.
pub fn shrink(
    plan: &Plan,
    schedule: &Schedule,
    subject: &dyn Subject,
    (oracle, fingerprint): (OracleId, &Fingerprint),
    stop: &dyn Fn() -> bool,
) -> Result<Option<Shrunk>, InsideRuntime> {
    let scanner = Scanner::new(plan.campaign);
    let alone = RefCell::new(Alone::new(plan, subject, stop));
    let search = Search { subject, oracle, fingerprint, stop, scanner, alone };
    let Some(mut best) = search.replay(plan, schedule)? else { return Ok(None) };
    loop {
        let size = weight(&best);
        best = search.fewer_deviations(best)?;
        best = search.smaller_plan(best)?;
        best = search.runs_over_http(best)?;
        if weight(&best) == size || stop() {
            break;
        }
    }
    Ok(Some(search.cheapest(best)?))
}

/// Makes the repro of an explored trial as small as it goes. None if the back end does not show its
/// finding any more.
///
/// # Errors
///
/// It is of the wire, or the simulated world cannot run here.
pub fn shrink_repro(
    repro: &Repro,
    subject: &dyn Subject,
    stop: &Stop,
) -> Result<Option<Repro>, CampaignError> {
    if repro.level != LevelName::Explore {
        return Err(CampaignError::usage("only repros of explored trials can be shrunk"));
    }
    let schedule = repro.schedule()?;
    let stopped = || stop.reason().is_some();
    let sought = (repro.oracle, &repro.fingerprint);
    let shrunk = shrink(&repro.plan, &schedule, subject, sought, &stopped);
    Ok(shrunk.map_err(inside_runtime)?.map(|small| small.into_repro(subject)))
}

impl Shrunk {
    /// The file that replays it.
    pub(crate) fn into_repro(self, subject: &dyn Subject) -> Repro {
        let story = Explainer::new(&self.trial.history, &[]).story(&self.finding);
        let (target, schedule) = (subject.target(), Some(&self.schedule));
        Repro::new(LevelName::Explore, target, &self.finding, story, self.plan, schedule)
    }
}

fn weight(shrunk: &Shrunk) -> (usize, usize, usize) {
    let steps: usize = shrunk.plan.users.iter().map(|user| user.steps.len()).sum();
    let plan = &shrunk.plan;
    (plan.users.len(), steps + plan.faults.len(), shrunk.schedule.delays())
}

struct Search<'s> {
    subject: &'s dyn Subject,
    oracle: OracleId,
    fingerprint: &'s Fingerprint,
    stop: &'s dyn Fn() -> bool,
    scanner: Scanner,
    /// The users of the plan that was judged last, alone.
    alone: RefCell<Alone<'s>>,
}

impl Search<'_> {
    fn judged(&self, plan: &Plan, trial: Trial) -> Result<Option<Shrunk>, InsideRuntime> {
        let findings = if self.oracle == OracleId::NonInterference {
            let mut alone = self.alone.borrow_mut();
            if !alone.is_of(plan) {
                *alone = Alone::new(plan, self.subject, self.stop);
            }
            alone.findings(&trial.history)?
        } else {
            let dialect = Dialect::of(plan);
            judge(&Case::with_scanner(&trial.history, &dialect, &self.scanner)).findings
        };
        let found = findings.into_iter().find(|one| one.fingerprint == *self.fingerprint);
        Ok(found.map(|finding| {
            let (plan, schedule) = (plan.clone(), trial.schedule.clone());
            Shrunk { plan, schedule, trial, finding }
        }))
    }

    fn replay(&self, plan: &Plan, schedule: &Schedule) -> Result<Option<Shrunk>, InsideRuntime> {
        let trial = replay_trial(plan, self.subject, schedule, Mode::Lenient, self.stop)?;
        self.judged(plan, trial)
    }

    /// The first schedule in the order of cost that shows the finding.
    fn by_cost(
        &self,
        plan: &Plan,
        most_deviations: usize,
        most_trials: u64,
    ) -> Result<Option<Shrunk>, InsideRuntime> {
        let mut search = Exhaustive::new(Some(most_deviations));
        for _ in 0..most_trials {
            let Some(mut branch) = search.next_branch() else { break };
            if (self.stop)() {
                break;
            }
            let trial = explore_trial(plan, self.subject, &mut branch, self.stop)?;
            if let Some(shrunk) = self.judged(plan, trial)? {
                return Ok(Some(shrunk));
            }
            search.took(branch);
        }
        Ok(None)
    }

    /// The same plan with the cheapest schedule, where there is one within the bound.
    fn cheapest(&self, best: Shrunk) -> Result<Shrunk, InsideRuntime> {
        let delays = best.schedule.delays();
        if delays == 0 {
            return Ok(best);
        }
        let most_trials = if delays <= CHEAPEST { CHEAP } else { SEARCHED };
        let cheapest = self.by_cost(&best.plan, CHEAPEST.min(delays - 1), most_trials)?;
        Ok(cheapest.unwrap_or(best))
    }

    fn shows(&self, plan: &Plan, old: &Schedule) -> Result<Option<Shrunk>, InsideRuntime> {
        if let Some(found) = self.replay(plan, old)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.by_cost(plan, 1, CHEAP)? {
            return Ok(Some(found));
        }
        match self.walk(plan)? {
            Some(found) => self.fewer_deviations(found).map(Some),
            None => Ok(None),
        }
    }

    fn walk(&self, plan: &Plan) -> Result<Option<Shrunk>, InsideRuntime> {
        for seed in 0..WALKS {
            let trial = explore_trial(plan, self.subject, &mut Random::new(seed), self.stop)?;
            if let Some(shrunk) = self.judged(plan, trial)? {
                return Ok(Some(shrunk));
            }
            if (self.stop)() {
                break;
            }
        }
        Ok(None)
    }

    /// Takes away what the finding does not need, largest parts first, until nothing more goes.
    fn smaller_plan(&self, mut best: Shrunk) -> Result<Shrunk, InsideRuntime> {
        loop {
            let mut smaller = false;
            let mut next = 0;
            // What goes is followed by the next one, not by all those before it that did not go.
            while let Some(plan) = smaller_plans(&best.plan).into_iter().nth(next) {
                if (self.stop)() {
                    return Ok(best);
                }
                // A step less is not worth a schedule that nobody can follow.
                let most = best.schedule.delays().max(CHEAPEST);
                let found = self.shows(&plan, &best.schedule)?;
                if let Some(found) = found.filter(|found| found.schedule.delays() <= most) {
                    best = found;
                    smaller = true;
                } else {
                    next += 1;
                }
            }
            if !smaller {
                return Ok(best);
            }
        }
    }

    /// Starts runs over HTTP in a plan that is still long, at the cost of another schedule.
    fn runs_over_http(&self, best: Shrunk) -> Result<Shrunk, InsideRuntime> {
        if weight(&best).1 <= FEW_ACTIONS {
            return Ok(best);
        }
        for user in 0..best.plan.users.len() {
            let mut plan = best.plan.clone();
            let first = plan.users[user].runs().find(|run| run.via == Via::Socket);
            let Some(number) = first.map(|run| run.run) else { continue };
            over_http(&mut plan.users[user], number);
            if !all_approved(&plan) {
                continue;
            }
            if let Some(found) = self.by_cost(&plan, CHEAPEST, SEARCHED / 2)? {
                return Ok(found);
            }
        }
        Ok(best)
    }

    /// Takes away deviations: halves, quarters, … and at last each one.
    fn fewer_deviations(&self, mut best: Shrunk) -> Result<Shrunk, InsideRuntime> {
        let mut chunk = best.schedule.delays();
        while chunk > 0 && !(self.stop)() {
            let mut from = 0;
            let mut removed = false;
            while from < best.schedule.delays() {
                let fewer = without(&best.schedule, from, chunk);
                match self.replay(&best.plan, &fewer)? {
                    Some(found) if found.schedule.delays() < best.schedule.delays() => {
                        best = found;
                        removed = true;
                    }
                    _ => from += chunk,
                }
            }
            if !removed || chunk > 1 {
                chunk /= 2;
            }
        }
        Ok(best)
    }
}

fn without(schedule: &Schedule, from: usize, count: usize) -> Schedule {
    let keep = |(place, _): &(usize, &Deviation)| *place < from || *place >= from + count;
    let kept = schedule.deviations.iter().enumerate().filter(keep);
    Schedule { deviations: kept.map(|(_, deviation)| deviation.clone()).collect() }
}

/// Whether every run that waits for an approval is given one once its events have begun: without it,
/// and before the back end has named the run, no back end ends it, and the finding would be of the
/// plan.
pub fn all_approved(plan: &Plan) -> bool {
    plan.users.iter().all(|user| {
        let approved = |run: u16| {
            let mut steps = user.steps.iter();
            let begun = |step: &Step| matches!(step, Step::AwaitEvents { run: own, count: 1.. } if *own == run);
            steps.any(|step| matches!(step, Step::Start(own) if own.run == run))
                && steps.any(begun)
                && steps.any(|step| matches!(step, Step::Approve { run: own } if *own == run))
        };
        user.runs().all(|run| !run.has(Twist::Approval) || approved(run.run))
    })
}

/// Every plan that is one part smaller: a user, a fault, a step, an agent, a delay.
pub fn smaller_plans(plan: &Plan) -> Vec<Plan> {
    let mut smaller = Vec::new();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut candidate = plan.clone();
        change(&mut candidate);
        if candidate != *plan && all_approved(&candidate) {
            smaller.push(candidate);
        }
    };
    for user in 0..plan.users.len() {
        with(&|plan| {
            let gone = plan.users.remove(user).name;
            plan.faults.retain(|fault| fault.user != gone);
        });
    }
    for fault in 0..plan.faults.len() {
        with(&|plan| {
            plan.faults.remove(fault);
        });
    }
    // Steps that only make sense together: who waits at a barrier alone waits for nobody.
    with(&|plan| {
        plan.users.iter_mut().for_each(|user| user.steps.retain(|step| !only_waits(step)));
    });
    with(&|plan| {
        let is_barrier = |step: &Step| matches!(step, Step::Barrier);
        plan.users.iter_mut().for_each(|user| user.steps.retain(|step| !is_barrier(step)));
    });
    for (user, who) in plan.users.iter().enumerate() {
        with(&|plan| plan.users[user].steps.retain(|step| !only_waits(step)));
        if let Some(run) = who.runs().find(|run| run.via == Via::Socket) {
            with(&|plan| over_http(&mut plan.users[user], run.run));
        }
    }
    for (user, who) in plan.users.iter().enumerate() {
        for (step, what) in who.steps.iter().enumerate() {
            // Without its start, a run has nothing to wait for either.
            match what {
                Step::Start(run) => with(&|plan| {
                    let number = run.run;
                    plan.users[user].steps.retain(|step| !concerns(step, number));
                }),
                _ => with(&|plan| {
                    plan.users[user].steps.remove(step);
                }),
            }
        }
    }
    for (user, who) in plan.users.iter().enumerate() {
        for (step, what) in who.steps.iter().enumerate() {
            let Step::Start(run) = what else { continue };
            if run.agents.len() > 1 {
                with(&|plan| edit_run(plan, user, step, |run| run.agents.truncate(1)));
            }
            if run.delays != [0] {
                with(&|plan| edit_run(plan, user, step, |run| run.delays = vec![0]));
            }
            if run.phantom {
                with(&|plan| edit_run(plan, user, step, |run| run.phantom = false));
            }
        }
    }
    smaller
}

/// Whether the step only lets time pass.
pub fn only_waits(step: &Step) -> bool {
    matches!(
        step,
        Step::Barrier | Step::Pause { .. } | Step::Await { .. } | Step::AwaitEvents { .. }
    )
}

/// Starts the run over HTTP, whose answer is its end, so that nothing else need be done for it. The
/// connection stays: opening it takes its time, and whether it is needed the next candidate says.
fn over_http(user: &mut UserPlan, number: u16) {
    user.steps.retain(|step| matches!(step, Step::Start(_)) || !concerns(step, number));
    for step in &mut user.steps {
        if let Step::Start(run) = step
            && run.run == number
        {
            run.via = Via::Http;
        }
    }
}

/// Whether the step is about that run of its user.
pub fn concerns(step: &Step, number: u16) -> bool {
    match step {
        Step::Start(run) => run.run == number,
        Step::AwaitEvents { run, .. }
        | Step::Await { run }
        | Step::ReadRun { run }
        | Step::Abandon { run }
        | Step::Stop { run }
        | Step::Approve { run }
        | Step::Resume { run, .. } => *run == number,
        _ => false,
    }
}

fn edit_run(
    plan: &mut Plan,
    user: usize,
    step: usize,
    edit: impl Fn(&mut partywall_core::plan::RunPlan),
) {
    if let Step::Start(run) = &mut plan.users[user].steps[step] {
        edit(run);
    }
}
