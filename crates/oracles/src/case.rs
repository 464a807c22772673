//! A history, decoded once for all oracles: its messages, connections, starts and runs.
//!
//! What the server sent may be anything. What cannot be read is counted and otherwise left to the
//! scan of the raw bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::by_run::ByRun;
use super::keys::{ByName, in_life};
use super::message::{Channel, Message, Place, Text, Where};
use super::named::Named;
use super::orderly::Orderly;
use super::run_facts::{Acceptance, Answers, RunFacts};
use super::seen::{Seen, Trace, digest_of};
use super::solo::Solos;
use super::starts::StartsByRun;
use super::upstream_calls::UpstreamCall;
use partywall_core::assumption::Assumption;
use partywall_core::canary::{Owner, Scanner, name_digest};
use partywall_core::dialect::{Dialect, Matching};
use partywall_core::history::{History, Observation, What};
use partywall_core::ids::{ConnectionId, RequestId, ThreadId, UserName};
use partywall_core::plan::{UserPlan, Via};
use partywall_core::reader::{Payload, Reader};
use partywall_core::spare::Spare;

/// A connection or an HTTP exchange, by the numbers of what happened on it.
#[derive(Clone, Debug)]
pub struct Connection<'h> {
    /// Its id.
    pub id: &'h ConnectionId,
    /// Whose.
    pub user: Option<&'h UserName>,
    /// Their number in [`StartsByRun`].
    pub(super) user_at: Option<usize>,
    /// Whether it is an event connection.
    pub is_socket: bool,
    /// Whether it is an HTTP exchange.
    pub(super) is_http: bool,
    /// The first observation on it.
    pub first: u64,
    /// When it ended for the first time, whoever ended it.
    pub closed: Option<u64>,
    /// When the back end ended it.
    pub ended: Option<u64>,
    /// When the client went without a goodbye.
    pub vanished: Option<u64>,
    /// When it broke.
    pub broken: Option<u64>,
    /// When an HTTP answer came.
    pub answered: Option<u64>,
    /// The run that an HTTP request was about.
    pub asked_run: Option<u16>,
}

impl Connection<'_> {
    /// Takes in what happened on it.
    pub(super) fn note(&mut self, observation: &Observation) {
        let n = observation.n;
        match &observation.what {
            What::Connect | What::Connected { .. } | What::Received { .. } => self.is_socket = true,
            What::Leave { vanished } => {
                self.closed.get_or_insert(n);
                if *vanished {
                    self.vanished.get_or_insert(n);
                }
            }
            What::Ended { .. } => {
                self.closed.get_or_insert(n);
                self.ended.get_or_insert(n);
            }
            What::Broken { .. } => {
                self.closed.get_or_insert(n);
                self.broken.get_or_insert(n);
            }
            What::Request { run, .. } => {
                (self.asked_run, self.is_http) = (*run, true);
            }
            What::Answer { .. } => {
                self.answered.get_or_insert(n);
            }
            _ => {}
        }
    }
}

/// A run that a user started.
#[derive(Clone, Debug)]
pub struct Start<'h> {
    /// The number of the observation.
    pub n: u64,
    /// Who.
    pub user: &'h UserName,
    /// Their number in [`StartsByRun`].
    pub(super) user_at: usize,
    /// The run's number in the plan.
    pub run: u16,
    /// How.
    pub via: Via,
    /// In which conversation.
    pub thread: &'h ThreadId,
    /// The client's id of the request, and its number among all that were met.
    pub request_id: &'h RequestId,
    pub(super) request: Place,
    /// The connection or exchange, in [`Case::connections`].
    pub(super) line: Option<usize>,
    /// The run that came of it, in [`Case::runs`].
    pub run_at: Option<usize>,
    /// When the user stopped waiting for it, and whether nothing could come any more.
    pub gave_up: Option<(u64, bool)>,
}

/// A history, decoded.
#[derive(Debug)]
pub struct Case<'h> {
    /// What was recorded.
    pub history: &'h History,
    /// How the back end's messages are read.
    pub dialect: &'h Dialect,
    /// What is taken for granted of the server.
    pub assumptions: BTreeSet<Assumption>,
    /// Whether the ids of runs are unique among all users.
    pub(super) unique_runs: bool,
    /// What was received, in order.
    pub messages: Vec<Message<'h>>,
    /// Inbound event-connection messages that are no JSON object with a type.
    pub malformed: u64,
    /// The connections and HTTP exchanges, in order of appearance.
    pub connections: Vec<Connection<'h>>,
    /// The runs that were started, in order.
    pub starts: Vec<Start<'h>>,
    /// What is known of each run id that was seen, in order of appearance.
    pub runs: Vec<RunFacts<'h>>,
    pub(super) acceptances: Vec<Acceptance>,
    /// The genuine canaries that came in, by observation and owner, each once.
    pub(super) seen: Vec<Seen<'h>>,
    /// Those which an earlier state of the same system may have left in a store with another user.
    pub(super) left: Vec<Seen<'h>>,
    /// Beginnings of canaries that were cut short and are not the observer's own.
    pub(super) traces: Vec<Trace<'h>>,
    /// The event messages on sockets of each run, in order.
    pub(super) events: ByRun,
    /// The other messages on sockets that name each run.
    pub(super) others: ByRun,
    /// The texts of messages that do not stand in them as they are.
    pub(super) made: Vec<String>,
    /// What was recorded besides messages of event connections, with its place in the history: they
    /// are nearly all of it.
    pub(super) acts: Vec<(usize, &'h Observation)>,
    /// Finds the JSON in messages.
    pub(super) reader: Reader,
    /// The runs that users named.
    pub(super) named: Named<'h>,
    /// The calls that the upstream logged.
    pub(super) upstream: Vec<UpstreamCall>,
    pub(super) scanner: Scanner,
    /// What each user gets alone, where they were driven alone.
    pub(super) solos: Option<&'h Solos>,
    /// Of each run whether its events came as they should.
    pub(super) orderly: Vec<Option<Orderly>>,
    pub(super) run_ids: ByName<'h>,
    /// How often one process was restarted.
    pub(super) restarts: u32,
    /// The places of users in the plan; of two of one name the first.
    pub(super) people: ByName<'h>,
    /// Sorted; a plan mostly counts its users from 0.
    pub(super) by_index: Vec<(u32, &'h UserPlan)>,
    /// Of each connection whether its user is in the plan.
    pub(super) known: Vec<bool>,
    pub(super) starts_by_run: StartsByRun<'h>,
    /// The path that was asked for in each HTTP exchange, where users share anything.
    pub(super) paths: BTreeMap<&'h ConnectionId, &'h str>,
}

thread_local! {
    pub(super) static SPARE_MESSAGES: Spare<Message<'static>> = const { Spare::none() };
    pub(super) static SPARE_SEEN: Spare<Seen<'static>> = const { Spare::none() };
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        let messages = std::mem::take(&mut self.messages);
        let seen = std::mem::take(&mut self.seen);
        // At the end of a thread there is nothing to keep them for.
        let _ = SPARE_MESSAGES.try_with(|spare| spare.keep(messages));
        let _ = SPARE_SEEN.try_with(|spare| spare.keep(seen));
    }
}

impl<'h> Case<'h> {
    /// Whether that is taken for granted of the server.
    pub(super) fn assumes(&self, assumption: Assumption) -> bool {
        self.assumptions.contains(&assumption)
    }

    /// The same beside what each user gets alone.
    #[must_use]
    pub fn beside(mut self, solos: Option<&'h Solos>) -> Self {
        self.solos = solos;
        self
    }

    /// Whose run that is, and which, as far as it is known.
    pub fn run_owner(&self, id: &str) -> Option<(&UserName, Option<u16>)> {
        let in_life = |life| self.run_ids.get(&in_life(id.into(), life));
        // Which of two lives is meant is not known.
        if (1..=self.restarts).any(|life| in_life(life).is_some()) {
            return None;
        }
        let facts = &self.runs[in_life(0)?];
        Some((facts.user?, facts.run))
    }

    /// The connection or exchange that the run was started on.
    pub fn exchange_of(&self, start: &Start<'_>) -> Option<&Connection<'h>> {
        start.line.map(|line| &self.connections[line])
    }

    /// Of each run whether its end came to its own user: what of it came to others as well are copies.
    pub fn came_home(&self) -> Vec<bool> {
        let mut home = vec![false; self.runs.len()];
        for message in self.messages.iter().filter(|message| message.is_terminal) {
            if let Some(run) = message.run_at() {
                home[run] |= self.runs[run].user == Some(message.observer);
            }
        }
        home
    }

    /// The numbers of the observations that are events of the run at its own user, in order.
    pub fn event_numbers(&self, start: &Start<'_>) -> impl Iterator<Item = u64> {
        self.its_events(start).filter(|event| event.observer == start.user).map(|event| event.n)
    }

    /// The events of the run, in order.
    pub(super) fn its_events(&self, start: &Start<'_>) -> impl Iterator<Item = &Message<'h>> {
        self.of_run(&self.events, start)
    }

    /// Those of the run in that table, in order.
    pub(super) fn of_run<'c>(
        &'c self,
        table: &'c ByRun,
        start: &Start<'_>,
    ) -> impl Iterator<Item = &'c Message<'h>> {
        let places = start.run_at.map_or(&[][..], |run| &table[run]);
        places.iter().map(|at| &self.messages[at.get()])
    }

    /// The event that ended the run for its user.
    pub fn end_of(&self, start: &Start<'_>) -> Option<&Message<'h>> {
        self.its_events(start).find(|event| event.is_terminal && event.observer == start.user)
    }

    /// How many events of the run came to its user.
    pub fn events_of(&self, start: &Start<'_>) -> usize {
        self.event_numbers(start).count()
    }

    /// The runs whose id the server gave to several runs of that user, as one that takes ids from a
    /// clock does: it is not known to which of them a message belongs.
    pub(super) fn given_twice(&self) -> BTreeSet<(Option<usize>, &'h UserName)> {
        let mut once = BTreeSet::new();
        let given = self.starts.iter().filter(|start| start.run_at.is_some());
        given.map(|start| (start.run_at, start.user)).filter(|given| !once.insert(*given)).collect()
    }

    /// What is known of the message's run.
    pub fn facts(&self, message: &Message<'_>) -> Option<&RunFacts<'h>> {
        message.run_at().and_then(|at| self.runs.get(at))
    }

    /// The acceptances that answer a start. Without any, the back end may not mean the client's ids.
    pub(super) fn acceptances_that_fit(&self) -> impl Iterator<Item = &Acceptance> {
        self.acceptances.iter().filter(|acceptance| {
            matches!(acceptance.answers, Answers::Start(_) | Answers::OneOfSeveral)
        })
    }

    /// The run that the message answers, where the back end or the client said so: an inference from
    /// canaries would be circular here.
    pub(super) fn answered_run(&self, message: &Message<'_>) -> Option<u16> {
        match message.channel {
            Channel::HttpAnswer => message.asked_run,
            Channel::Websocket | Channel::Stream => {
                let facts = self.facts(message).filter(|_| message.is_event)?;
                facts.run.filter(|_| facts.run_told && facts.user == Some(message.observer))
            }
        }
    }

    /// The plan's user of that name.
    pub fn person(&self, name: &str) -> Option<&'h UserPlan> {
        self.people.get(name).map(|at| &self.history.plan.users[at])
    }

    /// The place in the plan of the user of that name.
    pub(super) fn place(&self, user: &UserName) -> Option<usize> {
        self.people.get(user.as_str())
    }

    /// Whether the message's observer is in the plan.
    pub(super) fn knows_observer(&self, message: &Message<'_>) -> bool {
        match self.connections[message.line()].user == Some(message.observer) {
            true => self.known[message.line()],
            false => self.person(message.observer.as_str()).is_some(),
        }
    }

    /// The plan's user of that index.
    pub fn person_at(&self, index: u32) -> Option<&'h UserPlan> {
        if let Some(digest) = digest_of(index) {
            let mut users = self.history.plan.users.iter();
            return users.find(|user| name_digest(user.name.as_str()) == digest);
        }
        let there = |place: usize| self.by_index.get(place).filter(|(own, _)| *own == index);
        let found = there(index as usize)
            .or_else(|| there(self.by_index.partition_point(|(own, _)| *own < index)));
        found.map(|(_, user)| *user)
    }

    /// Where that run of the plan was started.
    pub fn start_of(&self, user: &UserName, run: u16) -> Option<&Start<'h>> {
        self.start_place(user, run).map(|at| &self.starts[at])
    }

    /// The kind of that run, as findings name it.
    pub fn run_kind(&self, user: &UserName, run: Option<u16>) -> &'static str {
        self.via(user, run).map_or("a run", Via::run_kind)
    }

    /// How that run was started.
    pub fn via(&self, user: &UserName, run: Option<u16>) -> Option<Via> {
        run.and_then(|run| match self.start_of(user, run) {
            Some(start) => Some(start.via),
            None => Some(self.person(user.as_str())?.run(run)?.via),
        })
    }

    /// Whether the canary is of that user, by the plan.
    pub fn is_own(&self, owner: Owner, user: &UserName) -> bool {
        self.person_at(owner.user).is_some_and(|person| person.name == *user)
    }

    /// The message's type.
    pub fn kind(&self, message: &Message<'_>) -> Option<&str> {
        self.text(message, message.kind)
    }

    /// The user that the message says it is for.
    pub fn user(&self, message: &Message<'_>) -> Option<&str> {
        self.text(message, message.user)
    }

    /// The agent that speaks in the message.
    pub fn agent(&self, message: &Message<'_>) -> Option<&str> {
        self.text(message, message.agent)
    }

    /// Whether the user that the message names is whom it is for: it greets or accepts, or it is of a
    /// run of its observer. A message of no run may tell of somebody else, such as who is there.
    pub(super) fn tells_its_user(&self, message: &Message<'_>) -> bool {
        let dialect = self.dialect;
        let Some(facts) = self.facts(message) else {
            let greets = || self.kind(message).is_some_and(|kind| kind == dialect.greeting);
            let unbound = dialect.matching == Matching::Stream && !dialect.events.is_empty();
            return dialect.strict
                || message.asked_run.is_some()
                || message.is_acceptance
                || (unbound && message.is_event)
                || greets();
        };
        dialect.strict
            || message.asked_run.is_some()
            || message.is_acceptance
            || facts.may_be_of(message.observer)
    }

    /// The connection id that a greeting gives.
    pub fn greeted(&self, message: &Message<'_>) -> Option<&str> {
        self.text(message, message.greeted)
    }

    /// The run that the message names, or that it is known to be of.
    pub fn run_id(&self, message: &Message<'_>) -> Option<&str> {
        message.run_at().map(|run| &*self.runs[run].id)
    }

    fn text(&self, message: &Message<'_>, text: Text) -> Option<&str> {
        match text.place() {
            Where::Absent => None,
            Where::Made(place) => self.made.get(place).map(String::as_str),
            Where::Within { from, length } => {
                let raw = super::edits::raw(self.history, message.at());
                raw.as_text()?.get(from..from + length)
            }
        }
    }

    /// What the message carries.
    pub(super) fn payload(&self, message: &Message<'_>) -> Payload<'h> {
        let raw = super::edits::raw(self.history, message.at());
        self.reader.payload(raw, message.channel == Channel::Stream)
    }

    /// The bytes of what came in there, with its JSON changed.
    pub(super) fn in_json(
        &self,
        at: usize,
        change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let message = self.messages.binary_search_by_key(&at, |message| message.at()).ok();
        let streamed = message.is_some_and(|at| self.messages[at].channel == Channel::Stream);
        self.reader.with_json(self.history.observations[at].what.inbound()?, streamed, change)
    }

    /// The number of the message's observer.
    pub(super) fn number_of_observer(&self, message: &Message<'_>) -> Option<usize> {
        let connection = &self.connections[message.line()];
        match connection.user == Some(message.observer) {
            true => connection.user_at,
            false => self.starts_by_run.number_of(message.observer.as_str()),
        }
    }

    /// How many users have a number.
    pub(super) fn numbered_users(&self) -> usize {
        self.starts_by_run.users()
    }

    /// The place in [`Self::starts`] of that run of the plan.
    pub(super) fn start_place(&self, user: &UserName, run: u16) -> Option<usize> {
        self.starts_by_run.get(user.as_str(), run)
    }
}
