//! What each oracle must find, what it must not, and what it knowingly cannot see.

#[path = "oracles/blind_spots.rs"]
mod blind_spots;
#[path = "oracles/hostile.rs"]
mod hostile;
#[path = "oracles/non_interference.rs"]
mod non_interference;
#[path = "oracles/optional.rs"]
mod optional;
#[path = "oracles/states.rs"]
mod states;

use partywall::oracle::notation::{found, found_by, history};
use partywall::oracle::{Case, judge, of};
use partywall::trial::dialect::Dialect;
use partywall::trial::finding::OracleId;
use partywall::trial::plan::Via;

/// Each history, and on the next line what the oracle finds in it.
fn table(oracle: OracleId, rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        assert_eq!(found_by(of(oracle), &history(text)), *expected, "{oracle} on: {text}");
    }
}

const BOTH: &str = "alice connects; bob connects; alice starts r1; bob starts r1;";

fn both(rest: &str) -> String {
    format!("{BOTH} {rest}")
}

fn table_of_both(oracle: OracleId, rows: &[(&str, &[&str])]) {
    for (rest, expected) in rows {
        table(oracle, &[(&both(rest), expected)]);
    }
}

#[test]
fn o1_canaries() {
    table_of_both(
        OracleId::Canary,
        &[
            ("r1 of alice emits 1; r1 of bob emits 1", &[]),
            (
                "r1 of alice emits 1-2 to bob",
                &["crossing alice r1 -> bob: prompt of chat over websocket @ websocket"],
            ),
            (
                "r1 of alice emits 1 showing alice:r1+bob:r1:settings",
                &["crossing bob r1 -> alice: settings of chat over websocket @ websocket"],
            ),
            (
                "bob posts r2; alice posts r2; r2 of alice answers showing bob:r2",
                &["crossing bob r2 -> alice: prompt of chat over http @ http answer"],
            ),
            ("bob reads t1; r1 of alice emits 1", &[]),
            // An observer twice, a run twice, and a channel twice are told apart.
            (
                "carol connects; alice starts r2; r1 of alice emits 1 to bob; r2 of alice emits 1 \
                 to bob; r1 of alice emits 1 to carol",
                &[
                    "crossing alice r1 -> bob: prompt of chat over websocket @ websocket",
                    "crossing alice r1 -> carol: prompt of chat over websocket @ websocket",
                    "crossing alice r2 -> bob: prompt of chat over websocket @ websocket",
                ],
            ),
            // A run, and a user, that the plan does not know.
            (
                "r1 of alice emits 1 showing bob:r9",
                &["crossing bob r9 -> alice: prompt of a run @ websocket"],
            ),
            (
                "r1 of alice emits 1 showing #77:r1",
                &["crossing user #77 of this campaign r1 -> alice: prompt of a run of another \
                   trial @ websocket"],
            ),
            // A phantom belongs to nobody.
            ("r1 of alice emits 1 showing alice:r1+phantom", &[]),
            ("r1 of alice emits 1 showing phantom", &["blind"]),
            ("r1 of alice emits 1 showing nothing", &["blind"]),
            ("", &["blind"]),
        ],
    );
}

#[test]
fn o1_tells_users_apart_whose_names_look_alike() {
    let names = ["user-1", "user-10", "acme:alice", "acme", "alice"];
    for owner in names {
        for observer in names {
            let text = format!(
                "{owner} connects; {observer} connects; {owner} starts r1; r1 of {owner} emits 1 \
                 to {observer}"
            );
            let fired = !found(&history(&text)).is_empty();
            assert_eq!(fired, owner != observer, "{owner} to {observer}");
        }
    }
}

#[test]
fn o1_sees_a_canary_in_pieces_and_counts_a_place_once() {
    let canary = {
        let whole = history("alice connects; bob connects; alice starts r1; r1 of alice emits 1");
        let text =
            whole.observations.last().expect("an event").what.inbound().expect("bytes").text();
        let at = text.find("pw10").expect("a canary");
        text[at..at + 36].to_owned()
    };
    let (head, tail) = canary.split_at(20);
    let message = |field: &str, text: &str| {
        format!(r#"bob gets {{"type":"agent_thinking","run_id":"x","{field}":"{text}"}}"#)
    };
    let expected = ["crossing alice r1 -> bob: prompt of chat over websocket @ websocket"];
    let escaped = canary.replacen('w', "\\u0077", 1);
    for pieces in [
        // Over one field of two messages, with another run's in between.
        format!(
            "{}; bob gets {{\"type\":\"x\",\"a\":\"-\"}}; {}",
            message("a", head),
            message("a", tail)
        ),
        // Over two messages' bytes, neither of them JSON.
        format!("bob gets {{\"a\":\"{head}; bob gets {tail}"),
        // Only after decoding: in a string, and in a name.
        message("a", &escaped),
        message(&escaped, "x"),
    ] {
        let history = history(&both(&pieces));
        assert_eq!(found_by(of(OracleId::Canary), &history), expected, "{pieces}");
    }
    // Over two fields of two messages of one run, but not of two.
    let apart = both(&format!("{}; {}", message("a", head), message("b", tail)));
    assert_eq!(found_by(of(OracleId::Canary), &history(&apart)), expected);
    let of_another = message("b", tail).replace("\"x\"", "\"y\"");
    let apart = both(&format!("{}; {of_another}", message("a", &head[..11])));
    assert_eq!(found_by(of(OracleId::Canary), &history(&apart)), ["blind"]);

    let seen_twice = history(&both(&message("a", &canary)));
    let judgement = (of(OracleId::Canary).judge)(&Case::new(&seen_twice, &Dialect::reference()));
    assert_eq!(judgement.judged_items, 1);
}

#[test]
fn o1_evidence_names_the_start_and_the_first_places() {
    let history = history(&both("r1 of alice emits 1-9 to bob"));
    let judged = judge(&Case::new(&history, &Dialect::reference()));
    let evidence = &judged.findings[0].evidence;
    assert_eq!(evidence.len(), 6);
    assert_eq!((evidence[0].n, evidence[0].shows.as_str()), (6, "alice starts run 1"));
    assert_eq!(evidence[1].shows, "bob receives the prompt canary of alice's run 1");
    assert!(evidence.windows(2).all(|pair| pair[0].n < pair[1].n));
}

#[test]
fn phantoms_that_come_back_are_path_hits_by_kind_of_run() {
    let hits = |rest: &str| {
        let history = history(&both(rest));
        judge(&Case::new(&history, &Dialect::reference())).path_hits
    };
    assert_eq!(hits("r1 of alice emits 1"), []);
    assert_eq!(hits("r1 of alice emits 1-2 showing phantom"), [Via::Socket]);
    let both_kinds = "alice posts r2; r2 of alice answers showing phantom-http; r1 of bob emits 1 \
                      showing phantom";
    assert_eq!(hits(both_kinds), [Via::Socket, Via::Http]);
}

#[test]
fn o2_ids() {
    table_of_both(
        OracleId::Ownership,
        &[
            ("r1 of alice emits 1; r1 of bob emits 1; alice gets pong; bob gets error", &[]),
            ("r1 of alice emits 1 for bob", &["crossing bob -> alice: user id @ websocket"]),
            (
                "r1 of alice emits 1-3 to bob for bob",
                &["crossing alice r1 -> bob: run id of chat over websocket @ websocket"],
            ),
            (
                "alice posts r2; r2 of alice answers; bob posts r2; r2 of bob answers called run-alice-2",
                &["crossing alice r2 -> bob: run id of chat over http @ http answer"],
            ),
            // Known from the answer, seen on the wrong socket before it.
            (
                "alice posts r2; r2 of alice emits 1 to bob for bob; r2 of alice answers",
                &["crossing alice r2 -> bob: run id of chat over http @ websocket"],
            ),
            (
                "alice asks r2; bob asks r2; r2 of alice is accepted called x; r2 of bob is \
                 accepted called x; r2 of bob emits 1 called x",
                &["crossing alice r2 -> bob: run id of chat over websocket @ websocket"],
            ),
            (
                r#"carol connects silently; carol gets {"type":"connection_established","connection_id":"c-bob/socket1"}"#,
                &["crossing bob -> carol: connection id @ websocket"],
            ),
            // The same user twice: perhaps the same session again.
            (
                r#"bob vanishes; bob connects silently; bob gets {"type":"connection_established","connection_id":"c-bob/socket1"}"#,
                &[],
            ),
            // Equal ids that the clients chose prove nothing.
            (
                "alice asks r2 as q; bob asks r2 as q; r2 of bob is accepted as q; r2 of alice is accepted as q",
                &[],
            ),
            // An id whose owner nobody told.
            (r#"bob gets {"type":"agent_thinking","run_id":"stray","user_id":"u-4711"}"#, &[]),
        ],
    );
    let silent = "alice connects silently; alice asks r1; r1 of alice emits 1 for nobody";
    table(OracleId::Ownership, &[(silent, &["blind"])]);
}

#[test]
fn o3_completeness_and_order() {
    let gap: &[&str] = &["loss alice r1: chat over websocket @ websocket"];
    let no_end: &[&str] = &["loss alice r1: the end of chat over websocket @ websocket"];
    let disorder: &[&str] = &["disorder alice r1: chat over websocket @ websocket"];
    table_of_both(
        OracleId::Completeness,
        &[
            ("r1 of alice emits 1-3; r1 of alice ends 4", &[]),
            ("r1 of alice emits 1-3; r1 of alice fails 4", &[]),
            ("r1 of alice emits 1; r1 of alice emits 3", gap),
            ("r1 of alice emits 2; r1 of alice ends 3", gap),
            ("r1 of alice emits 1; r1 of alice emits 18446744073709551615", gap),
            // Types that the dialect does not know may take numbers of the row, or have their own.
            (
                r#"r1 of alice emits 1; alice gets {"type":"new","run_id":"run-alice-1","sequence":2}; r1 of alice ends 3"#,
                &[],
            ),
            (
                r#"r1 of alice emits 1; alice gets {"type":"token","run_id":"run-alice-1","sequence":99}; r1 of alice ends 2"#,
                &[],
            ),
            // Half of it came to somebody else.
            ("r1 of alice emits 1; r1 of alice emits 2 to bob; r1 of alice ends 3", gap),
            // Nothing later came: perhaps it is still to come.
            ("r1 of alice emits 1-2; alice gives up r1", &[]),
            ("r1 of alice emits 1; r1 of alice emits 3; alice gives up r1", gap),
            ("r1 of alice emits 1-2; alice gives up r1 at rest", no_end),
            (
                "alice asks r2; alice gives up r2 at rest",
                &["loss alice r2: the end of chat over websocket @ websocket"],
            ),
            ("alice asks r2; alice gives up r2", &["blind"]),
            // Declined, not lost.
            ("alice asks r2; alice gets error; alice gives up r2 at rest", &[]),
            ("alice gets error; alice gives up r1 at rest", no_end),
            // It ended, but without saying which run.
            (r#"alice gets {"type":"agent_error"}; alice gives up r1 at rest"#, &[]),
            // What a cut connection missed is unknown; what came after it is a suffix.
            ("r1 of alice emits 1; alice vanishes; alice gives up r1 at rest", &[]),
            (
                "r1 of alice emits 1; alice breaks; alice connects; r1 of alice emits 4; r1 of alice ends 5",
                &[],
            ),
            ("r1 of alice emits 1; alice is closed; alice gives up r1 at rest", &[]),
            ("r1 of alice emits 1; alice leaves; r1 of alice emits 3", &[]),
            ("r1 of alice emits 1; r1 of alice ends 3; alice vanishes", gap),
            ("alice vanishes; alice asks r2; alice gives up r2 at rest", &["blind"]),
            // Cut before the start: the new connection stands, so nothing may be missing.
            (
                "alice vanishes; alice connects; alice is closed on 1; alice starts r2; r2 of alice emits 1; r2 of alice emits 3",
                &["loss alice r2: chat over websocket @ websocket"],
            ),
            (
                "r1 of alice emits 1; r1 of alice emits 3; r1 of alice emits 2; r1 of alice ends 4",
                disorder,
            ),
            ("alice vanishes; alice connects; r1 of alice emits 5; r1 of alice emits 4", disorder),
            // Each connection has its own order; a repeated number is not an order.
            (
                "alice connects; r1 of alice emits 1; r1 of alice emits 2 on 1; r1 of alice ends 3",
                &[],
            ),
            ("r1 of alice emits 1-3; r1 of alice emits 2; r1 of alice ends 4", &[]),
            (
                "r1 of alice emits 1; r1 of alice ends 2; r1 of alice ends 3",
                &["disorder alice r1: the end of chat over websocket @ websocket"],
            ),
            ("r1 of alice emits 1; r1 of alice ends 2; r1 of alice ends 2", &[]),
            // Which run it is, only its canaries tell.
            (
                "alice asks r2 as q; alice asks r3 as q; r3 of alice is accepted as q; r3 of alice emits 1; r3 of alice emits 3",
                &["loss alice r3: chat over websocket @ websocket"],
            ),
            // Over HTTP.
            ("alice posts r2; r2 of alice answers", &[]),
            ("alice posts r2; alice gives up r2", &["blind"]),
            (
                "alice posts r2; alice gives up r2 at rest",
                &["loss alice r2: chat over http @ http answer"],
            ),
            // The events of such a run may come to the socket or not.
            ("alice posts r2; r2 of alice emits 2; r2 of alice emits 4; r2 of alice answers", &[]),
            ("", &["blind"]),
        ],
    );
    let mut cut = history("alice connects; alice posts r1; alice gives up r1 at rest");
    let mut broken = cut.observations[3].clone();
    broken.what = partywall::trial::history::What::broken("reset".to_owned());
    cut.observations.insert(5, broken);
    assert_eq!(found_by(of(OracleId::Completeness), &cut), [""; 0]);
}

#[test]
fn o4_duplicates() {
    let twice: &[&str] = &["duplicate alice r1: chat over websocket @ websocket"];
    table_of_both(
        OracleId::Duplicates,
        &[
            ("r1 of alice emits 1-3; r1 of bob emits 1-3", &[]),
            ("r1 of alice emits 1-3; r1 of alice emits 2", twice),
            ("r1 of alice ends 1; r1 of alice ends 1", twice),
            ("r1 of alice emits 1-2; alice vanishes; alice connects; r1 of alice emits 2-3", twice),
            ("r1 of alice emits 1-2; alice is closed; alice connects; r1 of alice emits 2", twice),
            ("r1 of alice emits 1-2; alice vanishes; alice connects; r1 of alice emits 3", &[]),
            ("alice connects; r1 of alice emits 1 on 1; r1 of alice emits 1 on 2", &[]),
            ("alice starts r2; r1 of alice emits 1; r2 of alice emits 1", &[]),
            // Another user's copy is a crossing, not a duplicate.
            ("r1 of alice emits 1; r1 of alice emits 1 to bob; r1 of alice emits 1 to bob", &[]),
            (
                r#"bob gets {"type":"agent_thinking","run_id":7,"sequence":1}; bob gets {"type":"agent_thinking","run_id":7,"sequence":1}"#,
                &["duplicate bob: a run @ websocket"],
            ),
            ("alice gets pong; alice gets pong", &["blind"]),
        ],
    );
}

#[test]
fn o6_after_close() {
    let connection: &[&str] = &["late alice: an ended connection @ websocket"];
    let run: &[&str] = &["late alice r1: chat over websocket @ websocket"];
    table_of_both(
        OracleId::AfterClose,
        &[
            ("r1 of alice emits 1; r1 of alice ends 2", &[]),
            ("alice is closed; alice gets pong", connection),
            ("alice vanishes; alice gets pong", connection),
            ("alice leaves; r1 of alice emits 1-3; alice is closed", &[]),
            ("alice leaves; alice is closed; r1 of alice emits 1", connection),
            ("alice vanishes; alice connects; r1 of alice emits 1", &[]),
            ("r1 of alice ends 1; r1 of alice emits 2", run),
            ("r1 of alice fails 1; r1 of alice ends 2", run),
            ("r1 of alice ends 2; r1 of alice emits 1", run),
            // A sub-agent's end is not the run's; a repeated event is O4's.
            ("r1 of alice emits 1-5; r1 of alice ends 6; r1 of alice emits 3", &[]),
            ("alice starts r2; r1 of alice ends 1; r2 of alice emits 1", &[]),
            ("r1 of alice ends 1; alice gets pong; alice gets error; alice reads t1", &[]),
            // On another connection the end may not have come yet.
            ("alice connects; r1 of alice ends 2 on 1; r1 of alice emits 1", &[]),
            ("r1 of alice ends 1; r1 of alice emits 2 to bob", &[]),
            // Another user's run is O2's matter, however it goes on.
            ("r1 of alice ends 1 to bob; r1 of alice emits 2 to bob", &["blind"]),
            ("r1 of alice emits 1", &["blind"]),
        ],
    );
}

#[test]
fn o7_binding() {
    let unasked: &[&str] = &["wrong binding alice: acceptance of a run @ websocket"];
    let other: &[&str] =
        &["own data, wrong request alice r2: prompt of chat over websocket @ websocket"];
    table_of_both(
        OracleId::Binding,
        &[
            ("r1 of alice emits 1-2; r1 of alice ends 3", &[]),
            ("alice asks r2; r2 of alice is accepted as req-7", unasked),
            ("r1 of alice is accepted called again", unasked),
            ("r1 of alice is accepted", &[]),
            ("alice asks r2; alice vanishes; alice connects; r2 of alice is accepted", &[]),
            ("alice asks r2; alice connects; r2 of alice is accepted", unasked),
            // Two requests with one id: either may be meant, a third may not.
            (
                "alice asks r2 as q; alice asks r3 as q; r3 of alice is accepted as q; r2 of alice is accepted as q; r3 of alice emits 1",
                &[],
            ),
            (
                "alice asks r2 as q; alice asks r3 as q; r3 of alice is accepted as q; r2 of alice is accepted as q; r4 of alice is accepted as q",
                unasked,
            ),
            // Somebody else's acceptance is a crossing.
            ("alice asks r2; r2 of alice is accepted to bob", &[]),
            ("alice starts r2; r1 of alice emits 1 showing r2", other),
            ("alice starts r2 in t2; r1 of alice emits 1 showing r1+r2", other),
            // Turns of one conversation may quote each other, but not answer in each other's place.
            (
                "alice starts r2; r2 of alice emits 1 showing r2+r1; r1 of alice emits 1 showing r1+r2",
                &[],
            ),
            (
                "alice starts r2; r2 of alice emits 1 showing r1",
                &["own data, wrong request alice r1: prompt of chat over websocket @ websocket"],
            ),
            (
                "alice starts r2 in t2; r2 of alice emits 1 showing r2+r1",
                &["own data, wrong request alice r1: prompt of chat over websocket @ websocket"],
            ),
            (
                "alice starts r2; r2 of alice emits 1 showing r2+alice:r1:settings",
                &["own data, wrong request alice r1: settings of chat over websocket @ websocket"],
            ),
            ("alice posts r2; r2 of alice answers showing r1+r2", &[]),
            (
                "alice posts r2 in t2; r2 of alice answers showing r1",
                &["own data, wrong request alice r1: prompt of chat over websocket @ http answer"],
            ),
            ("alice reads r1; r1 of alice answers", &[]),
            (
                "alice starts r2; alice reads r1; r1 of alice answers showing nothing called run-alice-2",
                &["wrong binding alice r2: run id of chat over websocket @ http answer"],
            ),
            ("alice starts r2; alice reads t1", &[]),
            // Another user's canary is a crossing.
            ("r1 of alice emits 1 showing bob:r1", &[]),
        ],
    );
    table(
        OracleId::Binding,
        &[
            ("alice connects; alice asks r1; alice gets pong", &["blind"]),
            // A back end that never names the client's request may mean something else by it.
            (
                "alice connects; alice asks r1; r1 of alice is accepted as s-1; alice asks r2; r2 of alice is accepted as s-2",
                &["blind"],
            ),
        ],
    );
}

#[test]
fn runs_are_known_by_acceptance_answer_or_canaries_that_agree() {
    let text = both(
        "alice posts r2; r2 of alice answers; r1 of bob emits 1 called stray; r1 of bob emits 2 \
         called stray; r1 of bob emits 1 called torn; r2 of bob emits 2 called torn showing r2; \
         r1 of alice emits 1 called mute showing nothing",
    );
    let (history, dialect) = (history(&text), Dialect::reference());
    let case = Case::new(&history, &dialect);
    let known = |id: &str| {
        let (user, run) = case.run_owner(id)?;
        Some((user.as_str(), run))
    };
    assert_eq!(known("run-alice-1"), Some(("alice", Some(1))));
    assert_eq!(known("run-alice-2"), Some(("alice", Some(2))));
    assert_eq!(known("stray"), Some(("bob", Some(1))));
    assert_eq!((known("torn"), known("mute"), known("never")), (None, None, None));
    let told: Vec<_> = case.runs.iter().map(|facts| facts.user_told).collect();
    assert_eq!(told, [true, true, true, false, false, false]);
}

/// A history in which everything that is legal happens.
const LEGAL: &str = "alice connects; user-1 connects; user-10 connects; acme:alice connects; \
    idle connects; alice starts r1; user-1 starts r1; user-10 starts r1; acme:alice starts r1; \
    r1 of alice emits 1-2; alice gets pong; r1 of user-1 emits 1; alice gets {\"type\":\"news\"}; \
    alice starts r2; r1 of alice emits 3; r2 of alice emits 1 showing r2+r1; r1 of user-1 fails 2; \
    r1 of user-10 emits 1; user-10 vanishes; user-10 connects; r1 of user-10 emits 4; \
    r1 of user-10 ends 5; r1 of alice ends 4; alice gets error; r2 of alice ends 2; \
    acme:alice posts r2; r1 of acme:alice emits 1-2; r2 of acme:alice emits 1; \
    r2 of acme:alice ends 2; r2 of acme:alice answers; r1 of acme:alice ends 3; alice reads t1; \
    acme:alice starts r3; r3 of acme:alice goes upstream; acme:alice stops r3; \
    r3 of acme:alice emits 1; r3 of acme:alice stops 2; r1 of alice goes upstream; \
    alice leaves; alice is closed; user-1 gives up r1; idle gets pong; idle leaves";

#[test]
fn a_legal_history_has_no_findings_and_nobody_is_blind() {
    let history = history(LEGAL);
    let judged = judge(&Case::new(&history, &Dialect::reference()));
    assert_eq!(found(&history), [""; 0]);
    // O5 has tests of its own: it needs more than the history.
    let rows = judged.rows.into_iter().filter(|(id, ..)| *id != OracleId::NonInterference);
    for (oracle, items, blind) in rows {
        assert!(items > 0 && blind.is_none(), "{oracle}: {items} {blind:?}");
    }
    assert_eq!(judged.malformed, 0);
}

/// A server that is driven round after round remembers: what comes back to its own user is theirs.
#[test]
fn canaries_of_an_earlier_round_cross_only_to_others() {
    let in_a_later_round = |text: &str| {
        let mut history = history(&both(text));
        history.plan.campaign = history.plan.campaign.in_round(2);
        found(&history)
    };
    assert_eq!(in_a_later_round("r1 of alice emits 1; r1 of bob emits 1; alice reads t1"), [""; 0]);
    let crossing = "O1 crossing alice r1 -> bob: prompt of a run of an earlier round @ websocket";
    let found = in_a_later_round("r1 of alice emits 1; r1 of bob emits 1 showing alice:r1");
    assert_eq!(found, [crossing.replace(" r1", "")]);
}
