//! Executions a second of the same small models here and in shuttle, side by side: tasks that
//! configure a shared slot, let others go on, and read it back, once or twice.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use partywall::world::recorder::Recorder;
use partywall::world::simulated::{Limits, simulate};
use partywall::world::strategy::{Exhaustive, Random, Strategy};

/// Executions of one measurement.
const EXECUTIONS: u64 = 1_000;
const TASKS: [usize; 3] = [2, 3, 4];
const LATE_READS: [usize; 2] = [1, 2];

/// The slot: who configured it last, and whether somebody read another's configuration.
type Slot = Arc<Mutex<(usize, bool)>>;

fn configure(slot: &Slot, task: usize) {
    slot.lock().expect("nobody panics").0 = task;
}

fn read(slot: &Slot, task: usize) {
    let mut slot = slot.lock().expect("nobody panics");
    slot.1 |= slot.0 != task;
}

/// One execution in the simulated world.
fn ours(tasks: usize, reads: usize, strategy: &mut dyn Strategy) -> bool {
    let slot = Slot::default();
    let names = ["one", "two", "three", "four"];
    let start = |world: &partywall::World, users: &partywall::world::simulated::Users| {
        for (task, name) in names.into_iter().enumerate().take(tasks) {
            let (slot, world) = (Arc::clone(&slot), world.clone());
            users.spawn(name, async move {
                configure(&slot, task);
                for _ in 0..reads {
                    world.turn().await;
                    read(&slot, task);
                }
            });
        }
    };
    let recorder = Recorder::in_memory();
    simulate(strategy, Limits::default(), &|| false, recorder, start).expect("outside a runtime");
    slot.lock().expect("nobody panics").1
}

/// One execution under shuttle; what it schedules is the body's tasks and yields.
fn theirs(tasks: usize, reads: usize) {
    use shuttle::future::{block_on, spawn, yield_now};
    let slot = Slot::default();
    let tasks = (0..tasks).map(|task| {
        let slot = Arc::clone(&slot);
        spawn(async move {
            configure(&slot, task);
            for _ in 0..reads {
                yield_now().await;
                read(&slot, task);
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    block_on(async {
        for task in tasks {
            task.await.expect("it ends");
        }
    });
    black_box(slot.lock().expect("nobody panics").1);
}

/// Both searches must be able to see the mix-up, or their speed says nothing.
fn both_find_the_mix_up() {
    let lost = (0..EXECUTIONS).filter(|seed| ours(2, 1, &mut Random::new(*seed))).count();
    assert!((100..900).contains(&lost), "{lost} of {EXECUTIONS}");
}

fn random(criterion: &mut Criterion) {
    both_find_the_mix_up();
    for reads in LATE_READS {
        let mut group = criterion.benchmark_group(format!("random walk, {reads} late reads"));
        group.throughput(Throughput::Elements(EXECUTIONS));
        for tasks in TASKS {
            group.bench_function(BenchmarkId::new("partywall", tasks), |bencher| {
                bencher.iter(|| {
                    let walks = (0..EXECUTIONS).map(|seed| Random::new(black_box(seed)));
                    walks.filter_map(|mut walk| ours(tasks, reads, &mut walk).then_some(())).count()
                });
            });
            group.bench_function(BenchmarkId::new("shuttle", tasks), |bencher| {
                bencher.iter(|| {
                    let executions = usize::try_from(EXECUTIONS).expect("few");
                    shuttle::check_random(move || theirs(tasks, reads), executions);
                });
            });
        }
        group.finish();
    }
}

/// Every interleaving of three tasks, to the end.
fn exhaustive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("every interleaving of three tasks, 1 late read");
    group.bench_function("partywall", |bencher| {
        bencher.iter(|| {
            let mut search = Exhaustive::new(None);
            while let Some(mut branch) = search.next_branch() {
                black_box(ours(3, 1, &mut branch));
                search.took(branch);
            }
            search.tried().iter().sum::<u64>()
        });
    });
    group.bench_function("shuttle, depth first", |bencher| {
        bencher.iter(|| shuttle::check_dfs(|| theirs(3, 1), None));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = random, exhaustive
}
criterion_main!(benches);
