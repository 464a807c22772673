//! Makes a repro small: fewer users, fewer steps, fewer deviations, the same fingerprint.
//!
//! For each smaller plan the old deviations are tried first (those that no longer fit are skipped),
//! then a number of seeded walks. What still shows the finding is recorded anew, so the result
//! replays strictly.

use super::explore_trial::{Trial, explore_trial, replay_trial};
use crate::oracle::{Case, judge};
use crate::reference::call_sites::Migration;
use crate::trial::canary::Scanner;
use crate::trial::dialect::Dialect;
use crate::trial::finding::{Finding, Fingerprint};
use crate::trial::plan::{Plan, Step};
use crate::trial::schedule::{Deviation, Schedule};
use crate::world::simulated::InsideRuntime;
use crate::world::strategy::{Mode, Random};

/// Seeded walks for each smaller plan that the old deviations do not serve.
const WALKS: u64 = 40;

/// A finding with the plan and schedule that show it.
#[derive(Clone, Debug)]
pub(crate) struct Shrunk {
    pub(crate) plan: Plan,
    pub(crate) schedule: Schedule,
    pub(crate) trial: Trial,
    pub(crate) finding: Finding,
}

/// Shrinks plan and schedule as long as the back end still shows the fingerprint. None if they do
/// not show it to begin with.
pub(crate) fn shrink(
    plan: &Plan,
    schedule: &Schedule,
    migration: Migration,
    fingerprint: &Fingerprint,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Shrunk>, InsideRuntime> {
    let search = Search { migration, fingerprint, stop, scanner: Scanner::new(plan.campaign) };
    let Some(mut best) = search.replay(plan, schedule)? else { return Ok(None) };
    loop {
        let size = weight(&best);
        best = search.smaller_plan(best)?;
        best = search.fewer_deviations(best)?;
        if weight(&best) == size || stop() {
            return Ok(Some(best));
        }
    }
}

fn weight(shrunk: &Shrunk) -> (usize, usize, usize) {
    let steps = shrunk.plan.users.iter().map(|user| user.steps.len()).sum();
    (shrunk.plan.users.len(), steps, shrunk.schedule.delays())
}

struct Search<'s> {
    migration: Migration,
    fingerprint: &'s Fingerprint,
    stop: &'s dyn Fn() -> bool,
    scanner: Scanner,
}

impl Search<'_> {
    fn judged(&self, plan: &Plan, trial: Trial) -> Option<Shrunk> {
        let dialect = Dialect::reference();
        let judged = judge(&Case::with_scanner(&trial.history, &dialect, &self.scanner));
        let found = judged.findings.into_iter().find(|one| one.fingerprint == *self.fingerprint)?;
        let (plan, schedule) = (plan.clone(), trial.schedule.clone());
        Some(Shrunk { plan, schedule, trial, finding: found })
    }

    fn replay(&self, plan: &Plan, schedule: &Schedule) -> Result<Option<Shrunk>, InsideRuntime> {
        let trial = replay_trial(plan, self.migration, schedule, Mode::Lenient, self.stop)?;
        Ok(self.judged(plan, trial))
    }

    fn walk(&self, plan: &Plan) -> Result<Option<Shrunk>, InsideRuntime> {
        for seed in 0..WALKS {
            let trial = explore_trial(plan, self.migration, &mut Random::new(seed), self.stop)?;
            if let Some(shrunk) = self.judged(plan, trial) {
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
        'again: loop {
            for plan in smaller_plans(&best.plan) {
                if (self.stop)() {
                    return Ok(best);
                }
                let found = match self.replay(&plan, &best.schedule)? {
                    Some(found) => Some(found),
                    None => self.walk(&plan)?,
                };
                if let Some(found) = found {
                    best = found;
                    continue 'again;
                }
            }
            return Ok(best);
        }
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

/// Every plan that is one part smaller: a user, a step, an agent, a delay.
fn smaller_plans(plan: &Plan) -> Vec<Plan> {
    let mut smaller = Vec::new();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut candidate = plan.clone();
        change(&mut candidate);
        if candidate != *plan {
            smaller.push(candidate);
        }
    };
    for user in 0..plan.users.len() {
        with(&|plan| {
            plan.users.remove(user);
        });
    }
    for (user, who) in plan.users.iter().enumerate() {
        for (step, what) in who.steps.iter().enumerate() {
            // Without its start, a run has nothing to wait for either.
            match what {
                Step::Start(run) => with(&|plan| {
                    let number = run.run;
                    plan.users[user].steps.retain(|step| !concerns(step, number));
                }),
                Step::Connect => {}
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

fn concerns(step: &Step, number: u16) -> bool {
    match step {
        Step::Start(run) => run.run == number,
        Step::AwaitEvents { run, .. } | Step::Await { run } | Step::ReadRun { run } => {
            *run == number
        }
        _ => false,
    }
}

fn edit_run(
    plan: &mut Plan,
    user: usize,
    step: usize,
    edit: impl Fn(&mut crate::trial::plan::RunPlan),
) {
    if let Step::Start(run) = &mut plan.users[user].steps[step] {
        edit(run);
    }
}
