//! A campaign shared by several machines, put together again; and reports beside each other.

use std::path::{Path, PathBuf};

use partywall::report::json;
use partywall::trial::control::Drive;
use partywall::trial::record::{LevelName, Record};
use partywall::trial::verdict::{Outcome, Reason, ReasonCode, Verdict};

use crate::support::reports::report;
use crate::support::{Scratch, is_thorough, partywall, ran};

/// Two users who start runs: enough to leak, and quick to make small.
const LEAKING: [&str; 7] = ["explore", "--migrated", "none", "--trials", "30", "--users", "3"];
/// Nothing is found, so that nothing must be made small.
const CLEAN: [&str; 5] = ["explore", "--migrated", "all", "--trials", "30"];

/// Times and places taken out.
fn masked(mut record: Record) -> Record {
    record.seconds = 0.0;
    record.started_at.clear();
    record.name.clear();
    record.folder = None;
    for finding in record.levels.iter_mut().flat_map(|level| &mut level.findings) {
        finding.reproduce_with = None;
    }
    record
}

fn part(scratch: &Scratch, name: &str, slice: &str, campaign: &[&str]) -> PathBuf {
    let own = ["--partition", slice, "--name", name];
    let ran = ran(&mut scratch.partywall(&[campaign, &own].concat()));
    assert!(scratch.run_folder(name).join("report.json").is_file(), "{}", ran.stderr);
    scratch.run_folder(name)
}

#[test]
fn parts_put_together_are_what_one_run_over_the_same_plans_is() {
    let scratch = Scratch::new("merge");
    // Findings are made small one by one, which takes its time; that they merge is held in the
    // library's own tests too.
    let (campaign, code): (&[&str], _) = if is_thorough() { (&LEAKING, 1) } else { (&CLEAN, 0) };
    ran(scratch.partywall(campaign).args(["--no-fail-fast", "--name", "whole"])).exits(code);
    let parts = ["slice:1/3", "slice:2/3", "slice:3/3"];
    let parts: Vec<PathBuf> = parts
        .iter()
        .enumerate()
        .map(|(at, own)| part(&scratch, &format!("p{at}"), own, campaign))
        .collect();
    for (folder, trials) in parts.iter().zip([10, 10, 10]) {
        assert_eq!(report(folder).levels[0].trials, trials);
    }
    let mut merge = scratch.partywall(&["merge", "--name", "merged"]);
    ran(merge.args(parts.iter().rev())).exits(code);
    let merged = report(&scratch.run_folder("merged"));
    assert_eq!(masked(merged.clone()), masked(report(&scratch.run_folder("whole"))));
    // Every repro is there, and replays from its new place.
    for finding in merged.levels[0].findings.iter().take(1) {
        let repro = scratch.run_folder("merged").join(finding.repro.as_deref().expect("a repro"));
        ran(partywall(&["replay"]).arg(repro)).exits(1);
    }
}

#[test]
fn the_parts_of_a_sign_off_are_put_together_before_its_sides_are_compared() {
    let scratch = Scratch::new("merge-signoff");
    // Where before leaks, each finding is made small, which takes its time.
    let (before, code) = if is_thorough() { ("none", 0) } else { ("all", 5) };
    let campaign =
        ["signoff", "reference-golden-path", "--trials", "20", "--rounds", "2", "--before", before];
    ran(scratch.partywall(&campaign).args(["--name", "whole"])).exits(code);
    let parts = ["slice:1/2", "slice:2/2"]
        .map(|own| part(&scratch, &own.replace([':', '/'], "-"), own, &campaign));
    let mut merge = scratch.partywall(&["merge", "--name", "merged"]);
    ran(merge.args(parts.iter())).exits(code);
    let (merged, whole) = ["merged", "whole"].map(|name| report(&scratch.run_folder(name))).into();
    assert_eq!(merged.verdict, whole.verdict);
    assert_eq!(merged.subjects, whole.subjects);
    // What the simulated world shows is the same to the last figure; the wire is the machine's.
    let levels = |record: &Record| {
        let explored = record.all_levels().filter(|(_, level)| level.level == LevelName::Explore);
        let mut levels: Vec<_> = explored.map(|(side, level)| (side, level.clone())).collect();
        for finding in levels.iter_mut().flat_map(|(_, level)| &mut level.findings) {
            finding.reproduce_with = None;
        }
        levels
    };
    assert_eq!(levels(&merged), levels(&whole));
    assert_eq!(levels(&merged).len(), 2);
    let rounds = |record: &Record| {
        let wire = record.all_levels().filter(|(_, level)| level.level == LevelName::Wire);
        wire.map(|(_, level)| level.trials).collect::<Vec<_>>()
    };
    assert_eq!(rounds(&merged), [2, 2]);
    assert_eq!(rounds(&report(&parts[0])), [1, 1]);
    assert_eq!(merged.models.len(), whole.models.len());
    // The other forms are made of it as of any sign-off.
    assert!(scratch.run_folder("merged").join("report.html").is_file());
}

#[test]
fn gaps_duplicates_and_strangers_are_refused() {
    let scratch = Scratch::new("refused");
    let one = part(&scratch, "one", "slice:1/2", &CLEAN);
    let two = part(&scratch, "two", "slice:2/2", &CLEAN);
    let other = part(&scratch, "other", "slice:2/2", &[&CLEAN[..], &["--seed", "2"]].concat());
    ran(scratch.partywall(&CLEAN).args(["--name", "whole"]));
    let whole = scratch.run_folder("whole");
    let merge = |parts: &[&PathBuf]| {
        ran(scratch.partywall(&["merge"]).args(parts.iter().map(|part| part.as_os_str()))).exits(2)
    };
    merge(&[&one]).complains(&["gap", "slice:2/2", "missing"]);
    merge(&[&one, &two, &two]).complains(&["slice:2/2", "twice"]);
    merge(&[&one, &other]).complains(&["different campaigns", "seed"]);
    merge(&[&one, &whole]).complains(&["no part of a campaign"]);
    // A part that was cut short is a gap too.
    let sums = one.join("partition.json");
    let text = std::fs::read_to_string(&sums).expect("its sums");
    assert!(text.contains("\"trials\": 15"), "{text}");
    std::fs::write(&sums, text.replace("\"trials\": 15", "\"trials\": 14")).expect("written");
    merge(&[&one, &two]).complains(&["gap", "14 of its 15"]);
    std::fs::write(&sums, &text[..text.len() / 2]).expect("written");
    merge(&[&one, &two]).complains(&["not what partywall wrote", "again"]);
}

#[test]
fn only_independent_trials_are_shared_out() {
    let scratch = Scratch::new("strategy");
    let arguments = ["explore", "--strategy", "exhaustive", "--partition", "slice:1/2"];
    ran(&mut scratch.partywall(&arguments)).exits(2).complains(&["--partition", "random"]);
    let wrong = ["explore", "--partition", "slice:3/2"];
    ran(&mut scratch.partywall(&wrong)).exits(2).complains(&["slice:M/N"]);
}

#[test]
fn a_gate_fails_on_what_is_new_and_a_baseline_hides_nothing_else() {
    let scratch = Scratch::new("compare");
    // The sample, with before as what was driven.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample/report.json");
    let text = std::fs::read_to_string(path).expect("the sample");
    let mut record = json::read(&text).expect("a report");
    record.levels = record.before.take().map(|side| side.levels).unwrap_or_default();
    record.levels.truncate(2);
    record.levels.remove(0);
    record.after = None;
    record.verdict = Outcome::Leaked;
    let later = scratch.file("later.json", json::render(&record));
    let findings = &record.levels[0].findings;
    assert!(findings.len() >= 3, "{}", findings.len());
    // An earlier report with all but the first two.
    let mut earlier = record.clone();
    earlier.levels[0].findings.drain(..2);
    let earlier = scratch.file("earlier.json", json::render(&earlier));
    let compare = |more: &[&str]| {
        let mut command = partywall(&["compare"]);
        command.arg(&earlier).arg(&later).args(more);
        ran(&mut command)
    };
    let shown = compare(&[]).exits(0).stdout;
    assert!(shown.starts_with("NEW FINDINGS: findings: 2 new"), "{shown}");
    compare(&["--fail-on", "new"]).exits(1);
    let baseline = |day: &str, known: &[usize]| {
        let mut text = "version = 1\n".to_owned();
        for at in known {
            text.push_str(&format!(
                "[[known]]\nfingerprint = \"{}\"\nreason = \"being cured\"\nexpires = \"{day}\"\n",
                findings[*at].fingerprint
            ));
        }
        scratch.file(&format!("baseline-{day}-{}.toml", known.len()), text)
    };
    let gate = |file: &PathBuf, on: &str| {
        let file = file.to_str().expect("a plain path");
        compare(&["--fail-on", on, "--baseline", file])
    };
    let far = "2999-12-31";
    gate(&baseline(far, &[0, 1]), "new").exits(0);
    // One entry hides one finding, and an ended one hides none.
    gate(&baseline(far, &[0]), "new").exits(1);
    let ended = gate(&baseline("2001-01-01", &[0, 1]), "new").exits(1).stdout;
    assert!(ended.contains("ended on 2001-01-01"), "{ended}");
    gate(&baseline(far, &[0, 1]), "any").exits(1);
    // The other way round they are gone.
    let mut turned = partywall(&["compare", "--message-format", "json"]);
    let told = ran(turned.arg(&later).arg(&earlier)).exits(0).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["gone"].as_array().map(Vec::len), Some(2));
    assert_eq!(told["appeared"].as_array().map(Vec::len), Some(0));
    // A baseline with a mistake is named with its line.
    let wrong = scratch.file("wrong.toml", "version = 1\n[[known]]\nfingerprint = \"x\"\n");
    let mut command = partywall(&["compare", "--baseline"]);
    ran(command.arg(wrong).arg(&later)).exits(2).complains(&["line 2", "expires"]);
}

/// A gate of everything that the report of `change` has: its findings are all accepted.
#[track_caller]
fn gate_of_accepted(
    scratch: &Scratch,
    record: &Record,
    change: impl Fn(&mut Record),
) -> Option<i32> {
    let mut record = record.clone();
    change(&mut record);
    let mut accepted = "version = 1\n".to_owned();
    for finding in record.levels.iter().flat_map(|level| &level.findings) {
        let print = &finding.fingerprint;
        accepted.push_str(&format!(
            "[[known]]\nfingerprint = \"{print}\"\nreason = \"a test\"\nexpires = \"2999-12-31\"\n"
        ));
    }
    let baseline = scratch.file("accepted.toml", accepted);
    let report = scratch.file("gated.json", json::render(&record));
    let mut command = partywall(&["compare", "--fail-on", "new", "--baseline"]);
    ran(command.arg(baseline).arg(report)).code
}

#[test]
fn a_gate_never_passes_where_accepted_findings_hide_a_doubt_or_another_leak() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample/report.json");
    let text = std::fs::read_to_string(path).expect("the sample");
    let mut record = json::read(&text).expect("a report");
    let before = record.before.take().expect("a sign-off");
    let after = record.after.take().expect("a sign-off");
    (record.levels, record.verdict) = (before.levels[1..3].to_vec(), Outcome::Leaked);
    record.comparison.clear();
    record.cross_checks.clear();
    let scratch = Scratch::new("gate-accepted");
    let gate = |change: fn(&mut Record)| gate_of_accepted(&scratch, &record, change);
    assert_eq!(gate(|_| ()), Some(0));
    let doubts: [fn(&mut Record); 5] = [
        |record| {
            let text = "1 control was missed: words of another round";
            record.levels[0].reasons.push(Reason::new(ReasonCode::ControlMissed, text));
        },
        |record| {
            record.levels[1].reasons.push(Reason::new(ReasonCode::TooLittleOverlap, "too little"));
        },
        // One level that leaks hides another that shows nothing.
        |record| {
            let level = &mut record.levels[1];
            level.findings.clear();
            level.verdict = Verdict::Inconclusive;
            level.reasons = vec![Reason::new(ReasonCode::NothingExercised, "no run completed")];
        },
        // Enough findings end a search early: nobody looked at the rest.
        |record| record.levels[0].trials -= 1,
        |record| record.levels[0].controls.drive = Drive::Missed,
    ];
    for (at, change) in doubts.into_iter().enumerate() {
        assert_eq!(gate(change), Some(5), "{at}");
    }
    let leaks: [fn(&mut Record); 3] = [
        // A level that leaks without a finding, as the models do.
        |record| record.levels[0].findings.clear(),
        |record| {
            record.verdict = Outcome::NotMigrated;
            record.reasons = vec![Reason::new(ReasonCode::CallSitesRemain, "2 remain")];
            record.levels.clear();
        },
        |record| {
            record.levels.clear();
            record.verdict = Outcome::StillLeaks;
        },
    ];
    for (at, change) in leaks.into_iter().enumerate() {
        assert_eq!(gate(change), Some(1), "{at}");
    }
    // That users wait in vain may come of the leak, which took their events to another user. Where
    // nothing leaks it shows nothing.
    for code in [ReasonCode::NoAnswer, ReasonCode::RunsIncomplete] {
        let waits = |record: &mut Record| {
            record.levels[0].reasons.push(Reason::new(code, "somebody waited in vain"));
        };
        assert_eq!(gate_of_accepted(&scratch, &record, waits), Some(0), "{code:?}");
        let waits_alone = |record: &mut Record| {
            waits(record);
            record.levels[0].findings.clear();
            record.levels[0].verdict = Verdict::Inconclusive;
        };
        assert_eq!(gate_of_accepted(&scratch, &record, waits_alone), Some(5), "{code:?}");
    }
    // What passes by itself goes on to pass.
    record.levels = after.levels;
    record.verdict = Outcome::Clean;
    assert_eq!(gate_of_accepted(&scratch, &record, |_| ()), Some(0));
}

#[test]
fn a_gate_never_passes_on_a_report_that_shows_nothing() {
    let scratch = Scratch::new("gate-doubt");
    ran(&mut scratch.partywall(&["explore", "--migrated", "all", "--trials", "1"]));
    let mut record = report(&scratch.run_folder("explore"));
    record.verdict = Outcome::Inconclusive;
    let path = scratch.file("doubt.json", json::render(&record));
    ran(partywall(&["compare", "--fail-on", "new"]).arg(&path)).exits(5);
    ran(partywall(&["compare"]).arg(&path)).exits(0);
}
