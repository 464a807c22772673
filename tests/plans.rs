//! Plans come from one constructor, whatever asks for them: each can be driven, written, read and
//! replayed, and the per-request back end leaks in none.

use partywall::campaign::alone::Alone;
use partywall::campaign::explore_trial::{explore_trial, replay_trial};
use partywall::campaign::selftest::MIX;
use partywall::oracle::{Case, judge};
use partywall::scenario::workload::CARRIERS;
use partywall::scenario::{built_in, built_in_names};
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::dialect::Dialect;
use partywall::trial::history::Ending;
use partywall::trial::plan::{Plan, Step, Via};
use partywall::trial::target::Reference;
use partywall::world::strategy::{Mode, Random};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_of_any_seed_is_driven_the_same_twice_and_leaks_nothing(
        seed: u64,
        trial in 0..10_000_u64,
        walk: u64,
        scenario in 0..=built_in_names().count(),
    ) {
        let name = built_in_names().chain([MIX]).nth(scenario).expect("in range");
        let workload = built_in(name).expect("it is carried").explore.expect("it is explored");
        let plan = workload.plan(seed, trial);
        plan.check().expect("a plan from the constructor is sound");
        let text = serde_json::to_string(&plan).expect("plain data");
        prop_assert_eq!(&serde_json::from_str::<Plan>(&text).expect("reads back"), &plan);

        let mut strategy = Random::new(walk);
        let driven = explore_trial(&plan, &ReferenceSubject(Reference::PER_REQUEST), &mut strategy, &|| false);
        let driven = driven.expect("outside any runtime");
        prop_assert_eq!(&driven.history.ending, &Some(Ending::Finished));
        let dialect = Dialect::reference();
        prop_assert_eq!(judge(&Case::new(&driven.history, &dialect)).findings, vec![]);
        let mut alone = Alone::new(&plan, &ReferenceSubject(Reference::PER_REQUEST), &|| false);
        prop_assert_eq!(alone.findings(&driven.history).expect("outside any runtime"), vec![]);

        let schedule = &driven.schedule;
        let again =
            replay_trial(&plan, &ReferenceSubject(Reference::PER_REQUEST), schedule, Mode::Strict, &|| false);
        prop_assert_eq!(again.expect("outside any runtime").history, driven.history);
    }
}

#[test]
fn plans_depend_on_seed_and_trial_only() {
    let work = built_in("reference-golden-path").expect("valid").explore.expect("it is explored");
    assert_eq!(work.plan(7, 3), work.plan(7, 3));
    assert_ne!(work.plan(7, 3), work.plan(7, 4));
    assert_ne!(work.plan(7, 3), work.plan(8, 3));
}

#[test]
fn each_round_on_the_wire_carries_the_path_control_in_several_users_runs() {
    let work = built_in("reference-golden-path").expect("valid").wire;
    let carriers =
        |plan: &Plan, via| plan.runs().filter(|(_, run)| run.phantom && run.via == via).count();
    for round in 0..4 {
        let plan = work.round(7, round);
        for via in [Via::Socket, Via::Http] {
            assert_eq!(carriers(&plan, via), CARRIERS, "round {round}");
        }
        let [without, same] = [plan, work.plan(7, round)].map(|mut plan| {
            for step in plan.users.iter_mut().flat_map(|user| &mut user.steps) {
                if let Step::Start(run) = step {
                    run.phantom = false;
                }
            }
            plan
        });
        assert_eq!(without, same, "nothing else is changed");
    }
    assert_eq!(carriers(&work.plan(7, 0), Via::Socket), 1);
    assert_eq!(carriers(&work.plan(7, 1), Via::Socket), 0);
}
