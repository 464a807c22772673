//! What a user can do to a run and to a connection, besides starting
//! the one on the other: stop, approve, leave it to the next user. And what driving may not exceed.

use serde::{Deserialize, Serialize};

use super::protocol::{Act, Content};

/// What a user may ask to be done to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlAction {
    /// That it end.
    Stop,
    /// That it go on, where it waits for that.
    Approve,
}

impl ControlAction {
    /// What the user does, in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stops",
            Self::Approve => "approves",
        }
    }
}

/// How runs are stopped and approved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunControls {
    /// How a run is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Act>,
    /// How a run is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<Act>,
    /// The type of the message by which a run asks for its approval.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asks: String,
}

impl RunControls {
    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.stop.is_none() && self.approve.is_none()
    }

    /// How that is asked for.
    pub fn act(&self, action: ControlAction) -> Option<&Act> {
        match action {
            ControlAction::Stop => self.stop.as_ref(),
            ControlAction::Approve => self.approve.as_ref(),
        }
    }
}

/// How an event connection passes from one user to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// What the one sends who leaves.
    pub leave: Content,
    /// What the one sends who takes it over.
    pub enter: Content,
    /// The type of the message from which on nothing of the former user may come.
    pub until: String,
}

/// What driving may not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// Requests and messages in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Runs that are started in a second, by all users together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_per_second: Option<u32>,
}

impl Caps {
    /// Whether nothing is capped.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
