//! What the cure costs a request: asking for the process-wide factory beside making one, alone, with
//! its configuration, and with the agent that is built from it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use partywall::reference::call_sites::Migration;
use partywall::reference::context::UserExecutionContext;
use partywall::reference::factory::{create_agent_instance_factory, get_agent_instance_factory};
use partywall::reference::process::Process;
use partywall::reference::stubs::LlmManager;
use partywall::world::World;

const AGENT: &str = "triage";

type Group<'c> = BenchmarkGroup<'c, criterion::measurement::WallTime>;

fn context() -> UserExecutionContext {
    UserExecutionContext::new("user-1".into(), "thread-1".into(), "run-1".into(), "1".into(), None)
        .expect("no id is blank")
}

fn llm_manager() -> LlmManager {
    LlmManager::new("settings of user-1")
}

fn factories(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("factory");
    group.throughput(Throughput::Elements(1));
    legacy(&mut group);
    per_request(&mut group);
    group.finish();
}

fn legacy(group: &mut Group<'_>) {
    let process = Process::start(World::live(None), Migration::NONE, None, None);
    let context = context();
    group.bench_function("legacy: get", |bencher| {
        bencher.iter(|| get_agent_instance_factory(black_box(&process)));
    });
    group.bench_function("legacy: get and configure", |bencher| {
        bencher.iter(|| {
            let factory = get_agent_instance_factory(black_box(&process));
            factory.configure(&context, llm_manager());
            factory
        });
    });
    group.bench_function("legacy: get, configure and build an agent", |bencher| {
        bencher.iter(|| {
            let factory = get_agent_instance_factory(black_box(&process));
            factory.configure(&context, llm_manager());
            factory.create_agent_instance(AGENT, &context).expect("it is configured")
        });
    });
}

fn per_request(group: &mut Group<'_>) {
    let process = Process::start(World::live(None), Migration::ALL, None, None);
    let context = context();
    group.bench_function("per request: create", |bencher| {
        bencher.iter(|| create_agent_instance_factory(black_box(&process), &context));
    });
    group.bench_function("per request: create and configure", |bencher| {
        bencher.iter(|| {
            let factory = create_agent_instance_factory(black_box(&process), &context);
            factory.configure(&context, llm_manager());
            factory
        });
    });
    group.bench_function("per request: create, configure and build an agent", |bencher| {
        bencher.iter(|| {
            let factory = create_agent_instance_factory(black_box(&process), &context);
            factory.configure(&context, llm_manager());
            factory.create_agent_instance(AGENT, &context).expect("it is configured")
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = factories
}
criterion_main!(benches);
