//! Speed of judging: decoding a history into a case, and all oracles on it. Throughput is in
//! observations, so that small and large histories can be compared.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use partywall::campaign::explore_trial::explore_trial;
use partywall::oracle::{Case, judge, judge_control};
use partywall::scenario::{Workload, built_in};
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::canary::Scanner;
use partywall::trial::dialect::Dialect;
use partywall::trial::history::History;
use partywall::trial::target::Reference;
use partywall::world::strategy::Random;

fn history(workload: &Workload, reference: Reference) -> History {
    let plan = workload.plan(1, 0);
    let trial = explore_trial(&plan, &ReferenceSubject(reference), &mut Random::new(1), &|| false);
    trial.expect("a bench runs outside any runtime").history
}

fn judging(criterion: &mut Criterion) {
    let scenario = built_in("reference-golden-path").expect("it is carried");
    let dialect = Dialect::reference();
    let histories = [
        (
            "explored, per request",
            history(scenario.explore.as_ref().expect("it is explored"), Reference::PER_REQUEST),
        ),
        (
            "explored, legacy",
            history(scenario.explore.as_ref().expect("it is explored"), Reference::LEGACY),
        ),
        // The work of one round on the wire, driven here without one: as many users, runs and
        // events, in an order that no wire would give.
        ("as large as on the wire, per request", history(&scenario.wire, Reference::PER_REQUEST)),
        ("as large as on the wire, legacy", history(&scenario.wire, Reference::LEGACY)),
    ];
    for (name, history) in &histories {
        let scanner = Scanner::new(history.plan.campaign);
        let case = Case::with_scanner(history, &dialect, &scanner);
        let leaks = !judge(&case).findings.is_empty();
        assert_eq!(leaks, name.ends_with("legacy"), "{name}");
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Elements(history.observations.len() as u64));
        group.bench_function("case", |bencher| {
            bencher.iter(|| Case::with_scanner(black_box(history), &dialect, &scanner));
        });
        group.bench_function("judge", |bencher| bencher.iter(|| judge(black_box(&case))));
        group.bench_function("case and judge", |bencher| {
            bencher.iter(|| judge(&Case::with_scanner(black_box(history), &dialect, &scanner)));
        });
        group.finish();
    }
}

/// The judge control alters and judges a history many times; a campaign does it once.
fn control(criterion: &mut Criterion) {
    let scenario = built_in("reference-golden-path").expect("it is carried");
    let history =
        history(scenario.explore.as_ref().expect("it is explored"), Reference::PER_REQUEST);
    let dialect = Dialect::reference();
    let planted = judge_control(&history, &dialect, 1).planted;
    let mut group = criterion.benchmark_group("judge control");
    group.throughput(Throughput::Elements(planted));
    group.bench_function("explored, per request", |bencher| {
        bencher.iter(|| judge_control(black_box(&history), &dialect, 1));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = judging, control
}
criterion_main!(benches);
