//! O4: no event comes twice.

use std::collections::BTreeMap;

use super::alter;
use super::case::Case;
use super::habits::is_copy;
use super::message::Place;
use super::oracle::{Judgement, Oracle};
use super::suspects::{Suspects, own, shows};
use partywall_core::assumption::Assumption;
use partywall_core::finding::{FindingKind, OracleId, Suspect};

/// An event is known by run and number. Two connections that a user has open at the same time may
/// both get it; a connection that was opened after another had ended may not get it again.
pub(super) const DUPLICATES: Oracle = Oracle {
    id: OracleId::Duplicates,
    short: "No event comes twice.",
    meaning: "The same event of a run came twice on one connection, or again on a \
        connection that was opened after the first had ended.",
    precondition: "Events carry the id of their run and a number.",
    next: "Look for listeners that pile up when a user comes back, and for a replay log \
        that starts too early.",
    judge,
    alterations: alter::repeats,
};

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let may_repeat = case.assumes(Assumption::AtLeastOnce);
    let items = repeats(case, &mut |first, again| {
        if !(may_repeat && is_copy(case, first, again)) {
            suspects.add(repeated(case, first, again));
        }
    });
    Judgement::new(
        suspects.finish(),
        items,
        "no event carried a run id and a number, so a repeated one cannot be known",
    )
}

/// Tells of each event that came twice the first message and the second; gives how many events were
/// looked at.
pub(super) fn repeats(case: &Case<'_>, repeat: &mut dyn FnMut(usize, usize)) -> u64 {
    let runs = case.events.iter().zip(&case.orderly);
    let items = runs.map(|(events, orderly)| match orderly {
        Some(orderly) => orderly.events,
        None => judge_run(case, events, repeat),
    });
    items.sum()
}

fn judge_run(case: &Case<'_>, events: &[Place], repeat: &mut dyn FnMut(usize, usize)) -> u64 {
    let mut items = 0;
    // By user and number: where it came first on each connection.
    let mut came: BTreeMap<(&str, u64), Came> = BTreeMap::new();
    for at in events.iter().map(|at| at.get()) {
        let message = &case.messages[at];
        let (Some(number), Some(facts)) = (message.sequence, case.facts(message)) else { continue };
        // Whose run comes to whom is for O2 to say.
        if !facts.may_be_of(message.observer) {
            continue;
        }
        items += 1;
        let came = came.entry((message.observer.as_str(), number)).or_default();
        let opened = case.connections[message.line()].first;
        let again = came.on.get(&message.line()).or(match came.ended_first {
            Some((ended, ref first)) if ended < opened => Some(first),
            _ => None,
        });
        let run = case.run_id(message);
        let asked = || case.named.asked_for(message.line(), run, number);
        if let Some(&first) =
            again.filter(|first| case.messages[**first].line() == message.line() || !asked())
        {
            repeat(first, at);
        }
        came.on.entry(message.line()).or_insert(at);
        if let Some(closed) = case.connections[message.line()].closed
            && came.ended_first.is_none_or(|(ended, _)| closed < ended)
        {
            came.ended_first = Some((closed, at));
        }
    }
    items
}

/// Where an event came.
#[derive(Debug, Default)]
struct Came {
    /// The first message on each connection.
    on: BTreeMap<usize, usize>,
    /// Of the connections that ended, which ended first, and the message on it.
    ended_first: Option<(u64, usize)>,
}

fn repeated(case: &Case<'_>, first: usize, again: usize) -> Suspect {
    let (first, again) = (&case.messages[first], &case.messages[again]);
    let facts = case.facts(again);
    let observer = again.observer;
    let run = facts.filter(|facts| facts.user == Some(observer)).and_then(|f| f.run);
    let number = again.sequence.unwrap_or_default();
    let evidence = vec![
        shows(first.n, format!("{observer} receives event {number}")),
        shows(again.n, format!("{observer} receives event {number} of the same run again")),
    ];
    let kind = FindingKind::Duplicate;
    own(kind, observer, run, case.run_kind(observer, run), again.channel.as_str(), evidence)
}
