//! What cannot be done is said once: where, why, and what to do instead; and nothing is lost.

use crate::support::reports::contents;
use crate::support::{Scratch, ran};

/// Runs each with the reports of an earlier campaign in place, and checks that they stay.
#[track_caller]
fn refused(cases: &[(&[&str], &[&str])]) {
    let scratch = Scratch::new("refused");
    ran(&mut scratch.partywall(&["explore", "--migrated", "all", "--trials", "2"]));
    let before = contents(scratch.path());
    assert!(before.len() > 3);
    for (arguments, complaints) in cases {
        let ran = ran(&mut scratch.partywall(arguments)).exits(2).complains(complaints);
        assert!(ran.stderr.starts_with("error: "), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
    assert_eq!(contents(scratch.path()), before);
}

#[test]
fn unknown_words_are_named() {
    refused(&[
        (&["explore", "--bogus"], &["--bogus", "--help"]),
        (&["frobnicate"], &["frobnicate", "--help"]),
        (&["explore", "extra"], &["extra"]),
        (&["run"], &["--target <URL>"]),
        (&["explore", "--trials", "many"], &["--trials", "many"]),
        (&["explore", "--trials", "0"], &["--trials", "0"]),
        (&["signoff", "--trials", "0"], &["--trials", "0"]),
        (&["signoff", "--rounds", "0"], &["--rounds", "0"]),
        (&["explore", "--users", "1"], &["--users", "2..=5000"]),
        (&["run", "--target", "http://127.0.0.1:1", "--users", "5001"], &["--users", "5000"]),
        (&["explore", "--seed", "-1"], &["-1"]),
        (&["explore", "--color", "pink"], &["pink", "never"]),
        (&["explore", "--inconclusive", "pass"], &["pass", "warn"]),
    ]);
}

#[test]
fn unknown_names_come_with_the_known_ones() {
    let sites = ["bogus", "startup", "websocket_route", "user_execution_engine"];
    refused(&[
        (&["explore", "--migrated", "bogus"], &sites),
        (&["explore", "--migrated", "startup,,bogus"], &["call site ``", "startup"]),
        (&["signoff", "--before", "bogus"], &sites),
        (&["signoff", "--after", "startup,bogus"], &sites),
        (&["explore", "--scenario", "bogus"], &["bogus", "reference-golden-path"]),
        (&["signoff", "bogus"], &["bogus", "reference-reconnect"]),
    ]);
    let unknown = |arguments: &[&str], complaints: &[&str]| {
        let ran = ran(&mut crate::support::partywall(arguments)).exits(2).complains(complaints);
        assert_eq!(ran.stdout, "");
    };
    unknown(&["explain", "O11"], &["O11", "O1 canary", "O10 at-rest", "M24"]);
    unknown(&["explain", "\x1b[2J"], &["\\u{1b}[2J"]);
    unknown(&["model", "bogus"], &["bogus", "legacy-2-users", "whole-request"]);
    unknown(&["model", "--replay", "1"], &["--replay", "one model"]);
    unknown(&["model", "id-source", "--replay", "99999999"], &["id-source", "99999999"]);
    unknown(&["serve", "--migrated", "bogus"], &sites);
    unknown(&["serve", "--port", "65536"], &["65536"]);
}

#[test]
fn a_target_is_a_server_on_this_machine() {
    refused(&[
        (&["run", "--target", "nonsense"], &["--target", "nonsense"]),
        (&["run", "--target", ""], &["--target"]),
        (&["run", "--target", "ftp://127.0.0.1"], &["http://HOST"]),
        (&["run", "--target", "file:///etc/passwd"], &["http://HOST"]),
        (&["run", "--target", "http://127.0.0.1:1/?a=b"], &["http://HOST"]),
        (&["run", "--target", "http://example.com"], &["not on this machine", "loopback"]),
        (&["run", "--target", "http://127.0.0.1.example.com"], &["not on this machine"]),
        (&["run", "--target", "http://0.0.0.0:80"], &["not on this machine"]),
        (&["run", "--target", "http://192.0.2.1"], &["not on this machine"]),
        (&["run", "--target", "http://localhost@example.com"], &["http://HOST"]),
        (&["run", "--target", "http://127.0.0.1:99999"], &["99999"]),
    ]);
}

#[test]
fn a_run_folder_stays_where_it_is_told_to_be() {
    for name in ["../x", "..", ".", "", "a/b", "a b", "\u{e9}", ".hidden"] {
        refused(&[(&["explore", "--trials", "1", "--name", name], &["run folder", "letters"])]);
    }
    let scratch = Scratch::new("no-folder");
    let file = scratch.file("file", "mine");
    let mut command = crate::support::partywall(&["explore", "--trials", "1", "--report-dir"]);
    ran(command.arg(&file)).exits(2).complains(&["file", "--report-dir"]);
    assert_eq!(std::fs::read_to_string(file).expect("it is still there"), "mine");
}

#[test]
fn the_largest_numbers_are_taken() {
    let scratch = Scratch::new("largest");
    let most = u64::MAX.to_string();
    let explore = ["explore", "--migrated", "all", "--trials", "1"];
    for option in ["--seed", "--time-limit", "--max-findings"] {
        let arguments = [&explore[..], &[option, &most]].concat();
        let code = ran(&mut scratch.partywall(&arguments)).code;
        assert!(matches!(code, Some(0 | 5)), "{option}: {code:?}");
    }
}
