//! A scenario file exactly as it is written; what is missing stays missing.

use schemars::JsonSchema;
use serde::Deserialize;

use super::choices::Builtin;
use super::load_file::{ControlsTable, LevelTable, LoadTable, SwitchTable};
use super::speech_file::{EventsTable, IdentityTable, Pairs, SetUpTable, SharedTable, StartTable};
use super::written::Written;
use partywall_core::severity::{Severities, Severity};

/// The version of the scenario format that this program reads.
pub const SCENARIO_VERSION: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "if" = { "properties": { "target": { "required": ["builtin"] } } },
    "else" = { "required": ["start"] },
))]
pub struct ScenarioFile {
    /// The version of the format: 1.
    pub version: Written<u32>,
    /// A short name: letters, digits, `-` and `_`.
    pub name: Written<String>,
    /// One line for reports.
    pub title: String,
    /// What is driven.
    pub target: Written<TargetTable>,
    /// The model and tools of the server, played by partywall; their log is judged.
    pub upstream: Option<Written<UpstreamTable>>,
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
    /// How a run is started; there must be one, but for the reference back end.
    #[serde(default)]
    #[schemars(with = "StartTable")]
    pub start: Option<Written<StartTable>>,
    /// How messages are read, and the connection that events come on.
    #[serde(default)]
    pub events: EventsTable,
    /// What some users share.
    #[serde(default)]
    pub shared: Vec<SharedTable>,
    /// How runs are stopped and approved.
    #[serde(default)]
    pub controls: ControlsTable,
    /// How the next user takes over an event connection.
    pub switch: Option<Written<SwitchTable>>,
    /// Who does what.
    #[serde(default)]
    pub workload: LoadTable,
    /// Reference back end: what is other in the simulated world.
    #[serde(default)]
    pub explore: LevelTable,
    /// What is other on the wire.
    #[serde(default)]
    pub wire: LevelTable,
    /// What findings mean for the verdict.
    #[serde(default)]
    pub severity: SeverityTable,
    /// What may not be exceeded.
    #[serde(default)]
    pub limits: LimitsTable,
}

/// What is driven: `builtin = "reference"` with its switches, or a server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetTable {
    /// `reference`: the back end that this program carries.
    pub builtin: Option<Written<Builtin>>,
    /// Reference back end: its call sites that are migrated: `none`, `all`, or a list of them
    /// [default: none, with a defect all].
    pub migrated: Option<Written<Migrated>>,
    /// Reference back end: a built-in defect: `M01` to `M24`, or such as `M05@2%` for a share of the
    /// requests.
    pub defect: Option<Written<String>>,
    /// Its base URL: `http://127.0.0.1:8000`.
    pub url: Option<Written<String>>,
    /// The base URLs of its replicas; users are spread over them.
    pub urls: Option<Written<Vec<String>>>,
    /// The base URL of its event connection, where that is elsewhere: `ws://127.0.0.1:8001`.
    pub websocket: Option<Written<String>>,
    /// A file of the authorities in PEM whose certificates are trusted, instead of those that the
    /// system trusts; relative to the current folder.
    pub ca: Option<String>,
    /// A command that starts it, with `{{ port }}` for the port.
    pub command: Option<Written<Vec<String>>>,
    /// The folder that it is started in, relative to the current one.
    pub cwd: Option<String>,
    /// Its environment, besides that of partywall: templates.
    pub env: Option<Pairs>,
    /// A path that answers with a status below 500 once it is ready; else its port must accept.
    pub ready: Option<String>,
    /// How long it may take to be ready, in seconds.
    pub ready_seconds: Option<u32>,
    /// Whether each round has a process of its own.
    pub fresh_process: Option<bool>,
    /// How many processes the command is started as; users are spread over them [default: 1].
    pub instances: Option<Written<u16>>,
    /// Whether one of them is ended and started anew while users are at work, in the third of each
    /// four rounds.
    pub restart_during_round: Option<Written<bool>>,
}

/// Call sites of the reference back end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "write `none`, `all`, or a list of call sites")]
pub enum Migrated {
    /// `none`, `all`, or one call site.
    Word(String),
    /// Their names.
    Sites(Vec<String>),
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
    pub delay: Option<Written<[u32; 2]>>,
    /// Milliseconds between two pieces of a streamed reply [default: 1].
    pub gap: Option<u16>,
    /// In how many pieces a reply is streamed, at least [default: 5].
    pub chunks: Option<Written<u16>>,
    /// The order of replies: `arrival`, or `held:N`, `reversed:N`, `shuffled:N` of N calls.
    pub order: Option<Written<String>>,
    /// Milliseconds that a call waits at most for others to be put in order with [default: 250].
    pub hold: Option<u16>,
    /// How many calls of a hundred fail: an error, or a cut somewhere [default: 0].
    #[schemars(range(max = 100))]
    pub fail_percent: Option<Written<u8>>,
    /// Whether it must be told whose account each call comes under: where no call names a user, the
    /// verdict is then inconclusive [default: true].
    pub judged: Option<bool>,
    /// What else the server may call a user to its model, besides the user's name and credentials:
    /// templates such as `{{ capture.user_id }}`.
    #[serde(default)]
    pub accounts: Vec<Written<String>>,
}

/// One state of a migration; what it does not say is as in `[target]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateTable {
    /// What it is called in reports: letters, digits, `-` and `_`.
    pub name: Written<String>,
    /// The call sites that are still legacy in it, as `partywall audit` has them (`path:line` or
    /// `path:function`) or by any name; none where the migration is done.
    pub legacy: Written<Vec<String>>,
    /// The base URL of the server in that state.
    pub url: Option<Written<String>>,
    /// The base URLs of its replicas.
    pub urls: Option<Written<Vec<String>>>,
    /// A command that starts it.
    pub command: Option<Written<Vec<String>>>,
    /// The folder that it is started in.
    pub cwd: Option<String>,
    /// Its environment, besides that of `[target]`: templates.
    pub env: Option<Pairs>,
}

/// What tells of itself what happened in the states of a migration. Without it, it is unknown.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationTable {
    /// That a legacy call site ran. In its pattern `{{ site }}` stands for the call site, and
    /// `{{ path }}`, `{{ line }}` and `{{ function }}` for what its name or the audit says.
    pub exercised: Option<Written<EvidenceTable>>,
    /// That an agent was built with another user's settings, although nothing may show of it.
    pub contaminated: Option<Written<EvidenceTable>>,
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

/// What findings of a class mean for the verdict. What reaches another user is always a leak.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityTable {
    /// The answer to a request holds what the same user gave with another, as from a cache of the
    /// user's own: `leak`, `warning` or `ignore` [default: warning]. An answer that names that other
    /// request is a leak in any case.
    pub own_data: Option<Severity>,
    /// Events of the user's own are lost, doubled or out of order: `leak`, `warning` or `ignore`
    /// [default: leak].
    pub delivery: Option<Severity>,
}

impl SeverityTable {
    /// The severities, with nothing unset.
    pub fn checked(&self) -> Severities {
        let default = Severities::default();
        Severities {
            own_data: self.own_data.unwrap_or(default.own_data),
            delivery: self.delivery.unwrap_or(default.delivery),
        }
    }
}

/// What may not be exceeded.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsTable {
    /// Hosts besides this machine that may be driven.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How long a user waits for the end of a run, in seconds [default: 10].
    pub run_seconds: Option<Written<u32>>,
    /// Requests and messages in all; the rounds are cut to that.
    pub requests: Option<Written<u64>>,
    /// Runs that are started in a second, by all users together.
    pub runs_per_second: Option<Written<u32>>,
    /// Seconds for everything.
    pub seconds: Option<u64>,
}
