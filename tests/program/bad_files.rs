//! Files that are not what they must be: missing, empty, cut, altered, of another version.

use std::path::Path;

use partywall::campaign::budget::Stop;
use partywall::campaign::explore_trial::{Trial, explore_trial};
use partywall::campaign::recorded::judge_recorded;
use partywall::campaign::replay::replay_explored;
use partywall::campaign::repro::Repro;
use partywall::oracle::{Case, judge};
use partywall::scenario::{Target, built_in};
use partywall::swarm::transport::ReferenceSubject;
use partywall::trial::dialect::Dialect;
use partywall::trial::history::{Header, History};
use partywall::trial::record::LevelName;
use partywall::trial::target::Reference;
use partywall::world::strategy::Random;

use crate::support::{Ran, Scratch, partywall, ran};

/// A trial that leaks, as the two files that the program writes of it: history and repro.
fn leaking() -> (String, String) {
    let workload =
        built_in("reference-golden-path").expect("it is there").explore.expect("it is explored");
    for trial in 0..20 {
        let plan = workload.plan(1, trial);
        let trial = explore_trial(
            &plan,
            &ReferenceSubject(Reference::LEGACY),
            &mut Random::new(trial),
            &|| false,
        );
        let Trial { history, schedule, .. } = trial.expect("no runtime is around");
        if let Some(finding) = judge(&Case::new(&history, &Dialect::reference())).findings.first() {
            let target = Target::from(Reference::LEGACY);
            let level = LevelName::Explore;
            let repro = Repro::new(level, target, finding, vec![], plan, Some(&schedule));
            return (history.to_file(&Header::new(0)), repro.to_file());
        }
    }
    panic!("the legacy back end does not leak");
}

#[track_caller]
fn given(subcommand: &str, path: &Path) -> Ran {
    ran(partywall(&[subcommand]).arg(path))
}

#[track_caller]
fn refused(subcommand: &str, path: &Path, complaints: &[&str]) {
    let ran = given(subcommand, path).exits(2).complains(complaints);
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    assert!(ran.stderr.contains(&name), "the place is not named: {}", ran.stderr);
    assert!(ran.stderr.contains("; give") || ran.stderr.contains("; name"), "{}", ran.stderr);
    // The error, and how the command ended.
    assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 2), "{}", ran.stderr);
}

#[test]
fn what_is_no_file_of_ours_is_refused() {
    let scratch = Scratch::new("bad-files");
    for subcommand in ["check", "replay"] {
        refused(subcommand, &scratch.path().join("missing"), &["No such file"]);
        refused(subcommand, scratch.path(), &["directory"]);
        refused(subcommand, &scratch.file("empty", ""), &[]);
        refused(subcommand, &scratch.file("binary", [0xff, 0xfe, 0x00, b'\n', 0x80]), &["valid"]);
        refused(subcommand, &scratch.file("text", "once upon a time\n"), &[]);
        refused(subcommand, &scratch.file("object", "{}\n"), &["format"]);
        refused(subcommand, &scratch.file("deep", "[".repeat(100_000)), &[]);
        let other = r#"{"format":"other","version":1,"partywall":"0","recorded_at":0}"#;
        refused(subcommand, &scratch.file("other", format!("{other}\n{{}}\n")), &[]);
    }
    let missing = scratch.path().join("odd \x1b[31m name");
    let ran = given("check", &missing).exits(2);
    assert!(!ran.stderr.contains('\x1b'), "{}", ran.stderr);
}

#[test]
fn files_of_another_version_are_told_from_malformed_ones() {
    let scratch = Scratch::new("versions");
    let (history, repro) = leaking();
    let later =
        |text: &str, of: &str, version: &str| text.replacen(of, &of.replace(version, "9"), 1);
    let head = history.replacen("\"version\":2", "\"version\":3", 1);
    let told = ["history format 3", "formats 1 and 2"];
    refused("check", &scratch.file("later.jsonl", head), &told);
    // The one before is read.
    given("check", std::path::Path::new("fuzz/corpus/history/legacy-leaks")).exits(1);
    let plan = later(&history, "{\"version\":2,\"scenario\"", "2");
    refused("check", &scratch.file("plan.jsonl", plan), &["line 2", "plan version 9"]);
    let head = later(&repro, "\"version\": 2", "2");
    refused("replay", &scratch.file("later.json", head), &["repro format 9", "format 2"]);
    let schedule = later(&repro, "pw-schedule-1", "1");
    refused("replay", &scratch.file("schedule.json", schedule), &["schedule", "pw-schedule-1"]);
}

#[test]
fn a_malformed_repro_is_refused() {
    let scratch = Scratch::new("repros");
    let (history, repro) = leaking();
    let with = |from: &str, to: &str| {
        assert!(repro.contains(from), "no {from}");
        repro.replacen(from, to, 1)
    };
    let file = |text: String| scratch.file("repro.json", text);
    let cut = repro[..repro.len() / 2].to_owned();
    refused("replay", &file(cut), &["not a repro"]);
    refused("replay", &file(history), &[]);
    refused("replay", &file(with("pw-schedule-1;", "pw-schedule-1;x;")), &["deviation 1"]);
    refused("replay", &file(with("\"schedule\"", "\"shedule\"")), &["shedule"]);
    refused("replay", &file(with("\"none\"", "\"some\"")), &["`some`", "startup"]);
    refused("replay", &file(with("\"level\": \"explore\"", "\"level\": \"deep\"")), &["deep"]);
    refused("replay", &file(with("\"index\": 1", "\"index\": 0")), &["plan", "shares"]);
    let elsewhere = "\"target\": {\"url\": {\"url\": \"http://example.com\"}},\n  \"fingerprint\"";
    let reference = "\"target\": {\n    \"reference\": {\n      \"migrated\": \"none\"\n    }\n  },\n  \
                     \"fingerprint\"";
    let wire = with(reference, elsewhere).replacen("\"explore\"", "\"wire\"", 1);
    let ran = given("replay", &file(wire)).exits(2);
    ran.complains(&["target", "not on this machine"]);
}

#[test]
fn a_schedule_that_does_not_fit_is_inconclusive() {
    let scratch = Scratch::new("misfit");
    let (_, repro) = leaking();
    let at = repro.find("pw-schedule-1;").expect("it has a schedule") + "pw-schedule-1;".len();
    let misfit = format!("{}nobody@7>noone;{}", &repro[..at], &repro[at..]);
    let file = scratch.file("misfit.json", misfit);
    let ran = ran(partywall(&["replay", "--migrated", "all"]).arg(&file)).exits(5);
    assert!(ran.stdout.contains("INCONCLUSIVE") && ran.stdout.contains("diverged at deviation "));
}

#[test]
fn a_cut_history_is_judged_up_to_the_cut() {
    let scratch = Scratch::new("cut");
    let (history, _) = leaking();
    let judged = |bytes: &[u8]| given("check", &scratch.file("cut.jsonl", bytes));
    assert!(judged(history.as_bytes()).exits(1).stdout.contains("LEAKED"));
    let lines: Vec<&str> = history.split_inclusive('\n').collect();
    let first = |count: usize| lines[..count].concat();
    // Before anything was done: neither header and plan alone nor half a line more accuse anybody.
    for cut in [first(2), first(6), first(6) + "{\"n\":4,\"at", first(2) + "{"] {
        let ran = judged(cut.as_bytes());
        assert!(matches!(ran.code, Some(4 | 5)), "{:?}", ran.code);
        assert!(ran.stdout.contains("cut short"), "{}", ran.stdout);
    }
    // Without its end only: what was found stands.
    let ran = judged(first(lines.len() - 1).as_bytes()).exits(1);
    assert!(ran.stdout.contains("cut short"), "{}", ran.stdout);
    // In the middle of a character.
    let within = history.rfind('«').expect("a message quotes the prompt") + 1;
    let ran = judged(&history.as_bytes()[..within]).exits(1);
    assert!(ran.stdout.contains("cut short"), "{}", ran.stdout);
    // In header or plan there is nothing to judge.
    for cut in [20, lines[0].len(), lines[0].len() + 30] {
        refused("check", &scratch.file("cut.jsonl", &history.as_bytes()[..cut]), &["line"]);
    }
    // A line that is damaged, and not the last, is no cut.
    let damaged = first(5) + "{\"n\":3,\"at\n" + &lines[5..].concat();
    refused("check", &scratch.file("damaged.jsonl", damaged), &["line 6"]);
    let gap = first(5) + &lines[6..].concat();
    refused("check", &scratch.file("gap.jsonl", gap), &["line 6", "observation 4", "3 must"]);
}

/// Bytes put elsewhere, doubled, removed, or replaced by what tends to hurt.
fn damaged(text: &str, rng: &mut fastrand::Rng) -> String {
    const HURTS: [&str; 9] =
        ["", "{", "\"", "-1", "18446744073709551615", "null", "\\u0000", "\u{202e}", "1e999"];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..bytes.len());
        let end = (at + rng.usize(..12)).min(bytes.len());
        match rng.u8(0..4) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..end, rng.choice(HURTS).into_iter().flat_map(str::bytes))),
            2 => {
                let copy = bytes[at..end].to_vec();
                let to = rng.usize(..bytes.len());
                drop(bytes.splice(to..to, copy));
            }
            _ => bytes[at] = rng.u8(b'0'..=b'z'),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn damaged_files_never_panic() {
    let (history, repro) = leaking();
    let (mut read, mut driven) = (0, 0);
    for seed in 0..400 {
        let mut rng = fastrand::Rng::with_seed(seed);
        if let Ok(history) = History::from_file(&damaged(&history, &mut rng)) {
            read += 1;
            if read <= 25 {
                judge_recorded(&history);
            }
        }
        if let Ok(repro) = Repro::from_file(&damaged(&repro, &mut rng)) {
            driven += 1;
            let reference = match repro.target {
                Target::Reference(reference) => reference,
                _ => Reference::LEGACY,
            };
            // A pause of 2^32 turns is a plan too: it ends at the step limit.
            replay_explored(&repro, &ReferenceSubject(reference), &Stop::default())
                .expect("no runtime is around");
        }
    }
    assert!(read >= 25 && driven >= 10, "{read} histories, {driven} repros");
}
