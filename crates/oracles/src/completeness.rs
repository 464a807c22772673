//! O3: every event of a run comes, in order, with exactly one terminal event.

use std::collections::{BTreeMap, BTreeSet};

use super::alter;
use super::case::{Case, Start};
use super::hangs::Hangs;
use super::interruptions::Interruptions;
use super::message::{Channel, Message, Place};
use super::oracle::{Judgement, Oracle};
use super::orderly::Orderly;
use super::sequence::Sequence;
use super::suspects::{Suspects, own, shows};
use partywall_core::assumption::Assumption;
use partywall_core::finding::{About, FindingKind, OracleId};
use partywall_core::plan::Via;

/// What is missing is lost only if it had to come: the user's connections stood all the while, and
/// either a later event did come or nothing could come any more. Otherwise it is unknown.
pub(super) const COMPLETENESS: Oracle = Oracle {
    id: OracleId::Completeness,
    short: "Every event of a run comes, in order, with exactly one terminal event.",
    meaning: "A user did not get an event or an answer that was theirs, or got events out \
        of order. Often the other half of a crossing: what is missing here went \
        elsewhere.",
    precondition: "Events carry the id of their run and a number, or the end of a run is \
        known; what a cut connection missed is unknown.",
    next: "Look whether another user got what is missing; if nobody did, look for a slot \
        that was overwritten or a buffer that drops.",
    judge,
    alterations: alter::gaps,
};

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let mut items = 0;
    for (events, orderly) in case.events.iter().zip(&case.orderly) {
        items += match orderly {
            Some(orderly) => orderly.events,
            None => order(case, events, &mut suspects),
        };
    }
    let interruptions = Interruptions::of(case);
    let (expected, hangs) = (Sequence::of(case.dialect), Hangs::of(case));
    for start in &case.starts {
        if hangs.hangs(case, start) {
            // What it would have sent is not lost.
            continue;
        }
        items += match start.via {
            // Answered whole where a stream might have come.
            Via::Stream if case.its_events(start).next().is_none() => {
                http_run(case, start, &mut suspects)
            }
            Via::Socket | Via::Stream => {
                socket_run(case, &interruptions, start, expected.as_ref(), &mut suspects)
            }
            Via::Http => http_run(case, start, &mut suspects),
        };
    }
    Judgement::new(
        suspects.finish(),
        items,
        "no event carried a run id and a number, and no end of a run is known",
    )
}

/// Whether a run's numbers rise on each connection, and only one event ends it. Numbers that come
/// again are O4's matter. Gives the number of numbered events.
fn order(case: &Case<'_>, events: &[Place], suspects: &mut Suspects) -> u64 {
    let mut items = 0;
    let mut came = BTreeSet::new();
    let mut highest: BTreeMap<usize, &Message<'_>> = BTreeMap::new();
    let mut ended: BTreeMap<&str, &Message<'_>> = BTreeMap::new();
    for message in events.iter().map(|at| &case.messages[at.get()]) {
        let (Some(number), Some(facts)) = (message.sequence, case.facts(message)) else { continue };
        let user = message.observer;
        if !facts.may_be_of(user) {
            continue;
        }
        items += 1;
        if !came.insert((user.as_str(), number)) {
            continue;
        }
        let run = facts.run.filter(|_| facts.user == Some(user));
        let mut disorder = |about: About, before: &Message<'_>, what: &str| {
            let event = |n: Option<u64>| n.unwrap_or_default();
            let evidence = vec![
                shows(before.n, format!("{user} receives event {}", event(before.sequence))),
                shows(message.n, format!("{user} receives event {number}{what}")),
            ];
            let kind = FindingKind::Disorder;
            let seen_on = message.channel.as_str();
            let operation = match about {
                About::End => format!("the end of {}", case.run_kind(user, run)),
                _ => case.run_kind(user, run).to_owned(),
            };
            suspects.add(own(kind, user, run, operation, seen_on, evidence).about(about));
        };
        let before = *highest.entry(message.line()).or_insert(message);
        if before.sequence > message.sequence {
            disorder(About::Other, before, " of the same run after it");
        } else {
            highest.insert(message.line(), message);
        }
        if message.is_terminal {
            match ended.get(user.as_str()) {
                Some(first) => {
                    disorder(About::End, first, ", the second that ends the same run");
                }
                None => _ = ended.insert(user.as_str(), message),
            }
        }
    }
    items
}

fn socket_run(
    case: &Case<'_>,
    interruptions: &Interruptions,
    start: &Start<'_>,
    expected: Option<&Sequence>,
    suspects: &mut Suspects,
) -> u64 {
    let its_own = || case.its_events(start).filter(|event| event.observer == start.user);
    let terminal = its_own().find(|message| message.is_terminal).map(|message| message.n);
    let end = terminal.or(start.gave_up.map(|(n, _)| n)).unwrap_or(u64::MAX);
    let at_rest = start.gave_up.filter(|(_, at_rest)| *at_rest).map(|(n, _)| n);
    if interruptions.is_cut(case, start, end) {
        return terminal.is_some().into();
    }
    let whole = start.run_at.and_then(|run| case.orderly[run]).is_some_and(Orderly::is_whole);
    if !whole && !case.assumes(Assumption::SequenceAcrossRuns) {
        gap(case, start, &its_own().collect::<Vec<_>>(), suspects);
    }
    if let (Some(expected), Some(_)) = (expected, terminal) {
        expected.judge(case, start, &its_own().collect::<Vec<_>>(), suspects);
    }
    let to = at_rest.unwrap_or(u64::MAX);
    let told = terminal.is_some()
        || interruptions.is_untold(start, to)
        // What was accepted is no longer refused.
        || (start.run_at.is_none() && interruptions.is_refused(start, to));
    if let (Some(n), false) = (at_rest, told) {
        let evidence = vec![
            shows(start.n, format!("{} starts run {}", start.user, start.run)),
            shows(n, format!("nothing can come any more, and no event ended run {}", start.run)),
        ];
        let operation = format!("the end of {}", start.via.run_kind());
        let (kind, run) = (FindingKind::Loss, Some(start.run));
        let seen_on = Channel::Websocket.as_str();
        let suspect = own(kind, start.user, run, operation, seen_on, evidence);
        suspects.add(suspect.about(About::End));
    }
    (terminal.is_some() || at_rest.is_some()).into()
}

fn gap(case: &Case<'_>, start: &Start<'_>, events: &[&Message<'_>], suspects: &mut Suspects) {
    let numbered = |message: &&Message<'_>| Some((message.sequence?, message.n));
    let Some((highest, _)) = events.iter().filter_map(numbered).max() else { return };
    // A message of a type that the dialect does not list may have taken a number of the same row.
    let others = case.of_run(&case.others, start);
    let others = others.filter(|message| message.observer == start.user);
    let mut numbered: Vec<(u64, u64)> =
        events.iter().copied().chain(others).filter_map(|message| numbered(&message)).collect();
    numbered.retain(|(number, _)| *number <= highest);
    numbered.sort_unstable();
    let mut last = (0_u64, start.n);
    for (number, n) in numbered {
        if number > last.0.saturating_add(1) {
            let user = start.user;
            let before = match last.0 {
                0 => format!("{user} starts run {}", start.run),
                number => format!("{user} receives event {number}"),
            };
            let missing = match (last.0 + 1, number - 1) {
                (one, other) if one == other => format!("event {one} never comes"),
                (first, last) => format!("events {first} to {last} never come"),
            };
            let after = format!("{user} receives event {number}; {missing}");
            let (kind, run) = (FindingKind::Loss, Some(start.run));
            let evidence = vec![shows(last.1, before), shows(n, after)];
            let (operation, seen_on) = (case.run_kind(user, run), Channel::Websocket.as_str());
            suspects.add(own(kind, user, run, operation, seen_on, evidence).about(About::Gap));
        }
        last = (number, n);
    }
}

fn http_run(case: &Case<'_>, start: &Start<'_>, suspects: &mut Suspects) -> u64 {
    let Some(exchange) = start.line.map(|line| &case.connections[line]) else { return 0 };
    if exchange.answered.is_some() {
        return 1;
    }
    let Some((n, true)) = start.gave_up else { return 0 };
    if exchange.broken.is_none() {
        let evidence = vec![
            shows(start.n, format!("{} starts run {}", start.user, start.run)),
            shows(n, format!("nothing can come any more, and run {} has no answer", start.run)),
        ];
        let (operation, seen_on) = (start.via.run_kind(), Channel::HttpAnswer.as_str());
        let (kind, run) = (FindingKind::Loss, Some(start.run));
        suspects.add(own(kind, start.user, run, operation, seen_on, evidence));
    }
    1
}
