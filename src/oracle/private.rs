//! What the back end gives one user alone, as the scenario says it: a session, a token. For O2.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasickBuilder, MatchKind};

use super::Case;
use super::control::{Edit, with_bytes};
use super::suspects::{Suspects, shows};
use crate::trial::finding::{FindingKind, Suspect};
use crate::trial::history::{Observation, What};
use crate::trial::ids::{ConnectionId, UserName};
use crate::trial::protocol::{Act, Capture, SetUp};
use crate::trial::raw::Raw;

/// A shorter value may stand anywhere by chance.
const SHORTEST: usize = 6;

/// A value that was given to one user.
#[derive(Clone, Debug)]
pub(super) struct Given {
    value: String,
    pub(super) user: UserName,
    name: String,
    n: u64,
}

/// The values of private captures, each with whom it was given to first.
pub(super) fn given(case: &Case<'_>) -> Vec<Given> {
    let Some(protocol) = &case.history.plan.protocol else { return Vec::new() };
    let mut gathered = Gathered::default();
    let said: Vec<&Capture> = protocol
        .setup
        .iter()
        .filter(|step| matches!(step.act, Act::Send(_)))
        .flat_map(private)
        .collect();
    let asked = || protocol.setup.iter().filter(|step| private(step).next().is_some());
    if said.is_empty() && asked().next().is_none() {
        return Vec::new();
    }
    let mut steps: BTreeMap<&str, Vec<&SetUp>> = BTreeMap::new();
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    for observation in &case.history.observations {
        let Some(on) = observation.on.as_ref().map(ConnectionId::as_str) else { continue };
        match &observation.what {
            What::Request { method, path, run: None, .. } => {
                steps.insert(on, asked().filter(|step| is_of(step, method, path)).collect());
            }
            What::Answer { headers, raw, .. } => {
                let steps = steps.get(on).into_iter().flatten();
                for capture in steps.flat_map(|step| private(step)) {
                    gathered.take(observation, capture, &headers.text(), &raw.text());
                }
            }
            // Not looked for any more on a connection where it has come.
            What::Received { raw } if !said.is_empty() && !answered.contains(on) => {
                let json = case.reader.payload(raw, false).json;
                let json = json.lossy();
                for capture in &said {
                    if gathered.take(observation, capture, "", &json) {
                        answered.insert(on);
                    }
                }
            }
            _ => {}
        }
    }
    gathered.0.into_values().collect()
}

fn private(step: &SetUp) -> impl Iterator<Item = &Capture> {
    step.captures.iter().filter(|capture| capture.private)
}

/// What was given so far, by value.
#[derive(Debug, Default)]
struct Gathered(BTreeMap<String, Given>);

impl Gathered {
    /// Takes the value if it is there.
    fn take(
        &mut self,
        observation: &Observation,
        capture: &Capture,
        headers: &str,
        body: &str,
    ) -> bool {
        let value = capture.from.value(headers, body).filter(|value| value.len() >= SHORTEST);
        let (Some(value), Some(user)) = (value, &observation.by) else { return false };
        let (name, n) = (capture.name.clone(), observation.n);
        let given = Given { value: value.clone(), user: user.clone(), name, n };
        self.0.entry(value).or_insert(given);
        true
    }
}

/// Whether that request may be the one of the step: its path as far as it has no places.
fn is_of(step: &SetUp, method: &str, path: &str) -> bool {
    let Act::Request(request) = &step.act else { return false };
    let fixed = request.path.split("{{").next().unwrap_or_default();
    request.method == method && path.starts_with(fixed)
}

/// Who else is shown one of them. Gives how many places were looked at.
pub(super) fn judge(case: &Case<'_>, suspects: &mut Suspects) -> u64 {
    let given = given(case);
    if given.is_empty() {
        return 0;
    }
    // The longest: one user's value may begin as another's does.
    let mut builder = AhoCorasickBuilder::new();
    let search = builder.match_kind(MatchKind::LeftmostLongest);
    let Ok(search) = search.build(given.iter().map(|given| &given.value)) else { return 0 };
    let mut items = 0;
    for observation in &case.history.observations {
        let Some(observer) = &observation.by else { continue };
        for bytes in inbound(&observation.what) {
            for found in search.find_iter(bytes) {
                if !stands_alone(bytes, found.start(), found.end()) {
                    continue;
                }
                items += 1;
                let given = &given[found.pattern().as_usize()];
                if given.user != *observer {
                    suspects.add(suspect(given, observer, observation));
                }
            }
        }
    }
    items
}

fn inbound(what: &What) -> impl Iterator<Item = &[u8]> {
    let headers = match what {
        What::Answer { headers, .. } => Some(headers.bytes()),
        _ => None,
    };
    headers.into_iter().chain(what.inbound().map(Raw::bytes))
}

/// Whether it is no part of a longer id: `session-1` of `session-12`.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let before = start.checked_sub(1).and_then(|before| bytes.get(before));
    !before.is_some_and(goes_on) && !bytes.get(end).is_some_and(goes_on)
}

fn suspect(given: &Given, observer: &UserName, observation: &Observation) -> Suspect {
    let Given { user: victim, name, n, .. } = given;
    let how = match observation.what {
        What::Answer { .. } | What::Refused { .. } => "http answer",
        What::Ended { .. } => "close reason",
        _ => "event connection",
    };
    Suspect {
        kind: FindingKind::Crossing,
        victim: victim.clone(),
        victim_run: None,
        observer: observer.clone(),
        victim_operation: format!("private `{name}`"),
        observer_operation: how.into(),
        evidence: vec![
            shows(*n, format!("{victim} is given their `{name}`")),
            shows(observation.n, format!("{observer} is shown the same")),
        ],
    }
}

/// A place where something came in to another user, with the value of one there: for the control.
pub(super) fn shown_to_another(
    case: &Case<'_>,
    given: &Given,
    observer: &UserName,
) -> Option<Vec<Edit>> {
    let observations = case.history.observations.iter().enumerate();
    let (at, seen) = observations.rev().find(|(_, seen)| {
        seen.by.as_ref() == Some(observer)
            && matches!(seen.what, What::Answer { .. } | What::Received { .. })
    })?;
    let bytes = seen.what.inbound().map_or(&[][..], Raw::bytes);
    let what = with_bytes(&seen.what, [bytes, b" ", given.value.as_bytes()].concat());
    Some(vec![Edit::Replace { at, what }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_longer_id_is_none() {
        assert!(stands_alone(b"session-1", 0, 9));
        assert!(stands_alone(br#"{"s":"session-1"}"#, 6, 15));
        assert!(!stands_alone(b"session-12", 0, 9));
        assert!(!stands_alone(b"old-session-1", 4, 13));
    }
}
