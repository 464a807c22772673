//! O7: an answer belongs to the request that it answers.

use std::cell::LazyCell;

use memchr::memmem;
use serde_json::Value;

use super::alter;
use super::answered::Answered;
use super::case::Case;
use super::echoes;
use super::edits::bytes;
use super::message::Message;
use super::oracle::{Judgement, Oracle};
use super::run_facts::Answers;
use super::seen::Seen;
use super::suspects::{Suspects, own, shows};
use partywall_core::canary::Field;
use partywall_core::finding::{Evidence, FindingKind, OracleId, Suspect};
use partywall_core::history::What;
use partywall_core::plan::EQUAL_WORDS;

/// What shifts replies between requests of one user shifts them between users on another day. A run
/// may quote another of the same conversation, but not answer in its place.
pub(super) const BINDING: Oracle = Oracle {
    id: OracleId::Binding,
    short: "An answer belongs to the request that it answers.",
    meaning: "A run was accepted that nobody waited for, or the answer to one request holds \
        what the same user gave with another. The latter is a warning unless the answer names \
        that other request, or `[severity] own_data` says otherwise. With `[events] echoes = true` \
        an answer that does not hold its own prompt is a finding too.",
    precondition: "The back end names the request when it accepts a run, or sends a \
        request's canaries back in its answer or in events that tell which run they are of.",
    next: "Look for replies that are matched by order or by an id that is used again: a \
        pooled upstream connection, a queue, a batch.",
    judge,
    alterations: alter::bindings,
};

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let mut items = 0;
    let echoes = case.acceptances_that_fit().next().is_some();
    for acceptance in &case.acceptances {
        let message = &case.messages[acceptance.message];
        items += u64::from(echoes && acceptance.answers != Answers::Unclear);
        if echoes && acceptance.answers == Answers::None {
            suspects.add(unasked(message));
        }
    }
    for message in &case.messages {
        other_run(case, message, &mut suspects);
    }
    items += canaries(case, &mut suspects);
    items += echoes::judge(case, &mut suspects);
    Judgement::new(
        suspects.finish(),
        items,
        "no acceptance named its request, and no canary came back in an answer to a known one",
    )
}

fn unasked(message: &Message<'_>) -> Suspect {
    let text =
        format!("{} receives the acceptance of a request they do not wait for", message.observer);
    let wrong_binding = FindingKind::WrongBinding;
    wrong(wrong_binding, message, None, "acceptance of a run", vec![shows(message.n, text)])
}

fn wrong(
    kind: FindingKind,
    message: &Message<'_>,
    run: Option<u16>,
    operation: impl Into<String>,
    evidence: Vec<Evidence>,
) -> Suspect {
    let seen_on = message.channel.as_str();
    own(kind, message.observer, run, operation, seen_on, evidence)
}

/// An HTTP answer that names another run of the user than the one that was asked about.
fn other_run(case: &Case<'_>, message: &Message<'_>, suspects: &mut Suspects) {
    let (Some(asked), Some(facts)) = (message.asked_run, case.facts(message)) else { return };
    let observer = message.observer;
    let run = facts.run.filter(|_| facts.run_told && facts.user == Some(observer));
    if let Some(run) = run.filter(|run| *run != asked) {
        let text = format!("{observer} asks about run {asked} and is told of run {run}");
        let operation = format!("run id of {}", case.run_kind(observer, Some(run)));
        suspects.add(wrong(
            FindingKind::WrongBinding,
            message,
            Some(run),
            operation,
            vec![shows(message.n, text)],
        ));
    }
}

/// How many of the user's own canaries came back in answers to known requests.
fn canaries(case: &Case<'_>, suspects: &mut Suspects) -> u64 {
    let mut items = 0;
    let answered = Answered::of(case);
    let own =
        |seen: &&Seen| case.is_own(seen.owner, seen.observer) && seen.owner.field != Field::Name;
    // Of a server that mixes nothing up nobody asks.
    let labels = LazyCell::new(|| labels_all(case, &answered, own));
    for same_message in case.seen.chunk_by(|one, other| one.at() == other.at()) {
        let message = same_message[0].message().map(|message| &case.messages[message]);
        let Some((message, asked)) = message.and_then(|m| Some((m, answered.run(m)?))) else {
            continue;
        };
        let answers = same_message.iter().any(|seen| own(&seen) && seen.owner.run == asked);
        for seen in same_message.iter().filter(own) {
            items += 1;
            let quotes = || (answers || !*labels) && may_quote(case, seen, asked);
            if seen.owner.run != asked && !quotes() {
                suspects.add(other_canary(case, message, seen, asked));
            }
        }
    }
    items
}

/// Whether every answer to a known request holds something that its user gave: then one that holds
/// only what belongs to another request is no mere quotation. Words that several users say mark
/// nobody, and an answer that holds them lacks nothing.
fn labels_all(case: &Case<'_>, answered: &Answered<'_, '_>, own: impl Fn(&&Seen) -> bool) -> bool {
    let mut labelled = vec![false; case.messages.len()];
    for message in case.seen.iter().filter(own).filter_map(Seen::message) {
        labelled[message] = true;
    }
    let fails = |message: &Message<'_>| match case.history.observations[message.at()].what {
        What::Answer { status, .. } => !(200..300).contains(&status),
        _ => false,
    };
    let is_equal = |message: &Message<'_>| {
        memmem::find(bytes(case.history, message.at()), EQUAL_WORDS.as_bytes()).is_some()
    };
    case.messages.iter().zip(labelled).all(|(message, labelled)| {
        labelled || answered.run(message).is_none() || fails(message) || is_equal(message)
    })
}

/// Whether the run may know what was said in that other one: both are of one conversation, whose
/// turns may overlap. Settings are no part of what was said.
fn may_quote(case: &Case<'_>, seen: &Seen, run: u16) -> bool {
    let said = matches!(seen.owner.field, Field::Prompt | Field::Document);
    let thread = |run| case.start_of(seen.observer, run).map(|start| start.thread);
    said && thread(run).is_some_and(|here| thread(seen.owner.run) == Some(here))
}

fn other_canary(case: &Case<'_>, message: &Message<'_>, seen: &Seen, asked: u16) -> Suspect {
    let (observer, run, field) = (seen.observer, seen.owner.run, seen.owner.field);
    let mut evidence = Vec::with_capacity(2);
    if let Some(start) = case.start_of(observer, run) {
        evidence.push(shows(start.n, format!("{observer} starts run {run}")));
    }
    let text =
        format!("{observer} receives the {field} canary of run {run} in an answer of run {asked}");
    evidence.push(shows(seen.n, text));
    let operation = format!("{field} of {}", case.run_kind(observer, Some(run)));
    let kind = match names_other_request(case, message, asked) {
        true => FindingKind::WrongBinding,
        false => FindingKind::OwnData,
    };
    wrong(kind, message, Some(run), operation, evidence)
}

/// Whether the message names a request of the user, and not the one that it answers.
pub(super) fn names_other_request(case: &Case<'_>, message: &Message<'_>, asked: u16) -> bool {
    let place = case.dialect.request.as_str();
    let tree = if place.is_empty() { None } else { case.payload(message).json.tree() };
    let named = tree.as_ref().and_then(|tree| tree.pointer(place)).and_then(|named| match named {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let Some(named) = named else { return false };
    let of_user = case.starts.iter().filter(|start| start.user == message.observer);
    let mut its = of_user.filter(|start| start.request_id.as_str() == named).peekable();
    its.peek().is_some() && its.all(|start| start.run != asked)
}
