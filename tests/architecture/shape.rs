//! The shape of the repository: lengths, module docs, and what stands at its top level.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{Complaint, Source, complaints, root};

/// No file is longer: what is, is more than one thing.
const MOST_LINES: usize = 500;

/// What stands at the top level of the repository.
const TOP_LEVEL: [&str; 25] = [
    ".ci",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "action.yml",
    "benches",
    "crates",
    "deny.toml",
    "docs",
    "examples",
    "fuzz",
    "packaging",
    "release-plz.toml",
    "reports",
    "rustfmt.toml",
    "scenarios",
    "src",
    "tests",
];

fn too_long(source: &Source) -> Vec<Complaint> {
    let lines = source.text.lines().count();
    let is_long = lines > MOST_LINES;
    is_long.then(|| source.complaint(lines, "longer than a file may be")).into_iter().collect()
}

fn undocumented(source: &Source) -> Vec<Complaint> {
    let first = source.text.lines().next().unwrap_or_default();
    let says = first.strip_prefix("//!").is_some_and(|text| !text.trim().is_empty());
    let complaint = || source.complaint(1, "it does not begin with what the module is for");
    (!says).then(complaint).into_iter().collect()
}

/// Names at the top level that do not belong there.
fn out_of_place(names: &BTreeSet<String>) -> Vec<&str> {
    names.iter().map(String::as_str).filter(|name| !TOP_LEVEL.contains(name)).collect()
}

/// What git knows at the top level; in an unpacked archive, what is there.
fn top_level() -> BTreeSet<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let listed = listed.ok().filter(|output| output.status.success() && !output.stdout.is_empty());
    match listed {
        Some(output) => {
            let paths = String::from_utf8(output.stdout).expect("plain names");
            let first = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
            paths.split_terminator('\0').map(first).collect()
        }
        None => {
            let entries = fs::read_dir(root()).expect("the repository can be read");
            let names = entries.map(|entry| entry.expect("can be read").file_name());
            let names = names.map(|name| name.into_string().expect("plain names"));
            names.filter(|name| ![".git", "target"].contains(&name.as_str())).collect()
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let found = complaints(too_long);
    assert!(found.is_empty(), "{}", found.join("\n"));
    let lines = |count| Source::planted("trial/planted.rs", &"//! Text.\n".repeat(count));
    assert_eq!(too_long(&lines(MOST_LINES + 1)).len(), 1);
    assert!(too_long(&lines(MOST_LINES)).is_empty());
}

#[test]
fn every_module_says_what_it_is_for() {
    let found = complaints(undocumented);
    assert!(found.is_empty(), "{}", found.join("\n"));
    for planted in ["", "use std::fs;", "//!\n", "// Not docs.", "/// Of the next item."] {
        assert_eq!(undocumented(&Source::planted("trial/mod.rs", planted)).len(), 1, "{planted}");
    }
}

#[test]
fn the_top_level_holds_nothing_else() {
    let names = top_level();
    assert!(names.contains("Cargo.toml") && names.contains("src"), "{names:?}");
    assert_eq!(out_of_place(&names), [""; 0], "at the top level of the repository");
    let planted = ["Cargo.toml", "notes.txt", "samples", "tests"].map(str::to_owned);
    assert_eq!(out_of_place(&planted.into()), ["notes.txt", "samples"]);
}
