//! The places and types that a scenario expects in messages, and what the server's messages hold there.
//!
//! A place that never matches makes a check blind without a word: nothing is found there, so nothing
//! is wrong there. So it is told, with what was found in its stead.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use partywall_core::dialect::{Dialect, Matching};
use partywall_core::history::{History, What};
use partywall_core::protocol::{AnswerKind, Protocol, Start};
use partywall_core::raw::Raw;
use partywall_core::reader::{Reader, SSE_EVENT};
use partywall_core::template;
use partywall_core::unmet::{Expected, Mismatch, Unmet};

/// How many examples of a value, a type or a place are kept.
const MOST_EXAMPLES: usize = 5;

/// How much of an example is kept, in characters.
const LONGEST_EXAMPLE: usize = 24;

/// How deep members are listed.
const DEEPEST: usize = 3;

/// What was seen of the expectations so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpectedPlaces {
    open: BTreeMap<Expected, Seen>,
    messages: u64,
    /// Messages of event connections and streams.
    events: u64,
    /// Event connections that were opened.
    #[serde(default)]
    connections: u64,
    types: BTreeSet<String>,
    members: BTreeSet<String>,
}

/// What was seen of one expectation that is not met so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    written: String,
    values: BTreeSet<String>,
}

impl ExpectedPlaces {
    /// What that protocol expects. The reference back end's is not looked at: it is known to hold.
    pub(crate) fn of(protocol: &Protocol) -> Self {
        let dialect = &protocol.dialect;
        let mut open = BTreeMap::new();
        let mut expect = |expected, written: String| {
            open.insert(expected, Seen { written, ..Seen::default() });
        };
        for (expected, place) in places(dialect) {
            if !place.is_empty() {
                expect(expected, format!("{place:?}"));
            }
        }
        for (expected, kind) in
            [(Expected::Greeting, &dialect.greeting), (Expected::Accepted, &dialect.accepted)]
        {
            if !kind.is_empty() {
                expect(expected, format!("{kind:?}"));
            }
        }
        if !dialect.events.is_empty() {
            expect(Expected::Types, format!("{:?}", dialect.events));
        }
        if dialect.tells_ends() {
            let kinds = dialect.terminal.iter().map(|(kind, _)| format!("{kind:?}"));
            let places =
                dialect.ends_where.iter().map(|place| format!("{{ present = {place:?} }}"));
            expect(
                Expected::Ends,
                format!("[{}]", kinds.chain(places).collect::<Vec<_>>().join(", ")),
            );
        }
        if dialect.strict {
            open.clear();
        }
        Self { open, ..Self::default() }
    }

    /// Whether all is met.
    fn is_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// Looks at what users received, until all is met.
    pub(crate) fn look(&mut self, history: &History) {
        if self.is_complete() {
            return;
        }
        let mut look = Look::new(history);
        for observation in &history.observations {
            let on = observation.on.as_ref().map(|on| on.as_str());
            match (&observation.what, on) {
                (What::Start { thread, request_id, .. }, _) => {
                    look.threads.insert(thread.as_str());
                    look.requests.insert(request_id.as_str());
                }
                (What::Request { run, .. }, Some(on)) => {
                    _ = look.exchanges.insert(on, run.is_some())
                }
                (What::Connected { .. }, _) => self.connections += 1,
                (What::Received { raw }, Some(on)) => {
                    let streamed = look.exchanges.contains_key(on);
                    look.message(self, raw, Some(streamed));
                }
                (What::Answer { status: ..400, raw, .. }, Some(on))
                    if !raw.is_empty() && look.exchanges.get(on) == Some(&true) =>
                {
                    look.message(self, raw, None);
                }
                _ => {}
            }
            if self.is_complete() {
                return;
            }
        }
    }

    /// Adds what another part of the same campaign has seen.
    pub(crate) fn merge(&mut self, other: Self) {
        self.open.retain(|expected, own| {
            let Some(theirs) = other.open.get(expected) else { return false };
            extend(&mut own.values, theirs.values.iter().cloned());
            true
        });
        self.messages += other.messages;
        self.events += other.events;
        self.connections += other.connections;
        extend(&mut self.types, other.types);
        extend(&mut self.members, other.members);
    }

    /// Whether a greeting is expected, and none came on any connection.
    pub(crate) fn lacks_greeting(&self) -> bool {
        self.connections > 0 && self.open.contains_key(&Expected::Greeting)
    }

    /// The expectations that nothing met although there was something to look at.
    pub(crate) fn unmet(&self) -> Vec<Unmet> {
        let told = |expected: Expected| match expected.is_of_types() {
            true => self.events,
            false => self.messages,
        };
        // Without types nothing has one.
        let no_types = self.open.contains_key(&Expected::Type);
        // Without events there is none with anything in it.
        let no_events = [Expected::Types, Expected::Ends].map(|own| self.open.contains_key(&own));
        let no_events = !no_types && no_events == [true; 2];
        let is_told = |expected: &Expected| match expected {
            Expected::Greeting if self.connections > 0 && self.events == 0 => true,
            expected => {
                told(*expected) > 0 && !(if expected.is_of_types() { no_types } else { no_events })
            }
        };
        let open = self.open.iter().filter(|(expected, _)| is_told(expected));
        open.map(|(&expected, seen)| {
            let (mismatch, found) = match (expected, seen.values.is_empty()) {
                (expected, _) if expected.is_of_types() => (Mismatch::NoSuchType, &self.types),
                (_, true) => (Mismatch::NothingThere, &self.members),
                (_, false) => (Mismatch::NothingKnown, &seen.values),
            };
            let found = found.iter().cloned().collect();
            let (written, messages) = (seen.written.clone(), told(expected));
            Unmet { expected, written, mismatch, found, messages }
        })
        .collect()
    }
}

fn places(dialect: &Dialect) -> [(Expected, &str); 6] {
    [
        (Expected::Type, &dialect.kind),
        (Expected::User, &dialect.user),
        (Expected::Thread, &dialect.thread),
        (Expected::Run, &dialect.run),
        (Expected::Request, &dialect.request),
        (Expected::Sequence, &dialect.sequence),
    ]
}

/// What is known of a history while it is looked through.
struct Look<'h> {
    protocol: &'h Protocol,
    reader: Reader,
    users: BTreeSet<&'h str>,
    threads: BTreeSet<&'h str>,
    requests: BTreeSet<&'h str>,
    /// HTTP exchanges, each with whether it is about a run.
    exchanges: BTreeMap<&'h str, bool>,
    /// Whether users say in which conversation they speak, so that its name is theirs.
    sends_thread: bool,
    /// What events must name for their runs to be found.
    binding: Option<Expected>,
}

impl<'h> Look<'h> {
    fn new(history: &'h History) -> Self {
        let protocol: &Protocol = &history.plan.protocol;
        let Protocol { identity, setup, start, other_starts, events, dialect, .. } = protocol;
        let sent = serde_json::to_string(&(identity, setup, start, other_starts, events));
        let sends = |name| {
            let sent = sent.as_ref().map(|sent| template::names(sent));
            sent.is_ok_and(|names| names.is_ok_and(|names| names.contains(&name)))
        };
        let on_connection =
            matches!(start, Start::Message(_) | Start::Http { answer: AnswerKind::Accepted, .. });
        let binding = match dialect.matching {
            Matching::Run => Some(Expected::Run),
            Matching::Request => Some(Expected::Request),
            Matching::Order | Matching::Stream => None,
        };
        Self {
            protocol,
            reader: Reader::new(dialect),
            users: history.plan.users.iter().map(|user| user.name.as_str()).collect(),
            threads: BTreeSet::new(),
            requests: BTreeSet::new(),
            exchanges: BTreeMap::new(),
            sends_thread: sends("thread"),
            binding: binding.filter(|_| on_connection),
        }
    }

    /// Takes a message in: of a stream or not, or an answer, whole.
    fn message(&self, seen: &mut ExpectedPlaces, raw: &Raw, streamed: Option<bool>) {
        let dialect = &self.protocol.dialect;
        let is_event = streamed.is_some();
        let payload = self.reader.payload(raw, streamed == Some(true));
        let said = self.reader.read(dialect, raw, streamed == Some(true));
        if said.ignored {
            return;
        }
        let tree = payload.json.tree();
        let kind = said.kind.as_deref().unwrap_or_default();
        let at = |place: &str| tree.as_ref()?.pointer(place).filter(|value| !value.is_null());
        seen.messages += 1;
        seen.events += u64::from(is_event);
        if is_event && !kind.is_empty() {
            extend(&mut seen.types, [example(kind)]);
        }
        if let Some(tree) = &tree {
            members(tree, "", DEEPEST, &mut seen.members);
        }
        seen.open.retain(|expected, open| {
            let value = |place: &str| at(place).map(as_text);
            let is_of = |kinds: &str| is_event && kind == kinds;
            let (value, is_known): (_, &dyn Fn(&str) -> bool) = match expected {
                Expected::Type if dialect.kind == SSE_EVENT => {
                    (payload.event.map(str::to_owned), &|_| true)
                }
                Expected::Type => (value(&dialect.kind), &|_| true),
                Expected::User => (value(&dialect.user), &|user| self.users.contains(user)),
                Expected::Thread => (value(&dialect.thread), &|thread| {
                    !self.sends_thread || self.threads.contains(thread)
                }),
                Expected::Run => (value(&dialect.run), &|_| true),
                Expected::Request => {
                    (value(&dialect.request), &|request| self.requests.contains(request))
                }
                Expected::Sequence => {
                    // A number in quotes is none to those who judge.
                    (at(&dialect.sequence).map(Value::to_string), &|number| {
                        number.parse::<u64>().is_ok()
                    })
                }
                Expected::Greeting => return !is_of(&dialect.greeting),
                Expected::Accepted => return !is_of(&dialect.accepted),
                Expected::Types => return !dialect.events.iter().any(|own| is_of(own)),
                Expected::Ends => return !(is_event && said.is_terminal),
            };
            let Some(value) = value.filter(|_| is_event || self.binding != Some(*expected)) else {
                return true;
            };
            extend(&mut open.values, [example(&value)]);
            !is_known(&value)
        });
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text as an example: short and quoted, since it is the server's.
fn example(text: &str) -> String {
    let short: String = text.chars().take(LONGEST_EXAMPLE).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    format!("{:?}", short + cut)
}

fn extend(examples: &mut BTreeSet<String>, more: impl IntoIterator<Item = String>) {
    for one in more {
        if examples.len() < MOST_EXAMPLES {
            examples.insert(one);
        }
    }
}

/// Lists the places of a message at which there is something other than members.
fn members(value: &Value, at: &str, depth: usize, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members_of) if depth > 0 => {
            for (name, value) in members_of {
                let name = name.replace('~', "~0").replace('/', "~1");
                members(value, &format!("{at}/{name}"), depth - 1, found);
            }
        }
        Value::Array(elements) if depth > 0 => {
            for (index, value) in elements.iter().take(MOST_EXAMPLES).enumerate() {
                members(value, &format!("{at}/{index}"), depth - 1, found);
            }
        }
        Value::Null => {}
        _ => extend(found, [example(at)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Expected::{Accepted, Ends, Greeting, Request, Run, Sequence, Thread, Type, Types, User};
    use Mismatch::{NoSuchType, NothingKnown, NothingThere};
    use partywall_core::protocol::Content;
    use partywall_oracles::notation::history;
    use std::sync::Arc;

    const ALL: &str = "alice connects; bob connects; alice starts r1; bob starts r1; \
                       r1 of alice emits 1; r1 of alice ends 2; r1 of bob ends 1";

    /// What is not met where the dialect of a server is changed like that.
    fn unmet_of(text: &str, change: impl FnOnce(&mut Dialect)) -> Vec<Unmet> {
        let mut history = history(text);
        let protocol = Arc::make_mut(&mut history.plan.protocol);
        protocol.dialect.strict = false;
        protocol.start = Start::Message(Content::Text("{{ thread }}: {{ prompt }}".into()));
        protocol.other_starts.clear();
        change(&mut protocol.dialect);
        let mut expected = ExpectedPlaces::of(&history.plan.protocol);
        expected.look(&history);
        expected.unmet()
    }

    fn codes(unmet: &[Unmet]) -> Vec<(Expected, Mismatch)> {
        unmet.iter().map(|unmet| (unmet.expected, unmet.mismatch)).collect()
    }

    #[test]
    fn each_expectation_that_nothing_meets_is_told_alone() {
        type Change = fn(&mut Dialect);
        let rows: [(Change, Option<(Expected, Mismatch)>); 18] = [
            (|_| (), None),
            (|own| own.kind = "/kind".into(), Some((Type, NothingThere))),
            (|own| own.user = "/who".into(), Some((User, NothingThere))),
            (|own| own.user = "/type".into(), Some((User, NothingKnown))),
            (|own| own.thread = "/conversation".into(), Some((Thread, NothingThere))),
            (|own| own.thread = "/type".into(), Some((Thread, NothingKnown))),
            (|own| own.run = "/run".into(), Some((Run, NothingThere))),
            (|own| own.request = "/ref".into(), Some((Request, NothingThere))),
            (|own| own.request = "/type".into(), Some((Request, NothingKnown))),
            (|own| own.sequence = "/seq".into(), Some((Sequence, NothingThere))),
            (|own| own.sequence = "/type".into(), Some((Sequence, NothingKnown))),
            (|own| own.greeting = "welcome".into(), Some((Greeting, NoSuchType))),
            (|own| own.accepted = "accepted".into(), Some((Accepted, NoSuchType))),
            (|own| own.events = vec!["strated".into(), "tokne".into()], Some((Types, NoSuchType))),
            // Of a list one that is seen is enough, and an end need not be in it.
            (|own| own.events = vec!["agent_started".into(), "agent_thinkng".into()], None),
            (|own| own.events.retain(|kind| kind != "agent_completed"), None),
            (|own| own.terminal = vec![("agent_complete".into(), None)], Some((Ends, NoSuchType))),
            (|own| own.ends_where = vec!["/nowhere".into()], None),
        ];
        for (at, (change, expected)) in rows.into_iter().enumerate() {
            let found = codes(&unmet_of(ALL, change));
            assert_eq!(found, Vec::from_iter(expected), "row {at}");
        }
    }

    #[test]
    fn what_was_found_is_told_with_it() {
        let unmet = unmet_of(ALL, |own| own.user = "/type".into());
        assert!(unmet[0].found.contains(&"\"agent_started\"".to_owned()), "{unmet:?}");
        let unmet = unmet_of(ALL, |own| own.user = "/who".into());
        assert!(unmet[0].found.contains(&"\"/user_id\"".to_owned()), "{unmet:?}");
        let unmet = unmet_of(ALL, |own| own.terminal = vec![("agent_complete".into(), None)]);
        assert!(unmet[0].found.contains(&"\"agent_completed\"".to_owned()), "{unmet:?}");
    }

    #[test]
    fn where_nothing_came_only_the_greeting_is_missed() {
        let silent = "alice connects silently; bob connects silently; alice asks r1; bob asks r1";
        let unmet = unmet_of(silent, |own| own.user = "/who".into());
        assert_eq!(codes(&unmet), [(Greeting, NoSuchType)]);
        let unmet =
            unmet_of(silent, |own| (own.user, own.greeting) = ("/who".into(), String::new()));
        assert_eq!(unmet, []);
    }

    #[test]
    fn one_part_that_meets_it_is_enough() {
        let seen = |change: fn(&mut Dialect)| {
            let mut history = history(ALL);
            Arc::make_mut(&mut history.plan.protocol).dialect.strict = false;
            let mut expected = ExpectedPlaces::of(&history.plan.protocol);
            change(&mut Arc::make_mut(&mut history.plan.protocol).dialect);
            expected.look(&history);
            expected
        };
        let (met, unmet) = (seen(|_| ()), seen(|own| own.user = "/who".into()));
        let after = |one: &ExpectedPlaces, other: &ExpectedPlaces| {
            let mut one = one.clone();
            one.merge(other.clone());
            codes(&one.unmet())
        };
        assert_eq!([after(&met, &unmet), after(&unmet, &met)], [[], []]);
        assert_eq!(after(&unmet, &unmet), [(User, NothingThere)]);
    }
}
