//! The ways in which a run is started.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a run is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A message on the event connection.
    Socket,
    /// An HTTP request that answers when the run has ended.
    Http,
    /// An HTTP request whose answer is the stream of the run's events.
    Stream,
}

impl Via {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Socket, Self::Http, Self::Stream];

    /// The kind of run, as findings name it.
    pub fn run_kind(self) -> &'static str {
        match self {
            Self::Socket => "chat over websocket",
            Self::Http => "chat over http",
            Self::Stream => "chat over an http stream",
        }
    }
}
