//! `signoff`: its verdicts, its exit codes and the evidence that it writes.

use partywall::trial::record::LevelName;
use partywall::trial::replay_result::ReplayResult;
use partywall::trial::verdict::{Outcome, ReasonCode};
use serde_json::Value;

use crate::support::reports::{codes, files, report};
use crate::support::{Alone, Ran, Scratch, is_thorough, ran};

/// One trial of this seed overlaps and finds nothing, so that nothing must be shrunk; the wire
/// finds the leak all the same.
const QUICK: [&str; 6] = ["--trials", "1", "--rounds", "1", "--seed", "5"];

fn signed_off(scratch: &Scratch, more: &[&str]) -> Ran {
    let arguments = [&["signoff", "reference-golden-path"], more].concat();
    ran(&mut scratch.partywall(&arguments))
}

#[test]
fn a_whole_migration_is_fixed_with_all_evidence() {
    // Whether phases meet in one round is a matter of microseconds.
    let _alone = Alone::new();
    let scratch = Scratch::new("fixed");
    let trials = if is_thorough() { "200" } else { "40" };
    let shown = signed_off(&scratch, &["--trials", trials, "--rounds", "1"]).exits(0).stdout;
    assert!(shown.starts_with("FIXED"), "{shown}");
    let folder = scratch.run_folder("signoff");
    let record = report(&folder);
    assert_eq!(record.verdict, Outcome::Fixed);
    assert!(record.comparison.iter().all(|row| row.met));
    assert!(!record.cross_checks.is_empty());
    assert!(record.cross_checks.iter().all(|check| check.replay == ReplayResult::Gone));
    assert!(record.cross_checks.iter().all(|check| check.findings_around == 0));
    for (_, level) in record.all_levels() {
        assert_eq!(level.controls.planted, level.controls.caught, "{:?}", level.level);
    }
    let levels: Vec<LevelName> = record.all_levels().map(|(_, level)| level.level).collect();
    let side = [LevelName::Model, LevelName::Explore, LevelName::Wire];
    assert_eq!(levels, [side, side].concat());
    assert!(!files(&folder.join("histories"), ".jsonl").is_empty());
    assert!(!files(&folder.join("repros"), ".json").is_empty());
    let text = std::fs::read_to_string(folder.join("report.json")).expect("it is there");
    has_the_promised_fields(&serde_json::from_str(&text).expect("it is JSON"));
}

fn has_the_promised_fields(report: &Value) {
    let has = |value: &Value, names: &[&str]| {
        for name in names {
            assert!(value.get(name).is_some(), "no {name} in {value}");
        }
    };
    has(report, &["schema_version", "verdict", "reasons", "before", "after"]);
    for side in ["before", "after"] {
        has(&report[side], &["verdict", "levels"]);
        for level in report[side]["levels"].as_array().expect("levels") {
            has(level, &["level", "verdict", "trials", "runs_completed", "overlapping_pairs"]);
            has(level, &["phase_coverage", "leak_probability_upper_bound", "findings"]);
            has(&level["controls"], &["planted", "caught"]);
            for finding in level["findings"].as_array().expect("findings") {
                has(finding, &["fingerprint", "oracle", "victim", "observer", "summary"]);
                has(finding, &["evidence", "repro"]);
            }
        }
    }
    let findings = &report["before"]["levels"][1]["findings"];
    assert!(findings.as_array().is_some_and(|findings| !findings.is_empty()));
}

#[test]
fn a_baseline_without_a_leak_shows_nothing() {
    let scratch = Scratch::new("baseline");
    let both = ["--before", "all", "--after", "all", "--trials", "20", "--rounds", "1"];
    let shown = signed_off(&scratch, &both).exits(5).stdout;
    assert!(shown.starts_with("BASELINE CLEAN, NOT A PASS"), "{shown}");
    let record = report(&scratch.run_folder("signoff"));
    assert_eq!(record.verdict, Outcome::BaselineClean);
    assert!(codes(&record).contains(&ReasonCode::BaselineClean));
}

#[test]
fn no_migration_still_leaks() {
    let scratch = Scratch::new("still");
    let neither = [&["--before", "none", "--after", "none"], &QUICK[..]].concat();
    let shown = signed_off(&scratch, &neither).exits(1).stdout;
    assert!(shown.starts_with("STILL LEAKS"), "{shown}");
    assert!(shown.contains("Reproduce with:"), "{shown}");
    assert_eq!(report(&scratch.run_folder("signoff")).verdict, Outcome::StillLeaks);
}

#[test]
fn half_a_migration_is_not_fixed() {
    let scratch = Scratch::new("half");
    let half = [&["--after", "startup,websocket_route"], &QUICK[..]].concat();
    let ran = signed_off(&scratch, &half);
    let record = report(&scratch.run_folder("signoff"));
    assert_ne!(record.verdict, Outcome::Fixed);
    assert_eq!(ran.code, Some(record.exit_code as i32));
    assert_ne!(ran.code, Some(0));
    let after = record.after.expect("an after side");
    assert!(after.backend.contains("startup,websocket_route"), "{}", after.backend);
}
