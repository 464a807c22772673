//! Speed of the simulated world: whole trials of the reference back end, and executions of a model
//! so small that the world itself is what is measured.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use partywall::campaign::explore_trial::explore_trial;
use partywall::scenario::built_in;
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::plan::Plan;
use partywall::trial::target::Reference;
use partywall::world::recorder::Recorder;
use partywall::world::simulated::{Limits, simulate};
use partywall::world::strategy::Random;

/// Plans and schedules that are gone through over and over: trials differ in size.
const TRIALS: u64 = 64;

/// Trials a second, one at a time on one core, unjudged.
fn trials(criterion: &mut Criterion) {
    let workload =
        built_in("reference-golden-path").expect("it is carried").explore.expect("it is explored");
    let plans: Vec<Plan> = (0..TRIALS).map(|trial| workload.plan(1, trial)).collect();
    let mut group = criterion.benchmark_group("trials");
    group.throughput(Throughput::Elements(TRIALS));
    for (form, reference) in
        [("legacy", Reference::LEGACY), ("per request", Reference::PER_REQUEST)]
    {
        group.bench_function(form, |bencher| {
            bencher.iter(|| plans.iter().map(|plan| steps(plan, reference)).sum::<u64>());
        });
    }
    group.finish();
}

fn steps(plan: &Plan, reference: Reference) -> u64 {
    let mut walk = Random::new(plan.trial);
    let trial = explore_trial(plan, &ReferenceSubject(reference), &mut walk, &|| false);
    trial.expect("a bench runs outside any runtime").steps
}

/// Executions a second of two tasks that write a slot, let others go on, and read it back.
fn slot(criterion: &mut Criterion) {
    let mut lost = 0;
    let seeds = 0..1_000;
    for seed in seeds.clone() {
        lost += u64::from(loses_a_write(seed));
    }
    // Of the interleavings of two writes and two reads, some lose a write and some do not.
    assert!((100..900).contains(&lost), "{lost} of 1,000 executions lost a write");
    let mut group = criterion.benchmark_group("two-task slot");
    group.throughput(Throughput::Elements(seeds.end));
    group.bench_function("random walk", |bencher| {
        bencher.iter(|| seeds.clone().filter(|seed| loses_a_write(black_box(*seed))).count());
    });
    group.finish();
}

fn loses_a_write(seed: u64) -> bool {
    let slot = Arc::new(Mutex::new((0, false)));
    let start = |world: &partywall::world::World, users: &partywall::world::simulated::Users| {
        for task in [1, 2] {
            let (slot, world) = (Arc::clone(&slot), world.clone());
            users.spawn(if task == 1 { "one" } else { "two" }, async move {
                slot.lock().expect("nobody panics").0 = task;
                world.turn().await;
                let mut slot = slot.lock().expect("nobody panics");
                slot.1 |= slot.0 != task;
            });
        }
    };
    let mut walk = Random::new(seed);
    let recorder = Recorder::in_memory();
    simulate(&mut walk, Limits::default(), &|| false, recorder, start).expect("outside a runtime");
    slot.lock().expect("nobody panics").1
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = trials, slot
}
criterion_main!(benches);
