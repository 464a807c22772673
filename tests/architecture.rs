//! The structure of the repository, held against the code: who imports whom, and what each layer
//! must not name. Every rule is shown to fire on a planted line.
//!
//! That what threads share is in the kernel is held by `kernel_only.rs`.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/layers.rs"]
mod layers;
#[path = "architecture/lexer.rs"]
mod lexer;
#[path = "architecture/light.rs"]
mod light;
#[path = "architecture/names.rs"]
mod names;
#[path = "architecture/shape.rs"]
mod shape;

/// File, line and what is wrong there.
type Complaint = String;

/// A source file: of the root package by its path within `src/`, of another crate by its path
/// within `crates/` without the `src/` in it (`core/plan.rs`).
#[derive(Debug)]
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("the source can be read");
        let within = |folder: PathBuf| {
            let path = file.strip_prefix(folder).ok()?.to_str().expect("plain names");
            Some(path.replace('\\', "/").replacen("/src/", "/", 1))
        };
        let path = within(src()).or_else(|| within(crates())).expect("below one of them");
        Self { path, text }
    }

    /// As if that text stood in that file.
    fn planted(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn complaint(&self, line: usize, what: &str) -> Complaint {
        format!("{}:{line}: {what}", self.path)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn src() -> PathBuf {
    root().join("src")
}

fn crates() -> PathBuf {
    root().join("crates")
}

fn all_sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&src(), &mut files);
    for entry in fs::read_dir(crates()).expect("the folder can be read") {
        collect(&entry.expect("its entries can be read").path().join("src"), &mut files);
    }
    files.sort();
    assert!(files.len() > 50, "the sources are not where they were");
    files.iter().map(|file| Source::read(file)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// What a rule says of all sources.
fn complaints(rule: impl Fn(&Source) -> Vec<Complaint>) -> Vec<Complaint> {
    all_sources().iter().flat_map(rule).collect()
}
