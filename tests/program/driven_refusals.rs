//! Servers that refuse: names that they do not take, or everything. The rest is judged by itself, and a
//! server that refuses everybody has exercised nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use partywall::trial::record::{Level, Record};
use partywall::trial::verdict::{Outcome, ReasonCode, Verdict};
use serde_json::{Value, json};

use crate::support::hostile::{Asked, serve};
use crate::support::reports::{codes, files, only_level, report};
use crate::support::{Alone, Scratch, partywall, ran};

const ASK: &str = r#"
version = 1
name = "ask"
title = "Questions"
[target]
url = "URL"
[identity]
headers = { x-user = "{{ user }}" }
[start]
by = "http"
path = "/ask"
answer = "json"
json = { id = "{{ request_id }}", question = "{{ prompt }}" }
[events]
request = "/id"
[limits]
run_seconds = 2
[workload]
users = 8
runs_per_user = 2
rounds = 2
"#;

fn echo(asked: Asked) {
    let question: Value = serde_json::from_str(&asked.body).expect("JSON");
    // Users who ask together are answered together, and a busy machine adds little to that.
    std::thread::sleep(Duration::from_millis(200));
    asked.answer("200 OK", "application/json", question.to_string());
}

fn refuse(asked: Asked) {
    let body = json!({ "error": "no such user" }).to_string();
    asked.answer("400 Bad Request", "application/json", body);
}

/// Answers the users whose names it takes.
fn taking(takes: fn(&str) -> bool) -> String {
    serve(move |asked| match asked.header("x-user").is_some_and(|user| takes(&user)) {
        true => echo(asked),
        false => refuse(asked),
    })
}

fn driven(url: &str, users: u32, code: i32) -> Record {
    let scratch = Scratch::new("refusals");
    let text = ASK.replace("URL", url).replace("users = 8", &format!("users = {users}"));
    let file = scratch.file("ask.toml", text).display().to_string();
    ran(&mut scratch.partywall(&["run", &file])).exits(code);
    report(&scratch.run_folder("run"))
}

fn told(level: &Level, code: ReasonCode) -> Vec<&str> {
    let own = level.reasons.iter().filter(|reason| reason.code == code);
    own.map(|reason| reason.text.as_str()).collect()
}

#[test]
fn users_whose_names_are_refused_are_named_and_left_out_of_the_figures() {
    let _alone = Alone::new();
    let url = taking(|name| !name.contains(':'));
    // Two of eight: too many for a clean verdict, and the only reason against one.
    let record = driven(&url, 8, 5);
    let level = only_level(&record);
    assert_eq!(record.verdict, Outcome::Inconclusive);
    assert_eq!(codes(&record), [ReasonCode::NamesRefused], "{:?}", record.reasons);
    let [text] = told(level, ReasonCode::NamesRefused)[..] else { panic!("{:?}", level.reasons) };
    assert!(text.contains("acme:alice") && text.contains("user-1:thread-1"), "{text}");
    // What is left completes as a whole.
    assert_eq!(level.runs_completed, level.runs_started);
    assert!(level.runs_started > 0 && level.trials_overlapping == level.trials);
    // Two of many are told beside a clean verdict.
    let record = driven(&url, 40, 0);
    let level = only_level(&record);
    assert_eq!((record.verdict, level.verdict), (Outcome::Clean, Verdict::Clean));
    assert_eq!(codes(&record), [ReasonCode::Shown, ReasonCode::NamesRefused]);
    assert!(told(level, ReasonCode::NamesRefused)[0].contains("acme:alice"), "{:?}", level.reasons);
    // A server that takes them all says nothing of it.
    let record = driven(&taking(|_| true), 8, 0);
    assert_eq!(codes(&record), [ReasonCode::Shown], "{:?}", record.reasons);
}

#[test]
fn one_user_who_is_left_alone_exercises_nothing() {
    let url = taking(|name| !name.contains(':'));
    let scratch = Scratch::new("one-left");
    let text = ASK.replace("URL", &url).replace("users = 8", "users = 3");
    let text = text.replace("[start]", "users = [\"anna\", \"acme:bert\", \"acme:carl\"]\n[start]");
    let file = scratch.file("ask.toml", text).display().to_string();
    ran(&mut scratch.partywall(&["run", &file])).exits(4);
    let record = report(&scratch.run_folder("run"));
    let level = only_level(&record);
    // What was refused overlaps with nothing.
    assert!(level.runs_completed > 0 && level.trials_overlapping == 0, "{:?}", level.reasons);
    for code in [ReasonCode::NamesRefused, ReasonCode::NothingExercised] {
        assert!(codes(&record).contains(&code), "{:?}", record.reasons);
    }
}

/// A server that tells each user what was asked last, until it is cured by refusing everything.
fn leaking() -> String {
    let last = Arc::new(Mutex::new(Value::Null));
    serve(move |asked| {
        let question: Value = serde_json::from_str(&asked.body).expect("JSON");
        *last.lock().expect("nobody panics") = question["question"].clone();
        std::thread::sleep(Duration::from_millis(20));
        let body = json!({ "id": question["id"], "question": *last.lock().expect("no panic") });
        asked.answer("200 OK", "application/json", body.to_string());
    })
}

#[test]
fn a_cure_that_refuses_everything_is_not_exercised_after_with_that_reason() {
    let sides =
        format!("[before]\nurl = \"{}\"\n[after]\nurl = \"{}\"\n", leaking(), taking(|_| false));
    let scratch = Scratch::new("refusing-cure");
    let text = ASK.replace("url = \"URL\"\n", "") + &sides;
    let file = scratch.file("ask.toml", text).display().to_string();
    ran(&mut scratch.partywall(&["signoff", &file])).exits(4);
    let record = report(&scratch.run_folder("signoff"));
    assert_eq!(record.verdict, Outcome::Inconclusive);
    assert_eq!(record.before.as_ref().map(|side| side.verdict), Some(Verdict::Leaked));
    for code in [ReasonCode::Refused, ReasonCode::NothingExercised] {
        assert!(codes(&record).contains(&code), "{code:?}: {:?}", record.reasons);
    }
    let refused = record.reasons.iter().find(|reason| reason.code == ReasonCode::Refused);
    assert!(refused.is_some_and(|reason| reason.text.contains("400 to POST /ask")), "{refused:?}");
    // A history of it, judged again, says so too; one of before is a leak.
    let histories = files(&scratch.run_folder("signoff").join("histories"), ".jsonl");
    let of = |side: &str| {
        let is_of = |path: &&std::path::PathBuf| {
            path.file_name().is_some_and(|name| {
                name.to_string_lossy().starts_with(&format!("{side}-wire-ask-round"))
            })
        };
        histories.iter().find(is_of).expect("a history").clone()
    };
    let judged = ran(partywall(&["check"]).arg(of("after"))).exits(4);
    let words = judged.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("400 to POST /ask for 8 of 8 users"), "{words}");
    ran(partywall(&["check"]).arg(of("before"))).exits(1);
}
