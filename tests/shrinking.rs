//! Repros of the reference back end shrink to something that a person can read.

use std::collections::BTreeMap;
use std::time::Instant;

use partywall::campaign::budget::Stop;
use partywall::campaign::explore_trial::explore_trial;
use partywall::campaign::repro::Repro;
use partywall::campaign::shrink::shrink_repro;
use partywall::campaign::subject::{Reference, Subject};
use partywall::oracle::{Case, judge};
use partywall::scenario::{built_in, built_in_names};
use partywall::trial::dialect::Dialect;
use partywall::trial::record::LevelName;
use partywall::world::strategy::Random;

/// How many repros of each scenario; an unoptimised build is several times slower.
const REPROS: usize = if cfg!(debug_assertions) { 10 } else { 60 };
/// Seconds that one may take in an optimised build.
const SECONDS: f64 = 5.0;

/// Findings as they come, each with the plan and schedule of its trial: the first three of a trial.
fn found(scenario: &str) -> Vec<Repro> {
    let workload = built_in(scenario).expect("it is carried").explore.expect("it is explored");
    let subject = Reference::LEGACY;
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
            let shrunk = shrink_repro(&repro, &Reference::LEGACY, &Stop::default());
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
        let shrunk = shrink_repro(&repro, &Reference::LEGACY, &Stop::default());
        let shrunk = shrunk.expect("it can be driven").expect("it shows its finding");
        for seed in 0..3 {
            let mut walk = Random::new(seed);
            let driven = explore_trial(&shrunk.plan, &Reference::PER_REQUEST, &mut walk, &|| false);
            let driven = driven.expect("outside any runtime");
            let dialect = Dialect::reference();
            let judged = judge(&Case::new(&driven.history, &dialect));
            assert_eq!(judged.findings, [], "{scenario}: {:?}", shrunk.plan.users);
        }
    }
}
