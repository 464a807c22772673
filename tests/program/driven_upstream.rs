//! Scenarios whose upstream partywall plays: what the server asks under which account is judged.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use partywall::trial::history::{History, Note};
use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::hostile::{Asked, serve};
use crate::support::reports::{codes, contents, files, only_level, report};
use crate::support::{Scratch, partywall, ran};

/// Under whose account the server asks its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    /// The user's own.
    Own,
    /// That of whoever came before: the answers are right all the same.
    OfAnother,
    /// The server's, for all users.
    Service,
}

const SCENARIO: &str = r#"
version = 1
name = "asks-its-model"
title = "Each answer is made by a model"
[target]
url = "URL"
[upstream]
port = PORT
delay = [5, 15]
[identity]
headers = { authorization = "Bearer key-of-{{ user }}" }
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}" }
[workload]
users = 6
runs_per_user = 2
rounds = 2
"#;

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Asks the upstream and gives back what the user asked.
fn answer(asked: Asked, upstream: u16, authorization: &str) {
    let body = asked.body.clone();
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let reply = TcpStream::connect(("127.0.0.1", upstream)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    });
    match reply {
        Ok(reply) if reply.contains(" 200 ") => {
            asked.answer("200 OK", "application/json", format!("{{\"about\":{body}}}"));
        }
        _ => asked.answer("502 Bad Gateway", "text/plain", "no model"),
    }
}

/// A server that asks its model at once, or holds a lock all the while, and the scenario.
fn scenario_of_lock(one_at_a_time: bool) -> String {
    let upstream = free_port();
    let lock = Arc::new(Mutex::new(()));
    let url = serve(move |asked| {
        let own = asked.header("authorization").unwrap_or_default();
        let _held = one_at_a_time.then(|| lock.lock().expect("nobody panics"));
        answer(asked, upstream, &own);
    });
    let scenario = SCENARIO.replace("URL", &url).replace("PORT", &upstream.to_string());
    // Nothing that a clock could tell.
    scenario.replace("delay = [5, 15]", "")
}

/// The server, and the scenario that drives it.
fn scenario(account: Account) -> String {
    let upstream = free_port();
    let last = Arc::new((Mutex::new(Vec::<String>::new()), Condvar::new()));
    let url = serve(move |asked| {
        let own = asked.header("authorization").unwrap_or_default();
        let shown = match account {
            Account::Own => own,
            Account::Service => "Bearer key-of-the-service".to_owned(),
            Account::OfAnother => {
                let mut seen = last.0.lock().expect("nobody panics");
                let other = seen.iter().rev().find(|other| **other != own).cloned();
                seen.push(own.clone());
                other.unwrap_or(own)
            }
        };
        answer(asked, upstream, &shown);
    });
    SCENARIO.replace("URL", &url).replace("PORT", &upstream.to_string())
}

fn run(scratch: &Scratch, scenario: &str) -> Record {
    let file = scratch.file("model.toml", scenario).display().to_string();
    let ran = ran(&mut scratch.partywall(&["run", &file]));
    let record = report(&scratch.run_folder("run"));
    assert_eq!(Some(record.exit_code as i32), ran.code, "{}", ran.stderr);
    record
}

#[test]
fn a_call_under_another_users_account_is_found_although_every_answer_is_right() {
    let scratch = Scratch::new("upstream-foreign");
    let record = run(&scratch, &scenario(Account::OfAnother));
    assert_eq!(record.verdict, Outcome::Leaked, "{:?}", record.reasons);
    let found = &only_level(&record).findings;
    assert!(found.iter().all(|found| found.oracle.code() == "O8"), "{found:?}");
    // It is in the history, so it can be judged again, and replayed with an upstream of its own.
    let folder = scratch.run_folder("run");
    let history = folder.join(found[0].history.as_ref().expect("a history"));
    ran(partywall(&["check"]).arg(&history)).exits(1);
    let repro = folder.join(found[0].repro.as_ref().expect("a repro"));
    let again = ran(partywall(&["replay"]).arg(&repro)).exits(1).stdout;
    assert!(again.contains("REPRODUCED"), "{again}");
    // Credentials stand nowhere.
    for (path, bytes) in contents(&folder) {
        assert!(!String::from_utf8_lossy(&bytes).contains("Bearer key-of-user"), "{path:?}");
    }
}

#[test]
fn calls_under_the_users_own_accounts_are_judged_and_clean() {
    let scratch = Scratch::new("upstream-own");
    let record = run(&scratch, &scenario(Account::Own));
    assert_eq!(record.verdict, Outcome::Clean, "{:?}", record.reasons);
    let rows = &only_level(&record).oracles;
    let row = rows.iter().find(|row| row.oracle.code() == "O8").expect("a row for each");
    assert!(row.judged_trials == 2 && row.judged_items >= 20, "{row:?}");
    let histories = files(&scratch.run_folder("run").join("histories"), ".jsonl");
    let is_round = |path: &&std::path::PathBuf| path.to_string_lossy().contains("round-0001");
    let history = histories.iter().find(is_round).expect("a round");
    let history = std::fs::read_to_string(history).expect("a history");
    let history = History::from_file(&history).expect("it is whole");
    let calls = history
        .observations
        .iter()
        .filter(|seen| matches!(seen.what.note(), Some(Note::Upstream { .. })));
    // Six users, no bystander: two calls each.
    assert_eq!(calls.count(), 12);
}

#[test]
fn where_nobodys_account_is_shown_nobody_is_accused_and_nothing_is_shown() {
    let scratch = Scratch::new("upstream-service");
    let text = scenario(Account::Service);
    let record = run(&scratch, &text);
    assert_eq!(record.verdict, Outcome::Inconclusive, "{:?}", record.reasons);
    assert!(codes(&record).contains(&ReasonCode::PreconditionNotMet), "{:?}", record.reasons);
    let unjudged = text.replace("[upstream]", "[upstream]\njudged = false");
    let record = run(&scratch, &unjudged);
    assert_eq!(record.verdict, Outcome::Clean, "{:?}", record.reasons);
}

/// The example in Python, started by its scenario: clean, and with each of its leaks. Without
/// `python3` the test says so and passes.
#[test]
fn the_example_in_python_is_told_apart_by_its_scenario() {
    let there = Command::new("python3").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no python3 to start the example with");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("scenarios/examples/python-chat/python-chat.toml");
    let text = std::fs::read_to_string(path).expect("a scenario");
    let text = text.replace("\"scenarios/", &format!("\"{}/scenarios/", root.display()));
    let with = |leak: &str| text.replacen("\"--port\"", &format!("{leak}\"--port\""), 1);
    let cases: [(&str, &[&str]); 3] =
        [("", &[]), ("\"--leak\", ", &["O1", "O8"]), ("\"--leak=token\", ", &["O8"])];
    for (leak, oracles) in cases {
        let scratch = Scratch::new("python");
        let file = scratch.file("python.toml", with(leak)).display().to_string();
        let arguments = ["run", &file, "--users", "8", "--rounds", "2", "--no-fail-fast"];
        let ran = ran(&mut scratch.partywall(&arguments));
        let record = report(&scratch.run_folder("run"));
        let level = only_level(&record);
        let found = &level.findings;
        // Whether it is clean rests on more than this is about.
        assert_eq!(ran.code == Some(1), !oracles.is_empty(), "{leak}{}", ran.stdout);
        let row = level.oracles.iter().find(|row| row.oracle.code() == "O8").expect("a row");
        assert_eq!(row.judged_trials, level.trials, "{}", ran.stdout);
        for oracle in oracles {
            assert!(
                found.iter().any(|found| found.oracle.code() == *oracle),
                "{leak}{}",
                ran.stdout
            );
        }
        if leak.contains("token") {
            assert!(found.iter().all(|found| found.oracle.code() == "O8"), "{}", ran.stdout);
        }
    }
}

#[test]
fn a_lock_around_a_call_upstream_is_told_however_short_runs_are() {
    let record = run(&Scratch::new("upstream-lock"), &scenario_of_lock(true));
    let told = codes(&record);
    assert!(told.contains(&ReasonCode::ServesOneAtATime), "{:?}", record.reasons);
    assert_eq!(record.verdict, Outcome::Inconclusive);
}

#[test]
fn calls_upstream_for_two_users_at_once_show_that_both_are_worked_on() {
    let record = run(&Scratch::new("upstream-no-lock"), &scenario_of_lock(false));
    assert_eq!(record.verdict, Outcome::Clean, "{:?}", record.reasons);
    let claims = &only_level(&record).claims;
    assert!(!claims.iter().any(|claim| claim.starts_with("unknown: ")), "{claims:?}");
}
