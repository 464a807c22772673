//! What comes to a user, and what they take from it.

use super::exchange::Heard;
use super::{Carrier, Client, OpenSocket};
use crate::swarm::Receiving;
use crate::trial::history::What;
use crate::trial::protocol::{AnswerKind, Start};
use crate::world::backend::Incoming;

impl Client {
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
            Incoming::Ended { code, reason } => {
                self.lose_socket(What::Ended { code, raw: reason });
                return None;
            }
            Incoming::Broken(error) => {
                self.lose_socket(What::Broken { error });
                return None;
            }
        };
        let dialect = &self.protocol.dialect;
        let said = self.reader.read(dialect, &raw, false);
        self.greeted = self.greeted || said.kind.as_deref() == Some(dialect.greeting.as_str());
        self.runs.hear(dialect, &self.protocol.controls.asks, None, &said);
        self.post();
        let events = self.protocol.events.as_ref();
        let reply = events.and_then(|events| {
            let found = events.replies.iter().find(|(to, _)| to.as_bytes() == raw.bytes());
            found.map(|(_, reply)| reply.clone())
        });
        let raw = if said.is_whole { raw.of_json() } else { raw };
        let name = self.socket.as_ref().map(|open| &open.name);
        self.world.observe_at(now, &self.name, name, What::Received { raw });
        reply
    }

    pub(super) fn take_heard(&mut self, heard: Heard) {
        let dialect = &self.protocol.dialect;
        match heard {
            Heard::Said { run, said } => {
                self.greeted |= said.kind.as_deref() == Some(dialect.greeting.as_str());
                self.runs.hear(dialect, &self.protocol.controls.asks, run, &said);
                self.post();
            }
            Heard::Answered { run, headers, body, .. } => {
                if let (Some(run), Some(body)) = (run, &body) {
                    let said = self.reader.read(dialect, body, false);
                    self.runs.identify(run, said.run.as_deref());
                    self.post();
                    if matches!(self.protocol.start, Start::Http { answer: AnswerKind::Stream, .. })
                    {
                        // Answered whole where a stream might have come.
                        self.runs.end(run);
                    }
                }
                let headers = headers.text().into_owned();
                self.keep_cookies(&headers);
            }
            Heard::Over { on, run, broken } => {
                self.unheard -= 1;
                self.exchanges.retain(|exchange| exchange.name != on);
                if self.socket.as_ref().is_some_and(|open| open.name == on) {
                    self.socket = None;
                }
                self.parked.retain(|(_, open)| open.name != on);
                let accepted =
                    matches!(self.protocol.start, Start::Http { answer: AnswerKind::Accepted, .. });
                let streams =
                    matches!(self.protocol.start, Start::Http { answer: AnswerKind::Stream, .. });
                if let Some(run) = run
                    && !broken
                    && !accepted
                    && !(streams && self.protocol.dialect.tells_ends())
                {
                    self.runs.end(run);
                }
            }
        }
    }
}

/// What comes next on that connection; what comes in the body of an answer goes to the inbox.
fn receiving(open: Option<&mut OpenSocket>) -> Receiving<'_> {
    Receiving::on(open.and_then(|open| match &mut open.carrier {
        Carrier::Websocket(socket) => Some(&mut **socket as _),
        Carrier::Streamed(_) => None,
    }))
}

/// What comes next, and on which of the connections that stand beside the one that is sent on.
pub(super) async fn next_message(
    socket: &mut Option<OpenSocket>,
    parked: &mut [(u8, OpenSocket)],
) -> (Option<usize>, Incoming) {
    let current = receiving(socket.as_mut());
    if parked.is_empty() {
        return (None, current.await);
    }
    let others = parked.iter_mut().enumerate().map(|(place, (_, open))| {
        Box::pin(async move { (Some(place), receiving(Some(open)).await) })
    });
    tokio::select! {
        biased;
        incoming = current => (None, incoming),
        (first, ..) = futures_util::future::select_all(others) => first,
    }
}
