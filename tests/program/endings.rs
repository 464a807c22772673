//! Every command ends with its exit code, what that means, and what to do next, on standard error.

use std::path::Path;

use crate::support::{Scratch, partywall, ran};

/// Checks the code and that the last line tells it, and gives what that line says to do next.
#[track_caller]
fn next(arguments: &[&str], code: i32) -> Option<String> {
    let told = ran(&mut partywall(arguments)).exits(code).stderr;
    let last = told.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("exit code {code}: ")), "{arguments:?}: {told}");
    assert_eq!(told.matches("exit code ").count(), 1, "{arguments:?}: {told}");
    last.split_once("; next: ").map(|(_, next)| next.to_owned())
}

#[test]
fn each_command_ends_with_its_exit_code_and_the_next_step() {
    let scratch = Scratch::new("endings");
    let folder = scratch.path().display().to_string();
    let at = |name: &str| format!("{folder}/{name}");
    let reports = ["--report-dir", &folder];
    let drive = |arguments: &[&str], code| next(&[arguments, &reports[..]].concat(), code);
    // What drives something.
    let leaking = ["explore", "--migrated", "none", "--trials", "12", "--max-findings", "1"];
    let quick = ["--users", "3"];
    let replay = drive(&[&leaking[..], &quick].concat(), 1).expect("a next step");
    assert!(replay.starts_with("partywall replay "), "{replay}");
    let repro = replay.trim_start_matches("partywall replay ").trim_matches('\'').to_owned();
    assert_eq!(drive(&["explore", "--migrated", "all", "--trials", "12"], 0), None);
    assert!(drive(&["migration", "reference-golden-path", "--trials", "12"], 0).is_none());
    assert!(drive(&["selftest", "--only", "M05", "--seeds", "1", "--trials", "9"], 0).is_none());
    // What takes what they wrote.
    let traced = next(&["replay", &repro], 1).expect("a next step");
    assert!(traced.ends_with("--trace"), "{traced}");
    assert!(next(&["replay", &repro, "--migrated", "all"], 0).is_none());
    let small = at("small.json");
    let again = next(&["shrink", &repro, "--output", &small], 1).expect("a next step");
    assert!(again.contains("small.json"), "{again}");
    let run = at("runs/explore/latest");
    assert!(next(&["report", &run], 0).is_none());
    assert!(next(&["compare", &run], 0).expect("a next step").contains("--fail-on"));
    assert!(next(&["compare", &run, "--fail-on", "new"], 0).is_none());
    assert!(drive(&["merge", &run], 2).is_some());
    let histories = std::fs::read_dir(at("runs/explore")).expect("run folders");
    let mut histories = histories.flatten().flat_map(|folder| {
        std::fs::read_dir(folder.path().join("histories")).into_iter().flatten().flatten()
    });
    let history = histories.next().expect("a history").path().display().to_string();
    let explained = next(&["check", &history], 1).expect("a next step");
    assert!(explained.starts_with("partywall explain O"), "{explained}");
    // Files and sources.
    let starter = at("starter.toml");
    assert!(next(&["init", "chat-websocket", &starter], 0).expect("a step").contains(&starter));
    assert!(next(&["init", "--list"], 0).is_some());
    assert!(next(&["init", "chat-websocket", &starter], 2).is_some());
    let driven = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/chat-migration.toml");
    let driven = driven.display().to_string();
    let next_of = next(&["check-scenario", &driven], 0).expect("a next step");
    assert!(next_of.starts_with("partywall migration "), "{next_of}");
    assert!(next(&["audit", &folder], 4).is_some());
    assert!(next(&["model", "no-such"], 2).is_some());
    // What is wrong on the command line, and before it is driven.
    assert!(next(&["run", "--no-such-option"], 2).is_some());
    assert!(next(&["run", &at("missing.toml")], 2).is_some());
    // A text that is all of the result, as one in a shell's start file, ends without a line.
    for text in [&["generate", "bash"][..], &["schema"], &["explain", "O1"], &["--version"]] {
        assert_eq!(ran(&mut partywall(text)).exits(0).stderr, "", "{text:?}");
    }
}
