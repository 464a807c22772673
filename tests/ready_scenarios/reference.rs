//! The scenarios of the reference back end that a sign-off does not drive by itself: clean in its
//! per-request form, leaking in its legacy form and with the defects that each is there for.

use std::path::Path;
use std::time::SystemTime;

use partywall::campaign::budget::{Silent, Stop};
use partywall::campaign::explore::{Exploration, explore};
use partywall::campaign::selftest::explored::search;
use partywall::campaign::store::RunFolder;
use partywall::reference::defects::Defect;
use partywall::scenario::{all_built_in_names, built_in, built_in_names};
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::finding::OracleId;
use partywall::trial::mechanism::Mechanism;
use partywall::trial::target::Reference;

use super::{ELSEWHERE, driven, is_clean, leaks};
use crate::support::{Scratch, Server};

/// Explored trials in which each must be clean.
const TRIALS: u64 = 300;
/// Seeds of which every one must find a defect, and in how many trials.
const SEEDS: u64 = 2;
const TRIALS_TO_FIND: u64 = 200;

/// A scenario, and what it is there for: the defects that it finds, and one oracle that names each.
struct Row {
    name: &'static str,
    finds: &'static [(Mechanism, OracleId)],
}

const ROWS: [Row; 4] = [
    Row {
        name: "reference-cancellation",
        finds: &[(Mechanism::M01, OracleId::Canary), (Mechanism::M02, OracleId::Canary)],
    },
    Row { name: "reference-user-switch", finds: &[(Mechanism::M19, OracleId::Canary)] },
    Row { name: "reference-controls", finds: &[(Mechanism::M23, OracleId::ControlEffect)] },
    Row { name: "reference-noisy-neighbour", finds: &[(Mechanism::M20, OracleId::Completeness)] },
];

#[test]
fn every_carried_scenario_has_a_row_or_is_of_the_sign_off() {
    let rows = ROWS.iter().map(|row| row.name);
    let mut known: Vec<&str> = built_in_names().chain(rows).chain([ELSEWHERE[0]]).collect();
    let mut carried: Vec<&str> = all_built_in_names().collect();
    known.sort_unstable();
    carried.sort_unstable();
    assert_eq!(carried, known);
}

#[test]
fn explored_each_is_clean_per_request() {
    for Row { name, .. } in ROWS {
        let work = built_in(name).expect("it is carried").explore.expect("it is explored");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ready_scenarios").join(name);
        let _ = std::fs::remove_dir_all(&home);
        let folder = RunFolder::create(&home, name, SystemTime::now()).expect("it can be made");
        let stop = Stop::default();
        let exploration = Exploration::new(
            &work,
            &ReferenceSubject(Reference::PER_REQUEST),
            1,
            TRIALS,
            &folder,
            &stop,
        );
        let level = explore(&exploration, &Silent).expect("nothing is in the way").level;
        println!(
            "{name}: {} of {} trials overlapping, {:.0} % of phase pairs, of {} runs {} completed \
             and {} unknown",
            level.trials_overlapping,
            level.trials,
            level.phase_coverage.share * 100.0,
            level.runs_started,
            level.runs_completed,
            level.runs_unknown
        );
        is_clean(&level, name);
    }
}

#[test]
fn explored_each_finds_what_it_is_there_for() {
    for Row { name, finds } in ROWS {
        let work = built_in(name).expect("it is carried").explore.expect("it is explored");
        let legacy =
            search(&work, &ReferenceSubject(Reference::LEGACY), SEEDS, TRIALS_TO_FIND, &[]);
        let legacy = legacy.expect("outside a runtime");
        assert!(legacy.worst().is_some(), "{name}, legacy: {:?}", legacy.found_at);
        for (mechanism, oracle) in finds {
            let subject = Reference::with_defect(Defect::new(*mechanism));
            let found =
                search(&work, &ReferenceSubject(subject), SEEDS, TRIALS_TO_FIND, &[*oracle]);
            let found = found.expect("outside a runtime");
            println!("{name}: {mechanism:?} found in trials {:?}", found.found_at);
            let by = found.oracles.get(oracle).map_or(0, |found| found.seeds());
            assert!(
                found.worst().is_some() && by > 0,
                "{name}, {mechanism:?}: {:?} by {:?}",
                found.found_at,
                found.oracles
            );
        }
    }
}

fn on_the_wire(migrated: &str, sizes: &[&str], code: i32) {
    let server = Server::start(migrated);
    let url = &server.url();
    let drive = |name: &str| {
        let scratch = Scratch::new(name);
        let scenario = ["run", "--scenario", name, "--target", url];
        let level = driven(&scratch, &[&scenario[..], sizes].concat(), code);
        match code {
            0 => is_clean(&level, name),
            _ => leaks(&level, "O1", name),
        }
    };
    // They mostly wait.
    std::thread::scope(|together| {
        for Row { name, .. } in ROWS {
            together.spawn(move || drive(name));
        }
    });
}

#[test]
fn on_the_wire_each_is_clean_per_request() {
    on_the_wire("all", &["--users", "10", "--rounds", "2"], 0);
}

#[test]
fn on_the_wire_each_leaks_in_the_legacy_form() {
    // The first round of a mix is sequential, and this leak is none there.
    on_the_wire("none", &["--users", "6", "--rounds", "2", "--runs", "1"], 1);
}
