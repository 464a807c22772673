//! What one user has alone: a secret of theirs, which stands in the history as a mark, and what the
//! scenario calls private, a session, a token. For O2.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasickBuilder, MatchKind};

use super::Case;
use super::control::{Edit, with_bytes};
use super::suspects::{Suspects, shows};
use crate::trial::finding::{FindingKind, Suspect};
use crate::trial::hidden::MARK;
use crate::trial::history::{Observation, What, Whose};
use crate::trial::ids::{ConnectionId, UserName};
use crate::trial::protocol::{Act, Capture, SetUp};
use crate::trial::raw::Raw;

/// A shorter value may stand anywhere by chance.
const SHORTEST: usize = 6;

/// A value that one user has.
#[derive(Clone, Debug)]
pub(super) struct Given {
    value: String,
    pub(super) user: UserName,
    name: String,
    n: u64,
    /// From where, where it stands as a mark; a value that was too short to be hidden does not.
    pub(super) whose: Option<Whose>,
    /// Whether it stands nowhere by chance, not even within a longer word.
    long: bool,
}

/// The values that one user has alone: marks of secrets, and private captures that were not hidden,
/// each with whom it was given to first.
pub(super) fn given(case: &Case<'_>) -> Vec<Given> {
    let mut gathered = Gathered::of_marks(case);
    let Some(protocol) = &case.history.plan.protocol else { return gathered.finish() };
    let said: Vec<&Capture> = protocol
        .setup
        .iter()
        .filter(|step| matches!(step.act, Act::Send(_)))
        .flat_map(private)
        .collect();
    let asked = || protocol.setup.iter().filter(|step| private(step).next().is_some());
    if said.is_empty() && asked().next().is_none() {
        return gathered.finish();
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
    gathered.finish()
}

fn private(step: &SetUp) -> impl Iterator<Item = &Capture> {
    step.captures.iter().filter(|capture| capture.private)
}

/// What was given so far, by value.
#[derive(Debug, Default)]
struct Gathered<'h> {
    values: BTreeMap<String, Given>,
    /// Captures of users that stand as marks: in their place a pattern would find a part of one.
    hidden: BTreeSet<(&'h str, &'h str)>,
}

impl<'h> Gathered<'h> {
    fn of_marks(case: &Case<'h>) -> Self {
        let mut own = Self::default();
        let mut owners: BTreeMap<&str, Vec<Given>> = BTreeMap::new();
        for &(_, observation) in &case.acts {
            let (What::Secret { mark, name, whose, long }, Some(user)) =
                (&observation.what, &observation.by)
            else {
                continue;
            };
            own.hidden.insert((user.as_str(), name));
            owners.entry(mark).or_default().push(Given {
                value: mark.clone(),
                user: user.clone(),
                name: name.clone(),
                n: observation.n,
                whose: Some(*whose),
                long: *long,
            });
        }
        let alone =
            owners.into_iter().filter_map(|(mark, all)| Some((mark.to_owned(), one_of(all)?)));
        own.values = alone.collect();
        own
    }

    fn finish(self) -> Vec<Given> {
        self.values.into_values().collect()
    }

    /// Takes the value if it is there. Of what stands as a mark it is told elsewhere whose it is, or it
    /// is everybody's.
    fn take(
        &mut self,
        observation: &Observation,
        capture: &Capture,
        headers: &str,
        body: &str,
    ) -> bool {
        let Some(user) = &observation.by else { return false };
        if self.hidden.contains(&(user.as_str(), capture.name.as_str())) {
            return true;
        }
        let Some(value) = capture.from.value(headers, body) else { return false };
        if value.contains(MARK) {
            return true;
        }
        if value.len() < SHORTEST {
            return false;
        }
        let (name, n) = (capture.name.clone(), observation.n);
        let (user, whose, long) = (user.clone(), None, false);
        let given = Given { value: value.clone(), user, name, n, whose, long };
        self.values.entry(value).or_insert(given);
        true
    }
}

/// Whose a secret is, of all who have it; none where that is nobody alone.
fn one_of(all: Vec<Given>) -> Option<Given> {
    let of = |whose| all.iter().filter(move |given| given.whose == Some(whose));
    if let Some(first) = of(Whose::Own).next() {
        return of(Whose::Own).all(|other| other.user == first.user).then(|| first.clone());
    }
    if let Some(first) = of(Whose::Private).next() {
        return Some(first.clone());
    }
    let first = all.first()?;
    all.iter().all(|other| other.user == first.user).then(|| first.clone())
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
                let given = &given[found.pattern().as_usize()];
                if !given.long && !stands_alone(bytes, found.start(), found.end()) {
                    continue;
                }
                items += 1;
                if given.user != *observer {
                    suspects.add(suspect(given, observer, observation));
                }
            }
        }
    }
    items
}

fn inbound(what: &What) -> impl Iterator<Item = &[u8]> {
    what.headers().into_iter().chain(what.inbound()).map(Raw::bytes)
}

/// Whether it is no part of a longer id: `session-1` of `session-12`. What stands before it may be
/// written as an escape of a URL or of JSON.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let escaped = |high, low| Some(digit(high)? << 4 | digit(low)?);
    let before = match &bytes[..start] {
        [.., b'%', high, low] if escaped(*high, *low).is_some() => escaped(*high, *low),
        [.., b'\\', b'n' | b't' | b'r' | b'b' | b'f'] => None,
        [.., b'\\', b'u', b'0', b'0', high, low] => escaped(*high, *low),
        [.., last] => Some(*last),
        [] => None,
    };
    !before.is_some_and(goes_on) && !bytes.get(end).copied().is_some_and(goes_on)
}

fn suspect(given: &Given, observer: &UserName, observation: &Observation) -> Suspect {
    let Given { user: victim, name, n, whose, .. } = given;
    let (operation, has) = match whose {
        Some(Whose::Own) => (format!("secret `{name}`"), format!("{victim} has a secret")),
        Some(Whose::Captured) => {
            (format!("credential `{name}`"), format!("{victim} is given their `{name}`"))
        }
        Some(Whose::Private) | None => {
            (format!("private `{name}`"), format!("{victim} is given their `{name}`"))
        }
    };
    let how = match observation.what {
        What::Answer { .. } | What::Refused { .. } => "http answer",
        What::Connected { .. } => "opening of an event connection",
        What::Ended { .. } => "close reason",
        _ => "event connection",
    };
    Suspect {
        kind: FindingKind::Crossing,
        victim: victim.clone(),
        victim_run: None,
        observer: observer.clone(),
        victim_operation: operation,
        observer_operation: how.into(),
        evidence: vec![
            shows(*n, has),
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
        assert!(!stands_alone(b"%61session-1", 3, 12) && stands_alone(b"%20session-1", 3, 12));
        assert!(!stands_alone(b"\\u0061session-1", 6, 15) && stands_alone(b"\\nsession-1", 2, 11));
    }
}
