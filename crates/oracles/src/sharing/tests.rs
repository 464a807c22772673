//! What users share is no finding, and all else is.

use super::*;
use crate::control::judge_control_beside;
use crate::judge::of;
use crate::notation::history;
use partywall_core::canary::Field;
use partywall_core::dialect::Dialect;
use partywall_core::finding::OracleId;
use partywall_core::history::History;
use partywall_core::raw::Raw;

const USERS: [&str; 4] = ["alice", "robert", "carol", "david"];

/// What the first run of that user said.
fn canary(user: &str) -> String {
    let history = history(&said());
    let plan = &history.plan;
    let index = plan.user(&UserName::new(user)).expect("a user").index;
    plan.mint().mint(Owner { user: index, run: 1, field: Field::Prompt })
}

fn said() -> String {
    USERS.map(|user| format!("{user} posts r1")).join(";")
}

/// Each user asked for something, then the user of each row asks for that path and is answered so.
fn happens(sharing: &[(&str, &[&str])], rows: &[(&str, &str, &str)]) -> History {
    let mut history = history(&said());
    let protocol = serde_json::json!({
        "dialect": Dialect::unknown(),
        "identity": {},
        "start": {"http": {
            "request": {"method": "POST", "path": "/rooms/{{ thread }}", "content": "nothing"},
            "answer": "whole",
        }},
        "patience": 1,
        "sharing": sharing.iter().map(|(place, users)| {
            serde_json::json!({"place": place, "users": users})
        }).collect::<Vec<_>>(),
    });
    let protocol = serde_json::from_value(protocol).expect("a protocol");
    history.plan.protocol = std::sync::Arc::new(protocol);
    for (user, path, body) in rows {
        let asks = What::Request {
            method: "POST".into(),
            path: (*path).into(),
            raw: Raw::default(),
            run: None,
        };
        let answer = What::Answer { status: 200, headers: Raw::default(), raw: (*body).into() };
        let on = ConnectionId::new(format!("{user}/http{}", history.observations.len() + 7));
        for what in [asks, answer] {
            let n = history.observations.len() as u64;
            let (by, on) = (Some(UserName::new(user)), Some(on.clone()));
            history.observations.push(Observation { n, at: n, by, on, what });
        }
    }
    history
}

/// Who is found to have seen whose data, as canary and as name.
fn found(sharing: &[(&str, &[&str])], rows: &[(&str, &str, &str)]) -> Vec<String> {
    let (history, dialect) = (happens(sharing, rows), Dialect::unknown());
    let case = Case::new(&history, &dialect);
    let of_both = [OracleId::Canary, OracleId::Ownership].map(|id| (of(id).judge)(&case).suspects);
    let of_both = of_both.into_iter().flatten();
    of_both
        .map(|one| format!("{} to {}: {}", one.victim, one.observer, one.victim_operation))
        .collect()
}

#[test]
fn what_stands_on_a_public_path_or_in_a_public_place_is_no_finding() {
    let canary = canary("alice");
    let (words, name) = (format!("alice said {canary}"), "hello alice".to_owned());
    let in_json = |text: &str| format!(r#"{{"online":[{{"who":"{text}"}}],"text":"-"}}"#);
    for text in [words, name] {
        let lobby = [("robert", "/rooms/lobby?page=1", text.as_str())];
        assert_eq!(found(&[("/rooms/lobby", &[])], &lobby), [""; 0]);
        assert_eq!(found(&[("/rooms/other", &[])], &lobby).len(), 1);
        assert_eq!(found(&[], &lobby).len(), 1);
        let json = in_json(&text);
        let online = [("robert", "/rooms/red", json.as_str())];
        assert_eq!(found(&[("/online", &[])], &online), [""; 0]);
        assert_eq!(found(&[("/online/*/who", &[])], &online), [""; 0]);
        assert_eq!(found(&[("/text", &[])], &online).len(), 1);
    }
}

#[test]
fn what_stands_beside_a_public_place_too_is_a_finding() {
    let canary = canary("alice");
    let public: &[(&str, &[&str])] = &[("/online", &[])];
    let beside = [
        format!(r#"{{"online":"{canary}","text":"{canary}"}}"#),
        format!(r#"{{"online":"{canary}","text":"\u0070{}"}}"#, &canary[1..]),
        format!(r#"{{"online":"-","{canary}":1}}"#),
        format!(r#"{{"text":"{canary}","text":"-","online":"{canary}"}}"#),
        format!("online {canary}"),
        // In two pieces it stands nowhere as a whole, and so in no public place.
        format!(r#"{{"online":"-","text":"{}","rest":"{}"}}"#, &canary[..20], &canary[20..]),
    ];
    for body in beside {
        assert_eq!(found(public, &[("robert", "/rooms/red", &body)]).len(), 1, "{body}");
    }
}

#[test]
fn what_some_share_is_found_with_everybody_else() {
    let room: &[(&str, &[&str])] = &[("/rooms/red", &["alice", "robert"])];
    for (text, what) in
        [(canary("alice"), "prompt of chat over http"), ("alice".into(), "name in a text")]
    {
        assert_eq!(found(room, &[("robert", "/rooms/red", &text)]), [""; 0]);
        let expected = [format!("alice to carol: {what}")];
        assert_eq!(found(room, &[("carol", "/rooms/red", &text)]), expected);
        assert_eq!(found(room, &[("robert", "/rooms/blue", &text)]).len(), 1);
    }
    assert_eq!(found(room, &[("robert", "/rooms/red", &canary("carol"))]).len(), 1);
}

#[test]
fn controls_are_planted_beside_what_is_shared_and_for_those_who_do_not_share_it() {
    let answers = ["alice", "robert", "carol"].map(|user| {
        (user, "/rooms/red", format!(r#"{{"room":{{"said":"{}"}},"hi":"{user}"}}"#, canary(user)))
    });
    let answers: Vec<_> = answers.iter().map(|(a, b, c)| (*a, *b, c.as_str())).collect();
    let dialect = Dialect::unknown();
    let planted = |place: &str, seed| {
        let shared: [(&str, &[&str]); 2] = [(place, &["alice", "robert"]), ("/lobby", &[])];
        let history = happens(&shared, &answers);
        let case = Case::new(&history, &dialect);
        assert_eq!((of(OracleId::Canary).judge)(&case).suspects, []);
        [OracleId::Canary, OracleId::Ownership].map(|id| {
            let tally = judge_control_beside(&[of(id)], &history, &dialect, None, seed);
            assert_eq!(tally.missed, [""; 0], "{id} at {seed}, {place}");
            assert!(tally.planted > 0, "{id} at {seed}, {place}");
            tally.planted
        })
    };
    for seed in 0..20 {
        let [without, _] = planted("/absent", seed);
        for place in ["/rooms/red", "/room"] {
            assert_eq!(planted(place, seed)[0], without + 1, "{place} at {seed}");
        }
    }
}
