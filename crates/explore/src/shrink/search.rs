//! The search for a smaller plan and a cheaper schedule that show the same finding.

use std::cell::RefCell;

use super::smaller_plans::{all_approved, over_http, smaller_plans};
use crate::exploration::alone::Alone;
use crate::exploration::diagnosis::Explainer;
use crate::exploration::explore_trial::{Trial, explore_trial, replay_trial};
use crate::exploration::subject::Subject;
use crate::store::repro::Repro;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::finding::{Finding, Fingerprint, OracleId};
use partywall_core::plan::{Plan, Via};
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
    /// The smaller plan.
    pub plan: Plan,
    pub(crate) schedule: Schedule,
    pub(crate) trial: Trial,
    pub(crate) finding: Finding,
}

impl Shrunk {
    /// The file that replays it.
    pub(crate) fn into_repro(self, subject: &dyn Subject) -> Repro {
        let story = Explainer::new(&self.trial.history, &[]).story(&self.finding);
        let (target, schedule) = (subject.target(), Some(&self.schedule));
        Repro::new(LevelName::Explore, target, &self.finding, story, self.plan, schedule)
    }
}

pub(super) fn weight(shrunk: &Shrunk) -> (usize, usize, usize) {
    let steps: usize = shrunk.plan.users.iter().map(|user| user.steps.len()).sum();
    let plan = &shrunk.plan;
    (plan.users.len(), steps + plan.faults.len(), shrunk.schedule.delays())
}

/// Looks for smaller cases that still show one fingerprint.
pub(super) struct Search<'s> {
    pub(super) subject: &'s dyn Subject,
    pub(super) oracle: OracleId,
    pub(super) fingerprint: &'s Fingerprint,
    pub(super) stop: &'s dyn Fn() -> bool,
    pub(super) scanner: Scanner,
    /// The users of the plan that was judged last, alone.
    pub(super) alone: RefCell<Alone<'s>>,
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

    pub(super) fn replay(
        &self,
        plan: &Plan,
        schedule: &Schedule,
    ) -> Result<Option<Shrunk>, InsideRuntime> {
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
    pub(super) fn cheapest(&self, best: Shrunk) -> Result<Shrunk, InsideRuntime> {
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
    pub(super) fn smaller_plan(&self, mut best: Shrunk) -> Result<Shrunk, InsideRuntime> {
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
    pub(super) fn runs_over_http(&self, best: Shrunk) -> Result<Shrunk, InsideRuntime> {
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
    pub(super) fn fewer_deviations(&self, mut best: Shrunk) -> Result<Shrunk, InsideRuntime> {
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
