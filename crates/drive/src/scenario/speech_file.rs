//! How users speak to a server, exactly as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::choices::{AnswerBy, ConnectionKind, Each, IdChoice, MethodName, StartBy};
use super::written::Written;
use partywall_core::dialect::Matching;

/// Names with their templates.
pub type Pairs = BTreeMap<String, Written<String>>;

/// How a user proves who they are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityTable {
    /// Headers.
    #[serde(default)]
    pub headers: Pairs,
    /// Parts of the query.
    #[serde(default)]
    pub query: Pairs,
    /// Cookies.
    #[serde(default)]
    pub cookies: Pairs,
    /// The WebSocket subprotocol.
    pub subprotocol: Option<Written<String>>,
    /// The names of the users, instead of generated ones.
    pub users: Option<Written<Vec<String>>>,
    /// A file of the users, one a line: a name, or a name, a tab and what stands for
    /// `{{ user.secret }}`; relative to the current folder.
    pub users_file: Option<Written<String>>,
    /// A command that prints such lines.
    pub users_command: Option<Written<Vec<String>>>,
    /// Nothing that the server receives says who a user is: it tells them apart by their connections,
    /// or by their threads.
    #[serde(default)]
    pub none: bool,
    /// Whether some generated names are not ASCII [default: true where names stand in no header,
    /// cookie or subprotocol].
    pub unicode_names: Option<bool>,
}

/// One step before the first run: an HTTP request, or a message on the event connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpTable {
    /// What it is called in reports.
    pub name: String,
    /// `user` (once) or `connection` (anew on each event connection).
    pub each: Option<Written<Each>>,
    /// The method of the request [default: POST with a body, else GET].
    pub method: Option<Written<MethodName>>,
    /// The path of the request; without one, a message is sent on the event connection.
    pub path: Option<Written<String>>,
    /// More headers.
    #[serde(default)]
    pub headers: Pairs,
    /// What stands before the JSON of a message.
    #[serde(default)]
    pub prefix: String,
    /// The JSON that is sent; its strings are templates.
    pub json: Option<Written<Value>>,
    /// The text that is sent, instead of JSON.
    pub text: Option<Written<String>>,
    /// What is taken from the answer, for `{{ capture.NAME }}`.
    #[serde(default)]
    pub capture: BTreeMap<String, Written<CaptureTable>>,
}

/// Where a captured value stands: in one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureTable {
    /// In that header.
    pub header: Option<String>,
    /// In the JSON body, by pointer.
    pub pointer: Option<Written<String>>,
    /// In the first group of a regular expression over the body.
    pub regex: Option<Written<String>>,
    /// Whether it is this user's alone, as a session or a token: whoever else is shown it is a
    /// finding [default: false].
    #[serde(default)]
    pub private: bool,
}

/// How a run is started.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartTable {
    /// `message` (on the event connection) or `http`.
    pub by: Written<StartBy>,
    /// The method of the request [default: POST with a body, else GET].
    pub method: Option<Written<MethodName>>,
    /// The path of the request.
    pub path: Option<Written<String>>,
    /// More headers.
    #[serde(default)]
    pub headers: Pairs,
    /// What stands before the JSON of a message: `42` for Socket.IO.
    #[serde(default)]
    pub prefix: String,
    /// The JSON that is sent; its strings are templates.
    pub json: Option<Written<Value>>,
    /// The text that is sent, instead of JSON.
    pub text: Option<Written<String>>,
    /// What answers a request: `json` (the result), `stream` (SSE or NDJSON), or `events` (the
    /// events come on the event connection).
    pub answer: Option<Written<AnswerBy>>,
    /// The ids that clients choose, of requests and conversations: `equal` for all users (`1`, `2`,
    /// …), `unique`, or `colliding` (joined with the user's name they are those of another user)
    /// [default: equal].
    pub ids: Option<Written<IdChoice>>,
}

/// How messages are read. Places are JSON pointers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsTable {
    /// The connection that events come on: `websocket`, `sse` or `none`.
    pub connection: Option<Written<ConnectionKind>>,
    /// Its path.
    pub path: Option<Written<String>>,
    /// The type of the first message on it, where there is one.
    #[serde(default)]
    pub greeting: String,
    /// The type of the message that accepts a run.
    pub accepted: Option<Written<String>>,
    /// Where the type stands; `sse:event` for the name of an SSE event.
    #[serde(default, rename = "type")]
    pub kind: Option<Written<String>>,
    /// Where the user stands that a message is for, by the name that the scenario gives them.
    pub user: Option<Written<String>>,
    /// Where the conversation stands.
    pub thread: Option<Written<String>>,
    /// Where the id of the run stands, as the server gives it.
    pub run: Option<Written<String>>,
    /// Whether no two users have runs of the same id [default: true].
    pub unique_runs: Option<Written<bool>>,
    /// Whether every answer holds the prompt of its request: one that does not is a finding, since it
    /// may be anybody's [default: false]. Of equal messages it cannot be known.
    #[serde(default)]
    pub echoes: bool,
    /// Where the number of the event in its run stands.
    pub sequence: Option<Written<String>>,
    /// The number of a run's first event [default: 1].
    pub first: Option<Written<u64>>,
    /// Where the agent stands, or another second field that tells ends apart.
    pub agent: Option<Written<String>>,
    /// Where the client's id of the request stands.
    pub request: Option<Written<String>>,
    /// The types of a run's events, in their usual order; all types where it is left out.
    #[serde(default)]
    pub types: Vec<String>,
    /// Which sequence of types a whole run has and which of them may repeat, as a regular expression
    /// over the types with a space between them: `started( piece)+ (done|failed)`.
    pub expected: Option<Written<String>>,
    /// What ends a run.
    #[serde(default)]
    pub ends: Vec<EndTable>,
    /// Types of no interest.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Messages of no interest, as a regular expression.
    pub ignore_pattern: Option<Written<String>>,
    /// What stands before the JSON of a message, as a regular expression.
    pub frame: Option<Written<String>>,
    /// How a message that names no run finds its run: `request`, `order` or `stream`. Needed where events
    /// of an event connection name neither run nor request.
    #[serde(default, rename = "match")]
    pub matching: Option<Written<Matching>>,
    /// Messages that are answered at once: what comes, and what is sent.
    #[serde(default)]
    pub replies: BTreeMap<String, String>,
    /// The query by which a user who comes back says what they have: templates over `{{ run }}`
    /// and `{{ cursor }}`.
    #[serde(default)]
    pub resume: Pairs,
    /// Where all users may see each other's data, as presence or a guest book: paths of requests or
    /// of the event connection, and places in messages; `*` stands for any text.
    #[serde(default)]
    pub public: Vec<Written<String>>,
}

/// What some users share, as a room, a team or a document: they may see each other's data there, and
/// nobody else may.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedTable {
    /// Between whom.
    pub users: Written<Vec<String>>,
    /// A path of requests or of the event connection, or a place in messages; `*` stands for any
    /// text.
    pub path: Written<String>,
}

/// What ends a run: a type, a type with a second field, or a place where something stands.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EndTable {
    /// A type.
    Kind(String),
    /// A type with its second field.
    Second {
        /// The type.
        #[serde(rename = "type")]
        kind: String,
        /// What stands at `agent`.
        agent: String,
    },
    /// A place where something other than null stands.
    Place {
        /// The JSON pointer.
        present: String,
    },
}
