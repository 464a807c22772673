//! The open sockets of a chat, and how an event finds the one that it is for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Common, Leak, locked};

pub(super) type Line = UnboundedSender<Event>;

/// What goes out on a socket.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Text(String),
    /// The end, and why.
    Close(String),
}

impl From<String> for Event {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The most bytes that fit into a close frame beside its code.
const LONGEST_REASON: usize = 123;

pub(super) struct Lines {
    pub(super) common: Common,
    open: Mutex<BTreeMap<String, Line>>,
    /// The leaks: the current socket of the process, and sockets by the client's id.
    current: Mutex<Option<Line>>,
    by_request: Mutex<BTreeMap<String, Line>>,
    /// What was last said on any socket.
    said: Mutex<String>,
}

impl Lines {
    pub(super) fn new(common: Common) -> Arc<Self> {
        let (open, current, by_request, said) = Default::default();
        Arc::new(Self { common, open, current, by_request, said })
    }

    /// A new socket under that id.
    pub(super) fn open(&self, id: &str) -> (Line, UnboundedReceiver<Event>) {
        let (line, events) = unbounded_channel();
        locked(&self.open).insert(id.to_owned(), line.clone());
        (line, events)
    }

    pub(super) fn close(&self, id: &str) {
        locked(&self.open).remove(id);
    }

    /// A run begins on that socket, with the client's id and those words.
    pub(super) fn begin(&self, line: &Line, request: &str, said: &str) {
        said.clone_into(&mut locked(&self.said));
        *locked(&self.current) = Some(line.clone());
        locked(&self.by_request).insert(request.to_owned(), line.clone());
    }

    /// Why a socket is closed on which nothing was said that is understood; none where it goes on.
    pub(super) fn refusal(&self) -> Option<Event> {
        let mut reason = locked(&self.said).clone();
        reason.truncate(LONGEST_REASON);
        (self.common.leak == Leak::CloseReason).then_some(Event::Close(reason))
    }

    /// Sends an event of a run to whom it is for, or to whom the leak takes it.
    pub(super) fn tell(&self, line: &Line, request: &str, event: String) {
        let other = match self.common.leak {
            Leak::Broadcast => {
                locked(&self.open).values().for_each(|line| drop(line.send(event.clone().into())));
                return;
            }
            Leak::Slot => locked(&self.current).clone(),
            Leak::IdCollision => locked(&self.by_request).get(request).cloned(),
            _ => None,
        };
        let _ = other.as_ref().unwrap_or(line).send(event.into());
    }
}

/// Carries events out and gives what comes in to `hear`, until the socket ends.
pub(super) async fn carry(
    mut socket: WebSocket,
    mut events: UnboundedReceiver<Event>,
    mut hear: impl FnMut(&str),
) {
    loop {
        tokio::select! {
            Some(event) = events.recv() => {
                let (message, last) = match event {
                    Event::Text(text) => (Message::text(text), false),
                    Event::Close(reason) => {
                        let frame = CloseFrame { code: close_code::UNSUPPORTED, reason: reason.into() };
                        (Message::Close(Some(frame)), true)
                    }
                };
                if socket.send(message).await.is_err() || last { return }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => hear(text.as_str()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}
