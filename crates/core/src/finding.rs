//! A finding: one crossing (or loss, duplicate, wrong binding) with its evidence.

use std::fmt;

use hmac_sha256::Hash;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::UserName;
use super::via::Via;

/// The oracles, by the numbers that `leak-mechanisms` gives them.
///
/// Exhaustive on purpose: a new oracle that is not handled everywhere does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum OracleId {
    /// No canary of another user is seen.
    #[serde(rename = "O1")]
    Canary,
    /// Every id on a client's wire belongs to that client.
    #[serde(rename = "O2")]
    Ownership,
    /// Every event of a run comes, in order, with exactly one terminal event.
    #[serde(rename = "O3")]
    Completeness,
    /// No event comes twice.
    #[serde(rename = "O4")]
    Duplicates,
    /// What comes to a user is what comes to them alone.
    #[serde(rename = "O5")]
    NonInterference,
    /// Nothing comes after a connection or a run has ended.
    #[serde(rename = "O6")]
    AfterClose,
    /// An answer belongs to the request that it answers.
    #[serde(rename = "O7")]
    Binding,
    /// Every call upstream is made as whoever it is made for.
    #[serde(rename = "O8")]
    Attribution,
    /// What a user does to a run changes that run and no other.
    #[serde(rename = "O9")]
    ControlEffect,
    /// What is stored is what was said.
    #[serde(rename = "O10")]
    AtRest,
}

impl OracleId {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Canary,
        Self::Ownership,
        Self::Completeness,
        Self::Duplicates,
        Self::NonInterference,
        Self::AfterClose,
        Self::Binding,
        Self::Attribution,
        Self::ControlEffect,
        Self::AtRest,
    ];

    /// The short code: `O1`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Canary => "O1",
            Self::Ownership => "O2",
            Self::Completeness => "O3",
            Self::Duplicates => "O4",
            Self::NonInterference => "O5",
            Self::AfterClose => "O6",
            Self::Binding => "O7",
            Self::Attribution => "O8",
            Self::ControlEffect => "O9",
            Self::AtRest => "O10",
        }
    }

    /// The name: `canary`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Ownership => "ownership",
            Self::Completeness => "completeness",
            Self::Duplicates => "duplicates",
            Self::NonInterference => "non-interference",
            Self::AfterClose => "after-close",
            Self::Binding => "binding",
            Self::Attribution => "attribution",
            Self::ControlEffect => "control-effect",
            Self::AtRest => "at-rest",
        }
    }

    /// Whether it judges what not every back end reports and not every work does: where that is
    /// absent it says so, and the rest is judged without it.
    pub fn is_optional(self) -> bool {
        match self {
            Self::NonInterference | Self::Attribution | Self::ControlEffect | Self::AtRest => true,
            Self::Canary
            | Self::Ownership
            | Self::Completeness
            | Self::Duplicates
            | Self::AfterClose
            | Self::Binding => false,
        }
    }
}

impl fmt::Display for OracleId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.code(), self.name())
    }
}

/// What kind of wrong was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// One user's data reached another.
    Crossing,
    /// A user did not get what was theirs.
    Loss,
    /// Something came out of its order.
    Disorder,
    /// Something came twice.
    Duplicate,
    /// Something came after its end.
    Late,
    /// An answer of the same user, but to another request.
    WrongBinding,
    /// What one asked for was done to another run.
    Misdirected,
    /// A user got something else than they get alone.
    Interference,
    /// The answer to a request holds what the same user gave with another.
    OwnData,
    /// The answer to a request does not hold what was said with it, although every answer must.
    NoEcho,
    /// Too little of a canary to tell whether it is another user's.
    Ambiguous,
}

impl FindingKind {
    /// The kind in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crossing => "crossing",
            Self::Loss => "loss",
            Self::Disorder => "disorder",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::WrongBinding => "wrong binding",
            Self::Misdirected => "misdirected",
            Self::Interference => "interference",
            Self::OwnData => "own data, wrong request",
            Self::NoEcho => "no echo",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// What stays the same when the same fault is found again: a digest over scenario, oracle, kind,
/// victim operation and observer operation; no seeds, no times, no names of users.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of that fault.
    pub fn of(
        scenario: &str,
        oracle: OracleId,
        kind: FindingKind,
        victim_operation: &str,
        observer_operation: &str,
    ) -> Self {
        let mut digest = Hash::new();
        for part in [scenario, oracle.code(), kind.as_str(), victim_operation, observer_operation] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        let mut text = super::raw::to_hex(&digest.finalize());
        text.truncate(16);
        Self(text)
    }

    /// The 16 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One observation that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Evidence {
    /// The number of the observation in its history.
    pub n: u64,
    /// What it shows, in a few words; user names are the plan's, server text never appears here.
    pub shows: String,
}

/// One crossing, loss, duplicate or wrong binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What stays the same when it is found again.
    pub fingerprint: Fingerprint,
    /// Who found it.
    pub oracle: OracleId,
    /// What kind of wrong it is.
    pub kind: FindingKind,
    /// Whose data it was, or who did not get theirs.
    pub victim: UserName,
    /// The victim's run, by its number in the plan, where it is known.
    pub victim_run: Option<u16>,
    /// Who saw it; the victim themselves for a loss.
    pub observer: UserName,
    /// What the victim was doing: `prompt of chat over websocket`.
    pub victim_operation: String,
    /// Where the observer saw it: `websocket`.
    pub observer_operation: String,
    /// The observations that prove it, in order.
    pub evidence: Vec<Evidence>,
    /// What it is about.
    pub about: About,
    /// How the victim's run was started, where it is known.
    pub victim_via: Option<Via>,
}

/// What of the victim a finding is about, where a diagnosis asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Something else.
    #[default]
    Other,
    /// A prompt.
    Prompt,
    /// The account under which the upstream was asked.
    Account,
    /// A run id that was given to two users.
    SharedRunId,
    /// Events between two that came.
    Gap,
    /// The end of a run.
    End,
}

/// What an oracle knows of a finding before it has a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspect {
    /// What kind of wrong it is.
    pub kind: FindingKind,
    /// Whose data it was.
    pub victim: UserName,
    /// The victim's run, where it is known.
    pub victim_run: Option<u16>,
    /// Who saw it.
    pub observer: UserName,
    /// What the victim was doing.
    pub victim_operation: String,
    /// Where the observer saw it.
    pub observer_operation: String,
    /// The observations that prove it.
    pub evidence: Vec<Evidence>,
    /// What it is about.
    pub about: About,
}

impl Suspect {
    /// The suspect, said to be about that.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about, ..self }
    }
}

impl Finding {
    /// The finding of an oracle in a scenario.
    pub fn new(scenario: &str, oracle: OracleId, suspect: Suspect) -> Self {
        let Suspect {
            kind,
            victim,
            victim_run,
            observer,
            victim_operation,
            observer_operation,
            evidence,
            about,
        } = suspect;
        let fingerprint =
            Fingerprint::of(scenario, oracle, kind, &victim_operation, &observer_operation);
        Self {
            fingerprint,
            oracle,
            kind,
            victim,
            victim_run,
            observer,
            victim_operation,
            observer_operation,
            evidence,
            about,
            victim_via: None,
        }
    }

    /// The finding in one sentence.
    pub fn summary(&self) -> String {
        let Self { victim, observer, victim_operation, observer_operation, .. } = self;
        match self.kind {
            FindingKind::Crossing => format!(
                "{observer} saw data of {victim} ({victim_operation}) on {observer_operation}"
            ),
            FindingKind::Loss => {
                format!("{victim} lost events of {victim_operation} on {observer_operation}")
            }
            FindingKind::Disorder => format!(
                "{victim} got events of {victim_operation} out of order on {observer_operation}"
            ),
            FindingKind::Duplicate => {
                format!(
                    "{observer} got an event of {victim_operation} twice on {observer_operation}"
                )
            }
            FindingKind::Late => format!(
                "{observer} got an event of {victim_operation} after its end on \
                 {observer_operation}"
            ),
            FindingKind::WrongBinding => format!(
                "{observer} got an answer to another of their requests ({victim_operation}) on \
                 {observer_operation}"
            ),
            FindingKind::OwnData => format!(
                "{observer} got their own data of another request ({victim_operation}) on \
                 {observer_operation}"
            ),
            FindingKind::NoEcho => format!(
                "{observer} got an answer on {observer_operation} that does not hold its own \
                 prompt ({victim_operation})"
            ),
            FindingKind::Ambiguous => format!(
                "{observer} got {victim_operation} on {observer_operation}, too short to tell \
                 whether it is {victim}'s or their own"
            ),
            FindingKind::Misdirected => {
                format!("{victim} did not get what was asked for: {victim_operation}")
            }
            FindingKind::Interference => format!(
                "{victim} did not get on {observer_operation} what they get alone: \
                 {victim_operation}"
            ),
        }
    }
}
