//! The open sockets of a chat, and how an event finds the one that it is for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::ws::{Message, WebSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Common, Leak, locked};

pub(super) type Line = UnboundedSender<String>;

pub(super) struct Lines {
    pub(super) common: Common,
    open: Mutex<BTreeMap<String, Line>>,
    /// The leaks: the current socket of the process, and sockets by the client's id.
    current: Mutex<Option<Line>>,
    by_request: Mutex<BTreeMap<String, Line>>,
}

impl Lines {
    pub(super) fn new(common: Common) -> Arc<Self> {
        let (open, current, by_request) = Default::default();
        Arc::new(Self { common, open, current, by_request })
    }

    /// A new socket under that id.
    pub(super) fn open(&self, id: &str) -> (Line, UnboundedReceiver<String>) {
        let (line, events) = unbounded_channel();
        locked(&self.open).insert(id.to_owned(), line.clone());
        (line, events)
    }

    pub(super) fn close(&self, id: &str) {
        locked(&self.open).remove(id);
    }

    /// A run begins on that socket, with the client's id.
    pub(super) fn begin(&self, line: &Line, request: &str) {
        *locked(&self.current) = Some(line.clone());
        locked(&self.by_request).insert(request.to_owned(), line.clone());
    }

    /// Sends an event of a run to whom it is for, or to whom the leak takes it.
    pub(super) fn tell(&self, line: &Line, request: &str, event: String) {
        let other = match self.common.leak {
            Leak::Broadcast => {
                locked(&self.open).values().for_each(|line| drop(line.send(event.clone())));
                return;
            }
            Leak::Slot => locked(&self.current).clone(),
            Leak::IdCollision => locked(&self.by_request).get(request).cloned(),
            _ => None,
        };
        let _ = other.as_ref().unwrap_or(line).send(event);
    }
}

/// Carries events out and gives what comes in to `hear`, until the socket ends.
pub(super) async fn carry(
    mut socket: WebSocket,
    mut events: UnboundedReceiver<String>,
    mut hear: impl FnMut(&str),
) {
    loop {
        tokio::select! {
            Some(event) = events.recv() => {
                if socket.send(Message::text(event)).await.is_err() { return }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => hear(text.as_str()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}
