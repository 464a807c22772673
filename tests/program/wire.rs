//! `run` against the reference back end: the leak is found on the wire, and its absence shown.

use std::process::Command;

use partywall::trial::verdict::Outcome;

use crate::support::reports::{contents, only_level, printed_command, report};
use crate::support::{Scratch, Server, clean_environment, is_thorough, ran};

/// How often: the project's figure is 20.
fn times() -> u64 {
    if is_thorough() { 20 } else { 3 }
}

/// A printed command as it stands, with the program found by its name.
pub(crate) fn literally(command: &str) -> Command {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_partywall"));
    let path = program.parent().expect("it is in a folder").display();
    let mut shell = Command::new("sh");
    clean_environment(&mut shell);
    shell.arg("-c").arg(format!("PATH=\"{path}:$PATH\"\n{command}"));
    shell
}

#[test]
fn the_legacy_back_end_leaks_in_every_round() {
    let scratch = Scratch::new("wire-none");
    let server = Server::start("none");
    let rounds = times().to_string();
    let arguments = ["run", "--target", &server.url(), "--rounds", &rounds, "--no-fail-fast"];
    let shown = ran(&mut scratch.partywall(&arguments)).exits(1).stdout;
    let folder = scratch.run_folder("run");
    let record = report(&folder);
    let level = only_level(&record);
    assert_eq!((record.verdict, level.trials, level.users), (Outcome::Leaked, times(), [50, 50]));
    assert!(level.leak_probability_upper_bound.is_none());
    let in_every_round = |finding: &partywall::trial::record::FindingRecord| {
        finding.seen_in_trials == times() && finding.oracle.code() == "O1"
    };
    assert!(level.findings.iter().any(in_every_round), "{:#?}", level.findings);
    for finding in &level.findings {
        assert!(finding.first_trial >= 1 && !finding.summary.is_empty());
        assert!(!finding.evidence.is_empty(), "{}", finding.fingerprint);
        assert!(finding.victim.as_str() != finding.observer.as_str() || finding.chain.is_empty());
        let repro = finding.repro.as_ref().expect("a repro");
        assert!(folder.join(repro).is_file(), "{repro}");
        assert!(finding.reproduction_rate.is_some_and(|rate| rate.of == 5));
    }
    // Its line, as it is printed, reproduces it.
    let before = contents(scratch.path());
    let again = ran(&mut literally(&printed_command(&shown))).exits(1).stdout;
    assert!(again.contains("REPRODUCED: same"), "{again}");
    assert_eq!(contents(scratch.path()), before);
}

#[test]
fn a_run_ends_with_the_first_round_that_has_a_finding() {
    let scratch = Scratch::new("wire-first");
    let server = Server::start("none");
    // A whole day of rounds, were they all driven.
    let arguments = ["run", "--target", &server.url(), "--users", "12", "--rounds", "100000"];
    ran(&mut scratch.partywall(&arguments)).exits(1);
    let record = report(&scratch.run_folder("run"));
    let level = only_level(&record);
    assert_eq!((record.verdict, level.trials_planned), (Outcome::Leaked, 100_000));
    assert_eq!(Some(level.trials), level.first_leak_at_trial);
    assert!(level.findings.iter().all(|found| found.reproduction_rate.is_some()));
    assert!(level.findings.iter().any(|found| found.repro_size.is_some()));
    // A part of a campaign drives all that it was given.
    let part = ["run", "--target", &server.url(), "--users", "12", "--rounds", "4"];
    ran(scratch.partywall(&part).args(["--partition", "slice:1/2"])).exits(1);
    assert_eq!(only_level(&report(&scratch.run_folder("run"))).trials, 2);
}

#[test]
fn the_migrated_back_end_is_clean_in_every_run() {
    let scratch = Scratch::new("wire-all");
    let server = Server::start("all");
    for seed in 1..=times() {
        let (url, seed) = (server.url(), seed.to_string());
        let arguments = ["run", "--target", &url, "--rounds", "1", "--seed", &seed];
        let shown = ran(&mut scratch.partywall(&arguments)).exits(0).stdout;
        assert!(shown.starts_with("CLEAN"), "{shown}");
        let record = report(&scratch.run_folder("run"));
        let level = only_level(&record);
        assert_eq!(record.verdict, Outcome::Clean);
        assert!(level.overlapping_pairs >= 1_000, "{} pairs", level.overlapping_pairs);
        assert_eq!(level.findings, []);
        assert_eq!(level.controls.planted, level.controls.caught);
        assert_eq!(level.runs_completed, level.runs_started);
        assert!(level.leak_probability_upper_bound.is_some());
    }
    assert_eq!(server.end_by("INT"), Some(0));
}
