//! Makes a leaking plan of the wire small: fewer users, fewer runs, fewer faults.
//!
//! Nothing replays exactly there, so a smaller plan is taken if it still shows the finding at least
//! half as often as the whole one did, in a few drives of it. What is left is driven anew at the
//! end: the rate that is stated is that of the small plan.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::wire::drive::user_runtime;
use crate::wire::launched::Launched;
use crate::wire::reproduce::{Attempt, Reproducer, named, time_after};
use crate::wire::round_keys::RoundKeys;
use partywall_core::finding::Fingerprint;
use partywall_core::ids::UserName;
use partywall_core::plan::{Plan, Step};
use partywall_core::record::Rate;
use partywall_explore::exploration::judged_trial::shows;
use partywall_explore::shrink::concerns;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::repro::Repro;

/// A smaller plan must keep this share of the whole one's rate.
const FLOOR: f64 = 0.5;
/// Drives of a smaller plan that decide on it; fewer where the outcome is certain before.
const TRIES: u64 = 4;

/// What making a plan small may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShrinkBudget {
    /// How long.
    pub time: Duration,
    /// How many drives.
    pub drives: u64,
}

impl ShrinkBudget {
    /// Nothing is made small.
    pub const NONE: Self = Self { time: Duration::ZERO, drives: 0 };
    /// Beside a run that has found something: a few seconds.
    pub const BESIDE_A_RUN: Self = Self { time: Duration::from_secs(4), drives: 60 };
    /// Where it is all that was asked for.
    pub const ALONE: Self = Self { time: Duration::from_secs(60), drives: 600 };
}

/// A repro of the wire, made small.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Small {
    /// The smallest that still shows its finding often enough.
    pub repro: Repro,
    /// How often it does.
    pub rate: Rate,
    /// How often the whole one did.
    pub whole: Rate,
}

/// Makes a repro of the wire as small as it goes within the budget, driving each plan that is to be
/// measured so many times. None if the server does not show its finding any more.
///
/// # Errors
///
/// The system refuses a runtime, or the server does not start anew.
pub fn shrink_wire_repro(
    repro: &Repro,
    launched: &Launched,
    budget: ShrinkBudget,
    times: u64,
    stop: &Stop,
) -> Result<Option<Small>, CampaignError> {
    let (runtime, keys) =
        (user_runtime()?, RoundKeys::again(repro.plan.campaign, launched.is_fresh()));
    let reproducer = Reproducer {
        servers: RefCell::new(launched.servers()),
        launched: Some(launched),
        keys: &keys,
        runtime: &runtime,
        drives: Cell::new(0),
    };
    let fingerprint = &repro.fingerprint;
    let patience = repro.plan.protocol.patience;
    let longest = time_after(Duration::from_millis(patience.into()));
    let (mut whole, mut limit, mut names) = (Rate { hit: 0, of: 0 }, Duration::ZERO, None);
    for _ in 0..times {
        let drive = reproducer.once(&repro.plan, &[fingerprint], longest, stop)?;
        let Some(Attempt { findings, history, took }) = drive else { break };
        whole.of += 1;
        if let Some(shown) = findings.iter().find(|one| one.fingerprint == *fingerprint) {
            whole.hit += 1;
            limit = limit.max(time_after(took));
            names = Some(named(&history, shown));
        }
    }
    let Some(names) = names else { return Ok(None) };
    let wanted = Wanted { fingerprint, whole, named: &names, limit };
    let taken = shrink_on_wire(&repro.plan, &wanted, &reproducer, budget, stop)?;
    for plan in taken.into_iter().skip(1).rev() {
        let rates = reproducer.rates(&plan, &[fingerprint], times, limit, stop)?;
        if let Some(&rate) = rates.first().filter(|rate| keeps_the_floor(whole, **rate)) {
            return Ok(Some(Small { repro: Repro { plan, ..repro.clone() }, rate, whole }));
        }
        if stop.reason().is_some() {
            break;
        }
    }
    Ok(Some(Small { repro: repro.clone(), rate: whole, whole }))
}

/// Whether that is often enough for a plan whose whole showed it that often.
pub(crate) fn keeps_the_floor(whole: Rate, small: Rate) -> bool {
    small.hit > 0 && small.hit as f64 * whole.of as f64 >= FLOOR * (whole.hit * small.of) as f64
}

/// One finding that a plan is made small for.
pub(crate) struct Wanted<'w> {
    pub(crate) fingerprint: &'w Fingerprint,
    /// How often the whole plan shows it.
    pub(crate) whole: Rate,
    /// Whom the finding names, each once: they are kept longest.
    pub(crate) named: &'w [UserName],
    /// How long a drive need go on.
    pub(crate) limit: Duration,
}

/// The plan as small as it goes within the budget; the plan itself where nothing smaller will do.
pub(crate) fn shrink_on_wire(
    plan: &Plan,
    wanted: &Wanted<'_>,
    reproducer: &Reproducer<'_>,
    budget: ShrinkBudget,
    stop: &Stop,
) -> Result<Vec<Plan>, CampaignError> {
    let stop = stop.within(budget.time);
    let most = reproducer.drives.get() + budget.drives;
    let search = Search { wanted, reproducer, stop: &stop, most };
    // The last that was taken is the smallest; those before it stand in where it turns out too rare.
    let mut taken = vec![plan.clone()];
    search.fewer_users(&mut taken)?;
    let mut again = true;
    while again && !search.is_over() {
        again = false;
        let mut next = 0;
        while let Some(smaller) = smaller_plans(last(&taken)).into_iter().nth(next) {
            if search.is_over() {
                break;
            }
            if search.serves(&smaller)? {
                taken.push(smaller);
                again = true;
            } else {
                next += 1;
            }
        }
    }
    Ok(taken)
}

fn last(taken: &[Plan]) -> &Plan {
    taken.last().expect("the whole plan is in it")
}

struct Search<'s> {
    wanted: &'s Wanted<'s>,
    reproducer: &'s Reproducer<'s>,
    stop: &'s Stop,
    most: u64,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.stop.reason().is_some() || self.reproducer.drives.get() >= self.most
    }

    /// Two users, then four, eight, …: whom the finding names first, then the others in order.
    fn fewer_users(&self, taken: &mut Vec<Plan>) -> Result<(), CampaignError> {
        let whole = last(taken).clone();
        let mut count = 2;
        while count < whole.users.len() && !self.is_over() {
            let smaller = with_users(&whole, count, self.wanted.named);
            if self.serves(&smaller)? {
                taken.push(smaller);
                return Ok(());
            }
            count *= 2;
        }
        Ok(())
    }

    /// Whether the plan shows the finding often enough.
    fn serves(&self, plan: &Plan) -> Result<bool, CampaignError> {
        let Wanted { fingerprint, whole, limit, .. } = self.wanted;
        let mut rate = Rate { hit: 0, of: 0 };
        let enough = |hit| keeps_the_floor(*whole, Rate { hit, of: TRIES });
        while rate.of < TRIES {
            if enough(rate.hit) || !enough(rate.hit + TRIES - rate.of) {
                break;
            }
            let drive = self.reproducer.once(plan, &[fingerprint], *limit, self.stop)?;
            let Some(Attempt { findings, .. }) = drive else { return Ok(false) };
            rate.of += 1;
            rate.hit += u64::from(shows(&findings, fingerprint));
        }
        Ok(enough(rate.hit))
    }
}

fn with_users(plan: &Plan, count: usize, named: &[UserName]) -> Plan {
    let others = plan.users.iter().map(|user| &user.name).filter(|name| !named.contains(name));
    let kept: Vec<&UserName> = named.iter().chain(others).take(count).collect();
    let mut smaller = plan.clone();
    smaller.users.retain(|user| kept.contains(&&user.name));
    smaller.faults.retain(|fault| kept.contains(&&fault.user));
    smaller
}

/// Every plan that is one part smaller, the largest parts first: a user, a fault, a run, a step that
/// is no part of plain work, the pauses.
fn smaller_plans(plan: &Plan) -> Vec<Plan> {
    let mut smaller: Vec<Plan> = Vec::new();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut candidate = plan.clone();
        change(&mut candidate);
        if candidate != *plan && candidate.runs().next().is_some() {
            smaller.push(candidate);
        }
    };
    with(&|plan| plan.linger = 0);
    for user in 0..plan.users.len() {
        with(&|plan| {
            let gone = plan.users.remove(user).name;
            plan.faults.retain(|fault| fault.user != gone);
        });
    }
    for fault in 0..plan.faults.len() {
        with(&|plan| _ = plan.faults.remove(fault));
    }
    for (user, who) in plan.users.iter().enumerate() {
        for run in who.runs().map(|run| run.run) {
            with(&|plan| plan.users[user].steps.retain(|step| !concerns(step, run)));
        }
    }
    for (user, who) in plan.users.iter().enumerate() {
        for (step, _) in who.steps.iter().enumerate().filter(|(_, step)| is_extra(step)) {
            with(&|plan| _ = plan.users[user].steps.remove(step));
        }
    }
    with(&|plan| {
        let is_pause = |step: &Step| matches!(step, Step::Pause { .. });
        plan.users.iter_mut().for_each(|user| user.steps.retain(|step| !is_pause(step)));
    });
    smaller
}

/// Whether the step is no part of plain work: connecting, meeting, starting, waiting. Nor is the
/// approval of a run: without it no server ends the run, and the finding would be of the plan.
fn is_extra(step: &Step) -> bool {
    !matches!(
        step,
        Step::Connect
            | Step::Barrier
            | Step::Start(_)
            | Step::Await { .. }
            | Step::AwaitEvents { .. }
            | Step::AwaitUser { .. }
            | Step::Pause { .. }
            | Step::Approve { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_drive::scenario::built_in;

    fn rate(hit: u64, of: u64) -> Rate {
        Rate { hit, of }
    }

    #[test]
    fn half_of_the_rate_is_kept() {
        assert!(
            keeps_the_floor(rate(4, 5), rate(2, 5)) && !keeps_the_floor(rate(5, 5), rate(2, 5))
        );
        assert!(
            !keeps_the_floor(rate(0, 5), rate(0, 5)) && !keeps_the_floor(rate(1, 5), rate(0, 4))
        );
    }

    #[test]
    fn an_approval_goes_with_its_run_only() {
        let plan = built_in("reference-controls").expect("it is carried").wire.plan(1, 0);
        let approved = |plan: &Plan| -> Vec<(UserName, u16)> {
            let approves = |user: &partywall_core::plan::UserPlan| {
                let run = |step: &Step| match step {
                    Step::Approve { run } => Some((user.name.clone(), *run)),
                    _ => None,
                };
                user.steps.iter().filter_map(run).collect::<Vec<_>>()
            };
            plan.users.iter().flat_map(approves).collect()
        };
        let whole = approved(&plan);
        assert!(!whole.is_empty());
        for smaller in smaller_plans(&plan) {
            let kept = approved(&smaller);
            for (user, run) in whole.iter().filter(|own| !kept.contains(own)) {
                let left = smaller.user(user).and_then(|user| user.run(*run));
                assert!(left.is_none(), "run {run} of {user} waits in vain");
            }
        }
    }

    #[test]
    fn whom_the_finding_names_is_kept() {
        let plan = built_in("reference-golden-path").expect("it is carried").wire.plan(1, 0);
        let (first, other) = (&plan.users[7].name, &plan.users[30].name);
        let two = with_users(&plan, 2, &[first.clone(), other.clone()]);
        assert_eq!(two.users.len(), 2);
        assert!(two.user(first).is_some() && two.user(other).is_some());
        let four = with_users(&plan, 4, std::slice::from_ref(first));
        assert!(four.users.len() == 4 && four.user(first).is_some());
        two.check().expect("it can be driven");
        for smaller in smaller_plans(&two) {
            smaller.check().expect("it can be driven");
            assert_ne!(smaller, two);
        }
    }
}
