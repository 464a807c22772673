//! A scenario of a server of somebody's own, exactly as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::load_file::{ControlsTable, LoadTable, SwitchTable};

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
    /// The model and tools of the server, played by partywall; their log is judged.
    #[schemars(with = "Option<UpstreamTable>")]
    pub upstream: Option<Spanned<UpstreamTable>>,
    /// Sign-off: what is other before the migration.
    pub before: Option<TargetTable>,
    /// Sign-off: what is other after the migration.
    pub after: Option<TargetTable>,
    /// The states of a migration, for `partywall migration`.
    #[serde(default)]
    pub state: Vec<StateTable>,
    /// What tells of itself what happened in those states.
    #[serde(default)]
    pub migration: MigrationTable,
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
    /// How runs are stopped and approved.
    #[serde(default)]
    pub controls: ControlsTable,
    /// How the next user takes over an event connection.
    #[schemars(with = "Option<SwitchTable>")]
    pub switch: Option<Spanned<SwitchTable>>,
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
    /// The base URL of its event connection, where that is elsewhere: `ws://127.0.0.1:8001`.
    #[schemars(with = "Option<String>")]
    pub websocket: Option<Spanned<String>>,
    /// A file of the authorities in PEM whose certificates are trusted, instead of those that the
    /// system trusts; relative to the current folder.
    pub ca: Option<String>,
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
    /// How many processes the command is started as; users are spread over them [default: 1].
    #[schemars(with = "Option<u16>")]
    pub instances: Option<Spanned<u16>>,
    /// Whether one of them is ended and started anew while users are at work, in the third of each
    /// four rounds.
    #[schemars(with = "Option<bool>")]
    pub restart_during_round: Option<Spanned<bool>>,
}

/// The model and tools of the server, played by partywall: an OpenAI-compatible stub at
/// `{{ upstream.url }}/v1` and an echo at `{{ upstream.url }}/echo`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamTable {
    /// Its port on 127.0.0.1, for a server that runs already [default: a free one].
    #[serde(default)]
    pub port: u16,
    /// What delays and failures are drawn with, together with the text of the call [default: 1].
    pub seed: Option<u64>,
    /// Fewest and most milliseconds until a reply begins [default: 0 to 20].
    #[schemars(with = "Option<[u32; 2]>")]
    pub delay: Option<Spanned<[u32; 2]>>,
    /// Milliseconds between two pieces of a streamed reply [default: 1].
    pub gap: Option<u16>,
    /// In how many pieces a reply is streamed, at least [default: 5].
    #[schemars(with = "Option<u16>")]
    pub chunks: Option<Spanned<u16>>,
    /// The order of replies: `arrival`, or `held:N`, `reversed:N`, `shuffled:N` of N calls.
    #[schemars(with = "Option<String>")]
    pub order: Option<Spanned<String>>,
    /// Milliseconds that a call waits at most for others to be put in order with [default: 250].
    pub hold: Option<u16>,
    /// How many calls of a hundred fail: an error, or a cut somewhere [default: 0].
    #[schemars(with = "Option<u8>")]
    pub fail_percent: Option<Spanned<u8>>,
    /// Whether it must be told whose account each call comes under: where no call names a user, the
    /// verdict is then inconclusive [default: true].
    pub judged: Option<bool>,
    /// What else the server may call a user to its model, besides the user's name and credentials:
    /// templates such as `{{ capture.user_id }}`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub accounts: Vec<Spanned<String>>,
}

/// One state of a migration; what it does not say is as in `[target]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateTable {
    /// What it is called in reports: letters, digits, `-` and `_`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The call sites that are still legacy in it, as `partywall audit` has them (`path:line` or
    /// `path:function`) or by any name; none where the migration is done.
    #[schemars(with = "Vec<String>")]
    pub legacy: Spanned<Vec<String>>,
    /// The base URL of the server in that state.
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<String>>,
    /// The base URLs of its replicas.
    #[schemars(with = "Option<Vec<String>>")]
    pub urls: Option<Spanned<Vec<String>>>,
    /// A command that starts it.
    #[schemars(with = "Option<Vec<String>>")]
    pub command: Option<Spanned<Vec<String>>>,
    /// The folder that it is started in.
    pub cwd: Option<String>,
    /// Its environment, besides that of `[target]`: templates.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub env: Option<Pairs>,
}

/// What tells of itself what happened in the states of a migration. Without it, it is unknown.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationTable {
    /// That a legacy call site ran. In its pattern `{{ site }}` stands for the call site, and
    /// `{{ path }}`, `{{ line }}` and `{{ function }}` for what its name or the audit says.
    #[schemars(with = "Option<EvidenceTable>")]
    pub exercised: Option<Spanned<EvidenceTable>>,
    /// That an agent was built with another user's settings, although nothing may show of it.
    #[schemars(with = "Option<EvidenceTable>")]
    pub contaminated: Option<Spanned<EvidenceTable>>,
}

/// Where the server tells something: `log`, or `get` with `pattern`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceTable {
    /// In a line that a started server prints: a regular expression.
    pub log: Option<String>,
    /// In what it answers to a GET of that path, before and after the rounds.
    pub get: Option<String>,
    /// The regular expression for `get`.
    pub pattern: Option<String>,
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
    /// A file of the users, one a line: a name, or a name, a tab and what stands for
    /// `{{ user.secret }}`; relative to the current folder.
    #[schemars(with = "Option<String>")]
    pub users_file: Option<Spanned<String>>,
    /// A command that prints such lines.
    #[schemars(with = "Option<Vec<String>>")]
    pub users_command: Option<Spanned<Vec<String>>>,
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
    #[schemars(with = "BTreeMap<String, CaptureTable>")]
    pub capture: BTreeMap<String, Spanned<CaptureTable>>,
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
    /// The ids that clients choose, of requests and conversations: `equal` for all users (`1`, `2`,
    /// …), `unique`, or `colliding` (joined with the user's name they are those of another user)
    /// [default: equal].
    #[schemars(with = "Option<String>")]
    pub ids: Option<Spanned<String>>,
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
    /// Which sequence of types a whole run has and which of them may repeat, as a regular expression
    /// over the types with a space between them: `started( piece)+ (done|failed)`.
    #[schemars(with = "Option<String>")]
    pub expected: Option<Spanned<String>>,
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
