//! Interrupted, killed, or with the folder taken away: what was recorded so far is there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::hostile::serve_raw;
use crate::support::reports::{codes, files, report};
use crate::support::{Scratch, Server, Started, partywall, ran, started, until};

/// Asks for the end and expects it soon, as an interruption with a report.
#[track_caller]
fn interrupted(going: Started, folder: &Path) {
    let asked = Instant::now();
    going.signal("INT");
    let ran = going.ends().exits(130);
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    assert!(ran.stdout.contains("exit code 130"), "{}", ran.stdout);
    let record = report(folder);
    assert!(codes(&record).contains(&ReasonCode::Interrupted), "{:?}", record.reasons);
    assert_ne!(record.verdict, Outcome::Clean);
    assert_eq!(record.exit_code as u8, 130);
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}

#[test]
fn an_interrupted_exploration_writes_its_report() {
    let scratch = Scratch::new("interrupt-explore");
    let explore = ["explore", "--migrated", "all", "--trials", "100000000"];
    let going = started(&mut scratch.partywall(&explore));
    let folder = scratch.run_folder("explore");
    let trials = folder.join("explore-reference-golden-path").join("trials.jsonl");
    until("the first trials", || (size(&trials) > 500).then_some(()));
    interrupted(going, &folder);
    let record = report(&folder);
    let lines = std::fs::read_to_string(trials).expect("it is there").lines().count();
    assert_eq!(record.levels[0].trials, lines as u64);
}

#[test]
fn an_interrupted_run_writes_its_report_even_if_the_server_hangs() {
    let scratch = Scratch::new("interrupt-run");
    let url = serve_raw(|mut stream| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let going = started(&mut scratch.partywall(&["run", "--target", &url]));
    let folder = scratch.run_folder("run");
    let connecting = || files(&folder.join("histories"), ".jsonl").first().map(|p| size(p) > 5_000);
    until("the first connections", || connecting().filter(|yes| *yes));
    interrupted(going, &folder);
}

#[test]
fn a_killed_run_leaves_histories_that_can_be_judged() {
    let scratch = Scratch::new("kill");
    let server = Server::start("none");
    let arguments = ["run", "--target", &server.url(), "--users", "8", "--rounds", "1000"];
    let arguments = [&arguments[..], &["--no-fail-fast"]].concat();
    let going = started(&mut scratch.partywall(&arguments));
    let histories = scratch.run_folder("run").join("histories");
    let second: PathBuf = until("the second round", || {
        files(&histories, "0002.jsonl").pop().filter(|path| size(path) > 12_000)
    });
    going.signal("KILL");
    let ended = going.ends();
    assert_eq!(ended.code, None);
    for path in files(&histories, ".jsonl") {
        let judged = ran(partywall(&["check"]).arg(&path));
        assert!(matches!(judged.code, Some(1 | 4 | 5)), "{path:?}: {judged:?}");
        if path == second {
            assert!(judged.stdout.contains("cut short"), "{}", judged.stdout);
        }
    }
    // The seed was on disk before anything began.
    assert!(scratch.run_folder("run").join("campaign.json").is_file());
}

#[test]
fn a_folder_that_is_taken_away_is_said_so() {
    let scratch = Scratch::new("taken-away");
    let explore = ["explore", "--migrated", "all", "--trials", "100000000"];
    let going = started(&mut scratch.partywall(&explore));
    let series = scratch.path().join("runs").join("explore");
    let trials = scratch.run_folder("explore").join("explore-reference-golden-path/trials.jsonl");
    until("the first trials", || (size(&trials) > 500).then_some(()));
    let own = std::fs::canonicalize(series.join("latest")).expect("a folder");
    std::fs::rename(&own, scratch.path().join("moved")).expect("it can be moved");
    std::fs::write(&own, "in the way").expect("it can be written");
    going.signal("INT");
    going.ends().exits(2).complains(&["error: cannot", "--report-dir"]);
    let moved = scratch.path().join("moved").join("explore-reference-golden-path");
    assert!(size(&moved.join("trials.jsonl")) > 500);
    assert_eq!(std::fs::read_to_string(own).expect("it is there"), "in the way");
}

#[test]
fn a_time_limit_ends_an_exploration() {
    let scratch = Scratch::new("time-limit");
    let explore = ["explore", "--migrated", "all", "--trials", "100000000", "--time-limit", "1"];
    let ran = ran(&mut scratch.partywall(&explore)).exits(5);
    assert!(ran.took < Duration::from_secs(10), "{:?}", ran.took);
    let record = report(&scratch.run_folder("explore"));
    assert!(codes(&record).contains(&ReasonCode::BudgetCut), "{:?}", record.reasons);
    assert_eq!(record.verdict, Outcome::Inconclusive);
}
