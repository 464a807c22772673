//! When runs ended, as far as it was seen, and how long it took.

use std::collections::BTreeMap;

use partywall_core::finding::{Finding, FindingKind};
use partywall_core::history::What;
use partywall_core::plan::Via;
use partywall_oracles::{Case, Message};

/// Where in the history each run that ended did so, by user and number in the plan: at its terminal
/// event, or at an answer that says that it has ended.
pub fn run_ends<'c>(case: &'c Case<'_>) -> BTreeMap<(&'c str, u16), usize> {
    let mut ends = BTreeMap::new();
    for message in &case.messages {
        let own = case.facts(message).and_then(|facts| {
            let user = facts.user?;
            (user == message.observer).then_some((user.as_str(), facts.run?))
        });
        if let (true, Some(run)) = (message.is_terminal, own) {
            ends.entry(run).or_insert(message.at());
        }
        if let Some(run) = message.asked_run
            && (answered_with_end(case, message.at()) || answers_end(case, message))
        {
            ends.entry((message.observer.as_str(), run)).or_insert(message.at());
        }
    }
    if !case.dialect.strict {
        // By whatever else came in between, a run may look like another user's: its end came.
        for start in &case.starts {
            let its_end = case.end_of(start).map(|end| end.at());
            if let Some(at) = its_end {
                ends.entry((start.user.as_str(), start.run)).or_insert(at);
            }
        }
    }
    if !case.dialect.tells_ends() {
        // Where nothing in a stream ends its run, the end of the stream does.
        for start in case.starts.iter().filter(|start| start.via == Via::Stream) {
            let exchange = case.exchange_of(start);
            let whole = exchange.filter(|exchange| exchange.broken.is_none());
            if let Some(n) = whole.and_then(|exchange| exchange.ended)
                && let Ok(at) = usize::try_from(n)
            {
                ends.entry((start.user.as_str(), start.run)).or_insert(at);
            }
        }
    }
    ends
}

/// Whether the back end answers with the result and nothing that tells a state, and did.
fn answers_end(case: &Case<'_>, message: &Message<'_>) -> bool {
    let whole = |run| {
        let start = case.start_of(message.observer, run);
        start.is_some_and(|start| start.via != Via::Socket)
    };
    let answered = match &case.history.observations[message.at()].what {
        What::Answer { status, .. } => (200..300).contains(status),
        _ => false,
    };
    !case.dialect.tells_states() && answered && message.asked_run.is_some_and(whole)
}

fn answered_with_end(case: &Case<'_>, at: usize) -> bool {
    #[derive(serde::Deserialize)]
    struct State {
        status: String,
    }
    let What::Answer { status: 200, raw, .. } = &case.history.observations[at].what else {
        return false;
    };
    let state = serde_json::from_slice::<State>(raw.bytes());
    state.is_ok_and(|state| matches!(state.status.as_str(), "completed" | "failed"))
}

/// How long each run that ended took from its start, in the history's unit of time.
pub fn durations(case: &Case<'_>, ends: &BTreeMap<(&str, u16), usize>) -> Vec<u64> {
    let observed = &case.history.observations;
    let begun = |n: u64| usize::try_from(n).ok().and_then(|n| observed.get(n));
    let took = |start: &partywall_oracles::case::Start<'_>| {
        let end = *ends.get(&(start.user.as_str(), start.run))?;
        // A run that the user gave up is not one that completed.
        if start.gave_up.is_some() {
            return None;
        }
        Some(observed[end].at.saturating_sub(begun(start.n)?.at))
    };
    case.starts.iter().filter_map(took).collect()
}

/// When the first crossing was seen, in the history's unit of time.
pub(crate) fn first_crossing(case: &Case<'_>, findings: &[Finding]) -> Option<u64> {
    let observed = &case.history.observations;
    let seen = |finding: &Finding| {
        let by_observer = |n: u64| {
            let observation = observed.get(usize::try_from(n).ok()?)?;
            let inbound = observation.by.as_ref() == Some(&finding.observer)
                && observation.what.inbound().is_some();
            inbound.then_some(observation.at)
        };
        finding.evidence.iter().find_map(|evidence| by_observer(evidence.n))
    };
    let crossings = findings.iter().filter(|finding| finding.kind == FindingKind::Crossing);
    crossings.filter_map(seen).min()
}
