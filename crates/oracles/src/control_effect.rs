//! O9: what a user does to a run changes that run and no other.

use std::collections::BTreeMap;

use super::case::Case;
use super::edits::{Alteration, Edit, Expected};
use super::message::{Channel, Message};
use super::oracle::{Judgement, Oracle};
use super::stop_and_approve;
use super::suspects::{Suspects, shows};
use partywall_core::finding::{FindingKind, OracleId, Suspect};
use partywall_core::history::What;
use partywall_core::ids::UserName;
use partywall_core::record::Rule;

/// A run that was stopped was stopped by its user, and a stop that was granted stops its run.
#[derive(Debug)]
pub(super) struct ControlEffect;

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

impl Oracle for ControlEffect {
    fn id(&self) -> OracleId {
        OracleId::ControlEffect
    }

    fn help(&self) -> Rule {
        Rule {
            oracle: self.id(),
            short: "What a user does to a run changes that run and no other.".into(),
            meaning:
                "A run was stopped that its user never asked to stop, went on with the approval \
                      of another user, or a stop was granted and the run came to its usual end."
                    .into(),
            precondition: "A user stopped or approved a run, or a run ended as stopped, and the \
                           scenario says how that is told."
                .into(),
            next: "Ask by which key a control finds its run: the active one, a client's request \
                   id, a flag that the next run finds."
                .into(),
        }
    }

    fn judge(&self, case: &Case<'_>) -> Judgement {
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
                suspects.add(Suspect {
                    evidence: vec![shows(granted, text), shows(message.n, end)],
                    ..suspect(case, user, run, "a granted stop of")
                });
            }
        }
        Judgement::new(suspects.finish(), items, "no run was stopped")
    }

    fn alterations(&self, case: &Case<'_>, rng: &mut fastrand::Rng) -> Vec<Alteration> {
        if case.dialect.why_ended.is_empty() {
            return stop_and_approve::alterations(case, rng);
        }
        let known = self.judge(case).suspects;
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
            expected: Expected {
                oracle: self.id(),
                kind: FindingKind::Misdirected,
                victim: stop.user.clone(),
                observer: stop.user.clone(),
            },
        }]
    }
}

fn suspect(case: &Case<'_>, user: &UserName, run: u16, of: &str) -> Suspect {
    Suspect {
        kind: FindingKind::Misdirected,
        victim: user.clone(),
        victim_run: Some(run),
        observer: user.clone(),
        victim_operation: format!("{of} {}", case.run_kind(user, Some(run))),
        observer_operation: Channel::Websocket.as_str().into(),
        evidence: Vec::new(),
    }
}

fn unasked(
    case: &Case<'_>,
    stops: &[Stop<'_>],
    message: &Message<'_>,
    user: &UserName,
    run: u16,
) -> Suspect {
    let mut others = stops.iter().filter(|stop| stop.n < message.n);
    let mut evidence: Vec<_> = others
        .next_back()
        .map(|stop| shows(stop.n, format!("{} stops their run {}", stop.user, stop.run)))
        .into_iter()
        .collect();
    evidence.push(shows(message.n, format!("run {run} of {user} ends as stopped")));
    Suspect { evidence, ..suspect(case, user, run, "a stop of") }
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
