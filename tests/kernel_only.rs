//! What threads share in the reference back end is in its kernel, and the kernel can be compiled
//! over loom: otherwise the models would say nothing about the rest.

use std::fs;
use std::path::{Path, PathBuf};

/// What makes state shared between threads, or would hide it from the models.
const SHARED_STATE: [&str; 9] = [
    "Mutex",
    "RwLock",
    "Atomic",
    "OnceLock",
    "LazyLock",
    "OnceCell",
    "static ",
    "thread_local",
    "tokio::sync",
];

/// What the kernel must not name: it takes its locks and atomics from the `sync` beside it.
const NOT_IN_KERNEL: [&str; 9] = [
    "loom",
    "std::sync::atomic",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::Condvar",
    "OnceLock",
    "LazyLock",
    "static ",
    "thread_local",
];

/// The lines of a source that name one of these, outside comments. `'static` is a lifetime.
fn naming<'s>(source: &'s str, names: &[&str]) -> Vec<&'s str> {
    let names_one = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default().replace("'static ", "");
        names.iter().any(|name| code.contains(name))
    };
    source.lines().map(str::trim).filter(names_one).collect()
}

/// The lines of kernel code that it must not have: of `std::sync`, only `Arc` is allowed.
fn foreign_to_kernel(source: &str) -> Vec<&str> {
    let of_std = naming(source, &["std::sync"]);
    let not_arc = of_std.into_iter().filter(|line| *line != "use std::sync::Arc;");
    naming(source, &NOT_IN_KERNEL).into_iter().chain(not_arc).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("its entries can be read").path());
    paths
        .flat_map(|path| match path {
            folder if folder.is_dir() => sources(&folder),
            file if file.extension().is_some_and(|extension| extension == "rs") => vec![file],
            _ => Vec::new(),
        })
        .collect()
}

fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/reference/src")
}

/// Complaints about the files, each with its offending lines.
fn complaints(files: &[PathBuf], lines_of: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let of_file = |file: &PathBuf| {
        let source = fs::read_to_string(file).expect("the source can be read");
        let lines = lines_of(&source).into_iter();
        lines.map(|line| format!("{}: {line}", file.display())).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

fn owned(lines: Vec<&str>) -> Vec<String> {
    lines.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_reference_back_end_shares_state_in_its_kernel_only() {
    let model = reference().join("model");
    let all = sources(&reference()).into_iter().filter(|file| !file.starts_with(&model));
    let (inside, outside): (Vec<_>, Vec<_>) = all.partition(|file| {
        file.starts_with(reference().join("kernel")) || *file == reference().join("sync.rs")
    });
    assert!(inside.len() > 5 && outside.len() > 5, "the sources are not where they were");
    let found = complaints(&outside, |source| owned(naming(source, &SHARED_STATE)));
    assert!(found.is_empty(), "shared state outside the kernel:\n{}", found.join("\n"));
}

#[test]
fn the_kernel_names_no_lock_but_those_of_its_sync_module() {
    let kernel = sources(&reference().join("kernel"));
    assert!(kernel.len() > 5, "the kernel is not where it was");
    let found = complaints(&kernel, |source| owned(foreign_to_kernel(source)));
    assert!(found.is_empty(), "not to be named in the kernel:\n{}", found.join("\n"));
}

#[test]
fn each_part_of_the_kernel_is_in_a_model() {
    let model =
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/reference/src/model/models"));
    let models = model.iter().map(|file| fs::read_to_string(file).expect("can be read"));
    let models: String = models.collect();
    for file in sources(&reference().join("kernel")) {
        let part = file.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let named = models.contains(&format!("kernel::{part}::"));
        assert!(named || part == "mod", "no model uses kernel::{part}");
    }
}

#[test]
fn a_planted_line_is_found() {
    let planted = [
        "    live: std::sync::Mutex<u32>,",
        "use std::sync::atomic::AtomicU64;",
        "use std::sync::{Arc, RwLock};",
        "static COUNT: u32 = 0;",
        "pub(crate) static ONCE: OnceLock<u32> = OnceLock::new();",
        "thread_local! {",
        "    sender: tokio::sync::mpsc::Sender<u32>,",
    ];
    for line in planted {
        assert_eq!(naming(line, &SHARED_STATE), [line.trim()], "shared state");
    }
    for line in &planted[..6] {
        assert!(!foreign_to_kernel(line).is_empty(), "in the kernel: {line}");
    }
    assert!(!foreign_to_kernel("use loom::sync::Mutex;").is_empty());
    let harmless = [
        "use std::sync::Arc;",
        "name: &'static str,",
        "/// Behind a Mutex elsewhere.",
        "use super::sync::Mutex;",
    ];
    assert!(harmless.iter().all(|line| foreign_to_kernel(line).is_empty()));
    assert!(harmless[..3].iter().all(|line| naming(line, &SHARED_STATE).is_empty()));
}
