//! Reads what was recorded into the tables of a [`Case`](super::Case): connections, starts,
//! messages, runs and texts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::case::{CONNECTION_POINTER, Channel, Connection, Message, Start};
use super::keys::Key;
use super::leaves::{Leaves, Paths, Roles, Value};
use super::runs::RunFacts;
use super::seen::owner_in;
use super::starts::StartsByRun;
use super::texts::Texts;
use crate::trial::canary::{Owner, Scanner};
use crate::trial::dialect::{Dialect, Matching};
use crate::trial::history::{Note, Observation, What};
use crate::trial::ids::{ConnectionId, RunId, UserName};
use crate::trial::plan::Via;
use crate::trial::reader::{Payload, Reader, ends_by_place, nothing_to_say};

/// Takes the observations in and sorts them into tables.
#[derive(Debug)]
pub(super) struct Decoder<'h> {
    dialect: &'h Dialect,
    pub(super) reader: Reader,
    paths: Paths,
    /// For each user of a server that answers in order, what waits for its end.
    in_order: BTreeMap<Key<'h>, InOrder>,
    /// What the last message held; its memory is used again.
    leaves: Leaves<'h>,
    scanner: Scanner,
    round: u32,
    pub(super) malformed: u64,
    pub(super) messages: Vec<Message<'h>>,
    pub(super) texts: Texts,
    /// Canaries that the raw bytes may not show, in members' names and in texts with escapes, with
    /// the message that they stand in.
    pub(super) decoded: Vec<(usize, Owner)>,
    pub(super) connections: Vec<Connection<'h>>,
    lines: BTreeMap<Key<'h>, usize>,
    /// The same by where the id stands in memory: what is recorded live shares it, and comparing
    /// texts that begin alike costs more.
    lines_by_place: BTreeMap<usize, usize>,
    /// The run of the last message of each connection.
    last_runs: Vec<Option<usize>>,
    /// How often the process of each user was restarted; only of those that were.
    pub(super) restarts: BTreeMap<&'h UserName, u32>,
    /// The same for each connection, when it was opened.
    lives: Vec<u32>,
    pub(super) starts: Vec<Start<'h>>,
    pub(super) starts_by_run: StartsByRun<'h>,
    pub(super) runs: Vec<RunFacts>,
    pub(super) run_ids: BTreeMap<Key<'h>, usize>,
}

/// The runs of one user whose ends come in the order of their starts.
#[derive(Debug, Default)]
struct InOrder {
    starts: Vec<usize>,
    ended: usize,
    /// Something was cut or given up: from there on nobody knows which answer is whose.
    lost: bool,
}

/// A run's id in that life of the process that gave it: another life may give it again.
pub(super) fn in_life(id: Cow<'_, str>, life: u32) -> Key<'_> {
    match life {
        0 => Key::from(id),
        // No id that a server gives holds that character in front of a number by chance.
        life => Key::from(Cow::Owned(format!("{id}\0{life}"))),
    }
}

const KIND: Roles = Roles(1);
const USER: Roles = Roles(1 << 1);
const THREAD: Roles = Roles(1 << 2);
const RUN: Roles = Roles(1 << 3);
const SEQUENCE: Roles = Roles(1 << 4);
const AGENT: Roles = Roles(1 << 5);
const REQUEST: Roles = Roles(1 << 6);
const CONNECTION: Roles = Roles(1 << 7);

impl<'h> Decoder<'h> {
    pub(super) fn new(dialect: &'h Dialect, scanner: Scanner, round: u32) -> Self {
        let mut paths = Paths::new(scanner.clone(), round);
        let greets = if dialect.foreign.is_some() { "" } else { CONNECTION_POINTER };
        for (pointer, role) in [
            (dialect.kind.as_str(), KIND),
            (&dialect.user, USER),
            (&dialect.thread, THREAD),
            (&dialect.run, RUN),
            (&dialect.sequence, SEQUENCE),
            (&dialect.agent, AGENT),
            (&dialect.request, REQUEST),
            (greets, CONNECTION),
        ] {
            paths.ask(pointer, role);
        }
        Self {
            dialect,
            reader: Reader::new(dialect),
            in_order: BTreeMap::new(),
            paths,
            leaves: Leaves::default(),
            scanner,
            round,
            malformed: 0,
            messages: Vec::new(),
            texts: Texts::default(),
            decoded: Vec::new(),
            connections: Vec::new(),
            lines: BTreeMap::new(),
            lines_by_place: BTreeMap::new(),
            last_runs: Vec::new(),
            restarts: BTreeMap::new(),
            lives: Vec::new(),
            starts: Vec::new(),
            starts_by_run: StartsByRun::default(),
            runs: Vec::new(),
            run_ids: BTreeMap::new(),
        }
    }

    /// The connection of that id, in the order of appearance.
    pub(super) fn line_of(&self, id: &ConnectionId) -> Option<usize> {
        self.lines.get(&Key::of(id.as_str())).copied()
    }

    pub(super) fn take(&mut self, at: usize, observation: &'h Observation) {
        let line = observation.on.as_ref().map(|id| self.line(id, observation));
        if let Some(line) = line {
            self.note(line, observation);
        }
        match (&observation.what, &observation.by, line) {
            (What::Start { run, via, thread, request_id }, Some(user), _) => {
                self.starts_by_run.add(user.as_str(), *run, self.starts.len());
                self.in_order
                    .entry(Key::of(user.as_str()))
                    .or_default()
                    .starts
                    .push(self.starts.len());
                self.starts.push(Start {
                    n: observation.n,
                    user,
                    run: *run,
                    via: *via,
                    thread,
                    request_id,
                    line,
                    run_at: None,
                    gave_up: None,
                });
            }
            (What::Request { run: Some(run), .. }, Some(user), Some(_)) => {
                let start = self.starts_by_run.get(user.as_str(), *run);
                if let Some(start) = start.map(|start| &mut self.starts[start])
                    && start.via == Via::Http
                {
                    start.line = start.line.or(line);
                }
            }
            (What::GaveUp { run, at_rest }, Some(user), _) => {
                if let Some(start) = self.starts_by_run.get(user.as_str(), *run) {
                    self.starts[start].gave_up = Some((observation.n, *at_rest));
                }
                self.in_order.entry(Key::of(user.as_str())).or_default().lost = true;
            }
            (What::Received { raw }, Some(user), Some(line)) => {
                let streamed = self.connections[line].is_http;
                let channel = if streamed { Channel::Stream } else { Channel::Websocket };
                self.decode(at, observation.n, user, line, channel, raw.bytes());
            }
            (What::Backend { note: Note::Restarted { users } }, ..) => {
                users.iter().for_each(|user| *self.restarts.entry(user).or_default() += 1);
            }
            // The head of a stream has no body of its own.
            (What::Answer { raw, .. }, ..) if raw.bytes().is_empty() => {}
            (What::Answer { raw, .. } | What::Refused { raw, .. }, Some(user), Some(line)) => {
                self.decode(at, observation.n, user, line, Channel::HttpAnswer, raw.bytes());
            }
            _ => {}
        }
    }

    fn line(&mut self, id: &'h ConnectionId, observation: &'h Observation) -> usize {
        let place = id.as_str().as_ptr().addr();
        if let Some(&line) = self.lines_by_place.get(&place)
            // An empty text may stand anywhere.
            && self.connections[line].id == id
        {
            return line;
        }
        if let Some(line) = self.line_of(id) {
            self.lines_by_place.insert(place, line);
            return line;
        }
        let line = self.connections.len();
        self.lines_by_place.insert(place, line);
        self.last_runs.push(None);
        let life = observation.by.as_ref().and_then(|user| self.restarts.get(user));
        self.lives.push(life.copied().unwrap_or_default());
        self.lines.insert(Key::of(id.as_str()), line);
        self.connections.push(Connection {
            id,
            user: observation.by.as_ref(),
            is_socket: false,
            is_http: false,
            first: observation.n,
            closed: None,
            ended: None,
            vanished: None,
            broken: None,
            answered: None,
            asked_run: None,
        });
        line
    }

    fn note(&mut self, line: usize, observation: &'h Observation) {
        let n = observation.n;
        let ends = matches!(
            observation.what,
            What::Leave { .. } | What::Ended { .. } | What::Broken { .. }
        );
        if let (true, Some(user)) = (ends, &observation.by) {
            let order = self.in_order.entry(Key::of(user.as_str())).or_default();
            order.lost |= order.ended < order.starts.len();
        }
        let connection = &mut self.connections[line];
        match &observation.what {
            What::Connect | What::Connected | What::Received { .. } => connection.is_socket = true,
            What::Leave { vanished } => {
                connection.closed.get_or_insert(n);
                if *vanished {
                    connection.vanished.get_or_insert(n);
                }
            }
            What::Ended { .. } => {
                connection.closed.get_or_insert(n);
                connection.ended.get_or_insert(n);
            }
            What::Broken { .. } => {
                connection.closed.get_or_insert(n);
                connection.broken.get_or_insert(n);
            }
            What::Request { run, .. } => {
                (connection.asked_run, connection.is_http) = (*run, true);
            }
            What::Answer { .. } => {
                connection.answered.get_or_insert(n);
            }
            _ => {}
        }
    }

    fn decode(
        &mut self,
        at: usize,
        n: u64,
        observer: &UserName,
        line: usize,
        channel: Channel,
        bytes: &'h [u8],
    ) {
        let payload = self.reader.payload(bytes, channel == Channel::Stream);
        let mut leaves = std::mem::take(&mut self.leaves);
        let is_json = leaves.take(&mut self.paths, &payload);
        let connection = &self.connections[line];
        let mut message = Message {
            n,
            at,
            observer: observer.clone(),
            connection: connection.id.clone(),
            channel,
            kind: None,
            user: None,
            thread: None,
            run: None,
            request: None,
            agent: None,
            greeted: None,
            sequence: None,
            is_event: false,
            is_terminal: false,
            is_acceptance: false,
            asked_run: connection.asked_run.filter(|_| channel != Channel::Websocket),
            line,
            run_at: None,
            texts: 0,
        };
        for (path, value) in &leaves.values {
            let roles = self.paths.roles(*path);
            if roles != Roles::default() {
                self.fill(&mut message, roles, value);
            }
        }
        match &self.dialect.foreign {
            None => {
                self.classify(&mut message);
                let fits = leaves.is_object && message.kind.is_some();
                self.malformed += u64::from(channel == Channel::Websocket && !fits);
            }
            Some(foreign) => {
                self.classify_foreign(&mut message, &payload, is_json);
                let asked = message
                    .asked_run
                    .filter(|_| message.is_event)
                    .and_then(|run| self.starts_by_run.get(message.observer.as_str(), run));
                if let (Some(start), Some(run)) = (asked, message.run_at) {
                    self.starts[start].run_at.get_or_insert(run);
                }
                if message.run_at.is_none() && (message.is_event || message.is_terminal) {
                    self.place(&mut message, foreign.matching);
                }
            }
        }
        message.texts = self.texts.place(message.line, message.run_at);
        self.take_texts(message.texts, &leaves);
        self.messages.push(message);
        self.leaves = leaves;
    }

    /// What a message, the next one, holds that its raw bytes may not show.
    fn take_texts(&mut self, place: usize, leaves: &Leaves<'h>) {
        let number = self.messages.len();
        let texts = self.texts.at(place);
        let only_texts = leaves.values.iter().filter_map(|(path, value)| match value {
            Value::Text(text) => Some((*path, text)),
            Value::Number(_) => None,
        });
        for (nth, (path, text)) in only_texts.enumerate() {
            texts.take(nth, path, text);
            if let Cow::Owned(text) = text {
                texts.may_be_cut |= self.scanner.scan_piece(text.as_bytes(), |sighting| {
                    self.decoded.push((number, owner_in(self.round, &sighting)));
                });
            }
        }
        self.decoded.extend(leaves.in_names.iter().map(|owner| (number, *owner)));
    }

    /// Reads a message's texts again.
    pub(super) fn texts_of(&mut self, bytes: &'h [u8], channel: Channel) -> Leaves<'h> {
        let payload = self.reader.payload(bytes, channel == Channel::Stream);
        let mut leaves = Leaves::default();
        leaves.take(&mut self.paths, &payload);
        leaves
    }

    /// Of two members with the same name the last one counts, as in nearly every parser.
    fn fill(&mut self, message: &mut Message<'h>, roles: Roles, value: &Value<'h>) {
        let id = || match value {
            Value::Text(text) => text.clone(),
            Value::Number(number) => Cow::Owned(number.to_string()),
        };
        for (role, slot) in [
            (KIND, &mut message.kind),
            (USER, &mut message.user),
            (THREAD, &mut message.thread),
            (AGENT, &mut message.agent),
            (REQUEST, &mut message.request),
            (CONNECTION, &mut message.greeted),
        ] {
            if roles.has(role) {
                *slot = Some(id());
            }
        }
        if roles.has(SEQUENCE) {
            message.sequence = match value {
                Value::Number(number) => {
                    // Counted from 1, wherever the server begins.
                    let first = self.dialect.foreign.as_ref().map_or(1, |foreign| foreign.first);
                    Some(number.saturating_add(1).saturating_sub(first))
                }
                Value::Text(_) => None,
            };
        }
        if roles.has(RUN) {
            let foreign = self.dialect.foreign.as_ref();
            let id = match foreign.is_some_and(|foreign| !foreign.unique_runs) {
                true => Cow::Owned(format!("{} of {}", id(), message.observer)),
                false => id(),
            };
            // Most messages are of the same run as the one before them.
            let last = self.last_runs[message.line];
            let same = last.filter(|&last| self.runs[last].id.as_str() == id);
            let life = self.lives[message.line];
            let at = same.unwrap_or_else(|| {
                let run = RunId::new(&*id);
                *self.run_ids.entry(in_life(id, life)).or_insert_with(|| {
                    self.runs.push(RunFacts::unknown(run));
                    self.runs.len() - 1
                })
            });
            self.last_runs[message.line] = Some(at);
            message.run = Some(self.runs[at].id.clone());
            message.run_at = Some(at);
        }
    }

    fn classify(&self, message: &mut Message<'_>) {
        let kind = message.kind.as_deref();
        if kind != Some(self.dialect.greeting.as_str()) {
            message.greeted = None;
        }
        // An HTTP answer is no part of a stream, whatever type it gives itself.
        if let (Some(kind), Channel::Websocket) = (kind, message.channel) {
            message.is_acceptance = kind == self.dialect.accepted;
            message.is_event = self.dialect.is_event(kind);
            message.is_terminal =
                message.is_event && self.dialect.is_terminal(kind, message.agent.as_deref());
        }
    }

    fn classify_foreign(
        &mut self,
        message: &mut Message<'h>,
        payload: &Payload<'_>,
        is_json: bool,
    ) {
        let dialect = self.dialect;
        let has_type = message.kind.is_some();
        if !has_type {
            let other = self.reader.other_kind(dialect, payload, is_json);
            message.kind = other.map(Cow::Owned);
        }
        message.greeted = None;
        let ignored =
            payload.ignored || nothing_to_say(dialect, message.kind.as_deref(), &payload.json);
        if ignored || !message.channel.carries_events() {
            return;
        }
        let kind = message.kind.as_deref().unwrap_or_default();
        let by_request = matches!(
            dialect.foreign.as_ref().map(|foreign| foreign.matching),
            Some(Matching::Request)
        );
        let tree = || serde_json::from_slice(&payload.json).ok();
        message.is_terminal = dialect.is_terminal(kind, message.agent.as_deref())
            || (dialect.ends_by_place() && ends_by_place(dialect, tree().as_ref()));
        message.is_event = message.is_terminal || dialect.is_event(kind);
        message.is_acceptance = (!dialect.accepted.is_empty() && kind == dialect.accepted)
            || (by_request && message.is_event && message.request.is_some());
        let known = message.is_terminal || dialect.events.iter().any(|event| event == kind);
        let greets = !kind.is_empty() && (kind == dialect.greeting || kind == dialect.accepted);
        let typed = dialect.kind.starts_with('/');
        self.malformed += u64::from(typed && !is_json && !known && !greets);
    }

    /// Finds the run of a message that names none.
    fn place(&mut self, message: &mut Message<'h>, matching: Matching) {
        let observer = message.observer.as_str();
        let asked = message.asked_run.and_then(|run| self.starts_by_run.get(observer, run));
        if let Some(run) = asked.and_then(|start| self.starts[start].run_at) {
            // Its stream has named it.
            message.run_at = Some(run);
            message.run = Some(self.runs[run].id.clone());
            return;
        }
        let (id, start) = match (asked, matching) {
            (Some(start), _) => (format!("the stream of {}", message.connection), Some(start)),
            (None, Matching::Request) => {
                let Some(request) = message.request.as_deref() else { return };
                (format!("request {request} of {observer}"), None)
            }
            (None, Matching::Order) => {
                let own = Key::from(Cow::Owned(observer.to_owned()));
                let Some(order) = self.in_order.get_mut(&own).filter(|order| !order.lost) else {
                    return;
                };
                let Some(&start) = order.starts.get(order.ended) else { return };
                order.ended += usize::from(message.is_terminal);
                (format!("start {start} of {observer}"), Some(start))
            }
            (None, Matching::Run | Matching::Stream) => return,
        };
        let at = *self.run_ids.entry(Key::from(Cow::Owned(id))).or_insert_with_key(|id| {
            self.runs.push(RunFacts::made_up(RunId::new(id.text())));
            self.runs.len() - 1
        });
        if let Some(start) = start {
            let run = self.starts[start].run;
            self.runs[at].tell(&message.observer, Some(run));
            self.starts[start].run_at.get_or_insert(at);
        }
        message.run_at = Some(at);
        message.run = Some(self.runs[at].id.clone());
    }
}
