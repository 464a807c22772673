//! Names in texts, public places and what some users share, on servers that are driven.

use std::time::Duration;

use partywall::trial::finding::OracleId;

use crate::support::hostile::serve;
use crate::support::reports::{only_level, report};
use crate::support::{Alone, Scratch, ran};

const ASK: &str = r#"
version = 1
name = "rooms"
title = "Rooms"
[target]
url = "URL"
[identity]
headers = { authorization = "Bearer key-of-{{ user }}" }
users = ["alice", "robert", "carol"]
[start]
by = "http"
path = "/rooms/red"
json = { question = "{{ prompt }}", id = "{{ request_id }}" }
[workload]
users = 3
runs_per_user = 2
rounds = 2
"#;

/// How long the server takes for each answer: users come up to 20 ms one after the other.
const WORK: Duration = Duration::from_millis(60);

/// A server whose answers hold the user's own words, and what `adds` makes of who asks.
fn server(adds: fn(&str) -> String) -> String {
    serve(move |asked| {
        let who = asked.header("authorization").unwrap_or_default();
        let who = who.trim_start_matches("Bearer key-of-").to_owned();
        let body = format!(r#"{{"own":{},"more":"{}"}}"#, asked.body, adds(&who));
        std::thread::sleep(WORK);
        asked.answer("200 OK", "application/json", body);
    })
}

/// What is found, by oracle.
fn found(adds: fn(&str) -> String, tables: &str, exit: i32) -> Vec<(OracleId, String)> {
    let scratch = Scratch::new("sharing");
    let text = format!("{}{tables}", ASK.replace("URL", &server(adds)));
    let file = scratch.file("rooms.toml", text).display().to_string();
    ran(&mut scratch.partywall(&["run", &file])).exits(exit);
    let level = only_level(&report(&scratch.run_folder("run"))).clone();
    assert_eq!(level.controls.judge.missed, [""; 0]);
    let findings = level.findings.into_iter();
    findings.map(|finding| (finding.oracle, finding.victim_operation)).collect()
}

/// Everybody is greeted as the user before them.
fn another(who: &str) -> String {
    let other = ["alice", "robert", "carol"].into_iter().find(|other| *other != who);
    format!("Hello {}!", other.unwrap_or_default())
}

#[test]
fn a_page_that_greets_another_is_found_and_one_that_greets_its_user_is_not() {
    let _alone = Alone::new();
    let own = |who: &str| format!("Hello {who}, alice-2 and roberta!");
    assert_eq!(found(own, "", 0), []);
    assert_eq!(found(another, "", 1), [(OracleId::Ownership, "name in a text".into())]);
    let shown = |who: &str| another(who).replace("Hello ", "Bearer key-of-");
    assert_eq!(found(shown, "", 1), [(OracleId::Ownership, "credential in a text".into())]);
}

#[test]
fn what_is_public_or_shared_is_clean_and_what_crosses_beside_it_is_found() {
    let _alone = Alone::new();
    assert_eq!(found(another, "[events]\npublic = [\"/more\"]\n", 0), []);
    let shared = |users: &str| format!("[[shared]]\nusers = {users}\npath = \"/rooms/red\"\n");
    assert_eq!(
        found(
            another,
            &shared(r#"["alice", "robert", "carol"]"#).replace("/rooms/red", "/more"),
            0
        ),
        []
    );
    let two = found(another, &shared(r#"["alice", "carol"]"#), 1);
    assert_eq!(two, [(OracleId::Ownership, "name in a text".into())]);
}
