//! Names and credentials in texts: what is found, what is not, and the controls.

use super::*;
use crate::control::judge_control_beside;
use crate::judge::of;
use crate::notation::{history, told};
use partywall_core::dialect::Dialect;
use partywall_core::finding::OracleId;
use partywall_core::history::History;
use partywall_core::ids::ConnectionId;

const USERS: [&str; 5] = ["alice", "robert", "user-1", "user-10", "user-1:t1"];

fn asks(path: &str) -> What {
    What::Request { method: "POST".into(), path: path.into(), raw: Raw::default(), run: None }
}

fn gets(headers: &str, body: &str) -> What {
    What::Answer { status: 200, headers: headers.into(), raw: body.into() }
}

/// All have asked for something, and then that happens on a connection of each.
fn happens(seen: &[(&str, What)]) -> History {
    let mut history = history(&USERS.map(|user| format!("{user} exists")).join(";"));
    let protocol = serde_json::json!({
        "dialect": Dialect::unknown(),
        "identity": {"headers": [["authorization", "Bearer key-of-{{ user }}"]]},
        "start": {"message": "nothing"},
        "patience": 1,
    });
    let protocol = serde_json::from_value(protocol).expect("a protocol");
    history.plan.protocol = std::sync::Arc::new(protocol);
    let all = USERS.map(|user| (user, asks("/")));
    for (n, (user, what)) in (0..).zip(all.iter().chain(seen)) {
        let on = Some(ConnectionId::new(format!("{user}/http{n}")));
        let (by, what) = (Some(UserName::new(user)), what.clone());
        history.observations.push(Observation { n, at: n, by, on, what });
    }
    history
}

fn found(seen: &[(&str, What)]) -> Vec<String> {
    let (history, dialect) = (happens(seen), Dialect::unknown());
    let mut suspects = Suspects::default();
    judge(&Case::new(&history, &dialect), &mut suspects);
    suspects.finish().iter().map(told).collect()
}

#[test]
fn a_name_is_found_as_a_word_of_its_own_however_it_is_written() {
    for body in [
        "<h1>Hello user-10!</h1>",
        "Hello USER-10",
        r#"{"text":"\nuser-10\u0021"}"#,
        "/users/user-10/notes",
        "user-10@example.org",
    ] {
        let shown = found(&[("alice", gets("", body))]);
        assert_eq!(shown, ["crossing user-10 -> alice: name in a text @ http answer"], "{body}");
    }
    for body in ["user-100", "user-10-x", "a_user-10", "Bearer key-of-user-1000", "", "alice"] {
        assert_eq!(found(&[("alice", gets("", body))]), [""; 0], "{body}");
    }
    let close = What::Ended { code: None, raw: "replaced by user-10".into() };
    assert_eq!(
        found(&[("alice", close), ("alice", gets("x-user: user-1:t1\n", ""))]),
        [
            "crossing user-10 -> alice: name in a text @ close reason",
            "crossing user-1:t1 -> alice: name in a header @ http answer"
        ]
    );
    let quoted = [("alice", gets("location: /of/user-1%3At1\n", ""))];
    assert_eq!(found(&quoted), ["crossing user-1:t1 -> alice: name in a header @ http answer"]);
}

#[test]
fn what_only_another_shows_to_be_themselves_is_found_as_that() {
    let shown = gets("", "authorization: Bearer key-of-user-10");
    assert_eq!(
        found(&[("user-1", shown)]),
        ["crossing user-10 -> user-1: credential in a text @ http answer"]
    );
    assert_eq!(found(&[("user-10", gets("", "Bearer key-of-user-10"))]), [""; 0]);
}

#[test]
fn a_name_that_may_stand_there_rightly_accuses_nobody() {
    // It was sent by the observer.
    let prompt = What::Sent { raw: "what does robert say?".into() };
    let answer = || gets("", "robert says nothing");
    assert_eq!(found(&[("alice", prompt), ("alice", answer())]), [""; 0]);
    assert_eq!(found(&[("alice", asks("/of/robert")), ("alice", answer())]), [""; 0]);
    let late = [("alice", answer()), ("alice", asks("/of/robert"))];
    assert_eq!(found(&late), ["crossing robert -> alice: name in a text @ http answer"]);
    // A key made of one's own name and something else is another's name.
    assert_eq!(found(&[("user-1", gets("", "key user-1:t1"))]), [""; 0]);
    assert_eq!(found(&[("user-1:t1", gets("", "tenant user-1"))]), [""; 0]);
    // On an event connection, in what is of no run: others are present.
    let present = What::Received { raw: r#"{"type":"joined","who":"robert"}"#.into() };
    let opened = What::Connected { headers: Raw::default() };
    assert_eq!(found(&[("alice", opened), ("alice", present)]), [""; 0]);
    // It came before its user did anything.
    let mut history = happens(&[]);
    history.observations.truncate(1);
    history.observations.push(Observation { n: 1, ..history.observations[0].clone() });
    history.observations[1].what = answer();
    let mut suspects = Suspects::default();
    let dialect = Dialect::unknown();
    assert_eq!(judge(&Case::new(&history, &dialect), &mut suspects), 0);
}

#[test]
fn a_list_of_users_is_told_as_one() {
    let list = gets("", "alice, robert, user-1, user-10 and user-1:t1");
    assert_eq!(
        found(&[("alice", list)]),
        ["crossing robert -> alice: a list of users' names @ http answer"]
    );
}

#[test]
fn short_names_and_small_numbers_are_not_searched() {
    let searched = |name: &str| is_searched(&UserName::new(name));
    assert!(searched("alice") && searched("user-1") && searched("20261130"));
    assert!(!searched("acme") && !searched("zo\u{eb}") && !searched("1002003"));
}

#[test]
fn the_controls_of_names_and_credentials_are_caught_and_a_broken_search_is_told() {
    let own = |user| (user, gets(&format!("x-user: {user}\n"), &format!(r#"{{"hi":"{user}"}}"#)));
    let history = happens(&USERS.map(own));
    let (dialect, ownership) = (Dialect::unknown(), of(OracleId::Ownership));
    for seed in 0..20 {
        let tally = judge_control_beside(&[ownership], &history, &dialect, None, seed);
        assert_eq!((tally.planted, &tally.missed[..]), (4, &[][..]), "seed {seed}");
    }
    let mute = crate::Oracle { judge: |_| crate::Judgement::default(), ..*ownership };
    let tally = judge_control_beside(&[&mute], &history, &dialect, None, 1);
    assert_eq!(tally.missed.len(), 4);
}
