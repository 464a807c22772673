//! What comes to a user, and what they take from it.

use super::credentials::hide_captures;
use super::exchange::{Exchange, Part, Reading};
use super::simulated_user::User;
use partywall_core::history::What;
use partywall_core::plan::Via;
use partywall_core::protocol::{AnswerKind, Start};
use partywall_core::raw::Raw;
use partywall_core::reader::Said;
use partywall_world::backend::Incoming;

impl User {
    /// Takes what came at that time, on the connection that is sent on or on that beside it. Gives
    /// what is to be replied.
    pub(super) fn take(
        &mut self,
        now: u64,
        from: Option<usize>,
        incoming: Incoming,
    ) -> Option<String> {
        match from {
            None => self.take_incoming(now, incoming),
            Some(place) => self.take_parked(now, place, incoming),
        }
    }

    /// Takes what came at that time. Gives what is to be replied.
    pub(super) fn take_incoming(&mut self, now: u64, incoming: Incoming) -> Option<String> {
        let raw = match incoming {
            Incoming::Message(raw) => raw,
            Incoming::Aside(raw) => {
                let name = self.socket.as_ref().map(|open| &open.name);
                self.world.observe_at(now, &self.name, name, What::Aside { raw });
                return None;
            }
            Incoming::Ended { code, reason } => {
                self.lose_socket(What::Ended { code, raw: reason });
                return None;
            }
            Incoming::Broken(error) => {
                self.lose_socket(What::broken(error));
                return None;
            }
        };
        let said = self.reader.read(&self.protocol.dialect, &raw, false);
        let is_whole = said.is_whole;
        self.heard(None, &said);
        let events = self.protocol.events.as_ref();
        let reply = events.and_then(|events| {
            let found = events.replies.iter().find(|(to, _)| to.as_bytes() == raw.bytes());
            found.map(|(_, reply)| reply.clone())
        });
        let raw = if is_whole { raw.of_json() } else { raw };
        let name = self.socket.as_ref().map(|open| &open.name);
        self.world.observe_at(now, &self.name, name, What::Received { raw });
        reply
    }

    /// Takes in what a message says, in the answer of that run or on the event connection.
    fn heard(&mut self, run: Option<u16>, said: &Said<'_>) {
        let protocol = &*self.protocol;
        let kind = said.kind.as_deref();
        self.greeted = self.greeted || kind == Some(protocol.dialect.greeting.as_str());
        if let Some(ping) = &protocol.reads.ping
            && kind == Some(ping.answer.as_str())
        {
            self.pongs += 1;
        }
        self.runs.hear(&protocol.dialect, &protocol.controls.asks, run, said);
        self.post();
    }

    /// Takes a part of the answer in that place.
    pub(super) fn take_part(&mut self, place: usize, part: Part) {
        match part {
            Part::Begins { status, headers } => {
                let exchange = &self.exchanges[place];
                let (name, reading) = (exchange.name.clone(), exchange.reading);
                self.hide_captures(reading, &headers, &Raw::default());
                self.store_cookies(&headers);
                if let Reading::SetUp(_) = reading {
                    self.answer_of_step = Some((status, headers.clone(), Raw::default()));
                }
                self.observe(Some(&name), What::Answer { status, headers, raw: Raw::default() });
                if reading == Reading::Events {
                    self.observe(Some(&name), What::Connected { headers: Raw::default() });
                }
            }
            Part::Event(raw) => {
                let exchange = &self.exchanges[place];
                let (name, run) = (exchange.name.clone(), exchange.run);
                let said = self.reader.read(&self.protocol.dialect, &raw, true);
                self.heard(run, &said);
                self.observe(Some(&name), What::Received { raw });
            }
            Part::Answer { status, headers, body, broken } => {
                let exchange = self.exchanges.remove(place);
                self.hide_captures(exchange.reading, &headers, &body);
                self.store_cookies(&headers);
                if let Some(run) = exchange.run {
                    self.is_answered(run, &body, broken.is_some());
                }
                if let Reading::SetUp(_) = exchange.reading {
                    self.answer_of_step = Some((status, headers.clone(), body.clone()));
                }
                self.observe(Some(&exchange.name), What::Answer { status, headers, raw: body });
                if let Some(failed) = broken {
                    self.observe(Some(&exchange.name), What::broken(failed));
                }
                self.connection_is_over(&exchange);
                self.post();
            }
            Part::Over { rest, broken } => {
                let exchange = self.exchanges.remove(place);
                let on = Some(&exchange.name);
                rest.into_iter().for_each(|what| self.observe(on, what));
                let is_broken = broken.is_some();
                self.observe(
                    on,
                    match broken {
                        Some(failed) => What::broken(failed),
                        None => What::Ended { code: None, raw: Raw::default() },
                    },
                );
                self.connection_is_over(&exchange);
                if let Some(run) = exchange.run.filter(|_| !is_broken) {
                    self.stream_is_over(run);
                }
            }
        }
    }

    /// Nothing comes of the exchange any more: an event connection that it was is gone.
    fn connection_is_over(&mut self, exchange: &Exchange) {
        if exchange.reading != Reading::Events {
            return;
        }
        if self.socket.as_ref().is_some_and(|open| open.name == exchange.name) {
            self.socket = None;
            self.cut();
        }
        self.parked.retain(|(_, open)| open.name != exchange.name);
    }

    /// Takes out of the history what must not stand there, before anything of it is recorded.
    fn hide_captures(&self, reading: Reading, headers: &Raw, body: &Raw) {
        if let Reading::SetUp(step) = reading {
            let captures = self.protocol.setup.get(step).map_or(&[][..], |step| &step.captures);
            let answer = (&*headers.text(), &*body.text());
            hide_captures(&self.world, &self.name, &self.protocol, captures, answer);
        }
    }

    /// The run, or what was asked about it, is answered with that.
    fn is_answered(&mut self, run: u16, body: &Raw, broken: bool) {
        let (dialect, via) = (&self.protocol.dialect, self.via(run));
        if dialect.tells_states() {
            let tree: serde_json::Value = serde_json::from_slice(body.bytes()).unwrap_or_default();
            let told = |at: &str| tree.pointer(at).and_then(serde_json::Value::as_str);
            let ended =
                told(&dialect.state).is_some_and(|now| dialect.ended.iter().any(|end| end == now));
            if self.runs.id(run).is_none() {
                self.runs.identify(run, told(&dialect.run));
            }
            if ended {
                self.runs.is_told_ended(run, via == Via::Http);
            }
            return;
        }
        let said = self.reader.read(dialect, body, false);
        self.runs.identify(run, said.run.as_deref());
        match self.protocol.start_via(via) {
            // Answered whole where a stream might have come.
            Start::Http { answer: AnswerKind::Stream, .. } => self.runs.end(run),
            Start::Http { answer: AnswerKind::Whole, .. } if !broken => self.runs.end(run),
            _ => {}
        }
    }

    /// The stream that answered the run's request is over.
    fn stream_is_over(&mut self, run: u16) {
        let tells_ends = self.protocol.dialect.tells_ends();
        let Start::Http { answer, .. } = self.protocol.start_via(self.via(run)) else { return };
        let is_its_end = match answer {
            AnswerKind::Accepted => false,
            AnswerKind::Stream => !tells_ends,
            AnswerKind::Whole => true,
        };
        if is_its_end {
            self.runs.end(run);
        }
    }
}
