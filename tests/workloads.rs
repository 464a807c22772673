//! The mix has every ingredient that some mechanism needs, and begins without concurrency.

use std::collections::BTreeSet;

use partywall::campaign::selftest::mix;
use partywall::scenario::Scenario;
use partywall::trial::mechanism::{Mechanism, Workload};
use partywall::trial::plan::{CursorKind, NO_SUCH_AGENT, Plan, RunPlan, Step, Twist, UserPlan};

fn steps(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.users.iter().flat_map(|user| &user.steps)
}

fn runs_of_two(plan: &Plan, fits: impl Fn(&RunPlan) -> bool) -> bool {
    plan.users.iter().filter(|user| user.runs().any(&fits)).count() > 1
}

fn resumes(plan: &Plan, kind: CursorKind) -> bool {
    steps(plan).any(|step| matches!(step, Step::Resume { cursor, .. } if *cursor == kind))
}

fn follows_another(user: &UserPlan) -> bool {
    user.steps.iter().any(|step| matches!(step, Step::AwaitUser { .. }))
}

/// Whether two runs of a user's in one conversation go on at a time.
fn parallel_turns(user: &UserPlan) -> bool {
    user.steps.windows(2).any(|pair| match pair {
        [Step::Start(one), Step::Start(other)] => one.thread == other.thread,
        _ => false,
    })
}

/// Whether the plan has that ingredient, or one part of it. What it is in a mix of plans for one
/// process that the back end has by itself, or nobody can plan, is said here too.
fn has(plan: &Plan, ingredient: Workload) -> bool {
    let delays: BTreeSet<u32> =
        plan.runs().flat_map(|(_, run)| run.delays.iter().copied()).collect();
    match ingredient {
        Workload::W1 => {
            let at_once = plan.barrier_width() > 1;
            at_once && runs_of_two(plan, |run| run.request_id.as_str() == "1")
        }
        Workload::W2 => steps(plan).any(|step| matches!(step, Step::Pause { turns } if *turns > 0)),
        Workload::W3 => {
            !plan.faults.is_empty() || steps(plan).any(|step| matches!(step, Step::Abandon { .. }))
        }
        Workload::W4 => delays.len() > 1,
        Workload::W5 => {
            let overlapping = steps(plan).any(|step| matches!(step, Step::Reconnect { .. }));
            let kinds = [CursorKind::Own, CursorKind::Foreign, CursorKind::Nonsense];
            overlapping || kinds.into_iter().any(|kind| resumes(plan, kind))
        }
        Workload::W6 => {
            let shared = |user: &UserPlan| user.browser.is_some() && follows_another(user);
            plan.users.iter().any(shared)
        }
        Workload::W7 => {
            let fails = |run: &RunPlan| run.agents.iter().any(|agent| agent == NO_SUCH_AGENT);
            let malformed = steps(plan).any(|step| matches!(step, Step::Malformed));
            malformed || plan.runs().any(|(_, run)| fails(run))
        }
        // A user reads as slowly as the schedule lets their task wait, while others' runs go on.
        Workload::W8 => plan.users.len() > 2,
        // The pools of the reference back end hand out what was given back last, as tiny ones do.
        Workload::W9 => plan.runs().count() > 2,
        Workload::W10 => runs_of_two(plan, |run| run.has(Twist::EqualMessage)),
        Workload::W11 => runs_of_two(plan, |run| run.has(Twist::NoThread)),
        Workload::W12 => {
            steps(plan).any(|step| matches!(step, Step::Stop { .. } | Step::Approve { .. }))
        }
        Workload::W13 => plan.users.iter().any(parallel_turns),
        Workload::W14 => plan.users.iter().any(UserPlan::is_bystander),
        // Users of one tick: a plan drives one process, and cannot start it again.
        Workload::W15 => plan.barrier_width() > 1,
        // Work that outlives its run is read back after it, while others' runs go on.
        Workload::W16 => {
            runs_of_two(plan, |_| true)
                && steps(plan).any(|step| matches!(step, Step::ReadThread { .. }))
        }
    }
}

#[test]
fn every_ingredient_of_every_mechanism_is_in_the_mix() {
    let work = mix().expect("it is carried");
    let plans: Vec<Plan> = (0..200).map(|trial| work.plan(1, trial)).collect();
    for mechanism in Mechanism::ALL {
        for &ingredient in mechanism.facts().workloads {
            let plans = plans.iter().filter(|plan| has(plan, ingredient)).count();
            assert!(plans >= 10, "{mechanism} needs {ingredient:?}: in {plans} plans");
        }
    }
    for kind in [CursorKind::Own, CursorKind::Foreign, CursorKind::Nonsense] {
        assert!(plans.iter().any(|plan| resumes(plan, kind)), "{kind:?}");
    }
}

/// What needs no race is found without one: the first plan, and one in four after it, has each user
/// begin when the one before is done.
#[test]
fn the_mix_begins_without_concurrency() {
    let work = mix().expect("it is carried");
    for seed in 1..20 {
        for trial in 0..12 {
            let plan = work.plan(seed, trial);
            let starts = |user: &&UserPlan| !user.is_bystander();
            let active = plan.users.iter().filter(starts).take(2);
            let in_turn = active.skip(1).all(follows_another);
            assert!(in_turn || trial % 4 != 0, "seed {seed}, trial {trial}");
        }
    }
}

/// A request that is equal to nobody else's tries no cache, however few users there are.
#[test]
fn equal_messages_have_a_partner_in_every_round() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/sse-chat.toml");
    let text = std::fs::read_to_string(path).expect("a ready scenario");
    let scenario = Scenario::parse(&text).expect("a scenario");
    for (users, runs) in [(2, 2), (3, 2), (4, 1), (6, 2), (40, 3)] {
        let work = scenario.sized_wire(Some(users), Some(runs));
        for (seed, round) in (1..6).flat_map(|seed| (0..6).map(move |round| (seed, round))) {
            let plan = work.round(seed, round);
            let equal = |number: u16| {
                runs_of_two(&plan, |run| run.run == number && run.has(Twist::EqualMessage))
            };
            assert!((1..=runs).any(equal), "{users} users, {runs} runs, {seed}, {round}");
            let own = |user: &UserPlan| user.runs().any(|run| !run.has(Twist::EqualMessage));
            let active = plan.users.iter().filter(|user| !user.is_bystander());
            assert!(active.filter(|user| own(user)).count() > 1, "{users}, {seed}, {round}");
        }
    }
}
