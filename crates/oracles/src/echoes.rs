//! An answer holds its own prompt, where the scenario says that every answer does: a part of O7. So a
//! bare "OK" that was meant for somebody else is seen although it holds nothing of theirs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::case::{Case, Start};
use super::edits::{Edit, tree, with_bytes};
use super::interruptions::Interruptions;
use super::message::{Channel, Message};
use super::suspects::{Suspects, own, shows};
use partywall_core::canary::Field;
use partywall_core::dialect::Dialect;
use partywall_core::finding::FindingKind;
use partywall_core::history::What;
use partywall_core::plan::{Step, Twist, Via};

/// A run that was answered whole.
pub(super) struct Answered<'c> {
    pub(super) start: &'c Start<'c>,
    /// What ended it.
    last: &'c Message<'c>,
    /// The messages in which its prompt came back, in [`Case::messages`].
    pub(super) echoes: Vec<usize>,
    /// Whether another user's data came in it: that is O1's matter.
    crossed: bool,
}

/// Adds the answers that do not hold their prompt; gives how many were looked at.
pub(super) fn judge(case: &Case<'_>, suspects: &mut Suspects) -> u64 {
    let answered = answered(case);
    for run in answered.iter().filter(|run| run.echoes.is_empty() && !run.crossed) {
        let (user, number) = (run.start.user, run.start.run);
        let evidence = vec![
            shows(run.start.n, format!("{user} starts run {number}")),
            shows(run.last.n, format!("run {number} has ended, and its prompt never came back")),
        ];
        let (operation, seen_on) = (run.start.via.run_kind(), run.last.channel.as_str());
        let kind = FindingKind::NoEcho;
        suspects.add(own(kind, user, Some(number), operation, seen_on, evidence));
    }
    answered.len() as u64
}

/// The runs that were answered whole and whose prompt can be told from others.
pub(super) fn answered<'c>(case: &'c Case<'_>) -> Vec<Answered<'c>> {
    if !case.dialect.echoes {
        return Vec::new();
    }
    let interruptions = Interruptions::of(case);
    let granted = granted(case);
    let answers = answers(case);
    let mut places = BTreeMap::new();
    let mut found = Vec::new();
    for start in case.starts.iter().filter(|start| is_judged(case, start)) {
        let line = start.line.map(|line| &case.connections[line]);
        let last = match start.via {
            Via::Http | Via::Stream => {
                let whole =
                    line.filter(|line| line.broken.is_none() && granted.contains(line.id.as_str()));
                let ended = |line: &&super::case::Connection<'_>| {
                    start.via == Via::Http || line.ended.is_some() || case.end_of(start).is_some()
                };
                let at = start.line.filter(|_| whole.as_ref().is_some_and(ended));
                at.and_then(|at| answers.get(&at).copied())
            }
            Via::Socket => {
                case.end_of(start).filter(|end| !interruptions.is_cut(case, start, end.n))
            }
        };
        let Some(last) = last else { continue };
        let key = if start.via == Via::Socket { (None, start.run_at) } else { (start.line, None) };
        places.insert(key, found.len());
        found.push(Answered { start, last, echoes: Vec::new(), crossed: false });
    }
    for seen in &case.seen {
        let Some(at) = seen.message() else { continue };
        let message = &case.messages[at];
        let on_line = places.get(&(Some(message.line()), None));
        let Some(run) = on_line.or_else(|| places.get(&(None, message.run_at()))) else { continue };
        let run = &mut found[*run];
        if run.start.user != seen.observer {
            continue;
        }
        if !case.is_own(seen.owner, seen.observer) {
            run.crossed = true;
        } else if (seen.owner.run, seen.owner.field) == (run.start.run, Field::Prompt) {
            run.echoes.push(at);
        }
    }
    found
}

/// Whether the run says something of its own, and nothing keeps its answer from holding it.
fn is_judged(case: &Case<'_>, start: &Start<'_>) -> bool {
    let Some(person) = case.person(start.user.as_str()) else { return false };
    let Some(run) = person.run(start.run) else { return false };
    let hidden = |twist: &Twist| matches!(twist, Twist::EqualMessage | Twist::Oversize { .. });
    let ends_early = |step: &Step| matches!(step, Step::Abandon { run } | Step::Stop { run } if *run == start.run);
    start.gave_up.is_none()
        && !run.twists.iter().any(hidden)
        && !person.steps.iter().any(ends_early)
}

/// The exchanges that were answered with success.
fn granted<'c>(case: &'c Case<'_>) -> BTreeSet<&'c str> {
    let granted = case.acts.iter().filter(|(_, act)| match act.what {
        What::Answer { status, .. } => (200..300).contains(&status),
        _ => false,
    });
    granted.filter_map(|(_, act)| act.on.as_ref().map(|on| on.as_str())).collect()
}

/// The last message of each exchange.
fn answers<'c>(case: &'c Case<'_>) -> BTreeMap<usize, &'c Message<'c>> {
    let answers = case.messages.iter().filter(|message| message.channel != Channel::Websocket);
    answers.map(|message| (message.line(), message)).collect()
}

/// The edits by which the run's answer no longer holds its prompt.
pub(super) fn silenced(case: &Case<'_>, messages: &[usize]) -> Vec<Edit> {
    let mut places: Vec<usize> = messages.iter().map(|at| case.messages[*at].at()).collect();
    places.dedup();
    let edit = |at: usize| {
        let bytes = case.in_json(at, |json| without_words(json, case.dialect));
        let bytes = bytes.unwrap_or_else(|| b"OK".to_vec());
        Edit::Replace { at, what: with_bytes(&case.history.observations[at].what, bytes) }
    };
    places.into_iter().map(edit).collect()
}

/// The JSON with "OK" in place of each text that the dialect does not ask for.
fn without_words(json: &[u8], dialect: &Dialect) -> Option<Vec<u8>> {
    let Dialect { kind, user, thread, run, agent, request, .. } = dialect;
    let mut tree = tree(json)?;
    silence(&mut tree, "", &[kind, user, thread, run, agent, request]);
    serde_json::to_vec(&tree).ok()
}

fn silence(value: &mut Value, at: &str, kept: &[&String]) {
    match value {
        Value::String(text) if !kept.iter().any(|place| *place == at) => *text = "OK".into(),
        Value::Array(elements) => {
            let elements = elements.iter_mut().enumerate();
            elements.for_each(|(n, element)| silence(element, &format!("{at}/{n}"), kept));
        }
        Value::Object(members) => {
            let members = members.iter_mut();
            members.for_each(|(name, member)| silence(member, &format!("{at}/{name}"), kept));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::judge_control_beside;
    use crate::notation::{history, told};
    use partywall_core::finding::OracleId;

    const BOTH: &str =
        "alice connects; bob connects; alice starts r1; bob starts r1; alice posts r2;";

    fn echoing() -> Dialect {
        Dialect { echoes: true, ..Dialect::reference() }
    }

    fn found(rest: &str) -> Vec<String> {
        let history = history(&format!("{BOTH} {rest}"));
        let dialect = echoing();
        let case = Case::new(&history, &dialect);
        (crate::of(OracleId::Binding).judge)(&case).suspects.iter().map(told).collect()
    }

    #[test]
    fn an_answer_without_its_own_prompt_is_found_and_one_with_it_is_not() {
        let socket = "no echo alice r1: chat over websocket @ websocket";
        let http = "no echo alice r2: chat over http @ http answer";
        let none: &[&str] = &[];
        for (rest, expected) in [
            ("r1 of alice emits 1; r1 of alice ends 2 showing nothing", none),
            ("r1 of alice emits 1 showing nothing; r1 of alice ends 2 showing nothing", &[socket]),
            ("r1 of alice ends 1 showing nothing", &[socket]),
            // What has not ended may still come.
            ("r1 of alice emits 1 showing nothing", none),
            ("r2 of alice answers", none),
            ("r2 of alice answers showing nothing", &[http]),
            // Another user's data is O1's matter.
            ("r2 of alice answers showing bob:r1", none),
            ("alice vanishes; alice connects; r1 of alice ends 1 showing nothing", none),
        ] {
            assert_eq!(found(rest), expected, "{rest}");
        }
    }

    #[test]
    fn the_control_is_planted_in_both_kinds_of_answer_and_caught() {
        for rest in [
            "r1 of alice emits 1; r1 of alice ends 2; r1 of bob emits 1; r1 of bob ends 2",
            "r2 of alice answers",
        ] {
            let history = history(&format!("{BOTH} {rest}"));
            let planted = |dialect: &Dialect| {
                let oracles = [crate::of(OracleId::Binding)];
                let tally = judge_control_beside(&oracles, &history, dialect, None, 3);
                assert_eq!(tally.missed, [""; 0], "{rest}");
                tally.planted
            };
            assert_eq!(planted(&echoing()), planted(&Dialect::reference()) + 1, "{rest}");
        }
    }
}
