//! What a scenario expects in messages and no message meets.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a scenario expects in messages, by its key in `[events]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The place of the type.
    Type,
    /// The place of the user.
    User,
    /// The place of the conversation.
    Thread,
    /// The place of the run's id.
    Run,
    /// The place of the client's id of the request.
    Request,
    /// The place of the event's number.
    Sequence,
    /// The type of the first message on a connection.
    Greeting,
    /// The type of the message that accepts a run.
    Accepted,
    /// The types of events.
    Types,
    /// What ends a run.
    Ends,
}

impl Expected {
    /// The key in `[events]`.
    fn key(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::User => "user",
            Self::Thread => "thread",
            Self::Run => "run",
            Self::Request => "request",
            Self::Sequence => "sequence",
            Self::Greeting => "greeting",
            Self::Accepted => "accepted",
            Self::Types => "types",
            Self::Ends => "ends",
        }
    }

    /// Whether it is a type, or several; else it is a place.
    pub fn is_of_types(self) -> bool {
        matches!(self, Self::Greeting | Self::Accepted | Self::Types | Self::Ends)
    }
}

/// What is wrong with an expectation that no message met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// Nothing stands at the place.
    NothingThere,
    /// What stands there names nothing known: no user, no conversation, no request, no number.
    NothingKnown,
    /// No message has the type.
    NoSuchType,
}

/// An expectation that no message met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Unmet {
    /// Which.
    pub expected: Expected,
    /// The place or the types, as the scenario gives them.
    pub written: String,
    /// What is wrong with it.
    pub mismatch: Mismatch,
    /// What was found: values at the place, types, or the places that messages have.
    pub found: Vec<String>,
    /// How many messages were looked at.
    pub messages: u64,
}

impl fmt::Display for Unmet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, written, mismatch, found, messages } = self;
        let key = expected.key();
        let plural = if *messages == 1 { "" } else { "s" };
        let messages = format!("{messages} message{plural}");
        write!(out, "`{key} = {written}` ")?;
        match mismatch {
            Mismatch::NothingThere => write!(out, "matches nothing in {messages}; they have")?,
            Mismatch::NothingKnown => {
                let what = match expected {
                    Expected::User => "user of the scenario",
                    Expected::Thread => "conversation that was sent",
                    Expected::Request => "request that was sent",
                    _ => "whole number",
                };
                write!(out, "holds no {what} in {messages}; it holds")?;
            }
            Mismatch::NoSuchType if found.is_empty() => {
                return write!(out, "was not seen: no message came on event connections");
            }
            Mismatch::NoSuchType => write!(out, "was not seen in {messages}; their types are")?,
        }
        match found.as_slice() {
            [] => write!(out, " none"),
            found => write!(out, " {}", found.join(", ")),
        }
    }
}
