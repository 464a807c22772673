//! What the oracles find that need more than messages: an upstream's log, controls, stored conversations.

use super::{both, table_of_both};
use partywall::oracle::notation::history;
use partywall::oracle::{Case, judge, judge_control};
use partywall::trial::dialect::Dialect;
use partywall::trial::finding::OracleId;
use partywall::trial::history::{Note, What};

#[test]
fn o8_upstream_attribution() {
    table_of_both(
        OracleId::Attribution,
        &[
            ("r1 of alice goes upstream; r1 of bob goes upstream", &[]),
            (
                "r1 of alice goes upstream as bob",
                &[
                    "crossing alice -> bob: account of chat over websocket @ upstream model",
                    "crossing alice r1 -> bob: prompt of chat over websocket @ upstream model",
                ],
            ),
            (
                "r1 of alice goes upstream showing bob:r1",
                &["crossing bob r1 -> alice: prompt of chat over websocket @ upstream model"],
            ),
            ("r1 of alice goes upstream as nobody", &["blind"]),
            // A credential is whose who shows it, also where that is known only later.
            ("alice shows key; r1 of alice goes upstream as key", &[]),
            (
                "r1 of alice goes upstream as key; bob shows key",
                &[
                    "crossing alice -> bob: account of chat over websocket @ upstream model",
                    "crossing alice r1 -> bob: prompt of chat over websocket @ upstream model",
                ],
            ),
            // What several have is nobody's.
            ("bob shows key; r1 of alice goes upstream as key; alice shows key", &["blind"]),
            ("r1 of alice emits 1", &["blind"]),
        ],
    );
}

#[test]
fn o3_expected_sequence() {
    let history = history(&both(
        "r1 of alice emits 1-2; r1 of bob emits 1-2; r1 of alice ends 3; r1 of bob ends 3",
    ));
    let dialect = |expected: &str| {
        let mut dialect = Dialect::reference();
        (dialect.expected, dialect.strict) = (Some(expected.into()), false);
        dialect
    };
    for (expected, findings) in [
        (r"\S+( \S+)+ agent_completed", 0),
        (r"(\S+ )+agent_(completed|error)", 0),
        // Not the whole of it.
        (r"\S+ agent_completed", 2),
        (r"\S+( \S+){3} agent_completed", 2),
    ] {
        let dialect = dialect(expected);
        let found = judge(&Case::new(&history, &dialect)).findings;
        let sequences = found.iter().filter(|own| own.oracle == OracleId::Completeness);
        assert_eq!(sequences.count(), findings, "{expected}: {found:?}");
    }
    // An event that may not be missing is taken out, and that is seen.
    let control = judge_control(&history, &dialect(r"\S+ \S+ agent_completed"), 1);
    assert!(control.planted > 0 && control.all_caught(), "{control:?}");
}

#[test]
fn o9_control_effect() {
    const STOPPED: &str = "misdirected alice r1: a stop of chat over websocket @ websocket";
    table_of_both(
        OracleId::ControlEffect,
        &[
            ("alice stops r1; r1 of alice emits 1; r1 of alice stops 2", &[]),
            // Nobody asked for it, or only another user did, or only later.
            ("r1 of alice emits 1; r1 of alice stops 2", &[STOPPED]),
            ("bob stops r1; r1 of alice stops 1; r1 of bob stops 1", &[STOPPED]),
            ("r1 of alice stops 1; alice stops r1", &[STOPPED]),
            (
                "alice stops r1; r1 of alice ends 1",
                &["misdirected alice r1: a granted stop of chat over websocket @ websocket"],
            ),
            ("r1 of alice fails 1", &["blind"]),
        ],
    );
}

#[test]
fn o10_state_at_rest() {
    table_of_both(
        OracleId::AtRest,
        &[
            ("r1 of alice ends 1; alice reads t1", &[]),
            (
                "r1 of alice ends 1; alice reads t1 showing nothing",
                &["loss alice r1: a stored conversation @ http answer"],
            ),
            (
                "r1 of alice ends 1; alice reads t1 showing r1+r1",
                &["duplicate alice r1: a stored conversation @ http answer"],
            ),
            (
                "r1 of alice ends 1; alice reads t1 showing r1+bob:r1",
                &["crossing bob r1 -> alice: a stored conversation @ http answer"],
            ),
            (
                "r1 of alice ends 1; alice starts r2; r2 of alice ends 1; alice reads t1 showing r2+r1",
                &["disorder alice r2: a stored conversation @ http answer"],
            ),
            // What has not ended need not be there yet.
            ("alice reads t1 showing nothing", &["blind"]),
        ],
    );
}

/// A process that is restarted may give the ids again that it gave before.
#[test]
fn ids_are_of_one_life_of_the_process() {
    let restarted = |text: &str, users: &[&str]| {
        let mut history = history(text);
        let place = history.observations.iter().position(|seen| seen.on.is_none());
        let note = Note::Restarted { users: users.iter().map(|user| (*user).into()).collect() };
        let seen = &mut history.observations[place.expect("a restart")];
        (seen.by, seen.what) = (None, What::Backend { note: note.into() });
        let found = judge(&Case::new(&history, &Dialect::reference())).findings;
        found.iter().map(|finding| finding.oracle.code()).collect::<Vec<_>>()
    };
    let again = |user: &str| {
        format!(
            "alice connects; bob connects; alice asks r1; r1 of alice is accepted called run-1; \
             r1 of alice emits 1-2 called run-1; alice shows RESTART; alice breaks; bob breaks; \
             {user} connects; {user} asks r2; r2 of {user} is accepted called run-1; \
             r2 of {user} emits 1-2 called run-1; r2 of {user} ends 3 called run-1"
        )
    };
    for user in ["alice", "bob"] {
        assert_eq!(restarted(&again(user), &["alice", "bob"]), [""; 0], "{user}");
        assert_ne!(restarted(&again(user), &[]), [""; 0], "{user}");
    }
    // What comes twice within the second life is found as ever.
    let twice = again("alice") + "; r2 of alice emits 2 called run-1";
    assert!(restarted(&twice, &["alice", "bob"]).contains(&"O4"));
}
