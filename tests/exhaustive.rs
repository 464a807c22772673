//! The exhaustive search on the reference back end: two users, one run each.

use std::path::Path;
use std::time::SystemTime;

use partywall::campaign::budget::{Silent, Stop};
use partywall::campaign::exhaustive::{Exhausted, exhaust};
use partywall::campaign::explore::Exploration;
use partywall::campaign::store::RunFolder;
use partywall::reference::call_sites::Migration;
use partywall::scenario::built_in;
use partywall::trial::verdict::{ReasonCode, Verdict};

fn search(name: &str, migration: Migration, delays: usize) -> Exhausted {
    let reports = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exhaustive");
    let folder = RunFolder::create(&reports, name, SystemTime::now()).expect("a run folder");
    let workload = built_in("reference-golden-path").expect("built in").explore.smallest();
    let stop = Stop::default();
    let exploration = Exploration::new(&workload, migration, 1, 1, &folder, &stop);
    exhaust(&exploration, delays, &Silent).expect("searched")
}

#[test]
fn the_legacy_leak_appears_with_one_deviation() {
    let none = search("legacy-0", Migration::NONE, 0);
    assert_eq!((none.tried.as_slice(), none.cheapest_finding), (&[1][..], None));
    let one = search("legacy-1", Migration::NONE, 1);
    assert_eq!(one.tried, [1, 101]);
    assert_eq!(one.cheapest_finding, Some(1));
    assert_eq!(one.explored.level.verdict, Verdict::Leaked);
}

#[test]
fn per_request_shows_nothing_with_up_to_two_deviations() {
    let searched = search("per-request-2", Migration::ALL, 2);
    assert_eq!(searched.tried, [1, 101, 6427]);
    assert_eq!(searched.cheapest_finding, None);
    let level = searched.explored.level;
    assert!(level.findings.is_empty());
    assert_eq!(level.runs_completed, 2 * level.trials);
    assert_eq!(level.phase_coverage.hit, level.phase_coverage.of);
    // It takes three deviations until each of two runs encloses an event of the other; so few
    // schedules prove nothing, and say so.
    assert_eq!(level.verdict, Verdict::Inconclusive);
    assert!(level.reasons.iter().any(|reason| reason.code == ReasonCode::TooLittleOverlap));
    assert!(level.leak_probability_upper_bound.is_none());
}
