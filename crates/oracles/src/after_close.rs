//! O6: nothing comes after a connection or a run has ended.

use std::collections::{BTreeMap, BTreeSet};

use super::alter;
use super::case::Case;
use super::message::{Message, Place};
use super::oracle::{Judgement, Oracle};
use super::suspects::{Suspects, own, shows};
use partywall_core::finding::{FindingKind, OracleId, Suspect};
use partywall_core::ids::UserName;

/// After an orderly goodbye of the client the server may finish its sentence; after its own
/// goodbye, or on a connection whose client is gone, it may not. A run says nothing after the event
/// that ends it; that an event comes a second time is O4's matter.
pub(super) const AFTER_CLOSE: Oracle = Oracle {
    id: OracleId::AfterClose,
    short: "Nothing comes after a connection or a run has ended.",
    meaning: "A message came on a connection that had ended, or an event of a run after \
        the event that ends it: something still holds what it should have let go.",
    precondition: "A connection ended or a run came to its terminal event.",
    next: "Look for work that outlives its run, and for a clean-up that is skipped on some \
        path.",
    judge,
    alterations: alter::late,
};

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let mut items = case.connections.iter().filter(|connection| closed(connection)).count();
    for message in &case.messages {
        after_connection(case, message, &mut suspects);
    }
    let several = case.given_twice();
    for (events, orderly) in case.events.iter().zip(&case.orderly) {
        items += match orderly {
            Some(orderly) => usize::from(orderly.ends),
            None => after_run(case, events, &several, &mut suspects),
        };
    }
    Judgement::new(
        suspects.finish(),
        items as u64,
        "no connection and no run ended, so nothing could come after an end",
    )
}

fn closed(connection: &super::case::Connection<'_>) -> bool {
    connection.is_socket && (connection.ended.is_some() || connection.vanished.is_some())
}

fn after_connection(case: &Case<'_>, message: &Message<'_>, suspects: &mut Suspects) {
    let connection = &case.connections[message.line()];
    let ends = [
        connection.ended.map(|n| (n, "the back end ends the connection")),
        connection.vanished.map(|n| (n, "the user leaves without a goodbye")),
    ];
    let end = ends.into_iter().flatten().min();
    let Some((end, what)) = end.filter(|(end, _)| *end < message.n) else { return };
    if !message.channel.carries_events() {
        return;
    }
    let observer = message.observer;
    let evidence =
        vec![shows(end, what), shows(message.n, format!("{observer} receives a message on it"))];
    let (kind, seen_on) = (FindingKind::Late, message.channel.as_str());
    suspects.add(own(kind, observer, None, "an ended connection", seen_on, evidence));
}

/// How often the run ended on a connection.
fn after_run(
    case: &Case<'_>,
    events: &[Place],
    several: &BTreeSet<(Option<usize>, &UserName)>,
    suspects: &mut Suspects,
) -> usize {
    let mut ended: BTreeMap<usize, (u64, Vec<u64>)> = BTreeMap::new();
    let mut numbers: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for at in events.iter().map(|at| at.get()) {
        let message = &case.messages[at];
        if case.facts(message).is_none_or(|facts| !facts.may_be_of(message.observer)) {
            continue;
        }
        match ended.get_mut(&message.line()) {
            Some((end, known)) => {
                let again = message.sequence.is_some_and(|n| known.binary_search(&n).is_ok());
                if !again && !several.contains(&(message.run_at(), message.observer)) {
                    suspects.add(after_terminal(case, *end, message));
                }
            }
            None if message.is_terminal => {
                let mut known = numbers.remove(&message.line()).unwrap_or_default();
                known.extend(message.sequence);
                known.sort_unstable();
                ended.insert(message.line(), (message.n, known));
            }
            None => numbers.entry(message.line()).or_default().extend(message.sequence),
        }
    }
    ended.len()
}

fn after_terminal(case: &Case<'_>, end: u64, message: &Message<'_>) -> Suspect {
    let observer = message.observer;
    let facts = case.facts(message).filter(|facts| facts.user == Some(observer));
    let run = facts.and_then(|facts| facts.run);
    let evidence = vec![
        shows(end, format!("{observer} receives the run's terminal event")),
        shows(message.n, format!("{observer} receives another event of it")),
    ];
    let kind = FindingKind::Late;
    own(kind, observer, run, case.run_kind(observer, run), message.channel.as_str(), evidence)
}
