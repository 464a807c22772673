//! An event connection within the process: two channels, and a fault line that may cut them.

use partywall_world::box_future::BoxFuture;

use partywall_core::ids::UserName;
use partywall_core::plan::FaultKind;
use partywall_core::raw::Raw;
use partywall_world::backend::{Incoming, Socket};
use partywall_world::channel::{Receiver, Sender};
use partywall_world::{FaultLine, World};

/// How many messages may be under way in one direction of a connection.
const MESSAGES_UNDER_WAY: usize = 4096;

/// The client's end.
#[derive(Debug)]
pub struct ClientEnd {
    to_server: Option<Sender<String>>,
    /// None once the connection was cut.
    from_server: Option<Receiver<Raw>>,
    line: FaultLine,
}

/// The server's end: it reads the end once the client has gone, and then fails to write.
#[derive(Debug)]
pub struct ServerEnd {
    /// What the server sends.
    pub to_client: Sender<Raw>,
    /// What the client sent.
    pub from_client: Receiver<String>,
}

/// A connection of that user.
pub fn open(world: &World, user: &UserName) -> (ClientEnd, ServerEnd) {
    let (to_server, from_client) = world.channel(MESSAGES_UNDER_WAY);
    let (to_client, from_server) = world.channel(MESSAGES_UNDER_WAY);
    let line = world.fault_line(user, FaultKind::Vanish);
    let client = ClientEnd { to_server: Some(to_server), from_server: Some(from_server), line };
    (client, ServerEnd { to_client, from_client })
}

impl Socket for ClientEnd {
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), String>> {
        let sent = match &self.to_server {
            Some(to_server) => {
                to_server.send(text).map_err(|_| "the server is gone or does not keep up".into())
            }
            None => Err("the connection is closed".into()),
        };
        Box::pin(async move { sent })
    }

    fn receive(&mut self) -> BoxFuture<'_, Incoming> {
        Box::pin(async {
            let cut = || Incoming::Broken("the connection was cut".into());
            let Some(from_server) = &mut self.from_server else { return cut() };
            match self.line.guard(from_server.receive()).await {
                Ok(Some(raw)) => Incoming::Message(raw),
                Ok(None) => Incoming::Ended { code: None, reason: Raw::default() },
                Err(_) => {
                    (self.to_server, self.from_server) = (None, None);
                    cut()
                }
            }
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.to_server = None;
        Box::pin(async {})
    }
}
