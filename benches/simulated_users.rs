//! How many agent runs a second the simulated world drives on one core, from two users to a
//! thousand in one trial, unjudged and judged.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use partywall::campaign::explore_trial::explore_trial;
use partywall::oracle::{Case, judge};
use partywall::scenario::built_in;
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::dialect::Dialect;
use partywall::trial::history::{Ending, History};
use partywall::trial::plan::Plan;
use partywall::trial::target::Reference;
use partywall::world::strategy::Random;

fn drive(plan: &Plan) -> History {
    let trial = explore_trial(
        plan,
        &ReferenceSubject(Reference::PER_REQUEST),
        &mut Random::new(1),
        &|| false,
    );
    let history = trial.expect("a bench runs outside any runtime").history;
    assert_eq!(history.ending, Some(Ending::Finished));
    history
}

fn users(criterion: &mut Criterion) {
    let workload =
        built_in("reference-golden-path").expect("it is carried").explore.expect("it is explored");
    let mut group = criterion.benchmark_group("agent runs");
    for users in [2_u32, 10, 50, 200, 1_000] {
        let plan = workload.clone().with_users(users + 1).plan(1, 0);
        group.throughput(Throughput::Elements(users.into()));
        group.bench_function(BenchmarkId::new("driven", users), |bencher| {
            bencher.iter(|| drive(&plan).observations.len());
        });
        group.bench_function(BenchmarkId::new("driven and judged", users), |bencher| {
            bencher.iter(|| {
                let history = drive(&plan);
                let judged = judge(&Case::new(&history, &Dialect::reference()));
                assert!(judged.findings.is_empty());
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(1));
    targets = users
}
criterion_main!(benches);
