//! What happened in one recorded trial, as a report draws it: a lane for each user, a bar for each
//! run, a mark for each observation. It is a view of a history, cut to what can be drawn; the whole
//! is in the history's file.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{TaskName, UserName};
use super::plan::Via;

/// The most marks of one timeline: more can be neither drawn nor read.
pub const MOST_MARKS: usize = 10_000;

/// What the times of a level are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Steps of the simulated world.
    #[default]
    Step,
    /// Milliseconds since the trial's start.
    Millisecond,
}

impl TimeUnit {
    /// The unit behind a number.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Step => "steps",
            Self::Millisecond => "ms",
        }
    }
}

/// One recorded trial, to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Timeline {
    /// The history file that it is drawn from, relative to the run folder: the full record.
    pub history: String,
    /// What `at` is counted in.
    pub unit: TimeUnit,
    /// How many observations the history has.
    pub observations: u64,
    /// How many marks were left out, since no more than 10,000 are drawn; those closest to the
    /// crossing stay.
    pub left_out: u64,
    /// The users, a lane each.
    pub lanes: Vec<UserName>,
    /// What the marks are called: the type and the agent of a message; server text, hostile.
    pub labels: Vec<String>,
    /// The runs.
    pub runs: Vec<RunBar>,
    /// The observations, in the recorder's order.
    pub marks: Vec<Mark>,
    /// Explore: where the schedule deviates from the default policy, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<String>,
}

/// One run, from its start to its last event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunBar {
    /// Whose run it is: the place in [`Timeline::lanes`].
    pub lane: u32,
    /// Its number in the plan.
    pub run: u16,
    /// How it was started.
    pub via: Via,
    /// The observation that it begins with.
    pub from: u64,
    /// The last observation of it.
    pub to: u64,
    /// How it ended.
    pub end: RunEnd,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// Its terminal event or its answer came to its owner.
    Completed,
    /// Nothing could come any more, and it had not ended.
    Lost,
    /// Nobody knows.
    Unknown,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Mark {
    /// The recorder's number.
    pub n: u64,
    /// When, in the timeline's unit.
    pub at: u64,
    /// Who did or saw it, or whose run emitted it: the place in [`Timeline::lanes`].
    pub lane: u32,
    /// What it is.
    pub what: MarkKind,
    /// What it is called: the place in [`Timeline::labels`].
    pub label: u32,
    /// The run that it is about, by its number in the plan, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u16>,
    /// The lane of that run's owner, where that is another user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<u32>,
}

/// What kind of observation a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarkKind {
    /// A connection stands.
    Connected,
    /// A run was started.
    Start,
    /// A request left.
    Request,
    /// A message came on an event connection.
    Received,
    /// The answer to a request came.
    Answer,
    /// The back end reports that it emitted an event.
    Emitted,
    /// The back end reports what it configured or used.
    Internal,
    /// A connection ended, broke, or was refused.
    Gone,
    /// The user stopped waiting.
    GaveUp,
}

/// How the data went: from the owner's lane to the observer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Crossing {
    /// The observation that the owner's data left with.
    pub from: u64,
    /// The observation that the observer got it with.
    pub to: u64,
}

/// One explored trial, step by step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interleaving {
    /// What was done and seen; the times of its marks are steps.
    pub timeline: Timeline,
    /// Which task took each step, the first at 0.
    pub steps: Vec<TaskName>,
    /// Where the schedule deviated from the default policy, in order.
    pub turnings: Vec<Turning>,
    /// The observations that prove the finding, by the recorder's numbers.
    pub evidence: Vec<u64>,
    /// The finding in one sentence, if the trial showed it.
    pub summary: Option<String>,
}

/// A deviation, at the step that it happened at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turning {
    /// The step after which it happened; 0 at the start.
    pub after: u64,
    /// The task that took that step; empty at the start.
    pub instead_of: TaskName,
    /// The task that went on.
    pub task: TaskName,
}
