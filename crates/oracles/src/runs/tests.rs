//! Whose runs and ids are taken for whose.

use super::*;
use crate::notation::history;
use partywall_core::dialect::{Dialect, Matching};
use partywall_core::history::History;

/// A server that makes the ids of runs and tells them in events only.
fn dialect() -> Dialect {
    let mut dialect = Dialect::reference();
    (dialect.strict, dialect.accepted) = (false, String::new());
    (dialect.request, dialect.user) = (String::new(), String::new());
    dialect
}

/// Whose each run is, with its number, and whether each start's end is known.
fn learned(history: &History) -> (Vec<String>, Vec<bool>) {
    let dialect = dialect();
    let case = Case::new(history, &dialect);
    let run = |facts: &crate::run_facts::RunFacts<'_>| {
        format!("{}:{}:{:?}", facts.id, facts.user.map_or("?", |user| user.as_str()), facts.run)
    };
    let ended = case.starts.iter().map(|start| case.end_of(start).is_some());
    (case.runs.iter().map(run).collect(), ended.collect())
}

const BOTH_ASK: &str =
    "alice connects silently; bob connects silently; alice asks r1; bob asks r1;";

fn both_ask(rest: &str) -> (Vec<String>, Vec<bool>) {
    learned(&history(&format!("{BOTH_ASK} {rest}")))
}

#[test]
fn a_run_is_whose_words_come_in_it_most_even_if_another_was_told_its_id_first() {
    let (runs, ended) = both_ask(
        "r1 of alice emits 1 called x to alice; r1 of bob emits 1 called x to bob; \
         r1 of bob ends 2 called x to bob",
    );
    assert_eq!(runs, ["x:bob:Some(1)"]);
    assert_eq!(ended, [false, true]);
}

#[test]
fn another_users_words_alone_do_not_make_a_run_theirs() {
    let text = format!(
        "{BOTH_ASK} r1 of alice emits 1 called x; r1 of alice ends 2 called x; \
         r1 of bob emits 1 called y showing alice:r1; r1 of bob ends 2 called y showing alice:r1"
    );
    let history = history(&text);
    let (runs, ended) = learned(&history);
    assert_eq!(runs, ["x:alice:Some(1)", "y:bob:Some(1)"]);
    assert_eq!(ended, [true, true]);
    let dialect = dialect();
    let found = crate::judge(&Case::new(&history, &dialect)).findings;
    let codes: Vec<_> = found.iter().map(|found| found.oracle.code()).collect();
    assert_eq!(codes, ["O1"], "{found:?}");
}

#[test]
fn a_wrong_user_field_alone_is_one_finding_and_no_run_is_lost() {
    let mut dialect = dialect();
    dialect.user = Dialect::reference().user;
    (dialect.run, dialect.request) = (String::new(), Dialect::reference().request);
    dialect.matching = partywall_core::dialect::Matching::Request;
    let event = r#"{"type":"agent_started","user_id":"bob","request_id":"q"}"#;
    let end = r#"{"type":"agent_error","user_id":"alice","request_id":"q"}"#;
    let history = history(&format!(
        "alice connects silently; bob connects silently; alice asks r1 as q; bob asks r1 as q; \
         alice gets {event}; alice gets {event}; alice gets {end}"
    ));
    let case = Case::new(&history, &dialect);
    let found = crate::judge(&case).findings;
    let told: Vec<_> =
        found.iter().map(|found| (found.oracle.code(), &*found.victim_operation)).collect();
    assert_eq!(told, [("O2", "user id")]);
    assert!(case.end_of(&case.starts[0]).is_some());
}

#[test]
fn a_run_whose_end_came_has_a_known_end_whatever_came_in_it() {
    let showing = |words: &str| {
        both_ask(&format!(
            "r1 of alice emits 1 called x to alice showing {words}; \
             r1 of alice ends 2 called x to alice showing nothing; \
             r1 of bob emits 1 called y to bob; r1 of bob ends 2 called y to bob"
        ))
    };
    for words in ["nothing", "bob:r1", "alice:r1", "alice:r1+bob:r1"] {
        assert_eq!(showing(words).1, [true, true], "showing {words}");
    }
    // Nor need there be more of the run than its end.
    let (runs, ended) = both_ask("r1 of bob ends 1 called y to bob showing nothing");
    assert_eq!(runs, ["y:bob:Some(1)"]);
    assert_eq!(ended, [false, true]);
}

#[test]
fn an_end_that_came_to_others_too_or_before_the_start_is_nobodys_by_order() {
    let (_, ended) = both_ask(
        "r1 of bob ends 1 called y to bob showing nothing; \
         r1 of bob ends 1 called y to alice showing nothing",
    );
    assert_eq!(ended, [false, false]);
    let early =
        "alice connects silently; r1 of alice ends 1 called x showing nothing; alice asks r1";
    assert_eq!(learned(&history(early)).1, [false]);
}

/// A server that names requests, and accepts each.
fn by_request() -> Dialect {
    let mut dialect = Dialect::reference();
    (dialect.strict, dialect.matching) = (false, Matching::Request);
    (dialect.run, dialect.user) = (String::new(), String::new());
    dialect
}

#[test]
fn a_run_after_a_lost_connection_has_its_own_end_although_no_canary_says_so() {
    let history = history(
        "alice connects; alice asks r1 in t1 as q1; alice vanishes; alice connects; \
         alice gives up r1; alice asks r2 in t1 as q2; r2 of alice is accepted as q2; \
         alice gets {\"type\":\"agent_error\",\"request_id\":\"q2\"}",
    );
    let dialect = by_request();
    let case = Case::new(&history, &dialect);
    let ended: Vec<bool> = case.starts.iter().map(|start| case.end_of(start).is_some()).collect();
    assert_eq!(ended, [false, true]);
}
