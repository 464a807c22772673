//! O9: what a user does to a run changes that run and no other.

use std::collections::BTreeMap;

use super::case::Case;
use super::edits::{Alteration, Edit};
use super::message::{Channel, Message};
use super::oracle::{Judgement, Oracle};
use super::stop_and_approve;
use super::suspects::{Suspects, own, shows};
use partywall_core::finding::{Evidence, FindingKind, OracleId, Suspect};
use partywall_core::history::What;
use partywall_core::ids::UserName;

/// A run that was stopped was stopped by its user, and a stop that was granted stops its run.
pub(super) const CONTROL_EFFECT: Oracle = Oracle {
    id: OracleId::ControlEffect,
    short: "What a user does to a run changes that run and no other.",
    meaning: "A run was stopped that its user never asked to stop, went on with the approval \
        of another user, or a stop was granted and the run came to its usual end.",
    precondition: "A user stopped or approved a run, or a run ended as stopped, and the \
        scenario says how that is told.",
    next: "Ask by which key a control finds its run: the active one, a client's request \
        id, a flag that the next run finds.",
    judge,
    alterations,
};

/// A request to stop a run.
#[derive(Debug)]
struct Stop<'c> {
    n: u64,
    at: usize,
    user: &'c UserName,
    run: u16,
    /// When it was granted.
    granted: Option<u64>,
}

fn judge(case: &Case<'_>) -> Judgement {
    if case.dialect.why_ended.is_empty() {
        let (suspects, items) = stop_and_approve::judge(case);
        return Judgement::new(suspects.finish(), items, "no run was stopped or approved");
    }
    let mut suspects = Suspects::default();
    let stops = stops(case);
    let mut items = stops.iter().filter(|stop| stop.granted.is_some()).count() as u64;
    for message in case.messages.iter().filter(|message| message.is_terminal) {
        let Some((user, run)) = known_run(case, message) else { continue };
        let stop = stops.iter().find(|stop| stop.user == user && stop.run == run);
        if message.is_stopped {
            items += 1;
            if stop.is_none_or(|stop| stop.n > message.n) {
                suspects.add(unasked(case, &stops, message, user, run));
            }
        } else if let Some(granted) = stop.and_then(|stop| stop.granted)
            && case.agent(message) == Some("supervisor")
            && case.kind(message) == Some("agent_completed")
        {
            let text = format!("{user} is told that run {run} stops");
            let end = format!("{user} receives the usual end of run {run}");
            let evidence = vec![shows(granted, text), shows(message.n, end)];
            suspects.add(suspect(case, (user, run), "a granted stop of", evidence));
        }
    }
    Judgement::new(suspects.finish(), items, "no run was stopped")
}

fn alterations(case: &Case<'_>, known: &[Suspect], rng: &mut fastrand::Rng) -> Vec<Alteration> {
    if case.dialect.why_ended.is_empty() {
        return stop_and_approve::alterations(case, known, rng);
    }
    let stops = stops(case);
    let stopped = |stop: &&Stop<'_>| {
        case.messages.iter().any(|message| {
            message.is_terminal
                && message.is_stopped
                && known_run(case, message) == Some((stop.user, stop.run))
        })
    };
    let is_new = |stop: &&Stop<'_>| known.iter().all(|known| known.victim != *stop.user);
    let candidates: Vec<_> = stops.iter().filter(is_new).filter(stopped).collect();
    let Some(stop) = rng.choice(&candidates) else { return Vec::new() };
    vec![Alteration {
        what: format!("a stop of {} that was never asked for", stop.user),
        edits: vec![Edit::Remove { at: stop.at }],
        kind: FindingKind::Misdirected,
        victim: stop.user.clone(),
        observer: stop.user.clone(),
    }]
}

fn suspect(
    case: &Case<'_>,
    (user, run): (&UserName, u16),
    of: &str,
    evidence: Vec<Evidence>,
) -> Suspect {
    let operation = format!("{of} {}", case.run_kind(user, Some(run)));
    let seen_on = Channel::Websocket.as_str();
    own(FindingKind::Misdirected, user, Some(run), operation, seen_on, evidence)
}

fn unasked(
    case: &Case<'_>,
    stops: &[Stop<'_>],
    message: &Message<'_>,
    user: &UserName,
    run: u16,
) -> Suspect {
    let mut others = stops.iter().filter(|stop| stop.n < message.n);
    let mut evidence = Vec::new();
    if let Some(stop) = others.next_back() {
        evidence.push(shows(stop.n, format!("{} stops their run {}", stop.user, stop.run)));
    }
    evidence.push(shows(message.n, format!("run {run} of {user} ends as stopped")));
    suspect(case, (user, run), "a stop of", evidence)
}

/// Whose run the message ends, where the back end told.
fn known_run<'c>(case: &'c Case<'_>, message: &Message<'_>) -> Option<(&'c UserName, u16)> {
    let facts = case.facts(message).filter(|facts| facts.run_told)?;
    Some((facts.user?, facts.run?))
}

fn stops<'c>(case: &Case<'c>) -> Vec<Stop<'c>> {
    let mut granted = BTreeMap::new();
    for (_, seen) in &case.acts {
        if let (What::Answer { status: 200, .. }, Some(on)) = (&seen.what, &seen.on) {
            granted.insert(on, seen.n);
        }
    }
    let stop = |&(at, seen): &(usize, &'c partywall_core::history::Observation)| match &seen.what {
        What::Request { method, path, run: Some(run), .. }
            if method.as_ref() == "POST" && path.ends_with("/stop") =>
        {
            let granted = seen.on.as_ref().and_then(|on| granted.get(on)).copied();
            Some(Stop { n: seen.n, at, user: seen.by.as_ref()?, run: *run, granted })
        }
        _ => None,
    };
    case.acts.iter().filter_map(stop).collect()
}
