//! Why a connection or a request failed, as far as its client knows.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kept a request, a connection or a step of the set-up from its end.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No connection could be made: nobody listens there, or the name leads nowhere.
    Unreachable,
    /// The certificate of the server is not trusted.
    Untrusted,
    /// The connection was closed or reset before its answer.
    Lost,
    /// The answer began and broke off.
    CutShort,
    /// The answer did not come in time.
    Late,
    /// The user went away.
    Left,
    /// A place of the scenario's text has no value, so nothing was sent.
    Unfilled,
    /// A step of the set-up was refused.
    Declined,
    /// What a step of the set-up captures was not in its answer.
    NotCaptured,
    /// The limit of requests was reached, so nothing was sent.
    Spent,
    /// Not recorded.
    #[default]
    Unknown,
}

impl Cause {
    /// The failure of that cause, in those words.
    pub fn because(self, words: impl Into<String>) -> Failure {
        Failure { cause: self, words: words.into() }
    }

    /// Whether it is not recorded.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }

    /// Whether the server itself was never reached.
    pub fn is_out_of_reach(self) -> bool {
        matches!(self, Self::Unreachable | Self::Untrusted)
    }
}

/// A failure with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub cause: Cause,
    /// The same in words.
    pub words: String,
}

/// A connection that was lost, where no more is known of it.
impl From<String> for Failure {
    fn from(words: String) -> Self {
        Cause::Lost.because(words)
    }
}
