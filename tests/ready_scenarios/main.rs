//! Every ready scenario is driven by the program: against a small server that keeps its users apart,
//! and against the same one with each leak that it can have.

mod described;
mod reference;
mod rows;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use partywall::scenario::all_built_in_names;
use partywall::trial::record::Level;
use partywall::trial::verdict::Verdict;

use crate::support::reports::{only_level, report};
use crate::support::{Scratch, ran};
use rows::Ready;

/// Those with tests of their own: the mix (`tests/selftest.rs`), and the reference back end as an
/// external server (`tests/program/scenarios.rs`), in every state (`tests/program/states.rs`).
const ELSEWHERE: [&str; 3] = ["mechanism-mix", "chat-websocket", "chat-migration"];

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_file_under_scenarios_is_driven() {
    let entries = std::fs::read_dir(repository().join("scenarios")).expect("the folder");
    let there: BTreeSet<String> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let mut driven: BTreeSet<&str> = all_built_in_names().chain(ELSEWHERE).collect();
    driven.extend(Ready::ALL.into_iter().filter(|ready| ready.is_ready()).map(Ready::name));
    assert_eq!(there.iter().map(String::as_str).collect::<BTreeSet<_>>(), driven);
}

/// Runs the program to that exit code and gives its level.
#[track_caller]
fn driven(scratch: &Scratch, arguments: &[&str], code: i32) -> Level {
    let ran = ran(&mut scratch.partywall(arguments));
    let told = format!("{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(code), "{arguments:?}: {told}");
    only_level(&report(&scratch.run_folder("run"))).clone()
}

/// Checks that the level is clean and shows why that means something.
#[track_caller]
fn is_clean(level: &Level, what: &str) {
    assert_eq!(level.verdict, Verdict::Clean, "{what}: {:?}", level.reasons);
    assert_eq!(level.findings, [], "{what}");
    assert!(level.trials_overlapping * 2 >= level.trials, "{what}: too little overlap");
    let phases = &level.phase_coverage;
    assert!(level.overlapping_pairs > 0, "{what}: no pairs");
    // An answer that comes whole has none.
    assert!(phases.hit > 0 || phases.of == 0, "{what}: no phase met another");
    let controls = &level.controls;
    assert!(controls.judge.planted > 20 && controls.judge.all_caught(), "{what}: {controls:?}");
    assert!(controls.path.planted > 0 && controls.path.all_caught(), "{what}: {controls:?}");
    let known = level.runs_started - level.runs_unknown;
    assert!(level.runs_completed == known && known > 0, "{what}: {known}");
    assert!(level.leak_probability_upper_bound.is_some(), "{what}");
}

/// Checks that the level leaked, and that the oracle of that code is among those that say so.
#[track_caller]
fn leaks(level: &Level, oracle: &str, what: &str) {
    assert_eq!(level.verdict, Verdict::Leaked, "{what}: {:?}", level.reasons);
    let by: BTreeSet<&str> = level.findings.iter().map(|found| found.oracle.code()).collect();
    assert!(by.contains(oracle), "{what}: found by {by:?}");
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
