//! What may not be exceeded: requests, their rate, time, and hosts.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::hostile::{serve, serve_raw};
use crate::support::reports::{codes, only_level, report};
use crate::support::{Scratch, ran};

const ASK: &str = r#"
version = 1
name = "ask"
title = "Questions"
[target]
url = "URL"
[[setup]]
name = "hello"
path = "/hello"
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}", user = "{{ user }}" }
[workload]
users = 4
runs_per_user = 3
rounds = 8
start_delay = [0, 0]
[limits]
"#;

/// Paths that were asked for, and when.
type Came = Arc<Mutex<Vec<(String, Instant)>>>;

/// A server that gives questions back, and when which path was asked for.
fn counted() -> (String, Came) {
    let asked = Came::default();
    let own = Arc::clone(&asked);
    let url = serve(move |asked| {
        let path = asked.path().to_owned();
        own.lock().expect("nobody panics").push((path, Instant::now()));
        let body = if asked.body.is_empty() { "{}".to_owned() } else { asked.body.clone() };
        asked.answer("200 OK", "application/json", body);
    });
    (url, asked)
}

#[test]
fn no_more_requests_are_sent_than_are_allowed() {
    let (url, asked) = counted();
    let scratch = Scratch::new("requests");
    // A round takes 20 at most by the file: the rounds are cut to two of them.
    let text = ASK.replace("URL", &url) + "requests = 40\n";
    let file = scratch.file("ask.toml", &text).display().to_string();
    ran(&mut scratch.partywall(&["run", &file]));
    let record = report(&scratch.run_folder("run"));
    assert_eq!(only_level(&record).trials, 2);
    assert!(!codes(&record).contains(&ReasonCode::BudgetCut), "{:?}", record.reasons);
    // Four users, one set-up and three runs, twice; and what is left for one user alone.
    let first = asked.lock().expect("nobody panics").len();
    assert!((32..=40).contains(&first), "{first}");
    // Whatever the command line says, the limit holds, and what it cut short is not clean.
    asked.lock().expect("nobody panics").clear();
    let ran = ran(&mut scratch.partywall(&["run", &file, "--rounds", "50"])).exits(5);
    let record = report(&scratch.run_folder("run"));
    assert!(codes(&record).contains(&ReasonCode::BudgetCut), "{:?}", record.reasons);
    assert!(ran.stdout.contains("the limit of 40 requests was reached"), "{}", ran.stdout);
    assert_eq!(asked.lock().expect("nobody panics").len(), 40);
}

#[test]
fn a_limit_that_is_too_small_for_one_round_is_told() {
    let scratch = Scratch::new("few-requests");
    let text = ASK.replace("URL", "http://127.0.0.1:1") + "requests = 10\n";
    let file = scratch.file("ask.toml", &text).display().to_string();
    let told = ran(&mut scratch.partywall(&["run", &file])).exits(2);
    told.complains(&["line 20", "one round alone takes"]);
}

#[test]
fn runs_are_started_at_the_rate_that_is_allowed() {
    let (url, asked) = counted();
    let scratch = Scratch::new("rate");
    let text = ASK.replace("URL", &url) + "runs_per_second = 40\n";
    let file = scratch.file("ask.toml", &text).display().to_string();
    ran(&mut scratch.partywall(&["run", &file, "--rounds", "2"]));
    let asked = asked.lock().expect("nobody panics");
    let mut runs: Vec<Instant> =
        asked.iter().filter(|(path, _)| path == "/ask").map(|(_, at)| *at).collect();
    runs.sort();
    assert_eq!(runs.len(), 24);
    // 24 runs have 23 pauses of 25 ms between them; a server that is late makes none shorter in sum.
    let took = runs[23] - runs[0];
    assert!(took >= Duration::from_millis(23 * 25 - 100), "{took:?}");
}

#[test]
fn time_is_limited_by_the_file() {
    let url = serve_raw(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let scratch = Scratch::new("seconds");
    let text = ASK.replace("URL", &url) + "seconds = 1\n";
    let file = scratch.file("ask.toml", &text).display().to_string();
    let ran = ran(&mut scratch.partywall(&["run", &file]));
    let record = report(&scratch.run_folder("run"));
    assert!(codes(&record).contains(&ReasonCode::BudgetCut), "{:?}", record.reasons);
    assert_ne!(record.verdict, Outcome::Clean);
    assert!(ran.took < Duration::from_secs(20), "{:?}", ran.took);
}

#[test]
fn other_hosts_must_be_allowed() {
    let scratch = Scratch::new("hosts");
    // An address for documentation: nobody answers there.
    let elsewhere = ASK.replace("URL", "http://192.0.2.1:8000");
    let allowed = elsewhere.clone() + "seconds = 1\nhosts = [\"192.0.2.1\"]\n";
    let file = scratch.file("ask.toml", elsewhere + "seconds = 1\n").display().to_string();
    let told = ran(&mut scratch.partywall(&["run", &file])).exits(2);
    told.complains(&["not on this machine", "--allow-host"]);
    let mut by_flag = scratch.partywall(&["run", &file, "--allow-host", "192.0.2.1"]);
    let code = ran(&mut by_flag).code;
    assert!(matches!(code, Some(4 | 5)), "{code:?}");
    let file = scratch.file("allowed.toml", allowed).display().to_string();
    let code = ran(&mut scratch.partywall(&["run", &file])).code;
    assert!(matches!(code, Some(4 | 5)), "{code:?}");
    // Neither user information nor a path makes another host of it.
    for url in ["http://127.0.0.1@192.0.2.1:8000", "http://192.0.2.1:8000/127.0.0.1"] {
        let file = scratch.file("ask.toml", ASK.replace("URL", url)).display().to_string();
        ran(&mut scratch.partywall(&["run", &file])).exits(2);
    }
}
