//! What users do, exactly as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::speech_file::Pairs;

/// Who does what. Percentages are of a hundred runs, drawn for each run alone (`switch_percent`: of
/// pairs of users); most things strike a run alone. The first user's runs are left in peace, but for
/// what others try with `stop_other_percent` and `approve_other_percent`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadTable {
    /// Users, the bystander included: how many, or the fewest and the most, drawn for each round
    /// [default: 50; in the simulated world 3 to 5].
    #[schemars(with = "Option<Count>")]
    pub users: Option<Spanned<Count>>,
    /// Runs that each user starts [default: 2].
    #[schemars(with = "Option<u16>")]
    pub runs_per_user: Option<Spanned<u16>>,
    /// Rounds in which all users start together [default: 8].
    #[schemars(with = "Option<u64>")]
    pub rounds: Option<Spanned<u64>>,
    /// Fewest and most milliseconds before a run [default: 0 to 20].
    #[schemars(with = "Option<[u32; 2]>")]
    pub start_delay: Option<Spanned<[u32; 2]>>,
    /// Milliseconds over which the users come, one after the other, instead of starting together.
    #[schemars(with = "Option<u32>")]
    pub ramp: Option<Spanned<u32>>,
    /// Whether one connected user does nothing [default: true where there is an event connection].
    pub bystander: Option<bool>,
    /// Whether the second round lets users work one after the other [default: true].
    pub sequential: Option<bool>,
    /// Runs of a user that go on at the same time, on one connection [default: 1].
    #[schemars(with = "Option<u16>")]
    pub parallel: Option<Spanned<u16>>,
    /// Event connections that every second user has open at the same time [default: 1].
    #[schemars(with = "Option<u8>")]
    pub tabs: Option<Spanned<u8>>,
    /// How many of a hundred runs the user goes away from, at a point of `cut_at`.
    #[schemars(with = "Option<u8>")]
    pub cancel_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs lose their event connection, at a point of `cut_at`.
    #[schemars(with = "Option<u8>")]
    pub disconnect_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs the user gives up after the time of `time_out`.
    #[schemars(with = "Option<u8>")]
    pub time_out_percent: Option<Spanned<u8>>,
    /// Fewest and most milliseconds that such a user waits [default: 20 to 400].
    #[schemars(with = "Option<[u32; 2]>")]
    pub time_out: Option<Spanned<[u32; 2]>>,
    /// Where runs are cut: `first` (before the first byte), `middle`, `last` (just before the end;
    /// how many events a run has is learnt in the first round) [default: all three, at random].
    #[schemars(with = "Option<Vec<String>>")]
    pub cut_at: Option<Spanned<Vec<String>>>,
    /// What a user shows who comes back after a disconnect: `own` (their last event), `old` (an
    /// earlier one), `foreign` (another user's run), `nonsense` [default: own, foreign, nonsense
    /// where `resume` says how].
    #[schemars(with = "Option<Vec<String>>")]
    pub reconnect: Option<Spanned<Vec<String>>>,
    /// How many of a hundred runs the user opens a new event connection in, beside the old one.
    #[schemars(with = "Option<u8>")]
    pub overlap_percent: Option<Spanned<u8>>,
    /// Fewest and most milliseconds that both stand then [default: 0 to 100].
    #[schemars(with = "Option<[u32; 2]>")]
    pub keep_old: Option<Spanned<[u32; 2]>>,
    /// How many of a hundred pairs of users share their connections, the second after the first:
    /// the HTTP client, and by `[switch]` the event connection.
    #[schemars(with = "Option<u8>")]
    pub switch_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs the user does not read in for the time of `slow`.
    #[schemars(with = "Option<u8>")]
    pub slow_percent: Option<Spanned<u8>>,
    /// Fewest and most milliseconds that such a user reads nothing [default: 100 to 400].
    #[schemars(with = "Option<[u32; 2]>")]
    pub slow: Option<Spanned<[u32; 2]>>,
    /// How many of a hundred runs say the same words as others; only `{{ settings }}` differ.
    #[schemars(with = "Option<u8>")]
    pub equal_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs are preceded by a message or a request that is malformed.
    #[schemars(with = "Option<u8>")]
    pub malformed_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs say far too much.
    #[schemars(with = "Option<u8>")]
    pub oversize_percent: Option<Spanned<u8>>,
    /// How much that is, in bytes [default: 1,000,000].
    #[schemars(with = "Option<u32>")]
    pub oversize_bytes: Option<Spanned<u32>>,
    /// How many of a hundred runs their user stops, by `[controls.stop]`.
    #[schemars(with = "Option<u8>")]
    pub stop_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs another user tries to stop.
    #[schemars(with = "Option<u8>")]
    pub stop_other_percent: Option<Spanned<u8>>,
    /// How many of a hundred runs another user tries to approve, before their own user does.
    #[schemars(with = "Option<u8>")]
    pub approve_other_percent: Option<Spanned<u8>>,
    /// Reference back end: how runs are started, drawn for each from `socket` and `http`, as often as
    /// they stand here [default: both].
    #[schemars(with = "Option<Vec<String>>")]
    pub via: Option<Spanned<Vec<Spanned<String>>>>,
    /// Reference back end: whether the work is the mix of everything that some mechanism needs.
    #[serde(default)]
    pub mix: bool,
    /// Reference back end: what users do with their runs, drawn for each: a choice of what the mix is
    /// made of.
    #[schemars(with = "Option<Vec<String>>")]
    pub acts: Option<Spanned<Vec<Spanned<String>>>>,
    /// Reference back end: whether the users of the mix sit two at a browser, one after the other
    /// [default: in some trials].
    #[schemars(with = "Option<bool>")]
    pub share_browsers: Option<Spanned<bool>>,
    /// Reference back end: runs that the first user starts all at once.
    #[schemars(with = "Option<u16>")]
    pub heavy_runs: Option<Spanned<u16>>,
    /// Reference back end: the sub-agents of each run, in order [default: triage].
    #[schemars(with = "Option<Vec<String>>")]
    pub agents: Option<Spanned<Vec<String>>>,
    /// Reference back end: fewest and most milliseconds that a stub call takes [default: 1 to 9].
    #[schemars(with = "Option<[u32; 2]>")]
    pub stub_delay: Option<Spanned<[u32; 2]>>,
}

/// How many: a number, or the fewest and the most.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "write a number, or `[fewest, most]`")]
pub enum Count {
    /// That many.
    One(u32),
    /// From the fewest to the most.
    Between([u32; 2]),
}

/// What is other at one level: `[explore]`, the simulated world of the reference back end, where delays
/// are switch points, and `[wire]`, where they are milliseconds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelTable {
    /// Users, the bystander included.
    #[schemars(with = "Option<Count>")]
    pub users: Option<Spanned<Count>>,
    /// Reference back end: the sub-agents of each run, in order.
    #[schemars(with = "Option<Vec<String>>")]
    pub agents: Option<Spanned<Vec<String>>>,
    /// Fewest and most before a run [default: 0 to 12 switch points, 0 to 20 milliseconds].
    #[schemars(with = "Option<[u32; 2]>")]
    pub start_delay: Option<Spanned<[u32; 2]>>,
    /// Reference back end: fewest and most that a stub call takes [default: 0 to 3 switch points, 1 to
    /// 9 milliseconds].
    #[schemars(with = "Option<[u32; 2]>")]
    pub stub_delay: Option<Spanned<[u32; 2]>>,
    /// `[explore]`: fewest and most faults of a trial: a request is cut, a time limit passes, a
    /// connection breaks [default: none].
    #[schemars(with = "Option<[u32; 2]>")]
    pub faults: Option<Spanned<[u32; 2]>>,
    /// `[explore]`: trials of a sign-off [default: 500].
    #[schemars(with = "Option<u64>")]
    pub trials: Option<Spanned<u64>>,
    /// `[wire]`: rounds in which all users start together.
    #[schemars(with = "Option<u64>")]
    pub rounds: Option<Spanned<u64>>,
}

/// How runs are stopped and approved, and how that is told.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlsTable {
    /// How a run is stopped: templates over `{{ run }}` (as the server calls it) and
    /// `{{ request_id }}`.
    #[schemars(with = "Option<ActTable>")]
    pub stop: Option<Spanned<ActTable>>,
    /// How a run is approved. Where it is given, every user approves their runs.
    #[schemars(with = "Option<ActTable>")]
    pub approve: Option<Spanned<ActTable>>,
    /// How the last message of a stopped run says so.
    #[schemars(with = "Option<StoppedTable>")]
    pub stopped: Option<Spanned<StoppedTable>>,
    /// The type of the message by which a run asks for its approval.
    #[serde(default)]
    pub asks: String,
}

/// An HTTP request, or without a path a message on the event connection.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActTable {
    /// The method of the request.
    #[schemars(with = "Option<String>")]
    pub method: Option<Spanned<String>>,
    /// The path of the request.
    #[schemars(with = "Option<String>")]
    pub path: Option<Spanned<String>>,
    /// More headers.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
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
}

/// A place of a message, and what stands there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoppedTable {
    /// The JSON pointer.
    #[schemars(with = "String")]
    pub at: Spanned<String>,
    /// The text, number or truth value.
    pub is: String,
}

/// How the next user takes over an event connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchTable {
    /// The message of the one who leaves, if any.
    #[serde(default)]
    pub leave: ActTable,
    /// The message of the one who takes it over.
    #[schemars(with = "ActTable")]
    pub enter: Spanned<ActTable>,
    /// The type of the message from which on nothing of the former user may come.
    #[schemars(with = "String")]
    pub until: Spanned<String>,
}
