//! Reads what was recorded into the tables of a [`Case`](super::Case): connections, starts,
//! messages, runs and texts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::case::{Case, Connection, Start};
use super::course::Course;
use super::fields::{self, Fields, RUN, SEQUENCE};
use super::habits::begins_again;
use super::keys::{ByName, in_life};
use super::leaves::{Leaves, Paths, Roles, Value};
use super::lines::Lines;
use super::message::{Channel, Message, Place, Text};
use super::run_facts::{Accepting, RunFacts};
use super::seen::owner_in;
use super::starts::InOrder;
use super::texts::Texts;
use partywall_core::assumption::Assumption;
use partywall_core::canary::{CampaignKey, Last, Owner, Tail};
use partywall_core::dialect::Matching;
use partywall_core::history::{Note, Observation, What};
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::json::same;
use partywall_core::plan::Via;
use partywall_core::raw::Raw;
use partywall_core::reader::{Payload, ends_by_place, nothing_to_say};

/// Stands before the number of a turn in the id of a run; no server's id holds it by chance.
const TURN: char = '\u{1}';

/// The id of a run in that turn.
fn in_turn(id: &str, turn: u32) -> String {
    if turn == 0 { id.to_owned() } else { format!("{id}{TURN}{turn}") }
}

/// Takes the observations in and sorts them into tables.
#[derive(Debug)]
pub(super) struct Decoder<'h> {
    /// What there is to know so far.
    pub(super) case: Case<'h>,
    paths: Paths,
    /// For each user of a server that answers in order, by number, what waits for its end.
    in_order: BTreeMap<usize, InOrder>,
    /// What the last message held; its memory is used again.
    leaves: Leaves<'h>,
    pub(super) trial: CampaignKey,
    /// The messages that accept a run.
    pub(super) accepting: Vec<Accepting>,
    /// The ids of requests, of starts and of what accepts them: numbers are compared at less cost.
    requests: ByName<'h>,
    /// Of each run its events on event connections, and what else came there of it: run and message.
    pub(super) events: Vec<(Place, Place)>,
    pub(super) others: Vec<(Place, Place)>,
    /// The last canary that was found.
    pub(super) last: Last,
    /// How the bytes on no connection end so far, and whether something may be cut there.
    pub(super) loose: (Tail, bool),
    pub(super) texts: Texts,
    /// Canaries that the raw bytes may not show, in members' names and in texts with escapes, with
    /// the message that they stand in.
    pub(super) decoded: Vec<(usize, Owner)>,
    /// Where a magic came in that is of no whole canary, in order.
    pub(super) in_part: Vec<usize>,
    lines: Lines<'h>,
    /// How far each connection has come.
    pub(super) courses: Vec<Course>,
    /// Of each run id, with its user, how often it was used again and where its last run has ended,
    /// where ids are used again.
    turns: BTreeMap<String, (u32, Option<u64>)>,
    /// How often the process of each user was restarted; only of those that were.
    pub(super) restarts: BTreeMap<&'h UserName, u32>,
}

impl<'h> Decoder<'h> {
    /// A decoder for that case, in which nothing has happened so far.
    pub(super) fn new(case: Case<'h>) -> Self {
        let trial = case.history.plan.campaign;
        let names = ByName::new(case.history.plan.campaign);
        let mut paths = Paths::new(case.scanner.clone(), trial);
        fields::ask(&mut paths, case.dialect);
        Self {
            case,
            paths,
            in_order: BTreeMap::new(),
            leaves: Leaves::default(),
            trial,
            accepting: Vec::new(),
            requests: names.clone(),
            events: Vec::new(),
            others: Vec::new(),
            last: Last::default(),
            loose: (Tail::default(), false),
            texts: Texts::default(),
            decoded: Vec::new(),
            in_part: Vec::new(),
            lines: Lines::new(names),
            courses: Vec::new(),
            turns: BTreeMap::new(),
            restarts: BTreeMap::new(),
        }
    }

    /// The connection of that id, in the order of appearance.
    pub(super) fn line_of(&self, id: &ConnectionId) -> Option<usize> {
        self.lines.of(id)
    }

    /// Gives the connection that it happened on.
    pub(super) fn sort_in(&mut self, at: usize, observation: &'h Observation) -> Option<usize> {
        if !matches!(observation.what, What::Received { .. } | What::Sent { .. }) {
            self.case.acts.push((at, observation));
        }
        let line = observation.on.as_ref().map(|id| self.line(id, observation));
        if let Some(line) = line {
            self.note(line, observation);
        }
        match (&observation.what, &observation.by, line) {
            (What::Start { run, via, thread, request_id }, Some(user), _) => {
                let (start, user_at) = (self.case.starts.len(), self.number_of(line, user));
                self.case.starts_by_run.add(user_at, *run, start);
                if let Some(order) = self.order_of(user) {
                    order.starts.push(start);
                }
                let request = self.number_of_request(request_id.as_str().into());
                self.case.starts.push(Start {
                    n: observation.n,
                    user,
                    user_at,
                    run: *run,
                    via: *via,
                    thread,
                    request_id,
                    request,
                    line,
                    run_at: None,
                    gave_up: None,
                });
            }
            (What::Request { run: Some(run), .. }, Some(user), Some(_)) => {
                let start = self.case.starts_by_run.get(user.as_str(), *run);
                if let Some(start) = start.map(|start| &mut self.case.starts[start])
                    && start.via == Via::Http
                {
                    start.line = start.line.or(line);
                }
            }
            (What::GaveUp { run, at_rest }, Some(user), _) => {
                if let Some(start) = self.case.starts_by_run.get(user.as_str(), *run) {
                    self.case.starts[start].gave_up = Some((observation.n, *at_rest));
                }
                if let Some(order) = self.order_of(user) {
                    order.lost = true;
                }
            }
            (What::Received { raw }, Some(user), Some(line)) => {
                let streamed = self.case.connections[line].is_http;
                let channel = if streamed { Channel::Stream } else { Channel::Websocket };
                self.decode(at, observation.n, user, line, channel, raw);
            }
            (What::Backend { note }, ..) => {
                if let Note::Restarted { users } = &**note {
                    users.iter().for_each(|user| *self.restarts.entry(user).or_default() += 1);
                }
            }
            // The head of a stream has no body of its own.
            (What::Answer { raw, .. }, ..) if raw.bytes().is_empty() => {}
            (What::Answer { raw, .. } | What::Refused { raw, .. }, Some(user), Some(line)) => {
                self.decode(at, observation.n, user, line, Channel::HttpAnswer, raw);
            }
            _ => {}
        }
        line
    }

    fn number_of_request(&mut self, id: Cow<'h, str>) -> Place {
        let next = self.requests.len();
        Place::new(self.requests.get_or_add(id, |_| next))
    }

    /// The number of a user who does something on that connection.
    fn number_of(&mut self, line: Option<usize>, user: &'h UserName) -> usize {
        let connection = line.map(|line| &self.case.connections[line]);
        let here = connection.filter(|connection| connection.user == Some(user));
        let known = here.and_then(|connection| connection.user_at);
        known.unwrap_or_else(|| self.case.starts_by_run.number(user.as_str()))
    }

    /// What waits for its end, where answers come in the order of their requests.
    fn order_of(&mut self, user: &'h UserName) -> Option<&mut InOrder> {
        if self.case.dialect.matching != Matching::Order {
            return None;
        }
        let user = self.case.starts_by_run.number(user.as_str());
        Some(self.in_order.entry(user).or_default())
    }

    fn line(&mut self, id: &'h ConnectionId, observation: &'h Observation) -> usize {
        if let Some(line) = self.lines.of_again(id) {
            return line;
        }
        let line = self.lines.add(id);
        let life = observation.by.as_ref().and_then(|user| self.restarts.get(user));
        self.courses.push(Course::new(life.copied().unwrap_or_default()));
        let user = observation.by.as_ref();
        let user_at = user.map(|user| self.case.starts_by_run.number(user.as_str()));
        self.case.connections.push(Connection {
            id,
            user,
            user_at,
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
        let ends = matches!(
            observation.what,
            What::Leave { .. } | What::Ended { .. } | What::Broken { .. }
        );
        if let (true, Some(user)) = (ends, &observation.by)
            && let Some(order) = self.order_of(user)
        {
            order.lost |= order.ended < order.starts.len();
        }
        self.case.connections[line].note(observation);
    }

    fn decode(
        &mut self,
        at: usize,
        n: u64,
        observer: &'h UserName,
        line: usize,
        channel: Channel,
        raw: &'h Raw,
    ) {
        let payload = self.case.reader.payload(raw, channel == Channel::Stream);
        let mut leaves = std::mem::take(&mut self.leaves);
        let is_json = leaves.take(&mut self.paths, &payload);
        let connection = &self.case.connections[line];
        let mut message = Message {
            n,
            // Mostly the same as that of the connection, which is at hand when the next one comes.
            observer: connection.user.filter(|user| *user == observer).unwrap_or(observer),
            sequence: None,
            kind: Text::ABSENT,
            user: Text::ABSENT,
            agent: Text::ABSENT,
            greeted: Text::ABSENT,
            observation: Place::new(at),
            connection: Place::new(line),
            run: Place::NONE,
            texts: Place::NONE,
            asked_run: connection.asked_run.filter(|_| channel != Channel::Websocket),
            channel,
            names_observer: false,
            is_event: false,
            is_terminal: false,
            is_acceptance: false,
            is_stopped: false,
        };
        let mut fields = Fields::default();
        for (path, value) in &leaves.values {
            let roles = self.paths.roles(*path);
            if roles != Roles::default() {
                self.fill(&mut message, &mut fields, roles, value);
            }
        }
        let is_json = is_json.then_some(leaves.is_object);
        self.classify(&mut message, &mut fields, &payload, is_json);
        let asked = message
            .asked_run
            .filter(|_| message.is_event)
            .and_then(|run| self.case.starts_by_run.get(message.observer.as_str(), run));
        if let (Some(start), Some(run)) = (asked, message.run_at()) {
            self.case.starts[start].run_at.get_or_insert(run);
        }
        if self.case.assumes(Assumption::RunIdsReused) {
            self.take_turns(&mut message);
        }
        let accepts = message.is_acceptance && self.case.dialect.matching == Matching::Request;
        if message.run_at().is_none() && (message.is_event || accepts) {
            self.place(&mut message, fields.request.as_deref());
        }
        let observer = message.observer.as_str().as_bytes();
        message.names_observer =
            fields.user.as_deref().is_some_and(|user| same(user.as_bytes(), observer));
        if message.is_acceptance {
            let request = fields.request.clone();
            let request = request.map_or(Place::NONE, |id| self.number_of_request(id));
            self.accepting.push(Accepting { message: self.case.messages.len(), request });
        }
        fields.keep(&mut message, raw, &mut self.case.made);
        message.texts = self.courses[line].texts_of(message.run, |run| self.texts.place(line, run));
        self.take_texts(at, message.texts.get(), &leaves);
        if message.run != Place::NONE && message.channel.carries_events() {
            let table = if message.is_event { &mut self.events } else { &mut self.others };
            table.push((message.run, Place::new(self.case.messages.len())));
        }
        self.case.messages.push(message);
        self.leaves = leaves;
    }

    /// What a message, the next one, holds that its raw bytes may not show.
    fn take_texts(&mut self, at: usize, place: usize, leaves: &Leaves<'h>) {
        let number = self.case.messages.len();
        let texts = self.texts.at(place);
        let only_texts = leaves.values.iter().filter_map(|(path, value)| match value {
            Value::Text(text) => Some((*path, text)),
            Value::Number(_) => None,
        });
        for (path, text) in only_texts {
            texts.take(path, text);
            if let Cow::Owned(text) = text {
                let in_part =
                    self.case.scanner.scan_piece(text.as_bytes(), &mut self.last, |sighting| {
                        self.decoded.push((number, owner_in(self.trial, &sighting)));
                    });
                if in_part {
                    texts.may_be_cut = true;
                    self.in_part.push(at);
                }
            }
        }
        self.decoded.extend(leaves.in_names.iter().map(|owner| (number, *owner)));
    }

    /// Reads a message's texts again.
    pub(super) fn texts_of(&mut self, raw: &'h Raw, channel: Channel) -> Leaves<'h> {
        let payload = self.case.reader.payload(raw, channel == Channel::Stream);
        let mut leaves = Leaves::default();
        leaves.take(&mut self.paths, &payload);
        leaves
    }

    /// Of two members with the same name the last one counts, as in nearly every parser.
    fn fill(
        &mut self,
        message: &mut Message<'h>,
        fields: &mut Fields<'h>,
        roles: Roles,
        value: &Value<'h>,
    ) {
        fields.fill(roles, value);
        if roles.has(SEQUENCE) {
            message.sequence = match value {
                Value::Number(number) => {
                    // Counted from 1, wherever the server begins.
                    Some(number.saturating_add(1).saturating_sub(self.case.dialect.first))
                }
                Value::Text(_) => None,
            };
        }
        if roles.has(RUN) {
            let id = match self.case.unique_runs {
                true => value.as_id(),
                false => {
                    let id = format!("{} of {}", value.as_id(), message.observer);
                    let turn = self.turns.get(&id).map_or(0, |(turn, _)| *turn);
                    Cow::Owned(in_turn(&id, turn))
                }
            };
            message.run = self.run_of_id(message.line(), id);
        }
    }

    /// The run of that id.
    fn run_of_id(&mut self, line: usize, id: Cow<'h, str>) -> Place {
        // Most messages are of the same run as the one before them.
        let course = &mut self.courses[line];
        let at = course.run_if_again(&id).unwrap_or_else(|| {
            let runs = &mut self.case.runs;
            let at = self.case.run_ids.get_or_add(in_life(id.clone(), course.life), |_| {
                runs.push(RunFacts::unknown(id.clone()));
                runs.len() - 1
            });
            course.goes_on_with(at, &id);
            at
        });
        Place::new(at)
    }

    /// Where ids are used again: a message after the end of its run may be of the next one.
    fn take_turns(&mut self, message: &mut Message<'h>) {
        let Some(run) = message.run_at() else { return };
        let full = &self.case.runs[run].id;
        let id = full.split_once(TURN).map_or(&**full, |(id, _)| id).to_owned();
        let (turn, end) = self.turns.get(&id).copied().unwrap_or_default();
        if let Some(end) = end
            && begins_again(&self.case, message, end)
        {
            message.run = self.run_of_id(message.line(), Cow::Owned(in_turn(&id, turn + 1)));
            self.turns.insert(id.clone(), (turn + 1, None));
        }
        if message.is_terminal {
            let (_, end) = self.turns.entry(id).or_default();
            *end = Some(message.n);
        }
    }

    /// Says what the message is by its type and its place; `is_json` says whether it is an object,
    /// where it is JSON.
    fn classify(
        &mut self,
        message: &mut Message<'h>,
        fields: &mut Fields<'h>,
        payload: &Payload<'_>,
        is_json: Option<bool>,
    ) {
        let dialect = self.case.dialect;
        let channel = message.channel;
        if dialect.strict {
            let fits = is_json == Some(true) && fields.kind.is_some();
            self.case.malformed += u64::from(channel == Channel::Websocket && !fits);
            message.is_stopped = fields.error.as_deref() == Some(dialect.stopped.as_str());
        }
        if fields.kind.is_none() {
            let other = self.case.reader.other_kind(dialect, payload, is_json.is_some());
            fields.kind = other.map(Cow::Owned);
        }
        let kind = fields.kind.as_deref();
        if !dialect.strict || kind != Some(dialect.greeting.as_str()) {
            fields.greeted = None;
        }
        // An answer over HTTP is no part of a stream, whatever type it gives itself.
        let is_event_channel = match dialect.strict {
            true => channel == Channel::Websocket,
            false => channel.carries_events(),
        };
        let ignored = payload.ignored || nothing_to_say(dialect, kind, &payload.json);
        if ignored || !is_event_channel {
            return;
        }
        let kind = kind.unwrap_or_default();
        let tree = || payload.json.tree();
        message.is_terminal = dialect.is_terminal(kind, fields.agent.as_deref())
            || (dialect.ends_by_place() && ends_by_place(dialect, tree().as_ref()));
        message.is_event = message.is_terminal || dialect.is_event(kind);
        message.is_acceptance = (!dialect.accepted.is_empty() && kind == dialect.accepted)
            || (dialect.accepts_by_request() && message.is_event && fields.request.is_some());
        if !dialect.strict && dialect.kind.starts_with('/') && is_json.is_none() {
            let known = message.is_terminal || dialect.events.iter().any(|event| event == kind);
            let greets = !kind.is_empty() && (kind == dialect.greeting || kind == dialect.accepted);
            self.case.malformed += u64::from(!known && !greets);
        }
    }

    /// Finds the run of a message that names none.
    fn place(&mut self, message: &mut Message<'h>, request: Option<&str>) {
        let observer = message.observer.as_str();
        let asked = message.asked_run.and_then(|run| self.case.starts_by_run.get(observer, run));
        if let Some(run) = asked.and_then(|start| self.case.starts[start].run_at) {
            // Its stream has named it.
            message.run = Place::new(run);
            return;
        }
        let (id, start) = match (asked, self.case.dialect.matching) {
            (Some(start), _) => {
                (format!("the stream of {}", self.case.connections[message.line()].id), Some(start))
            }
            (None, Matching::Request) => {
                let Some(request) = request else { return };
                (format!("request {request} of {observer}"), None)
            }
            (None, Matching::Order) => {
                let own = self.case.starts_by_run.number_of(observer);
                let order = own.and_then(|own| self.in_order.get_mut(&own));
                let Some(order) = order.filter(|order| !order.lost) else { return };
                // Where the types of events are listed, what comes when no run waits is of the last one.
                let next = order.starts.get(order.ended).map(|start| (*start, message.is_terminal));
                let lists = !self.case.dialect.events.is_empty();
                let last = order.starts.last().filter(|_| lists).map(|start| (*start, false));
                let Some((start, ends)) = next.or(last) else { return };
                order.ended += usize::from(ends);
                (format!("start {start} of {observer}"), Some(start))
            }
            (None, Matching::Run | Matching::Stream) => return,
        };
        let at = self.case.run_ids.get_or_add(Cow::Owned(id), |id| {
            self.case.runs.push(RunFacts::made_up(Cow::Owned(id.to_owned())));
            self.case.runs.len() - 1
        });
        if let Some(start) = start {
            let run = self.case.starts[start].run;
            self.case.runs[at].tell(message.observer, Some(run));
            self.case.starts[start].run_at.get_or_insert(at);
        }
        message.run = Place::new(at);
    }
}
