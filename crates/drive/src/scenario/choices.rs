//! The words that a scenario file chooses from. The published schema lists them.

use schemars::JsonSchema;
use serde::Deserialize;

use partywall_core::plan::CursorKind;
use partywall_explore::workload::{Ids, Point};

/// A back end that this program carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// The reference back end.
    Reference,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum MethodName {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl MethodName {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How often a step of the set-up is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Each {
    /// Once for each user.
    User,
    /// Once on each event connection.
    Connection,
}

/// How a run is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartBy {
    /// A message on the event connection.
    Message,
    /// An HTTP request.
    Http,
}

/// What answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerBy {
    /// One result.
    Json,
    /// A stream, SSE or NDJSON.
    Stream,
    /// The same as `stream`.
    Sse,
    /// The same as `stream`.
    Ndjson,
    /// Events on the event connection.
    Events,
}

/// The ids that clients choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdChoice {
    /// Equal for all users: `1`, `2`, …
    Equal,
    /// Different for all users.
    Unique,
    /// Joined with the user's name they are those of another user.
    Colliding,
}

impl From<IdChoice> for Ids {
    fn from(choice: IdChoice) -> Self {
        match choice {
            IdChoice::Equal => Self::Equal,
            IdChoice::Unique => Self::Unique,
            IdChoice::Colliding => Self::Colliding,
        }
    }
}

/// The connection that events come on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// A WebSocket.
    Websocket,
    /// A stream of server-sent events.
    Sse,
    /// None.
    None,
}

/// Where a run is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutAt {
    /// Before the first byte of the answer.
    First,
    /// Somewhere in the middle.
    Middle,
    /// Just before the end.
    Last,
}

impl From<CutAt> for Point {
    fn from(at: CutAt) -> Self {
        match at {
            CutAt::First => Self::First,
            CutAt::Middle => Self::Middle,
            CutAt::Last => Self::Last,
        }
    }
}

/// What a user shows who comes back after a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownCursor {
    /// The user's last event.
    Own,
    /// An earlier event.
    Old,
    /// Another user's run.
    Foreign,
    /// Nonsense.
    Nonsense,
}

impl From<ShownCursor> for CursorKind {
    fn from(shown: ShownCursor) -> Self {
        match shown {
            ShownCursor::Own => Self::Own,
            ShownCursor::Old => Self::Old,
            ShownCursor::Foreign => Self::Foreign,
            ShownCursor::Nonsense => Self::Nonsense,
        }
    }
}

/// How a run of the reference back end is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceVia {
    /// A message on the event connection.
    Socket,
    /// An HTTP request.
    Http,
}
