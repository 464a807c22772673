//! The figures that exploring is to reach: the legacy leak soon, whatever the seed; nothing in the
//! per-request form, in trials that did look; and a repro that gives the same bytes every time.
//!
//! The counts are those of the full measurement in an optimised build, or where
//! `PARTYWALL_THOROUGH_TESTS` is set; otherwise as many as a debug build does in a minute.

use std::path::Path;
use std::time::SystemTime;

use partywall::campaign::budget::{Progress, Silent, Stop};
use partywall::campaign::explore::{Exploration, explore};
use partywall::campaign::replay::{Replayed, replay_explored};
use partywall::campaign::repro::Repro;
use partywall::campaign::store::RunFolder;
use partywall::scenario::{Workload, built_in, built_in_names};
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::finding::FindingKind;
use partywall::trial::target::Reference;
use partywall::trial::verdict::Verdict;

/// Seeds of which every one must find the leak, and in how many trials.
const SEEDS: u64 = 50;
const TRIALS_TO_LEAK: u64 = 20;

fn is_thorough() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("PARTYWALL_THOROUGH_TESTS").is_some()
}

/// A count of the full measurement, or the smaller one.
fn count(full: u64, quick: u64) -> u64 {
    if is_thorough() { full } else { quick }
}

/// A run folder of the test's own, with an older run's traces removed.
fn folder(name: &str) -> RunFolder {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explore_figures").join(name);
    let _ = std::fs::remove_dir_all(&home);
    RunFolder::create(&home, name, SystemTime::now()).expect("the folder can be made")
}

fn workload(scenario: &str) -> Workload {
    built_in(scenario).expect("it is carried").explore.expect("it is explored")
}

/// Stops the exploration as soon as anything is found: how small it can be made is not asked here.
struct StopAtFirst<'s>(&'s Stop);

impl Progress for StopAtFirst<'_> {
    fn begin(&self, _side: &str, _level: &str, _scenario: &str, _planned: u64) {}
    fn advance(&self, _done: u64, _overlapping: u64, findings: u64) {
        if findings > 0 {
            self.0.interrupt();
        }
    }
    fn say(&self, _what: &str) {}
    fn end(&self) {}
}

#[test]
fn the_legacy_leak_is_found_in_the_first_twenty_trials_of_every_seed() {
    let folder = folder("legacy");
    for scenario in built_in_names() {
        let workload = workload(scenario);
        let firsts: Vec<u64> =
            (0..SEEDS).map(|seed| first_leak(&workload, seed, &folder)).collect();
        let latest = firsts.iter().max().expect("there are seeds");
        let at_once = firsts.iter().filter(|first| **first == 1).count();
        println!(
            "{scenario}: of {SEEDS} seeds {at_once} leaked in the first trial, the last of them in \
             trial {latest}"
        );
    }
}

fn first_leak(workload: &Workload, seed: u64, folder: &RunFolder) -> u64 {
    let stop = Stop::default();
    let none = &Reference::LEGACY;
    let subject = ReferenceSubject(*none);
    let mut exploration = Exploration::new(workload, &subject, seed, TRIALS_TO_LEAK, folder, &stop);
    let side = format!("seed-{seed}");
    exploration.side = &side;
    let explored = explore(&exploration, &StopAtFirst(&stop)).expect("nothing is in the way");
    let level = explored.level;
    let crossed = level.findings.iter().any(|found| found.kind == FindingKind::Crossing);
    assert!(crossed, "{} with seed {seed}: {:?}", level.scenario, level.reasons);
    level.first_leak_at_trial.expect("there is a finding")
}

#[test]
fn the_per_request_form_is_clean_in_trials_that_did_look() {
    let folder = folder("per-request");
    let names: Vec<&str> = built_in_names().collect();
    let trials = count(20_000, 2_000);
    for scenario in &names {
        let workload = workload(scenario);
        let stop = Stop::default();
        let share = trials / names.len() as u64;
        let exploration = Exploration::new(
            &workload,
            &ReferenceSubject(Reference::PER_REQUEST),
            1,
            share,
            &folder,
            &stop,
        );
        let level = explore(&exploration, &Silent).expect("nothing is in the way").level;
        let of = |part: u64, whole: u64| part as f64 / whole as f64;
        let overlapping = of(level.trials_overlapping, level.trials);
        // The plan cuts some off; of the others all must come to their end.
        let completed = of(level.runs_completed, level.runs_started - level.runs_unknown);
        let coverage = level.phase_coverage.share;
        println!(
            "{scenario}: {} trials, {:.1} % overlapping, {:.1} % of phase pairs, {:.2} % of {} runs \
             with a known end completed",
            level.trials,
            overlapping * 100.0,
            coverage * 100.0,
            completed * 100.0,
            level.runs_started - level.runs_unknown
        );
        assert_eq!(level.findings, [], "{scenario}");
        assert_eq!(level.trials, share);
        assert_eq!(level.verdict, Verdict::Clean, "{:?}", level.reasons);
        assert!(overlapping >= 0.8, "{scenario}: {overlapping} of the trials overlap");
        assert!(coverage >= 0.9, "{scenario}: {coverage} of the phase pairs");
        assert!(completed >= 0.99, "{scenario}: {completed} of the runs completed");
    }
}

#[test]
fn a_repro_gives_the_same_bytes_every_time() {
    let folder = folder("repro");
    let workload = workload("reference-golden-path");
    let stop = Stop::default();
    let mut exploration = Exploration::new(
        &workload,
        &ReferenceSubject(Reference::LEGACY),
        1,
        TRIALS_TO_LEAK,
        &folder,
        &stop,
    );
    exploration.enough = Some(1);
    let explored = explore(&exploration, &Silent).expect("nothing is in the way");
    let record = &explored.level.findings[0];
    // As a user has it: from the file.
    let file = folder.file(record.repro.as_deref().expect("it was written"));
    let text = std::fs::read_to_string(file).expect("it can be read");
    let repro = Repro::from_file(&text).expect("the program wrote it");
    assert_eq!(repro.fingerprint, record.fingerprint);

    let replayed = || {
        let (came_to, history) =
            replay_explored(&repro, &ReferenceSubject(Reference::LEGACY), &stop)
                .expect("it can be replayed");
        assert_eq!(came_to, Replayed::Same, "{}", history.body());
        history.body()
    };
    let first = replayed();
    let times = 1_000;
    for time in 2..=times {
        assert_eq!(replayed(), first, "replay {time} differs");
    }
    println!("{times} replays gave {} and the same {} bytes", repro.fingerprint, first.len());
    // The same schedule shows nothing in the other form, so what is the same is not just anything.
    let (came_to, _) = replay_explored(&repro, &ReferenceSubject(Reference::PER_REQUEST), &stop)
        .expect("it can be replayed");
    assert_eq!(came_to, Replayed::Gone);
}
