//! The exhaustive search on the reference back end: two users, one run each.

use std::path::Path;
use std::time::SystemTime;

use partywall::campaign::budget::{Silent, Stop};
use partywall::campaign::exhaustive::{Exhausted, exhaust};
use partywall::campaign::explore::Exploration;
use partywall::campaign::store::RunFolder;
use partywall::scenario::built_in;
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::target::Reference;
use partywall::trial::verdict::Verdict;

fn search(name: &str, reference: Reference, delays: usize) -> Exhausted {
    let reports = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exhaustive");
    let folder = RunFolder::create(&reports, name, SystemTime::now()).expect("a run folder");
    let workload = built_in("reference-golden-path")
        .expect("built in")
        .explore
        .expect("it is explored")
        .smallest();
    let stop = Stop::default();
    let subject = ReferenceSubject(reference);
    let exploration = Exploration::new(&workload, &subject, 1, 1, &folder, &stop);
    exhaust(&exploration, Some(delays), &Silent).expect("searched")
}

#[test]
fn the_legacy_leak_appears_with_one_deviation() {
    let none = search("legacy-0", Reference::LEGACY, 0);
    assert_eq!((none.tried.as_slice(), none.cheapest_finding), (&[1][..], None));
    let one = search("legacy-1", Reference::LEGACY, 1);
    assert_eq!(one.tried.iter().sum::<u64>(), one.explored.level.trials);
    assert_eq!(one.cheapest_finding, Some(1));
    assert_eq!(one.explored.level.verdict, Verdict::Leaked);
}

#[test]
fn per_request_shows_nothing_with_up_to_two_deviations() {
    let searched = search("per-request-2", Reference::PER_REQUEST, 2);
    assert_eq!(searched.tried, [1, 102, 6999]);
    assert_eq!(searched.cheapest_finding, None);
    let level = searched.explored.level;
    assert!(level.findings.is_empty());
    assert_eq!(level.runs_completed, 2 * level.trials);
    assert_eq!(level.phase_coverage.hit, level.phase_coverage.of);
    assert_eq!(level.verdict, Verdict::Clean, "{:?}", level.reasons);
    assert!(level.trials_overlapping > 0);
    // Nothing was drawn, so no probability is stated; what is claimed is how many there were.
    assert!(level.leak_probability_upper_bound.is_none());
    assert!(
        level.claims.iter().any(|claim| claim.contains("1 + 102 + 6999")),
        "{:?}",
        level.claims
    );
}
