//! Cookies that answers set: what users said in them is judged, and a session that two users are given
//! is a finding without a word in the scenario.

use std::sync::{Arc, Mutex};

use partywall::trial::finding::{FindingKind, OracleId};
use partywall::trial::record::FindingRecord;

use crate::support::hostile::serve;
use crate::support::reports::{only_level, report};
use crate::support::{Scratch, ran};

const ASK: &str = r#"
version = 1
name = "cookies"
title = "Questions"
[target]
url = "URL"
[identity]
headers = { x-user = "{{ user }}" }
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}", user = "{{ user }}" }
[workload]
users = 8
runs_per_user = 2
rounds = 2
"#;

/// A server that repeats what it is asked, and sets the cookie that it is given the parts for: the
/// caller's number, their question and that of the one before.
fn server(cookie: fn(usize, &str, &str) -> String) -> String {
    server_with(cookie, |own, _| own.to_owned())
}

/// The same, whose body is made of what was asked for and the question of the one before.
fn server_with(cookie: fn(usize, &str, &str) -> String, shown: fn(&str, &str) -> String) -> String {
    #[derive(Default)]
    struct Seen {
        users: Vec<String>,
        question: String,
    }
    let seen: Arc<Mutex<Seen>> = Arc::default();
    serve(move |asked| {
        let body: serde_json::Value = serde_json::from_str(&asked.body).expect("JSON");
        let word = |name: &str| body[name].as_str().expect("a text").to_owned();
        let (user, question) = (word("user"), word("question"));
        let mut seen = seen.lock().expect("nobody panics");
        if !seen.users.contains(&user) {
            seen.users.push(user.clone());
        }
        let number = seen.users.iter().position(|one| *one == user).expect("it was added");
        let before = std::mem::replace(&mut seen.question, question.clone());
        let head = format!("200 OK\r\nset-cookie: {}", cookie(number, &question, &before));
        let body = shown(&asked.body, &before);
        asked.answer(&head, "application/json", body)
    })
}

#[track_caller]
fn driven(code: i32, cookie: fn(usize, &str, &str) -> String) -> Vec<FindingRecord> {
    driven_against(&server(cookie), code)
}

#[track_caller]
fn driven_against(url: &str, code: i32) -> Vec<FindingRecord> {
    let scratch = Scratch::new("cookies");
    let file = scratch.file("cookies.toml", ASK.replace("URL", url));
    let file = file.display().to_string();
    ran(&mut scratch.partywall(&["run", &file])).exits(code);
    let level = only_level(&report(&scratch.run_folder("run"))).clone();
    assert_eq!(level.controls.judge.missed, [""; 0]);
    level.findings
}

/// As it may stand in a cookie.
fn escaped(text: &str) -> String {
    text.replace(' ', "%20")
}

#[test]
fn what_another_user_said_is_found_in_a_cookie() {
    let leaks: [fn(usize, &str, &str) -> String; 2] = [
        |_, _, before| format!("last={}", before.split(' ').next_back().unwrap_or_default()),
        |_, _, before| format!("flash=[%22{}%22]:0123456789abcdef0123; HttpOnly", escaped(before)),
    ];
    for leak in leaks {
        let findings = driven(1, leak);
        assert!(
            findings.iter().any(|finding| finding.kind == FindingKind::Crossing),
            "{findings:#?}"
        );
        assert!(findings.iter().all(|finding| finding.oracle != OracleId::Ownership));
    }
}

#[test]
fn the_same_words_in_a_cookie_and_in_the_body_do_not_hide_each_other() {
    let in_cookie: fn(usize, &str, &str) -> String =
        |_, _, before| format!("flash={}; Path=/; HttpOnly", escaped(before));
    let no_cookie: fn(usize, &str, &str) -> String = |_, _, _| "lang=en".to_owned();
    let in_body: fn(&str, &str) -> String =
        |own, before| format!(r#"{{"own":{own},"before":"{before}"}}"#);
    let own_body: fn(&str, &str) -> String = |own, _| own.to_owned();
    for (cookie, body, code) in [
        (in_cookie, in_body, 1),
        (in_cookie, own_body, 1),
        (no_cookie, in_body, 1),
        (no_cookie, own_body, 0),
    ] {
        let findings = driven_against(&server_with(cookie, body), code);
        let crosses = |found: &FindingRecord| found.oracle == OracleId::Canary;
        assert_eq!(findings.iter().any(crosses), code == 1, "{findings:#?}");
    }
}

#[test]
fn ones_own_words_in_a_cookie_are_no_finding() {
    assert_eq!(driven(0, |_, own, _| format!("last={}; HttpOnly", escaped(own))), []);
}

#[test]
fn a_session_that_two_users_are_given_is_a_finding() {
    let leak = |number: usize, _: &str, _: &str| {
        format!("sid=session-0123456789-{}; Path=/; HttpOnly", number.max(1))
    };
    let findings = driven(1, leak);
    let found = |finding: &FindingRecord| {
        finding.oracle == OracleId::Ownership && finding.victim_operation == "credential `sid`"
    };
    assert!(findings.iter().all(found) && !findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_cookie_that_does_not_tell_users_apart_accuses_nobody() {
    let clean: [fn(usize, &str, &str) -> String; 4] = [
        |number, _, _| format!("sid=session-0123456789-{number}; HttpOnly"),
        // A replica, a variant of the page for everybody, and what scripts may read.
        |number, _, _| format!("node=replica-0123456789-{}; HttpOnly", number % 3),
        |_, _, _| "page=variant-0123456789; HttpOnly".to_owned(),
        |number, _, _| format!("seen=0123456789abcdef-{}", number.max(1)),
    ];
    for cookie in clean {
        assert_eq!(driven(0, cookie), []);
    }
}
