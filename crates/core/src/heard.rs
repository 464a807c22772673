//! What a server said to those who asked it: shown where a verdict is inconclusive.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::failure::Cause;
use super::ids::UserName;
use super::unmet::Unmet;

/// How much of a body or a message is kept, in bytes.
pub const LONGEST_QUOTE: usize = 200;

/// What the server said at one level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Heard {
    /// The commonest answers: those that ended nothing first, in the order in which users ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerCount>,
    /// The types of messages on event connections and in streams, the commonest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<TypeCount>,
    /// What the scenario expects in messages and no message has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<Unmet>,
}

impl Heard {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a user asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Asked {
    /// A step of the set-up, such as a log-in.
    SetUp {
        /// What the scenario calls it.
        name: String,
    },
    /// To open the event connection.
    Connect,
    /// To start a run.
    Start,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "came", rename_all = "snake_case")]
pub enum Came {
    /// An HTTP answer.
    Status {
        /// Its status.
        status: u16,
    },
    /// An answer in order that tells of an error: JSON-RPC's, or a tool's.
    ToolError,
    /// The server closed the event connection.
    Closed {
        /// The close code, where one was given.
        code: Option<u16>,
    },
    /// No answer, or one that is of no use.
    Failed {
        /// Why.
        cause: Cause,
    },
}

impl Came {
    /// Whether the server agreed.
    pub fn is_agreed(self) -> bool {
        matches!(self, Self::Status { status: 200..300 })
    }
}

/// How often the same came of the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct AnswerCount {
    /// What was asked for.
    pub asked: Asked,
    /// Method and path as the scenario gives them: `GET /chats/{{ thread }}`.
    pub request: String,
    /// What came of it.
    #[serde(flatten)]
    pub came: Came,
    /// How often, in all trials.
    pub times: u64,
    /// How many users it came to, in the trial with the most of them.
    pub users: u32,
    /// How many users asked for it in that trial.
    pub of_users: u32,
    /// Some of those users, where it did not come to all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<UserName>,
    /// Whether the name of each of those users holds a character that no other user's has: more than
    /// letters and digits of ASCII, `-` and `_`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub odd_names: bool,
    /// Where a redirect leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The beginning of the first one's body, or the words of the failure; server text, hostile.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
}

impl AnswerCount {
    /// Whether the server seems to take no such names.
    pub fn refuses_names(&self) -> bool {
        let is_refusal = matches!(
            self.came,
            Came::Status { status: 400 | 401 | 403 | 404 | 422 | 500 } | Came::Closed { .. }
        );
        self.odd_names && is_refusal
    }

    /// Whether it kept a user from going on. A log-in may well end by leading elsewhere.
    pub fn is_in_the_way(&self) -> bool {
        match (&self.asked, self.came) {
            (Asked::SetUp { .. }, Came::Status { status }) => status >= 400,
            (Asked::SetUp { .. }, Came::ToolError) | (Asked::Connect, _) => true,
            (_, came) => !came.is_agreed(),
        }
    }
}

/// How often messages of a type came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TypeCount {
    /// The type; empty where a message has none. Server text, hostile.
    pub name: String,
    /// How many messages had it.
    pub times: u64,
    /// Whether the scenario names it.
    pub is_named: bool,
    /// The beginning of the first one; server text, hostile.
    pub said: String,
}

impl fmt::Display for TypeCount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, times, is_named, said } = self;
        let plural = if *times == 1 { "" } else { "s" };
        write!(out, "{times} message{plural} ")?;
        match name.as_str() {
            "" => write!(out, "without a type")?,
            name => write!(out, "of type {name}")?,
        }
        if !is_named {
            write!(out, ", which the scenario does not name")?;
        }
        write!(out, "; the first: {said}")
    }
}

/// The beginning of a text that a report may quote.
pub fn quoted(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST_QUOTE);
    let cut = if end < text.len() { "…" } else { "" };
    format!("{}{cut}", text[..end].trim())
}

impl fmt::Display for AnswerCount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, request, came, users, of_users, names, location, said, .. } = self;
        match came {
            Came::Status { status } => write!(out, "the server answered {status} to {request}")?,
            Came::ToolError => write!(out, "the server answered {request} with an error")?,
            Came::Closed { code: Some(code) } => {
                write!(out, "the server closed the connection with code {code} after {request}")?;
            }
            Came::Closed { code: None } => {
                write!(out, "the server closed the connection after {request}")?;
            }
            Came::Failed { cause } => {
                let what = match cause {
                    Cause::Unreachable => "could not reach the server for",
                    Cause::Untrusted => "do not trust the server's certificate, for",
                    Cause::Lost | Cause::Left | Cause::Unknown => "lost the connection during",
                    Cause::CutShort => "got half an answer to",
                    Cause::Late => "got no answer in time to",
                    Cause::Unfilled => "could not fill in",
                    Cause::Declined => "were refused at",
                    Cause::NotCaptured => "did not find what is to be captured in the answer to",
                    Cause::Spent => "had no request left for",
                };
                write!(out, "users {what} {request}")?;
            }
        }
        if let Asked::SetUp { name } = asked {
            write!(out, ", set-up step `{name}`,")?;
        }
        write!(out, " for {users} of {of_users} users")?;
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(|name| format!("{:?}", name.as_str())).collect();
            let more = if names.len() < *users as usize { ", …" } else { "" };
            write!(out, " ({}{more})", names.join(", "))?;
        }
        if let Some(location) = location {
            write!(out, ", leading to {location}")?;
        }
        if !said.is_empty() {
            write!(out, ": {said}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_ends_between_characters() {
        assert_eq!(quoted("  short \n"), "short");
        let long = "é".repeat(LONGEST_QUOTE);
        let quote = quoted(&long);
        assert_eq!(quote, format!("{}…", "é".repeat(LONGEST_QUOTE / 2)));
    }
}
