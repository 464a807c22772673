//! What a server is taken to do with the ids of its runs, learnt from what it does: where two users
//! have runs of one id, that is a fault or a habit.
//!
//! It is a habit only if all of it fits: each run of each user has one id from its start to its end,
//! holds nobody else's words, and the ids come again in a way that has nothing to do with who else is
//! at work. Then an id names a run only together with its user.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::duplicates;
use super::edits::bytes;
use super::message::Message;
use super::seen::Seen;
use partywall_core::assumption::Assumption;
use partywall_core::canary::PHANTOM_USER;

/// Clients may observe the end of one run and the beginning of the next in the other order, by as much.
const RACE_MS: u64 = 5;
/// So far may an id that is taken from a clock be from when it was observed.
const CLOCK_MS: u64 = 250;
/// Between 2017 and 2065, in milliseconds since 1970.
const NOW_MS: std::ops::Range<u64> = 1_500_000_000_000..3_000_000_000_000;
/// The milliseconds in which a clock counts that ids are taken from.
const CLOCK_UNITS: [u64; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 250, 500, 1_000];

/// What one user received of one run, from its first message to its end.
#[derive(Debug)]
struct Piece<'c> {
    observer: &'c str,
    id: &'c str,
    /// Number and time of its first and of its last message.
    first: (u64, u64),
    last: (u64, u64),
    line: usize,
    ended: bool,
    /// Whether something in it is the user's own: words, their name, or the answer to a request.
    own: bool,
}

/// Why the ids of runs do not tell whose run it is, where that is a habit of the server.
pub(super) fn run_ids(case: &Case<'_>) -> Option<Assumption> {
    if case.dialect.strict || !case.unique_runs {
        return None;
    }
    let mut by_id: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    let named =
        case.messages.iter().filter_map(|message| Some((named_run(case, message)?, message)));
    for (run, message) in named {
        by_id.entry(run).or_default().insert(message.observer.as_str());
    }
    let pieces = pieces(case)?;
    let again = |one: &Piece<'_>, other: &Piece<'_>| one.id == other.id;
    let shared = by_id.values().any(|users| users.len() > 1)
        || pieces
            .iter()
            .enumerate()
            .any(|(at, one)| pieces[..at].iter().any(|other| again(one, other)));
    if !shared || !is_consistent(case, &pieces) {
        return None;
    }
    if from_a_clock(&pieces) {
        Some(Assumption::RunIdsFromClock)
    } else if counted_by_user(&pieces) {
        Some(Assumption::RunIdsOfUsers)
    } else {
        one_after_the_other(&pieces).then_some(Assumption::RunIdsReused)
    }
}

/// The run whose id the message names, where it came as a part of a stream or answers a request.
fn named_run(case: &Case<'_>, message: &Message<'_>) -> Option<usize> {
    let run = message.run_at().filter(|run| !case.runs[*run].made_up)?;
    (message.channel.carries_events() || message.asked_run.is_some()).then_some(run)
}

/// What each user received, run by run; nothing where another user's words came in any of it.
fn pieces<'c>(case: &'c Case<'_>) -> Option<Vec<Piece<'c>>> {
    let known = |seen: &&Seen<'_>| seen.owner.user != PHANTOM_USER && seen.message().is_some();
    if case.seen.iter().filter(known).any(|seen| !case.is_own(seen.owner, seen.observer)) {
        return None;
    }
    let words: BTreeSet<usize> = case.seen.iter().filter(known).filter_map(Seen::message).collect();
    let mut pieces: Vec<Piece<'c>> = Vec::new();
    let mut open: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    for (at, message) in case.messages.iter().enumerate() {
        let Some(run) = named_run(case, message) else { continue };
        let time = (message.n, case.history.observations[message.at()].at);
        let place = *open
            .entry((message.observer.as_str(), run))
            .and_modify(|place| {
                let before = &pieces[*place];
                if before.ended && begins_again(case, message, before.last.0) {
                    *place = pieces.len();
                }
            })
            .or_insert(pieces.len());
        if place == pieces.len() {
            pieces.push(Piece {
                observer: message.observer.as_str(),
                id: &case.runs[run].id,
                first: time,
                last: time,
                line: message.line(),
                ended: false,
                own: false,
            });
        }
        let piece = &mut pieces[place];
        (piece.last, piece.ended) = (time, piece.ended || message.is_terminal);
        piece.own |= message.names_observer
            || message.is_acceptance
            || message.asked_run.is_some()
            || words.contains(&at);
    }
    Some(pieces)
}

/// Whether the message may begin another run of the id that had its end there: it accepts one, or its
/// user has started one since.
pub(super) fn begins_again(case: &Case<'_>, message: &Message<'_>, end: u64) -> bool {
    let started = || {
        let after = case.starts.iter().rev().take_while(|start| start.n > end);
        after.into_iter().any(|start| start.user == message.observer && start.n < message.n)
    };
    message.is_acceptance || (message.is_event && started())
}

/// Whether each user received no more runs than they started, each whole and under one id.
fn is_consistent(case: &Case<'_>, pieces: &[Piece<'_>]) -> bool {
    let mut started: BTreeMap<&str, usize> = BTreeMap::new();
    for start in &case.starts {
        *started.entry(start.user.as_str()).or_default() += 1;
    }
    pieces.iter().all(|piece| {
        let left = started.get_mut(piece.observer);
        let is_own = left.is_some_and(|left| match left.checked_sub(1) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        });
        let whole = piece.ended || case.connections[piece.line].closed.is_some();
        is_own && whole && piece.own
    })
}

/// Whether each id is given again only when the run that had it has ended.
fn one_after_the_other(pieces: &[Piece<'_>]) -> bool {
    let mut by_id: BTreeMap<&str, Vec<&Piece<'_>>> = BTreeMap::new();
    pieces.iter().for_each(|piece| by_id.entry(piece.id).or_default().push(piece));
    by_id.into_values().all(|mut same| {
        same.sort_by_key(|piece| piece.first);
        same.windows(2).all(|pair| {
            let ((n, at), (next, next_at)) = (pair[0].last, pair[1].first);
            pair[0].ended && (n < next || at <= next_at.saturating_add(RACE_MS))
        })
    })
}

/// Whether each user's runs are counted on their own, without gaps, and most numbers are shared.
fn counted_by_user(pieces: &[Piece<'_>]) -> bool {
    let mut by_user: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for piece in pieces {
        let Some(counted) = counted(piece.id) else { return false };
        by_user.entry(piece.observer).or_default().push(counted);
        ids.insert(piece.id);
    }
    let mut several = 0;
    for numbers in by_user.values_mut() {
        numbers.sort_unstable();
        let follows = |pair: &[(&str, u64)]| {
            pair[0].0 == pair[1].0 && pair[0].1.checked_add(1) == Some(pair[1].1)
        };
        if !numbers.windows(2).all(follows) {
            return false;
        }
        several += usize::from(numbers.len() > 1);
    }
    several > 1 && ids.len() * 2 <= pieces.len()
}

/// What stands before the number at the end of an id, and the number.
fn counted(id: &str) -> Option<(&str, u64)> {
    let head = id.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((head, id[head.len()..].parse().ok()?))
}

/// Whether all ids say when the run began, in seconds, milliseconds or something between. What is
/// finer does not come twice by chance.
fn from_a_clock(pieces: &[Piece<'_>]) -> bool {
    CLOCK_UNITS.into_iter().any(|unit| {
        let mut began = pieces.iter().map(|piece| {
            let millis = counted(piece.id)?.1.checked_mul(unit)?;
            NOW_MS.contains(&millis).then_some(millis)?.checked_sub(piece.first.1)
        });
        let Some(Some(first)) = began.next() else { return false };
        let slack = CLOCK_MS + unit;
        began.all(|began| began.is_some_and(|began| began.abs_diff(first) <= slack))
    })
}

/// Whether the server delivers at least once: equal copies came on the connection that the first ones
/// came on, to several users, and no other event came twice. A listener that piles up with the
/// connections of a user shows otherwise.
pub(super) fn delivers_again(case: &Case<'_>) -> bool {
    if case.dialect.strict {
        return false;
    }
    let mut users = BTreeSet::new();
    let mut connections: BTreeMap<&str, usize> = BTreeMap::new();
    for connection in case.connections.iter().filter(|connection| connection.is_socket) {
        let user = connection.user.map_or("", |user| user.as_str());
        *connections.entry(user).or_default() += 1;
    }
    let mut fits = true;
    duplicates::repeats(case, &mut |first, again| {
        let user = case.messages[again].observer.as_str();
        fits &= is_copy(case, first, again) && connections.get(user) == Some(&1);
        users.insert(user);
    });
    fits && users.len() > 1
}

/// Whether the one message is the other one again, on the same connection.
pub(super) fn is_copy(case: &Case<'_>, first: usize, again: usize) -> bool {
    let (first, again) = (&case.messages[first], &case.messages[again]);
    let bytes = |message: &Message<'_>| bytes(case.history, message.at());
    first.line() == again.line() && bytes(first) == bytes(again)
}

/// Whether the server numbers events across runs, all of them or those of a user: then no number
/// comes in two runs, and nearly none of them begins at 1.
pub(super) fn numbers_across_runs(case: &Case<'_>) -> bool {
    if case.dialect.strict {
        return false;
    }
    let mut all = Numbers::default();
    let mut by_user: BTreeMap<&str, Numbers> = BTreeMap::new();
    for (run, facts) in case.runs.iter().enumerate() {
        let places = case.events[run].iter().chain(case.others[run].iter());
        let its = places.map(|at| &case.messages[at.get()]);
        let own = its.filter(|message| facts.may_be_of(message.observer));
        let own = own.filter_map(|message| Some((message.observer.as_str(), message.sequence?)));
        let numbers: BTreeSet<_> = own.collect();
        let Some((user, _)) = numbers.first() else { continue };
        let numbers: BTreeSet<u64> = numbers.iter().map(|(_, number)| *number).collect();
        all.add(&numbers);
        by_user.entry(user).or_default().add(&numbers);
    }
    let several = by_user.values().filter(|own| own.runs > 1).count();
    (all.runs > 2 && all.are_one_row())
        || (several > 1 && by_user.values().all(|own| own.runs > 1 && own.are_one_row()))
}

/// The numbers of the events of several runs.
#[derive(Debug, Default)]
struct Numbers {
    runs: usize,
    /// How many of them have a number 1.
    from_one: usize,
    known: BTreeSet<u64>,
    /// Whether a number came in two runs.
    shared: bool,
}

impl Numbers {
    fn add(&mut self, of_run: &BTreeSet<u64>) {
        self.runs += 1;
        self.from_one += usize::from(of_run.contains(&1));
        self.shared |= of_run.iter().any(|number| self.known.contains(number));
        self.known.extend(of_run);
    }

    fn are_one_row(&self) -> bool {
        !self.shared && self.from_one <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::judge_control;
    use crate::judge;
    use crate::notation::history;
    use partywall_core::dialect::Dialect;

    /// What is assumed, and what is found, of what happens once both have connected.
    fn judged(text: &str) -> (Vec<Assumption>, Vec<&'static str>) {
        let history = history(&format!("alice connects; bob connects; {text}"));
        let dialect = Dialect { strict: false, ..Dialect::reference() };
        let case = Case::new(&history, &dialect);
        let mut found: Vec<_> =
            judge(&case).findings.iter().map(|found| found.oracle.code()).collect();
        found.dedup();
        let missed = judge_control(&history, &dialect, 5).missed;
        assert!(!found.is_empty() || missed.is_empty(), "{text}: {missed:?}");
        (case.assumptions.iter().copied().collect(), found)
    }

    /// That a run of that user is accepted under that id, and goes on to its end.
    fn accepted(user: &str, run: u16, id: &str) -> String {
        format!(
            "{user} asks r{run} as q{run}; r{run} of {user} is accepted as q{run} called {id}; \
             r{run} of {user} emits 1-9 called {id};"
        )
    }

    fn ended(user: &str, run: u16, id: &str) -> String {
        format!("r{run} of {user} ends 10 called {id};")
    }

    fn whole(user: &str, run: u16, id: &str) -> String {
        accepted(user, run, id) + &ended(user, run, id)
    }

    fn at_once(alice: (u16, &str), bob: (u16, &str)) -> String {
        let ((one, id), (other, its)) = (alice, bob);
        accepted("alice", one, id)
            + &accepted("bob", other, its)
            + &ended("alice", one, id)
            + &ended("bob", other, its)
    }

    #[test]
    fn ids_that_are_counted_by_user_reused_or_taken_from_a_clock_accuse_nobody() {
        let none: &[&str] = &[];
        let of_users = at_once((1, "1"), (1, "1")) + &at_once((2, "2"), (2, "2"));
        assert_eq!(judged(&of_users), (vec![Assumption::RunIdsOfUsers], none.to_vec()));
        let reused =
            whole("alice", 1, "slot") + &whole("bob", 1, "slot") + &whole("alice", 2, "slot");
        assert_eq!(judged(&reused), (vec![Assumption::RunIdsReused], none.to_vec()));
        let (now, then) = ("1700000000007", "1700000000019");
        let clock = at_once((1, now), (1, now)) + &at_once((2, then), (2, "1700000000020"));
        assert_eq!(judged(&clock), (vec![Assumption::RunIdsFromClock], none.to_vec()));
        // Twenty ticks a second, and then a number that is no time at all.
        let (now_in_ticks, later) = ("34000000000", "34000000001");
        let ticks =
            at_once((1, now_in_ticks), (1, now_in_ticks)) + &at_once((2, later), (2, later));
        assert_eq!(judged(&ticks), (vec![Assumption::RunIdsFromClock], none.to_vec()));
        let far = at_once((1, now_in_ticks), (1, now_in_ticks)) + &whole("bob", 2, "44000000000");
        assert!(!judged(&far).0.contains(&Assumption::RunIdsFromClock));
        // One tick of the clock holds two runs of alice: the second goes on after the end of the first.
        let second = format!(
            "alice asks r2 as q2; r2 of alice is accepted as q2 called {now}; \
             r2 of alice emits 11-12 called {now}; r2 of alice ends 13 called {now};"
        );
        let coarse = at_once((1, now), (1, now)) + &second + &whole("bob", 2, then);
        assert!(!judged(&coarse).1.contains(&"O6"), "{:?}", judged(&coarse));
        let unique = at_once((1, "a"), (1, "b"));
        assert_eq!(judged(&unique), (vec![], none.to_vec()));
    }

    #[test]
    fn ids_that_are_mixed_up_are_no_habit() {
        // Of two runs at a time one has the id of the other.
        let (assumed, found) = judged(&at_once((1, "a"), (1, "a")));
        assert!(assumed.is_empty() && found.contains(&"O2"), "{found:?}");
        // An event of a run that has ended comes to another user.
        let stray = whole("alice", 1, "slot")
            + &whole("bob", 1, "b")
            + "r1 of alice emits 11 to bob called slot showing nothing";
        let (assumed, found) = judged(&stray);
        assert!(assumed.is_empty() && found.contains(&"O2"), "{found:?}");
        // The ids are counted by user, and yet an event goes astray.
        let astray = at_once((1, "1"), (1, "1"))
            + &at_once((2, "2"), (2, "2"))
            + "alice asks r3 as q3; r3 of alice is accepted as q3 called 3; \
               r3 of alice emits 1 to bob called 3 showing nothing; r3 of alice ends 2 called 3";
        let (assumed, found) = judged(&astray);
        assert!(assumed.is_empty() && found.contains(&"O2"), "{found:?}");
        // Words of another user are looked at first.
        let words = whole("alice", 1, "slot")
            + "bob asks r1 as q1; r1 of bob is accepted as q1 called slot; \
               r1 of bob emits 1 called slot showing alice:r1; r1 of bob ends 2 called slot";
        let (assumed, found) = judged(&words);
        assert!(assumed.is_empty() && found.contains(&"O1"), "{found:?}");
    }

    #[test]
    fn equal_copies_to_several_users_are_delivery_at_least_once_and_to_one_are_not() {
        let runs = at_once((1, "a"), (1, "b")) + &accepted("alice", 2, "c");
        let one = format!("{runs} r2 of alice emits 1 called c;");
        assert_eq!(judged(&one), (vec![], vec!["O4"]));
        let both = format!("{one} {} r2 of bob emits 1 called d;", accepted("bob", 2, "d"));
        assert_eq!(judged(&both), (vec![Assumption::AtLeastOnce], vec![]));
        // A listener for each connection that there was is a fault.
        let piled = format!(
            "{both} alice connects; r2 of alice emits 10 called c; r2 of alice emits 10 called c"
        );
        assert_eq!(judged(&piled), (vec![], vec!["O4"]));
    }

    #[test]
    fn numbers_that_no_two_runs_share_are_counted_across_runs() {
        let run = |user: &str, run: u16, id: &str, first: u16| {
            format!(
                "{user} asks r{run} as q{run}; r{run} of {user} is accepted as q{run} called {id}; \
                 r{run} of {user} emits {first} called {id}; r{run} of {user} ends {} called {id};",
                first + 2
            )
        };
        let across = run("alice", 1, "a", 1) + &run("bob", 1, "b", 10) + &run("alice", 2, "c", 20);
        assert_eq!(judged(&across), (vec![Assumption::SequenceAcrossRuns], vec![]));
        let gaps = run("alice", 1, "a", 1) + &run("bob", 1, "b", 1) + &run("alice", 2, "c", 1);
        assert_eq!(judged(&gaps), (vec![], vec!["O3"]));
    }

    #[test]
    fn a_message_of_no_run_may_name_somebody_else() {
        let runs = at_once((1, "a"), (1, "b"));
        let presence = format!(r#"{runs} alice gets {{"type":"presence","user_id":"bob"}}"#);
        assert_eq!(judged(&presence), (vec![], vec![]));
        let greeting =
            format!(r#"{runs} alice gets {{"type":"connection_established","user_id":"bob"}}"#);
        assert_eq!(judged(&greeting), (vec![], vec!["O2"]));
        let own_run = "alice asks r1 as q1; r1 of alice is accepted as q1 called a; \
                       r1 of alice emits 1 called a for bob; r1 of alice ends 2 called a";
        assert_eq!(judged(own_run), (vec![], vec!["O2"]));
    }
}
