//! The search for singletons in 10,000 Python files beside a bare tree-sitter parse of the same
//! files: the CPU time of each, in turns, and the most memory that the process had.
//!
//! `cargo bench -p partywall-audit`; `FILES=1000` for fewer, `TURNS=1` for fewer turns.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use partywall_audit::symbols::Symbol;
use partywall_audit::{Options, audit};

#[path = "../../../tests/audit/generate.rs"]
mod generate;

const WORKERS: usize = 2;

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|given| given.parse().ok()).unwrap_or(default)
}

fn main() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("beside-parse");
    let files = number("FILES", 10_000);
    let (bytes, planted) = generate::write_tree(&root, files);
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    println!("{} files, {} MB", paths.len(), bytes / 1_000_000);
    let mut options = Options::new(vec![
        Symbol::new("get_agent_instance_factory", Some("create_agent_instance_factory"))
            .expect("plain names"),
    ]);
    options.find_singletons = true;
    options.workers = WORKERS;
    let mut ratios = Vec::new();
    for _ in 0..number("TURNS", 5) {
        let audited = cpu_time(|| {
            let found = audit(&root, &options, &|_, _| {}).expect("it can be read");
            assert_eq!(found.counted().count() as u32, planted);
        });
        let memory = memory();
        let parsed = cpu_time(|| parse(&paths));
        ratios.push(audited / parsed);
        println!(
            "audit {audited:.2} s, bare parse {parsed:.2} s, ratio {:.2}; {memory}",
            audited / parsed
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    let _ = std::fs::remove_dir_all(root);
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        match path.is_dir() {
            true => collect(&path, paths),
            false => paths.push(path),
        }
    }
}

fn parse(paths: &[PathBuf]) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut parser = tree_sitter::Parser::new();
                let language = tree_sitter_python::LANGUAGE.into();
                parser.set_language(&language).expect("the versions agree");
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let text = std::fs::read(path).expect("it can be read");
                    assert!(parser.parse(&text, None).is_some());
                }
            });
        }
    });
}

/// The CPU time that the process took meanwhile, in seconds.
fn cpu_time(work: impl FnOnce()) -> f64 {
    let before = ticks();
    work();
    (ticks() - before) / 100.0
}

fn ticks() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let fields = rest.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum()
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
