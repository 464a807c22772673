//! Repros of the reference back end shrink to something that a person can read.

use std::collections::BTreeMap;
use std::time::Instant;

use partywall::campaign::budget::Stop;
use partywall::campaign::explore_trial::explore_trial;
use partywall::campaign::repro::Repro;
use partywall::campaign::shrink::{all_approved, only_waits, shrink, shrink_repro, smaller_plans};
use partywall::campaign::subject::Subject;
use partywall::oracle::{Case, judge};
use partywall::scenario::{built_in, built_in_names};
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::dialect::Dialect;
use partywall::trial::plan::{Plan, Twist};
use partywall::trial::record::LevelName;
use partywall::trial::target::Reference;
use partywall::world::strategy::Random;

/// How many repros of each scenario; an unoptimised build is several times slower.
const REPROS: usize = if cfg!(debug_assertions) { 10 } else { 60 };
/// Seconds that one may take in an optimised build.
const SECONDS: f64 = 5.0;

/// Findings as they come, each with the plan and schedule of its trial: the first three of a trial.
fn found(scenario: &str) -> Vec<Repro> {
    let workload = built_in(scenario).expect("it is carried").explore.expect("it is explored");
    let subject = ReferenceSubject(Reference::LEGACY);
    let mut repros = Vec::new();
    for trial in 0.. {
        let plan = workload.plan(7, trial);
        let driven = explore_trial(&plan, &subject, &mut Random::new(trial), &|| false);
        let driven = driven.expect("outside any runtime");
        let dialect = Dialect::reference();
        let judged = judge(&Case::new(&driven.history, &dialect));
        for finding in judged.findings.iter().take(3) {
            let (level, target) = (LevelName::Explore, subject.target());
            let schedule = Some(&driven.schedule);
            repros.push(Repro::new(level, target, finding, Vec::new(), plan.clone(), schedule));
        }
        if repros.len() >= REPROS {
            break;
        }
    }
    repros.truncate(REPROS);
    repros
}

/// Whether the repro is as small as is promised: two active users, and a bystander only if the
/// bystander is who saw it; at most five actions and two deviations.
fn is_small(repro: &Repro) -> bool {
    let active = repro.plan.users.iter().filter(|user| !user.is_bystander()).count();
    let bystanders = repro.plan.users.len() - active;
    let actions: usize = repro.plan.users.iter().map(|user| user.steps.len()).sum();
    let deviations = repro.schedule().expect("it has one").delays();
    active <= 2 && bystanders <= 1 && actions + repro.plan.faults.len() <= 5 && deviations <= 2
}

#[test]
fn nearly_all_repros_shrink_to_two_users_five_actions_and_two_deviations() {
    let mut small = 0;
    let mut whole = 0;
    let mut slowest: f64 = 0.0;
    let mut sizes: BTreeMap<String, u32> = BTreeMap::new();
    for scenario in built_in_names() {
        for repro in found(scenario) {
            let began = Instant::now();
            let shrunk =
                shrink_repro(&repro, &ReferenceSubject(Reference::LEGACY), &Stop::default());
            let shrunk = shrunk.expect("it can be driven").expect("it shows its finding");
            slowest = slowest.max(began.elapsed().as_secs_f64());
            assert_eq!(shrunk.fingerprint, repro.fingerprint);
            whole += 1;
            small += u32::from(is_small(&shrunk));
            if !is_small(&shrunk) {
                println!("not small: {} with {:?}", shrunk.summary, shrunk.plan.users);
            }
            *sizes.entry(shrunk.size()).or_default() += 1;
        }
    }
    println!("{small} of {whole} repros are small; the slowest took {slowest:.1} s; {sizes:?}");
    assert!(small * 100 >= whole * 95, "{small} of {whole}: {sizes:?}");
    if !cfg!(debug_assertions) {
        assert!(slowest <= SECONDS, "{slowest} s");
    }
}

/// A repro that was made too small would show its finding on any back end: a run whose approval is
/// gone never ends.
#[test]
fn what_a_shrunk_repro_shows_is_of_the_back_end_and_not_of_its_plan() {
    let scenario = "reference-controls";
    for repro in found(scenario).into_iter().take(REPROS / 2) {
        let shrunk = shrink_repro(&repro, &ReferenceSubject(Reference::LEGACY), &Stop::default());
        let shrunk = shrunk.expect("it can be driven").expect("it shows its finding");
        for seed in 0..3 {
            let mut walk = Random::new(seed);
            let driven = explore_trial(
                &shrunk.plan,
                &ReferenceSubject(Reference::PER_REQUEST),
                &mut walk,
                &|| false,
            );
            let driven = driven.expect("outside any runtime");
            let dialect = Dialect::reference();
            let judged = judge(&Case::new(&driven.history, &dialect));
            assert_eq!(judged.findings, [], "{scenario}: {:?}", shrunk.plan.users);
        }
    }
}

#[test]
fn no_smaller_plan_leaves_a_run_without_its_approval() {
    let work = built_in("mechanism-mix").expect("built in").explore.expect("it is explored");
    let approved = |plan: &Plan| plan.runs().any(|(_, run)| run.has(Twist::Approval));
    let plans = (0..40).map(|trial| work.plan(1, trial)).filter(approved);
    let (mut seen, mut dropped) = (0, 0);
    for plan in plans {
        assert!(all_approved(&plan), "the generator's own plans are whole");
        for smaller in smaller_plans(&plan) {
            seen += usize::from(approved(&smaller));
            assert!(all_approved(&smaller), "{smaller:?}");
        }
        for (user, who) in plan.users.iter().enumerate() {
            for step in 0..who.steps.len() {
                let mut less = plan.clone();
                let is_wait = only_waits(&less.users[user].steps.remove(step));
                dropped += usize::from(is_wait && !all_approved(&less));
            }
        }
    }
    assert!(seen > 0 && dropped > 0, "no plan had an approval to lose");
}

/// A run over HTTP has no approval any more: a plan that is still long is not made shorter so.
#[test]
fn what_is_found_in_a_run_with_an_approval_stays_approved() {
    let work =
        built_in("reference-controls").expect("it is carried").explore.expect("it is explored");
    let subject = ReferenceSubject(Reference::LEGACY);
    let mut shrunk = 0;
    for trial in 0..40 {
        let plan = work.plan(1, trial);
        if !plan.runs().any(|(_, run)| run.has(Twist::Approval)) {
            continue;
        }
        let driven = explore_trial(&plan, &subject, &mut Random::new(trial), &|| false);
        let driven = driven.expect("outside any runtime");
        let found = judge(&Case::new(&driven.history, &Dialect::reference())).findings;
        let Some(finding) = found.first() else { continue };
        let sought = (finding.oracle, &finding.fingerprint);
        let small = shrink(&plan, &driven.schedule, &subject, sought, &|| false);
        let small = small.expect("outside any runtime").expect("it shows its finding");
        assert!(all_approved(&small.plan), "{:?}", small.plan.users);
        shrunk += 1;
        if shrunk == 4 {
            return;
        }
    }
    panic!("only {shrunk} were found");
}
