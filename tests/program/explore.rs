//! `explore`, `replay` and `check`: found, shrunk, replayed, judged again.

use std::path::Path;

use partywall::trial::record::Record;
use partywall::trial::verdict::Outcome;

use super::wire::literally;
use crate::support::reports::{files, only_level, printed_command, report};
use crate::support::{Scratch, partywall, ran};

const ONE_FINDING: [&str; 7] =
    ["explore", "--migrated", "none", "--trials", "20", "--max-findings", "1"];

/// Times and paths taken out.
fn masked(folder: &Path) -> Record {
    let mut record = report(folder);
    record.seconds = 0.0;
    record.started_at.clear();
    record.folder = None;
    for finding in record.levels.iter_mut().flat_map(|level| &mut level.findings) {
        finding.reproduce_with = None;
    }
    record
}

#[test]
fn a_leak_is_found_and_replayed_and_gone_after_the_migration() {
    let scratch = Scratch::new("explore");
    let shown = ran(&mut scratch.partywall(&ONE_FINDING)).exits(1).stdout;
    let folder = scratch.run_folder("explore");
    let record = report(&folder);
    let level = only_level(&record);
    assert!(level.first_leak_at_trial.is_some_and(|trial| trial <= 20));
    assert!(level.findings.iter().any(|finding| !finding.chain.is_empty()), "no cause is told");
    let command = printed_command(&shown);
    let again = ran(&mut literally(&format!("{} --times 3", command.trim_end()))).exits(1).stdout;
    assert!(again.contains("REPRODUCED: same 3 of 3 times, gone 0"), "{again}");
    assert!(again.contains("every history has the same bytes"), "{again}");
    let gone = ran(&mut literally(&format!("{} --migrated all", command.trim_end()))).exits(0);
    assert!(gone.stdout.contains("GONE"), "{}", gone.stdout);
    // An explored repro is not of a server.
    let elsewhere = format!("{} --target http://127.0.0.1:1", command.trim_end());
    ran(&mut literally(&elsewhere)).exits(2).complains(&["--target", "explored"]);
    // What was recorded comes to the same when it is judged again.
    for finding in &level.findings {
        let histories = files(&folder.join("histories"), &format!("{}.jsonl", finding.fingerprint));
        let [history] = histories.as_slice() else { panic!("{histories:?}") };
        let judged = ran(partywall(&["check"]).arg(history)).exits(1).stdout;
        assert!(judged.contains(finding.fingerprint.as_str()), "{judged}");
    }
    // The same seed gives the same findings, shrunk to the same repros.
    ran(scratch.partywall(&ONE_FINDING).args(["--name", "again"])).exits(1);
    let mut again = masked(&scratch.run_folder("again"));
    again.name = record.name.clone();
    assert_eq!(again, masked(&folder));
    let json: serde_json::Value = serde_json::from_str(
        &std::fs::read_to_string(folder.join("campaign.json")).expect("it is there"),
    )
    .expect("it is JSON");
    assert_eq!(json["seed"], "1");
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let scratch = Scratch::new("same-seed");
    let of = |name: &str, seed: &str, what: &[&str]| {
        let arguments = [what, &["--name", name, "--seed", seed]].concat();
        ran(&mut scratch.partywall(&arguments));
        let mut record = masked(&scratch.run_folder(name));
        record.name.clear();
        record
    };
    let clean = ["explore", "--migrated", "all", "--trials", "60"];
    assert_eq!(of("a", "5", &clean), of("b", "5", &clean));
    assert_ne!(of("c", "5", &clean), of("d", "6", &clean));
}

#[test]
fn the_migrated_back_end_is_clean() {
    let scratch = Scratch::new("explore-clean");
    let explore = ["explore", "--migrated", "all", "--trials", "300"];
    let shown = ran(&mut scratch.partywall(&explore)).exits(0).stdout;
    assert!(shown.starts_with("CLEAN"), "{shown}");
    let record = report(&scratch.run_folder("explore"));
    let level = only_level(&record);
    assert_eq!((record.verdict, level.trials), (Outcome::Clean, 300));
    assert!(level.trials_overlapping * 10 >= level.trials * 8, "{}", level.trials_overlapping);
    assert!(level.phase_coverage.share >= 0.9, "{}", level.phase_coverage.share);
    assert!(level.runs_completed * 100 >= level.runs_started * 99);
    assert_eq!(level.controls.planted, level.controls.caught);
    // A second campaign has a folder of its own.
    ran(&mut scratch.partywall(&explore[..3])).code.expect("it ends");
    let series = scratch.path().join("runs").join("explore");
    let folders = files(&series, "").into_iter().filter(|path| !path.ends_with("latest"));
    assert_eq!(folders.count(), 2);
}
