//! What the server said to users who logged in, connected and started runs, added up.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use partywall_core::failure::Cause;
use partywall_core::heard::{AnswerCount, Asked, Came, Heard, LONGEST_QUOTE, TypeCount, quoted};
use partywall_core::history::{History, Observation, What};
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::lenient;
use partywall_core::plan::Via;
use partywall_core::protocol::{Act, Protocol, Request, Start as Way};
use partywall_core::raw::Raw;
use partywall_core::template::may_be_of;
use partywall_core::unmet::Unmet;
use partywall_oracles::Case;
use partywall_oracles::case::Start;
use partywall_oracles::message::Channel;

/// How many kinds of answers, of types and of users' names are kept.
const MOST_ANSWERS: usize = 64;
const MOST_TYPES: usize = 64;
const MOST_NAMES: usize = 8;

/// The longest answer that is looked into for an error, in bytes.
const LONGEST_ERROR: usize = 64 << 10;

/// How many of them a report shows.
const SHOWN_ANSWERS: usize = 5;
const SHOWN_TYPES: usize = 10;

/// What the server said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replies {
    answers: Vec<AnswerCount>,
    types: BTreeMap<String, Kind>,
    /// In one history, who came to nothing since the server takes no such names.
    #[serde(skip)]
    pub(crate) left_out: BTreeSet<UserName>,
}

/// What is known of a type of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kind {
    times: u64,
    said: String,
    is_named: bool,
    /// Whether it only greets who connects.
    greets: bool,
}

impl Replies {
    /// What one history shows. `ended` says which runs ended, `is_cut` which the plan cuts off.
    pub(crate) fn of(
        case: &Case<'_>,
        ended: &BTreeMap<(&str, u16), usize>,
        is_cut: &dyn Fn(&Start<'_>) -> bool,
    ) -> Self {
        let talks = talks(case.history);
        let mut seen = Seen::default();
        let protocol = &case.history.plan.protocol;
        let mut starts = BTreeMap::new();
        for start in &case.starts {
            if let Some(line) = case.exchange_of(start) {
                starts.entry(line.id).or_insert_with(Vec::new).push(start);
            }
        }
        let unfilled = unfilled(case.history);
        for (on, talk) in &talks {
            let Some(user) = talk.user else { continue };
            let started = starts.get(*on).map_or(&[][..], Vec::as_slice);
            if talk.connects {
                let request = connecting(protocol);
                let came = talk.opened();
                seen.add(Asked::Connect, &request, user, came, talk);
                for start in started {
                    let has_ended = ended.contains_key(&(start.user.as_str(), start.run));
                    if !has_ended && !is_cut(start) && talk.connected {
                        let came = match unfilled.contains(user) {
                            true => Some(Came::Failed { cause: Cause::Unfilled }),
                            false => Some(talk.ended()),
                        };
                        seen.add(
                            Asked::Start,
                            &format!("a message on {request}"),
                            user,
                            came,
                            talk,
                        );
                    }
                }
            } else if let Some(start) = started.first() {
                let has_ended = ended.contains_key(&(start.user.as_str(), start.run));
                if has_ended || !is_cut(start) {
                    let request = starting(protocol, start.via);
                    seen.add(Asked::Start, &request, user, talk.answered(has_ended), talk);
                }
            } else if let Some((name, request)) = talk.step(protocol) {
                seen.add(Asked::SetUp { name }, &request, user, talk.answered(false), talk);
            }
        }
        let mut replies = seen.finish();
        let came_through: BTreeSet<&str> = ended.keys().map(|(user, _)| *user).collect();
        replies.left_out.retain(|user| !came_through.contains(user.as_str()));
        replies.take_types(case);
        replies
    }

    fn take_types(&mut self, case: &Case<'_>) {
        for message in &case.messages {
            if message.channel == Channel::HttpAnswer {
                continue;
            }
            let kind = case.kind(message).unwrap_or_default();
            if let Some(own) = self.types.get_mut(kind) {
                own.times += 1;
            } else if self.types.len() < MOST_TYPES {
                let raw = case.history.observations[message.at()].what.inbound();
                let said = raw.map(beginning).unwrap_or_default();
                let is_named = names(case, kind);
                let greets = kind == case.dialect.greeting;
                let new = Kind { times: 0, said, is_named, greets };
                self.types.entry(quoted(kind)).or_insert(new).times += 1;
            }
        }
    }

    /// Adds what another trial, or another part of the same campaign, shows.
    pub(crate) fn merge(&mut self, other: Self) {
        for answer in other.answers {
            let alike = |own: &&mut AnswerCount| key(own) == key(&answer);
            if let Some(own) = self.answers.iter_mut().find(alike) {
                let times = own.times + answer.times;
                if answer.users > own.users {
                    *own = answer;
                }
                own.times = times;
            } else if self.answers.len() < MOST_ANSWERS {
                self.answers.push(answer);
            }
        }
        for (name, kind) in other.types {
            if let Some(own) = self.types.get_mut(&name) {
                own.times += kind.times;
            } else if self.types.len() < MOST_TYPES {
                self.types.insert(name, kind);
            }
        }
    }

    /// What kept users from logging in, or from connecting where all could log in; the commonest
    /// first.
    pub(crate) fn before_runs(&self) -> Vec<&AnswerCount> {
        let failed = self.set_up_failed();
        self.in_the_way(|asked| *asked != Asked::Start && (!failed || *asked != Asked::Connect))
    }

    /// The answers that seem to be about the names of those who asked.
    pub(crate) fn of_names(&self) -> impl Iterator<Item = &AnswerCount> {
        self.answers.iter().filter(|own| own.refuses_names())
    }

    /// What kept runs from their end, the commonest first.
    pub(crate) fn of_runs(&self) -> Vec<&AnswerCount> {
        self.in_the_way(|asked| *asked == Asked::Start)
    }

    fn in_the_way(&self, of: impl Fn(&Asked) -> bool) -> Vec<&AnswerCount> {
        let mut all: Vec<_> =
            self.answers.iter().filter(|own| of(&own.asked) && own.is_in_the_way()).collect();
        all.sort_by_key(|own| (own.asked.clone(), std::cmp::Reverse(own.times)));
        all
    }

    /// The answer in order to most of the requests that start a run, where nothing of a run came.
    pub(crate) fn without_events(&self) -> Option<&AnswerCount> {
        let agreed = |own: &&AnswerCount| own.asked == Asked::Start && own.came.is_agreed();
        let common = self.answers.iter().filter(agreed).max_by_key(|own| own.times);
        common.filter(|_| self.types.values().all(|kind| kind.greets))
    }

    /// The commonest type of messages that the scenario does not name.
    pub(crate) fn unnamed(&self) -> Option<TypeCount> {
        let unnamed = self.types.iter().filter(|(_, kind)| !kind.is_named);
        let commonest = unnamed.max_by_key(|(_, kind)| kind.times)?;
        Some(count_of((commonest.0.clone(), commonest.1.clone())))
    }

    /// Whether every run was answered by an error.
    pub(crate) fn are_all_errors(&self) -> bool {
        let mut starts = self.answers.iter().filter(|own| own.asked == Asked::Start).peekable();
        starts.peek().is_some() && starts.all(|own| own.came == Came::ToolError)
    }

    /// Whether a step of the set-up failed.
    pub(crate) fn set_up_failed(&self) -> bool {
        let is_of_setup = |own: &&AnswerCount| matches!(own.asked, Asked::SetUp { .. });
        self.answers.iter().filter(is_of_setup).any(AnswerCount::is_in_the_way)
    }

    /// For a report, with what no message has.
    pub(crate) fn heard(self, unmatched: Vec<Unmet>) -> Heard {
        let mut answers = self.answers;
        answers.sort_by_key(|own| {
            (!own.is_in_the_way(), own.asked.clone(), std::cmp::Reverse(own.times))
        });
        answers.truncate(SHOWN_ANSWERS);
        let mut types: Vec<_> = self.types.into_iter().map(count_of).collect();
        types.sort_by_key(|own| (own.is_named, std::cmp::Reverse(own.times)));
        types.truncate(SHOWN_TYPES);
        Heard { answers, types, unmatched }
    }
}

fn key(own: &AnswerCount) -> (&Asked, &str, Came) {
    (&own.asked, &own.request, own.came)
}

fn count_of((name, Kind { times, said, is_named, .. }): (String, Kind)) -> TypeCount {
    TypeCount { name, times, said, is_named }
}

/// Whether the scenario names messages of that type.
fn names(case: &Case<'_>, kind: &str) -> bool {
    let (dialect, reads) = (case.dialect, &case.history.plan.protocol.reads);
    let answers_ping = reads.ping.as_ref().is_some_and(|ping| ping.answer == kind);
    let ends = dialect.terminal.iter().any(|(own, _)| own == kind);
    answers_ping
        || ends
        || kind == dialect.greeting
        || kind == dialect.accepted
        || dialect.is_event(kind)
}

/// How the event connection is opened, as the scenario gives it.
fn connecting(protocol: &Protocol) -> String {
    protocol.events.as_ref().map_or_else(String::new, |events| format!("GET {}", events.path))
}

/// How a run is started, as the scenario gives it.
fn starting(protocol: &Protocol, via: Via) -> String {
    match protocol.start_via(via) {
        Way::Http { request, .. } => asked_for(request),
        Way::Message(_) => format!("a message on {}", connecting(protocol)),
    }
}

fn asked_for(request: &Request) -> String {
    format!("{} {}", request.method, request.path)
}

/// The answers of one history.
#[derive(Default)]
struct Seen<'h> {
    answers: BTreeMap<(Asked, String, Came), Answers<'h>>,
    asked: BTreeMap<(Asked, String), BTreeSet<&'h UserName>>,
}

/// The answers of one kind.
#[derive(Default)]
struct Answers<'h> {
    times: u64,
    users: BTreeSet<&'h UserName>,
    location: Option<String>,
    said: String,
}

impl<'h> Seen<'h> {
    fn add(
        &mut self,
        asked: Asked,
        request: &str,
        user: &'h UserName,
        came: Option<Came>,
        talk: &Talk<'h>,
    ) {
        let askers = self.asked.entry((asked.clone(), request.to_owned())).or_default();
        askers.insert(user);
        let Some(came) = came else { return };
        let answer = self.answers.entry((asked, request.to_owned(), came));
        let answers = answer.or_insert_with(|| Answers {
            location: talk.location(),
            said: talk.said(came),
            ..Answers::default()
        });
        answers.times += 1;
        answers.users.insert(user);
    }

    fn finish(self) -> Replies {
        let mut left_out = BTreeSet::new();
        let mut answers = Vec::new();
        for ((asked, request, came), answer) in self.answers {
            let Answers { times, users, location, said } = answer;
            let place = (asked, request);
            let all = self.asked.get(&place).map_or(0, BTreeSet::len);
            let names = users.iter().take(if users.len() < all { MOST_NAMES } else { 0 });
            let names = names.map(|name| (*name).clone()).collect();
            let others = self.asked.get(&place).into_iter().flatten();
            let others = others.filter(|name| !users.contains(*name));
            let taken: BTreeSet<char> = others.flat_map(|name| odd_letters(name)).collect();
            let is_odd = |name: &UserName| odd_letters(name).any(|own| !taken.contains(&own));
            let odd_names = users.len() < all && users.iter().all(|name| is_odd(name));
            let (asked, request) = place;
            let [those, of_users] =
                [users.len(), all].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            let answer = AnswerCount {
                asked,
                request,
                came,
                times,
                users: those,
                of_users,
                names,
                odd_names,
                location,
                said,
            };
            if answer.refuses_names() {
                left_out.extend(users.into_iter().cloned());
            }
            answers.push(answer);
        }
        answers.truncate(MOST_ANSWERS);
        Replies { answers, types: BTreeMap::new(), left_out }
    }
}

/// The letters of a name that a server may not take: more than letters and digits of ASCII, `-` and `_`.
fn odd_letters(name: &UserName) -> impl Iterator<Item = char> + '_ {
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    name.as_str().chars().filter(move |letter| !is_plain(letter))
}

/// What happened on one connection or exchange, but for its messages.
#[derive(Default)]
struct Talk<'h> {
    user: Option<&'h UserName>,
    connects: bool,
    connected: bool,
    request: Option<(&'h str, &'h str)>,
    answer: Option<(u16, &'h Raw, &'h Raw)>,
    broken: Option<(Cause, &'h str)>,
    closed: Option<(Option<u16>, &'h Raw)>,
    left: bool,
    /// Whether it is a stream, and a message of it tells of an error.
    streams: bool,
    error: bool,
}

fn talks(history: &History) -> BTreeMap<&ConnectionId, Talk<'_>> {
    let mut talks: BTreeMap<_, Talk<'_>> = BTreeMap::new();
    for observation in &history.observations {
        let Observation { by, on: Some(on), what, .. } = observation else { continue };
        let is_of_interest =
            !matches!(what, What::Sent { .. } | What::Aside { .. } | What::Start { .. });
        if let What::Received { raw } = what {
            // Of the messages those of answers to requests tell more than their types do.
            if let Some(talk) = talks.get_mut(on).filter(|talk| talk.request.is_some()) {
                talk.streams = true;
                talk.error |= tells_error(raw);
            }
        } else if is_of_interest {
            let talk = talks.entry(on).or_default();
            talk.user = talk.user.or(by.as_ref());
            talk.take(what);
        }
    }
    talks
}

/// Who could not fill in what they were to say on their connection.
fn unfilled(history: &History) -> BTreeSet<&UserName> {
    let unfilled = |what: &What| matches!(what, What::Broken { cause: Cause::Unfilled, .. });
    let without =
        history.observations.iter().filter(|seen| seen.on.is_none() && unfilled(&seen.what));
    without.filter_map(|seen| seen.by.as_ref()).collect()
}

impl<'h> Talk<'h> {
    fn take(&mut self, what: &'h What) {
        match what {
            What::Connect => self.connects = true,
            What::Connected { .. } => self.connected = true,
            What::Request { method, path, .. } => self.request = Some((method, path)),
            What::Answer { status, headers, raw } | What::Refused { status, headers, raw } => {
                self.answer = Some((*status, headers, raw));
            }
            What::Broken { error, cause } => self.broken = Some((*cause, error)),
            What::Ended { code, raw } => self.closed = Some((*code, raw)),
            What::Leave { .. } => self.left = true,
            _ => {}
        }
    }

    /// What the opening of an event connection came to, where it failed.
    fn opened(&self) -> Option<Came> {
        match (self.connected, self.answer, self.broken) {
            (true, ..) => None,
            (_, Some((status, ..)), _) => Some(Came::Status { status }),
            (_, None, Some((Cause::Left, _))) | (_, None, None) => None,
            (_, None, Some((cause, _))) => Some(Came::Failed { cause }),
        }
    }

    /// What became of an open connection on which runs did not end.
    fn ended(&self) -> Came {
        match (self.closed, self.broken) {
            (Some((code, _)), _) if !self.left => Came::Closed { code },
            (_, Some((cause, _))) if cause != Cause::Left && !self.left => Came::Failed { cause },
            _ => Came::Failed { cause: Cause::Late },
        }
    }

    /// What came of a request; none where its user went away from it.
    fn answered(&self, has_ended: bool) -> Option<Came> {
        match (self.answer, self.broken) {
            (_, Some((Cause::Left, _))) | (None, None) => None,
            (Some((status, ..)), Some((Cause::Declined, _))) => Some(Came::Status { status }),
            (_, Some((cause @ Cause::NotCaptured, _))) => Some(Came::Failed { cause }),
            // A stream that has begun and does not end is an answer: what it holds says more.
            (Some((200..300, ..)), Some((cause, _)))
                if !(has_ended && self.streams) && cause != Cause::Late =>
            {
                Some(Came::Failed { cause })
            }
            (Some((status @ 200..300, _, raw)), _) => Some(match self.error || tells_error(raw) {
                true => Came::ToolError,
                false => Came::Status { status },
            }),
            (Some((status, ..)), _) => Some(Came::Status { status }),
            (None, Some((cause, _))) => Some(Came::Failed { cause }),
        }
    }

    /// The step of the set-up that the request is of, with the request as the scenario gives it.
    fn step(&self, protocol: &Protocol) -> Option<(String, String)> {
        if self.request.is_none() {
            // A step that could not be filled in has no request; its words name it.
            let cause = self.broken.map(|(cause, _)| cause)?;
            let is_of_setup = !protocol.setup.is_empty() && cause != Cause::Left;
            return is_of_setup.then(|| ("set-up".to_owned(), "a step of the set-up".to_owned()));
        }
        let (method, path) = self.request?;
        protocol.setup.iter().find_map(|step| match &step.act {
            Act::Request(request) => (request.method == method && may_be_of(&request.path, path))
                .then(|| (step.name.clone(), asked_for(request))),
            Act::Send(_) => None,
        })
    }

    fn location(&self) -> Option<String> {
        let (300..400, headers, _) = self.answer? else { return None };
        let headers = headers.text();
        let line = headers.lines().find_map(|line| line.strip_prefix("location: "))?;
        Some(quoted(line))
    }

    fn said(&self, came: Came) -> String {
        match (came, self.answer, self.broken, self.closed) {
            (Came::Status { .. } | Came::ToolError, Some((_, _, raw)), ..) => beginning(raw),
            (Came::Closed { .. }, _, _, Some((_, raw))) => beginning(raw),
            (_, answer, Some((_, error)), _) => match answer {
                Some((_, _, raw)) if !raw.is_empty() => {
                    quoted(&format!("{error}: {}", beginning(raw)))
                }
                _ => quoted(error),
            },
            _ => String::new(),
        }
    }
}

/// The beginning of what came, for a report.
fn beginning(raw: &Raw) -> String {
    let bytes = raw.bytes();
    // One character more than is kept, so that the cut shows.
    quoted(&String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_QUOTE + 4)]))
}

/// Whether an answer in order tells of an error, as JSON-RPC and its tools do.
fn tells_error(raw: &Raw) -> bool {
    if raw.bytes().len() > LONGEST_ERROR {
        return false;
    }
    let text = raw.text();
    if !text.contains("rror") {
        return false;
    }
    let json = text.trim_start();
    let json = json.strip_prefix("data:").unwrap_or(json);
    let Some(tree) = lenient::tree(json.trim()) else { return false };
    let error = tree.get("error").is_some_and(|error| error.is_object() || error.is_string());
    error || tree.pointer("/result/isError").and_then(serde_json::Value::as_bool) == Some(true)
}
