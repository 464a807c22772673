//! An event connection of a simulated user.

use partywall_core::ids::ConnectionId;
use partywall_world::backend::Socket;

pub(super) struct OpenSocket {
    pub(super) name: ConnectionId,
    pub(super) carrier: Carrier,
}

/// What events come on.
pub(super) enum Carrier {
    Websocket(Box<dyn Socket>),
    /// The answer to the request of that name.
    Streamed,
}
