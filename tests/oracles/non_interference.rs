//! O5: a user's messages beside those that come to them alone.

use partywall::oracle::control::judge_control_beside;
use partywall::oracle::notation::{history, key, told};
use partywall::oracle::{Case, Judgement, Solos, of};
use partywall::trial::canary::Scanner;
use partywall::trial::dialect::Dialect;
use partywall::trial::finding::OracleId;
use partywall::trial::history::{Ending, History};
use partywall::trial::ids::UserName;
use partywall::trial::plan::{Fault, FaultKind, Step};

/// Alice does one run, then another.
const ALICE: &str = "alice connects; alice starts r1; r1 of alice emits 1-3; r1 of alice ends 4; \
    alice posts r2; r2 of alice emits 1-2; r2 of alice ends 3; r2 of alice answers";
/// Who only listens.
const CAROL: &str = "alice exists; bob exists; carol connects; carol gets pong";
/// Alice and Bob together, as each alone.
const TOGETHER: &str = "alice connects; bob connects; carol connects; alice starts r1; \
    bob starts r1; r1 of alice emits 1; r1 of bob emits 1; carol gets pong; r1 of alice emits 2-3; \
    r1 of bob ends 2; r1 of alice ends 4; alice posts r2; r2 of alice emits 1-2; \
    r2 of alice ends 3; r2 of alice answers";

fn alone(user: &str, text: &str) -> (UserName, History) {
    (UserName::new(user), history(text))
}

/// What each of these users gets alone; whose history stands there twice was alone twice.
fn solos_of(histories: &[(UserName, History)]) -> Solos {
    let scanner = Scanner::new(key());
    let mut solos = Solos::default();
    for (user, alone) in histories {
        solos.add(user, alone, &scanner);
    }
    solos
}

fn solos() -> Solos {
    let all = [alone("alice", ALICE), alone("carol", CAROL)];
    solos_of(&[all.clone(), all].concat())
}

fn judged(history: &History, solos: &Solos) -> Judgement {
    let dialect = Dialect::reference();
    (of(OracleId::NonInterference).judge)(&Case::new(history, &dialect).beside(Some(solos)))
}

fn found(text: &str) -> Vec<String> {
    judged(&history(text), &solos()).suspects.iter().map(told).collect()
}

const DIFFERS: &str = "interference alice r1: chat over websocket @ websocket";
const LACKS: &str = "interference alice r1: all of chat over websocket @ websocket";
const HEARS: &str = "interference carol: messages to one who only listens @ websocket";
const STRAY: &str = "interference alice: events of no run of theirs @ websocket";

#[test]
fn what_comes_as_alone_is_no_finding_whatever_the_ids_are() {
    assert_eq!(found(TOGETHER), [""; 0]);
    let renamed = TOGETHER
        .replace("alice starts r1", "alice asks r1; r1 of alice is accepted called run-77")
        .replace("r1 of alice emits 1;", "r1 of alice emits 1 called run-77;")
        .replace("r1 of alice emits 2-3", "r1 of alice emits 2-3 called run-77")
        .replace("r1 of alice ends 4", "r1 of alice ends 4 called run-77");
    assert_eq!(found(&renamed), [""; 0]);
    let judged = judged(&history(TOGETHER), &solos());
    // Alice's seven events and an answer, and Carol with her one message.
    assert_eq!((judged.judged_items, judged.blind), (10, None));
}

#[test]
fn another_text_one_less_and_one_more_are_found_at_their_user() {
    let rows: [(&str, &str, &[&str]); 8] = [
        ("r1 of alice emits 1;", "r1 of alice emits 1 showing bob:r1;", &[DIFFERS]),
        // Nothing of anybody else is in it: no other oracle could know.
        ("r1 of alice emits 1;", "r1 of alice emits 1 showing nothing;", &[DIFFERS]),
        ("r1 of alice emits 2-3;", "r1 of alice emits 3;", &[LACKS]),
        ("r1 of alice ends 4;", "r1 of alice emits 4; r1 of alice ends 5;", &[DIFFERS]),
        (
            "r2 of alice answers",
            "r2 of alice answers showing nothing",
            &["interference alice r2: chat over http @ http answer"],
        ),
        ("carol gets pong;", "carol gets {\"type\":\"news\"};", &[HEARS]),
        ("carol gets pong;", "r1 of bob emits 2 to carol;", &[HEARS]),
        ("carol gets pong;", "r1 of bob emits 2 to alice;", &[STRAY]),
    ];
    for (from, to, expected) in rows {
        assert!(TOGETHER.contains(from), "{from}");
        assert_eq!(found(&TOGETHER.replacen(from, to, 1)), *expected, "{to}");
    }
}

#[test]
fn what_follows_on_a_difference_is_not_told_of() {
    let both = TOGETHER
        .replacen("r1 of alice emits 1;", "r1 of alice emits 1 showing nothing;", 1)
        .replacen("r2 of alice emits 1-2", "r2 of alice emits 1-2 showing nothing", 1);
    assert_eq!(found(&both), [DIFFERS]);
}

#[test]
fn what_nobody_else_need_have_changed_is_no_finding() {
    for (from, to) in [
        // A cut connection may have carried it.
        ("r1 of alice emits 2-3;", "alice vanishes; alice connects; r1 of alice emits 3;"),
        // It may still come.
        ("r1 of alice ends 4;", "alice gives up r1;"),
        // Two runs of hers at a time may tell of each other.
        ("r1 of alice emits 1;", "alice starts r3; r1 of alice emits 1 showing nothing;"),
        // A message that came alone may come more often.
        ("carol gets pong;", "carol gets pong; carol gets pong;"),
    ] {
        assert!(TOGETHER.contains(from), "{from}");
        assert_eq!(found(&TOGETHER.replacen(from, to, 1)), [""; 0], "{to}");
    }
}

#[test]
fn an_end_that_the_plan_may_move_is_no_finding() {
    let cut = TOGETHER.replacen("r1 of alice emits 2-3;", "r1 of alice stops 2;", 1);
    let cut = history(&cut.replacen("r1 of alice ends 4;", "", 1));
    assert_ne!(judged(&cut, &solos()).suspects, []);
    let mut stopped = cut.clone();
    stopped.plan.users[0].steps.push(Step::Stop { run: 1 });
    let mut timed_out = cut;
    let user = UserName::new("alice");
    timed_out.plan.faults.push(Fault { kind: FaultKind::TimeOut, user, at: 1 });
    for history in [stopped, timed_out] {
        assert_eq!(judged(&history, &solos()).suspects, []);
    }
}

/// A run that its user stops, or that a fault may strike, says the same as alone as far as it comes.
#[test]
fn what_came_before_a_moved_end_must_be_as_alone() {
    let cut = |from: &str, to: &str| {
        let text = TOGETHER.replacen("r1 of alice emits 2-3;", to, 1);
        let text = text.replacen("r1 of alice ends 4;", "", 1).replacen("emits 1;", from, 1);
        let mut stopped = history(&text);
        let mut timed_out = stopped.clone();
        stopped.plan.users[0].steps.push(Step::Stop { run: 1 });
        let user = UserName::new("alice");
        timed_out.plan.faults.push(Fault { kind: FaultKind::TimeOut, user, at: 1 });
        [stopped, timed_out].map(|history| {
            let suspects = judged(&history, &solos()).suspects;
            suspects.iter().map(told).collect::<Vec<_>>()
        })
    };
    assert_eq!(cut("emits 1;", "r1 of alice stops 2;"), [const { Vec::<String>::new() }; 2]);
    let differs = vec![DIFFERS.to_owned()];
    let found = cut("emits 1 showing nothing;", "r1 of alice stops 2;");
    assert_eq!(found, [differs.clone(), differs]);
    // Alone its end is there, so that it may have gone on here.
    assert_eq!(cut("emits 1;", "r1 of alice emits 2-4;"), [const { Vec::<String>::new() }; 2]);
}

#[test]
fn it_is_blind_unless_users_were_alone_twice_and_got_the_same() {
    let differs = TOGETHER.replacen("emits 1;", "emits 1 showing nothing;", 1);
    let other = ALICE.replacen("emits 1-3", "emits 1-3 showing nothing", 1);
    let mut unfinished = alone("alice", ALICE);
    unfinished.1.ending = Some(Ending::Stopped);
    for (why, histories) in [
        ("once is not enough", vec![alone("alice", ALICE)]),
        ("now this, now that", vec![alone("alice", ALICE), alone("alice", &other)]),
        ("not over", vec![alone("alice", ALICE), unfinished]),
        ("nobody", vec![]),
    ] {
        let Judgement { suspects, blind, .. } = judged(&history(&differs), &solos_of(&histories));
        assert_eq!(suspects, [], "{why}");
        assert!(blind.is_some(), "{why}");
    }
    let dialect = Dialect::reference();
    let without = (of(OracleId::NonInterference).judge)(&Case::new(&history(&differs), &dialect));
    assert_eq!(without.blind.as_deref(), Some("no user was driven alone"));
}

#[test]
fn its_controls_are_caught_and_tell_when_it_is_blind() {
    let (history, dialect, solos) = (history(TOGETHER), Dialect::reference(), solos());
    let oracle = of(OracleId::NonInterference);
    for seed in 0..20 {
        let tally = judge_control_beside(&[oracle], &history, &dialect, Some(&solos), seed);
        // The events here hold no single text that could be another one; explored ones do.
        assert_eq!((tally.missed.as_slice(), tally.planted), (&[][..], 3), "seed {seed}");
    }
    // Without a baseline there is nothing that it could be asked to catch.
    assert_eq!(judge_control_beside(&[oracle], &history, &dialect, None, 1).planted, 0);
}

/// A number may be one that the whole server counts: another one is not told of.
#[test]
fn blind_spot_another_number_in_ones_own_text() {
    let text = |balance: &str| {
        TOGETHER.replacen(
            "carol gets pong;",
            &format!("carol gets {{\"type\":\"news\",\"balance\":\"{balance} EUR\"}};"),
            1,
        )
    };
    let carol = "alice exists; bob exists; carol connects; carol gets \
                 {\"type\":\"news\",\"balance\":\"17 EUR\"}";
    let solos = solos_of(&[alone("carol", carol), alone("carol", carol)]);
    assert_eq!(judged(&history(&text("23")), &solos).suspects, []);
    assert_ne!(judged(&history(&text("no")), &solos).suspects, []);
}
