//! What users do, exactly as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::choices::{CutAt, MethodName, ReferenceVia, ShownCursor};
use super::speech_file::Pairs;
use super::written::Written;

/// Who does what. Percentages are of a hundred runs, drawn for each run alone (`switch_percent`: of
/// pairs of users); most things strike a run alone. The first user's runs are left in peace, but for
/// what others try with `stop_other_percent` and `approve_other_percent`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadTable {
    /// Users, the bystander included: how many, or the fewest and the most, drawn for each round
    /// [default: 50; in the simulated world 3 to 5].
    pub users: Option<Written<Count>>,
    /// Runs that each user starts [default: 2].
    pub runs_per_user: Option<Written<u16>>,
    /// Rounds in which all users start together [default: 8].
    pub rounds: Option<Written<u64>>,
    /// Fewest and most milliseconds before a run [default: 0 to 20].
    pub start_delay: Option<Written<[u32; 2]>>,
    /// Milliseconds over which the users come, one after the other, instead of starting together.
    pub ramp: Option<Written<u32>>,
    /// Whether one connected user does nothing [default: true where there is an event connection].
    pub bystander: Option<bool>,
    /// Whether the second round lets users work one after the other [default: true].
    pub sequential: Option<bool>,
    /// Milliseconds for which users with an event connection listen on after the last round, for what
    /// the server pushes late; 0 ends at once [default: 2000].
    pub linger: Option<Written<u32>>,
    /// Runs of a user that go on at the same time, on one connection [default: 1].
    pub parallel: Option<Written<u16>>,
    /// Event connections that every second user has open at the same time [default: 1].
    pub tabs: Option<Written<u8>>,
    /// How many of a hundred runs the user goes away from, at a point of `cut_at`.
    #[schemars(range(max = 100))]
    pub cancel_percent: Option<Written<u8>>,
    /// How many of a hundred runs lose their event connection, at a point of `cut_at` [default: 5
    /// where `run` or `request` in `[events]` binds events to runs and `[limits] requests` is not
    /// given, else 0].
    #[schemars(range(max = 100))]
    pub disconnect_percent: Option<Written<u8>>,
    /// How many of a hundred runs the user gives up after the time of `time_out`.
    #[schemars(range(max = 100))]
    pub time_out_percent: Option<Written<u8>>,
    /// Fewest and most milliseconds that such a user waits [default: 20 to 400].
    pub time_out: Option<Written<[u32; 2]>>,
    /// Where runs are cut: `first` (before the first byte), `middle`, `last` (just before the end;
    /// how many events a run has is learnt in the first round) [default: all three, at random].
    pub cut_at: Option<Written<Vec<CutAt>>>,
    /// What a user shows who comes back after a disconnect: `own` (their last event), `old` (an
    /// earlier one), `foreign` (another user's run), `nonsense` [default: own, foreign, nonsense
    /// where `resume` says how].
    pub reconnect: Option<Written<Vec<ShownCursor>>>,
    /// How many of a hundred runs the user opens a new event connection in, beside the old one.
    #[schemars(range(max = 100))]
    pub overlap_percent: Option<Written<u8>>,
    /// Fewest and most milliseconds that both stand then [default: 0 to 100].
    pub keep_old: Option<Written<[u32; 2]>>,
    /// How many of a hundred pairs of users share their connections, the second after the first:
    /// the HTTP client, and by `[switch]` the event connection.
    #[schemars(range(max = 100))]
    pub switch_percent: Option<Written<u8>>,
    /// How many of a hundred runs the user does not read in for the time of `slow`.
    #[schemars(range(max = 100))]
    pub slow_percent: Option<Written<u8>>,
    /// Fewest and most milliseconds that such a user reads nothing [default: 100 to 400].
    pub slow: Option<Written<[u32; 2]>>,
    /// How many of a hundred runs say the same words as others; only `{{ settings }}` differ, where there
    /// are some [default: 5].
    #[schemars(range(max = 100))]
    pub equal_percent: Option<Written<u8>>,
    /// How many of a hundred runs are preceded by a message or a request that is malformed.
    #[schemars(range(max = 100))]
    pub malformed_percent: Option<Written<u8>>,
    /// How many of a hundred runs say far too much.
    #[schemars(range(max = 100))]
    pub oversize_percent: Option<Written<u8>>,
    /// How much that is, in bytes [default: 1,000,000].
    pub oversize_bytes: Option<Written<u32>>,
    /// How many of a hundred runs their user stops, by `[controls.stop]`.
    #[schemars(range(max = 100))]
    pub stop_percent: Option<Written<u8>>,
    /// How many of a hundred runs another user tries to stop.
    #[schemars(range(max = 100))]
    pub stop_other_percent: Option<Written<u8>>,
    /// How many of a hundred runs another user tries to approve, before their own user does.
    #[schemars(range(max = 100))]
    pub approve_other_percent: Option<Written<u8>>,
    /// Reference back end: how runs are started, drawn for each from `socket` and `http`, as often as
    /// they stand here [default: both].
    pub via: Option<Written<Vec<ReferenceVia>>>,
    /// Reference back end: whether the work is the mix of everything that some mechanism needs.
    #[serde(default)]
    pub mix: bool,
    /// Reference back end: what users do with their runs, drawn for each: a choice of what the mix is
    /// made of.
    pub acts: Option<Written<Vec<Written<String>>>>,
    /// Reference back end: whether the users of the mix sit two at a browser, one after the other
    /// [default: in some trials].
    pub share_browsers: Option<Written<bool>>,
    /// Reference back end: runs that the first user starts all at once.
    pub heavy_runs: Option<Written<u16>>,
    /// Reference back end: the sub-agents of each run, in order [default: triage].
    pub agents: Option<Written<Vec<String>>>,
    /// Reference back end: fewest and most milliseconds that a stub call takes [default: 1 to 9].
    pub stub_delay: Option<Written<[u32; 2]>>,
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
    pub users: Option<Written<Count>>,
    /// Reference back end: the sub-agents of each run, in order.
    pub agents: Option<Written<Vec<String>>>,
    /// Fewest and most before a run [default: 0 to 12 switch points, 0 to 20 milliseconds].
    pub start_delay: Option<Written<[u32; 2]>>,
    /// Reference back end: fewest and most that a stub call takes [default: 0 to 3 switch points, 1 to
    /// 9 milliseconds].
    pub stub_delay: Option<Written<[u32; 2]>>,
    /// `[explore]`: fewest and most faults of a trial: a request is cut, a time limit passes, a
    /// connection breaks [default: none].
    pub faults: Option<Written<[u32; 2]>>,
    /// `[explore]`: trials of a sign-off [default: 500].
    pub trials: Option<Written<u64>>,
    /// `[wire]`: rounds in which all users start together.
    pub rounds: Option<Written<u64>>,
}

/// How runs are stopped and approved, and how that is told.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlsTable {
    /// How a run is stopped: templates over `{{ run }}` (as the server calls it) and
    /// `{{ request_id }}`.
    pub stop: Option<Written<ActTable>>,
    /// How a run is approved. Where it is given, every user approves their runs.
    pub approve: Option<Written<ActTable>>,
    /// How the last message of a stopped run says so.
    pub stopped: Option<Written<StoppedTable>>,
    /// The type of the message by which a run asks for its approval.
    #[serde(default)]
    pub asks: String,
}

/// An HTTP request, or without a path a message on the event connection.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActTable {
    /// The method of the request [default: POST].
    pub method: Option<Written<MethodName>>,
    /// The path of the request.
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
}

/// A place of a message, and what stands there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoppedTable {
    /// The JSON pointer.
    pub at: Written<String>,
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
    pub enter: Written<ActTable>,
    /// The type of the message from which on nothing of the former user may come.
    pub until: Written<String>,
}
