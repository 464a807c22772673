//! The audit of 10,000 Python files of real syntax: at most 5 s and 300 MB on 2 cores.
//!
//! Prints the size of the tree and the most memory that this process had.

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use partywall::audit::symbols::Symbol;
use partywall::audit::{Options, audit};

#[path = "../tests/audit/generate.rs"]
mod generate;

const FILES: u32 = 10_000;

fn large_tree(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit-bench");
    let (bytes, planted) = generate::write_tree(&root, FILES);
    let symbol = Symbol::new("get_agent_instance_factory", Some("create_agent_instance_factory"));
    let mut options = Options::new(vec![symbol.expect("plain names")]);
    let mut group = criterion.benchmark_group("audit");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    for find_singletons in [false, true] {
        options.find_singletons = find_singletons;
        let name = if find_singletons { "10,000 files, singletons" } else { "10,000 files" };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let found = audit(&root, &options, &|_, _| {}).expect("it can be read");
                assert_eq!(found.counted().count() as u32, planted);
            });
        });
        println!("{FILES} files, {} MB; most memory so far: {}", bytes / 1_000_000, memory());
    }
    group.finish();
    let _ = std::fs::remove_dir_all(root);
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or("unknown here".into(), |line| line.trim_start_matches("VmHWM:").trim().to_owned())
}

criterion_group!(benches, large_tree);
criterion_main!(benches);
