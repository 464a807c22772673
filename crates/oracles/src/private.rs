//! What one user has alone: a secret of theirs, which stands in the history as a mark, and what the
//! scenario calls private, a session, a token. For O2.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasickBuilder, MatchKind};

use super::case::Case;
use super::edits::{Edit, with_bytes};
use super::suspects::{Suspects, crossing, shows};
use partywall_core::finding::Suspect;
use partywall_core::hidden::MARK;
use partywall_core::history::{Observation, What, Whose};
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::protocol::{Act, Capture, SetUp};
use partywall_core::raw::Raw;
use partywall_core::template::may_be_of;

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
    let protocol = &case.history.plan.protocol;
    if protocol.setup.iter().all(|step| private(step).next().is_none()) {
        return gathered.values.into_values().collect();
    }
    let replies = protocol.events.iter().flat_map(|events| &events.replies);
    let replies: Vec<&[u8]> = replies.map(|(_, reply)| reply.as_bytes()).collect();
    let (each, once): (Vec<_>, Vec<_>) = protocol.setup.iter().partition(|s| s.each_connection);
    let mut users: BTreeMap<&UserName, Progress<'_>> = BTreeMap::new();
    for observation in &case.history.observations {
        let (Some(by), Some(on)) = (&observation.by, &observation.on) else { continue };
        let user = users.entry(by).or_insert_with(|| Progress::new(&once, &each));
        match &observation.what {
            What::Connected { .. } => user.connected(on),
            What::Sent { raw } if !replies.contains(&raw.bytes()) => user.sent(on),
            What::Request { method, path, run: None, .. } => user.asks(on, method, path),
            What::Answer { status, headers, raw } => {
                if let Some(step) = user.asked.remove(on).filter(|_| *status < 400)
                    && let Some(values) = gathered.values(by, step, &headers.text(), &raw.text())
                {
                    gathered.keep(observation, values);
                }
            }
            What::Received { raw } => {
                let Some((step, _)) = user.waits.filter(|(_, own)| *own == on) else { continue };
                let json = case.reader.payload(raw, false).json;
                if let Some(values) = gathered.values(by, step, "", &json.lossy()) {
                    user.waits = None;
                    gathered.keep(observation, values);
                }
            }
            _ => {}
        }
    }
    gathered.values.into_values().collect()
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
            if *whose != Whose::Earlier {
                own.hidden.insert((user.as_str(), name));
            }
            owners.entry(mark).or_default().push(Given {
                value: mark.clone(),
                user: user.clone(),
                name: name.clone(),
                n: observation.n,
                whose: Some(*whose),
                long: *long,
            });
        }
        let distinguishing = Distinguishing::of(&owners);
        let alone = owners
            .into_iter()
            .filter_map(|(mark, all)| Some((mark.to_owned(), one_of(all, &distinguishing)?)));
        own.values = alone.collect();
        own
    }

    /// All that the step captures, if all of it is there: the user takes all of one answer or nothing.
    /// Of what stands as a mark it is told elsewhere whose it is.
    fn values<'p>(
        &self,
        user: &UserName,
        step: &'p SetUp,
        headers: &str,
        body: &str,
    ) -> Option<Vec<(&'p Capture, String)>> {
        let value = |capture: &'p Capture| {
            let hidden = self.hidden.contains(&(user.as_str(), capture.name.as_str()));
            let value = if hidden { String::new() } else { capture.from.value(headers, body)? };
            Some((capture, value))
        };
        step.captures.iter().map(value).collect()
    }

    fn keep(&mut self, observation: &Observation, values: Vec<(&Capture, String)>) {
        let Some(user) = &observation.by else { return };
        for (capture, value) in values {
            if capture.private && value.len() >= SHORTEST && !value.contains(MARK) {
                let (name, n) = (capture.name.clone(), observation.n);
                let (user, whose, long) = (user.clone(), None, false);
                let given = Given { value: value.clone(), user, name, n, whose, long };
                self.values.entry(value).or_insert(given);
            }
        }
    }
}

/// Under one name fewer values than these may be replicas, roles or variants of a page.
const MANY_VALUES: usize = 6;

/// The names under which a back end gives each user something of their own, a session: for most of
/// those who were given it another value, or many values, none of which went to more than three users
/// on average. A cookie that names a replica, a guest token or a variant of the page is the same for
/// many, and proves nobody to be somebody.
struct Distinguishing(BTreeSet<String>);

impl Distinguishing {
    fn of(owners: &BTreeMap<&str, Vec<Given>>) -> Self {
        let mut names: BTreeMap<&str, (usize, BTreeSet<&UserName>)> = BTreeMap::new();
        for given in owners.values() {
            let mut named = BTreeSet::new();
            for one in given {
                let (values, users) = names.entry(&one.name).or_default();
                *values += usize::from(named.insert(&one.name));
                users.insert(&one.user);
            }
        }
        let each_has_one = |(values, users): &(usize, BTreeSet<_>)| {
            values * 2 > users.len() || (*values >= MANY_VALUES && values * 3 >= users.len())
        };
        let names = names.into_iter().filter(|(_, counted)| each_has_one(counted));
        Self(names.map(|(name, _)| name.to_owned()).collect())
    }
}

/// Whose a secret is, of all who have it; none where that is nobody alone.
fn one_of(mut all: Vec<Given>, distinguishing: &Distinguishing) -> Option<Given> {
    if all.iter().any(|given| given.whose != Some(Whose::Earlier)) {
        // A server may give the same session to another later on: it is theirs from then on.
        all.retain(|given| given.whose != Some(Whose::Earlier));
    }
    let of = |whose| all.iter().filter(move |given| given.whose == Some(whose));
    if let Some(first) = of(Whose::Own).next() {
        return of(Whose::Own).all(|other| other.user == first.user).then(|| first.clone());
    }
    if let Some(first) = of(Whose::Private).next() {
        return Some(first.clone());
    }
    let first = all.first()?;
    let of_one = all.iter().all(|other| other.user == first.user);
    let is_theirs =
        (of_one && first.whose != Some(Whose::Session)) || distinguishing.0.contains(&first.name);
    is_theirs.then(|| first.clone())
}

/// How far one user has come with the steps of the set-up, in the order in which each takes them.
struct Progress<'p> {
    /// Those before the first connection, and those on this one, that are left.
    once: &'p [&'p SetUp],
    each: &'p [&'p SetUp],
    /// Those on each connection.
    all_of_each: &'p [&'p SetUp],
    /// Where something was sent before the connection stood: it was another user's, and goes on
    /// without a set-up.
    taken_over: BTreeSet<&'p ConnectionId>,
    /// The requests of steps without an answer so far.
    asked: BTreeMap<&'p ConnectionId, &'p SetUp>,
    /// The step that waits for a message, and where.
    waits: Option<(&'p SetUp, &'p ConnectionId)>,
}

impl<'p> Progress<'p> {
    fn new(once: &'p [&'p SetUp], all_of_each: &'p [&'p SetUp]) -> Self {
        Self {
            once,
            each: &[],
            all_of_each,
            taken_over: BTreeSet::new(),
            asked: BTreeMap::new(),
            waits: None,
        }
    }

    fn connected(&mut self, on: &ConnectionId) {
        self.waits = None;
        self.each = if self.taken_over.contains(on) { &[] } else { self.all_of_each };
    }

    fn sent(&mut self, on: &'p ConnectionId) {
        self.taken_over.insert(on);
        if let [step, rest @ ..] = self.each
            && matches!(step.act, Act::Send(_))
        {
            self.each = rest;
            self.waits = (!step.captures.is_empty()).then_some((*step, on));
        }
    }

    fn asks(&mut self, on: &'p ConnectionId, method: &str, path: &str) {
        for steps in [&mut self.once, &mut self.each] {
            if let [step, rest @ ..] = *steps
                && is_of(step, method, path)
            {
                *steps = rest;
                self.asked.insert(on, step);
                return;
            }
        }
    }
}

/// Whether that request may be the one of the step.
fn is_of(step: &SetUp, method: &str, path: &str) -> bool {
    let Act::Request(request) = &step.act else { return false };
    request.method == method && may_be_of(&request.path, path)
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
pub(super) fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
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
        Some(Whose::Captured | Whose::Session) => {
            (format!("credential `{name}`"), format!("{victim} is given their `{name}`"))
        }
        Some(Whose::Earlier) => (
            format!("private `{name}` of an earlier round"),
            format!("{victim} was given their `{name}` in an earlier round"),
        ),
        Some(Whose::Private) | None => {
            (format!("private `{name}`"), format!("{victim} is given their `{name}`"))
        }
    };
    let evidence =
        vec![shows(*n, has), shows(observation.n, format!("{observer} is shown the same"))];
    crossing((victim, None), operation, observer, shown_as(observation), evidence)
}

/// How what came in there came, as findings name it.
pub(super) fn shown_as(observation: &Observation) -> &'static str {
    match observation.what {
        What::Answer { .. } | What::Refused { .. } => "http answer",
        What::Connected { .. } => "opening of an event connection",
        What::Ended { .. } => "close reason",
        _ => "event connection",
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

/// The same with a value that they had in an earlier round. The first rounds have none, so it is
/// told there as it would be.
pub(super) fn shown_a_round_later(
    case: &Case<'_>,
    given: &Given,
    observer: &UserName,
) -> Option<Vec<Edit>> {
    let value = format!("{MARK}of-an-earlier-round{MARK}");
    let given = Given { value: value.clone(), ..given.clone() };
    let mut edits = shown_to_another(case, &given, observer)?;
    let what = What::Secret { mark: value, name: given.name, whose: Whose::Earlier, long: true };
    let observation = Observation { n: 0, at: 0, by: Some(given.user), on: None, what };
    edits.push(Edit::Insert { before: 0, observation });
    Some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::history;
    use partywall_core::dialect::Dialect;

    /// What was given to whom, of those steps and observations of alice's, each on a connection.
    fn given_by(setup: &str, seen: &[(&str, What)]) -> Vec<(String, String)> {
        let mut history = history("alice exists; bob exists");
        let protocol = serde_json::json!({
            "dialect": Dialect::reference(),
            "identity": {},
            "setup": serde_json::from_str::<serde_json::Value>(setup).expect("JSON"),
            "start": {"message": "nothing"},
            "patience": 1,
        });
        let protocol = serde_json::from_value(protocol).expect("a protocol");
        history.plan.protocol = std::sync::Arc::new(protocol);
        for (n, (on, what)) in (0..).zip(seen) {
            let (on, what) = (Some(ConnectionId::new(*on)), what.clone());
            history.observations.push(Observation { n, at: n, by: Some("alice".into()), on, what });
        }
        let dialect = Dialect::reference();
        let case = Case::new(&history, &dialect);
        given(&case).into_iter().map(|given| (given.name, given.value)).collect()
    }

    fn one(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    fn received(text: &str) -> What {
        What::Received { raw: text.into() }
    }

    fn asked(path: &str) -> What {
        What::Request { method: "POST".into(), path: path.into(), raw: Raw::default(), run: None }
    }

    fn answer(body: &str) -> What {
        What::Answer { status: 200, headers: Raw::default(), raw: body.into() }
    }

    const OPENS: &str = r#"[{"name": "open", "each_connection": true, "act": {"send": "nothing"},
        "captures": [{"name": "sid", "from": {"pointer": "/sid"}, "private": true},
                     {"name": "key", "from": {"pointer": "/key"}, "private": true}]}]"#;

    #[test]
    fn all_that_a_step_captures_is_of_one_message_after_what_was_sent() {
        let sent = || What::Sent { raw: "open".into() };
        let seen = [
            ("s1", What::Connect),
            ("s1", What::Connected { headers: Raw::default() }),
            // Before it was asked for, and in parts.
            ("s1", received(r#"{"sid": "greeting", "key": "greeting-key"}"#)),
            ("s1", sent()),
            ("s1", received(r#"{"sid": "the first half"}"#)),
            ("s1", received(r#"{"sid": "session", "key": "the key"}"#)),
            // The step is done there.
            ("s1", received(r#"{"sid": "another", "key": "another key"}"#)),
            ("s1", sent()),
            ("s1", received(r#"{"sid": "of a run", "key": "of a run's"}"#)),
        ];
        let own = [one("sid", "session"), one("key", "the key")];
        assert_eq!(given_by(OPENS, &seen), own);
        // A connection that was another user's goes on without a set-up.
        let seen = [
            ("s1", What::Connect),
            ("s1", sent()),
            ("s1", What::Connected { headers: Raw::default() }),
            ("s1", sent()),
            ("s1", received(r#"{"sid": "session", "key": "the key"}"#)),
        ];
        assert_eq!(given_by(OPENS, &seen), []);
    }

    #[test]
    fn the_answer_of_a_step_is_that_of_its_own_request() {
        let setup = r#"[{"name": "base", "each_connection": false, "act": {"request":
            {"method": "POST", "path": "{{ capture.base }}/session", "content": "nothing"}},
            "captures": [{"name": "sid", "from": {"pointer": "/sid"}, "private": true}]}]"#;
        let seen = [
            // Another request, whose answer has the like.
            ("h1", asked("/runs/7/stop")),
            ("h1", answer(r#"{"sid": "somebody's"}"#)),
            ("h2", asked("v1/session")),
            ("h2", answer(r#"{"sid": "session"}"#)),
            // Done once: what is shown there later need not be one's own.
            ("h3", asked("v1/session")),
            ("h3", answer(r#"{"sid": "of another"}"#)),
        ];
        assert_eq!(given_by(setup, &seen), [one("sid", "session")]);
    }

    /// Whether a cookie tells users apart that so many are given, each value by so many in turn.
    fn tells_apart(users: usize, values: usize) -> bool {
        let given = |user: usize| Given {
            value: (user % values).to_string(),
            user: UserName::new(format!("user-{user}")),
            name: "sid".into(),
            n: 0,
            whose: Some(Whose::Session),
            long: true,
        };
        let marks: Vec<String> = (0..values).map(|value| value.to_string()).collect();
        let of = |mark: &String| (0..users).map(given).filter(|one| one.value == *mark).collect();
        let owners = marks.iter().map(|mark| (mark.as_str(), of(mark))).collect();
        Distinguishing::of(&owners).0.contains("sid")
    }

    #[test]
    fn a_session_that_each_two_or_three_users_are_given_still_tells_users_apart() {
        let clear = [(12, 12), (12, 11), (3, 2), (12, 6), (50, 25), (18, 6)];
        // A replica, a role, a variant of a page, and what everybody has.
        let unclear = [(12, 4), (50, 8), (8, 4), (12, 1), (19, 6)];
        assert_eq!(clear.map(|(users, values)| tells_apart(users, values)), [true; 6]);
        assert_eq!(unclear.map(|(users, values)| tells_apart(users, values)), [false; 5]);
    }

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
