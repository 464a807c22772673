//! A scenario of a server of somebody's own, exactly as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

/// Names with their templates.
pub type Pairs = BTreeMap<String, Spanned<String>>;

/// The whole file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerFile {
    /// The version of the format: 1.
    #[schemars(with = "u32")]
    pub version: Spanned<u32>,
    /// A short name: letters, digits, `-` and `_`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// One line for reports.
    pub title: String,
    /// The server.
    #[schemars(with = "TargetTable")]
    pub target: Spanned<TargetTable>,
    /// Sign-off: what is other before the migration.
    pub before: Option<TargetTable>,
    /// Sign-off: what is other after the migration.
    pub after: Option<TargetTable>,
    /// How a user proves who they are, with every request and every opening.
    #[serde(default)]
    pub identity: IdentityTable,
    /// What a user does before the first run, in order.
    #[serde(default)]
    pub setup: Vec<SetUpTable>,
    /// How a run is started.
    #[schemars(with = "StartTable")]
    pub start: Spanned<StartTable>,
    /// How messages are read, and the connection that events come on.
    #[serde(default)]
    pub events: EventsTable,
    /// Who does what.
    #[serde(default)]
    pub workload: LoadTable,
    /// What may not be exceeded.
    #[serde(default)]
    pub limits: LimitsTable,
}

/// The server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetTable {
    /// Its base URL: `http://127.0.0.1:8000`.
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<String>>,
    /// The base URLs of its replicas; users are spread over them.
    #[schemars(with = "Option<Vec<String>>")]
    pub urls: Option<Spanned<Vec<String>>>,
    /// A command that starts it, with `{{ port }}` for the port.
    #[schemars(with = "Option<Vec<String>>")]
    pub command: Option<Spanned<Vec<String>>>,
    /// The folder that it is started in, relative to the current one.
    pub cwd: Option<String>,
    /// Its environment, besides that of partywall: templates.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub env: Option<Pairs>,
    /// A path that answers with a status below 500 once it is ready; else its port must accept.
    pub ready: Option<String>,
    /// How long it may take to be ready, in seconds.
    pub ready_seconds: Option<u32>,
    /// Whether each round has a process of its own.
    pub fresh_process: Option<bool>,
}

/// How a user proves who they are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityTable {
    /// Headers.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: Pairs,
    /// Parts of the query.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Pairs,
    /// Cookies.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub cookies: Pairs,
    /// The WebSocket subprotocol.
    #[schemars(with = "Option<String>")]
    pub subprotocol: Option<Spanned<String>>,
    /// The names of the users, instead of generated ones.
    #[schemars(with = "Option<Vec<String>>")]
    pub users: Option<Spanned<Vec<String>>>,
}

/// One step before the first run: an HTTP request, or a message on the event connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpTable {
    /// What it is called in reports.
    pub name: String,
    /// `user` (once) or `connection` (anew on each event connection).
    #[schemars(with = "Option<String>")]
    pub each: Option<Spanned<String>>,
    /// The method of the request.
    #[schemars(with = "Option<String>")]
    pub method: Option<Spanned<String>>,
    /// The path of the request; without one, a message is sent on the event connection.
    #[schemars(with = "Option<String>")]
    pub path: Option<Spanned<String>>,
    /// More headers.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: Pairs,
    /// What stands before the JSON of a message.
    #[serde(default)]
    pub prefix: String,
    /// The JSON that is sent; its strings are templates.
    #[schemars(with = "Option<Value>")]
    pub json: Option<Spanned<Value>>,
    /// The text that is sent, instead of JSON.
    #[schemars(with = "Option<String>")]
    pub text: Option<Spanned<String>>,
    /// What is taken from the answer, for `{{ capture.NAME }}`.
    #[serde(default)]
    pub capture: BTreeMap<String, CaptureTable>,
}

/// Where a captured value stands: in one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureTable {
    /// In that header.
    pub header: Option<String>,
    /// In the JSON body, by pointer.
    #[schemars(with = "Option<String>")]
    pub pointer: Option<Spanned<String>>,
    /// In the first group of a regular expression over the body.
    #[schemars(with = "Option<String>")]
    pub regex: Option<Spanned<String>>,
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
    #[schemars(with = "String")]
    pub by: Spanned<String>,
    /// The method of the request [default: POST].
    #[schemars(with = "Option<String>")]
    pub method: Option<Spanned<String>>,
    /// The path of the request.
    #[schemars(with = "Option<String>")]
    pub path: Option<Spanned<String>>,
    /// More headers.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: Pairs,
    /// What stands before the JSON of a message: `42` for Socket.IO.
    #[serde(default)]
    pub prefix: String,
    /// The JSON that is sent; its strings are templates.
    #[schemars(with = "Option<Value>")]
    pub json: Option<Spanned<Value>>,
    /// The text that is sent, instead of JSON.
    #[schemars(with = "Option<String>")]
    pub text: Option<Spanned<String>>,
    /// What answers a request: `json` (the result), `stream` (SSE or NDJSON), or `events` (the
    /// events come on the event connection).
    #[schemars(with = "Option<String>")]
    pub answer: Option<Spanned<String>>,
}

/// How messages are read. Places are JSON pointers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsTable {
    /// The connection that events come on: `websocket`, `sse` or `none`.
    #[schemars(with = "Option<String>")]
    pub connection: Option<Spanned<String>>,
    /// Its path.
    #[schemars(with = "Option<String>")]
    pub path: Option<Spanned<String>>,
    /// The type of the first message on it, where there is one.
    #[serde(default)]
    pub greeting: String,
    /// The type of the message that accepts a run.
    #[serde(default)]
    pub accepted: String,
    /// Where the type stands; `sse:event` for the name of an SSE event.
    #[serde(default, rename = "type")]
    #[schemars(with = "Option<String>")]
    pub kind: Option<Spanned<String>>,
    /// Where the user stands that a message is for, by the name that the scenario gives them.
    #[schemars(with = "Option<String>")]
    pub user: Option<Spanned<String>>,
    /// Where the conversation stands.
    #[schemars(with = "Option<String>")]
    pub thread: Option<Spanned<String>>,
    /// Where the id of the run stands, as the server gives it.
    #[schemars(with = "Option<String>")]
    pub run: Option<Spanned<String>>,
    /// Whether no two users have runs of the same id [default: true].
    pub unique_runs: Option<bool>,
    /// Where the number of the event in its run stands.
    #[schemars(with = "Option<String>")]
    pub sequence: Option<Spanned<String>>,
    /// The number of a run's first event [default: 1].
    pub first: Option<u64>,
    /// Where the agent stands, or another second field that tells ends apart.
    #[schemars(with = "Option<String>")]
    pub agent: Option<Spanned<String>>,
    /// Where the client's id of the request stands.
    #[schemars(with = "Option<String>")]
    pub request: Option<Spanned<String>>,
    /// The types of a run's events, in their usual order; all types where it is left out.
    #[serde(default)]
    pub types: Vec<String>,
    /// What ends a run.
    #[serde(default)]
    pub ends: Vec<EndTable>,
    /// Types of no interest.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Messages of no interest, as a regular expression.
    #[schemars(with = "Option<String>")]
    pub ignore_pattern: Option<Spanned<String>>,
    /// What stands before the JSON of a message, as a regular expression.
    #[schemars(with = "Option<String>")]
    pub frame: Option<Spanned<String>>,
    /// How a message that names no run finds its run: `request`, `order` or `stream`.
    #[serde(default, rename = "match")]
    #[schemars(with = "Option<String>")]
    pub matching: Option<Spanned<String>>,
    /// Messages that are answered at once: what comes, and what is sent.
    #[serde(default)]
    pub replies: BTreeMap<String, String>,
    /// The query by which a user who comes back says what they have: templates over `{{ run }}`
    /// and `{{ cursor }}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub resume: Pairs,
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

/// Who does what.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadTable {
    /// Users, the bystander included [default: 50].
    #[schemars(with = "Option<u32>")]
    pub users: Option<Spanned<u32>>,
    /// Runs that each user starts [default: 2].
    #[schemars(with = "Option<u16>")]
    pub runs_per_user: Option<Spanned<u16>>,
    /// Rounds in which all users start together [default: 8].
    #[schemars(with = "Option<u64>")]
    pub rounds: Option<Spanned<u64>>,
    /// Fewest and most milliseconds before a run [default: 0 to 20].
    #[schemars(with = "Option<[u32; 2]>")]
    pub start_delay: Option<Spanned<[u32; 2]>>,
    /// Whether one connected user does nothing [default: true where there is an event connection].
    pub bystander: Option<bool>,
    /// Whether the second round lets users work one after the other [default: true].
    pub sequential: Option<bool>,
    /// How many of a hundred runs the user goes away from, at a random point.
    #[schemars(with = "Option<u8>")]
    pub cancel_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs lose their event connection, at a random point.
    #[schemars(with = "Option<u8>")]
    pub disconnect_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs are preceded by a malformed message.
    #[schemars(with = "Option<u8>")]
    pub malformed_percent: Option<Spanned<u8>>,
    /// Runs of a user that go on at the same time [default: 1].
    #[schemars(with = "Option<u16>")]
    pub parallel: Option<Spanned<u16>>,
}

/// What may not be exceeded.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsTable {
    /// Hosts besides this machine that may be driven.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How long a user waits for the end of a run, in seconds [default: 10].
    #[schemars(with = "Option<u32>")]
    pub run_seconds: Option<Spanned<u32>>,
    /// Requests and messages in all; the rounds are cut to that.
    #[schemars(with = "Option<u64>")]
    pub requests: Option<Spanned<u64>>,
    /// Runs that are started in a second, by all users together.
    #[schemars(with = "Option<u32>")]
    pub runs_per_second: Option<Spanned<u32>>,
    /// Seconds for everything.
    pub seconds: Option<u64>,
}
