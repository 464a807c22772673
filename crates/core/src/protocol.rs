//! How simulated users speak to a back end: plain data, checked, without secrets (those are places
//! in templates), so that it can stand in a plan and in a history.

mod reference;
mod sharing;
pub(super) mod written;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dialect::Dialect;
use super::lenient;
use super::run_controls::{Caps, RunControls, Switch};
use super::severity::Severities;
use super::via::Via;

pub use sharing::Shared;

/// How one user speaks and is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// How a user proves who they are, with every request and every opening.
    pub identity: Identity,
    /// What a user does before the first run, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<SetUp>,
    /// How a run is started.
    pub start: Start,
    /// In which other ways, each of another kind, runs may be started too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_starts: Vec<Start>,
    /// The connection that events come on, where they do not come in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventConnection>,
    /// How messages are read.
    pub dialect: Dialect,
    /// How long a user waits for the end of a run, in milliseconds.
    pub patience: u32,
    /// How a user stops and approves a run, where the scenario says.
    #[serde(default, skip_serializing_if = "RunControls::is_none")]
    pub controls: RunControls,
    /// What a user may ask for beside that.
    #[serde(default, skip_serializing_if = "Reads::is_none")]
    pub reads: Reads,
    /// How the next user takes an event connection over, where that can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Switch>,
    /// What driving may not exceed, however often a plan is driven again.
    #[serde(default, skip_serializing_if = "Caps::is_none")]
    pub caps: Caps,
    /// What findings mean for the verdict.
    #[serde(default, skip_serializing_if = "Severities::is_default")]
    pub severity: Severities,
    /// Where users may rightly see each other's data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sharing: Vec<Shared>,
}

/// What a user may ask for that starts nothing and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// The state of a run, a template over `{{ run }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Request>,
    /// The messages of a thread, a template over `{{ thread }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Request>,
    /// A sign of life on the event connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<Ping>,
}

impl Reads {
    /// Whether there is none of them.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How a user asks whether the back end still listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// What is sent.
    pub content: Content,
    /// The type of the message that answers it.
    pub answer: String,
}

/// What a user shows with every request and every opening: pairs of a name and a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Parts of the query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Cookies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<(String, String)>,
    /// The WebSocket subprotocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<String>,
}

/// One step before the first run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// What it is called in reports.
    pub name: String,
    /// Whether it is done anew on each event connection, after its opening; else once, before.
    pub each_connection: bool,
    /// What is done.
    pub act: Act,
    /// What is taken from the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<Capture>,
}

/// What a step of the set-up does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// An HTTP request; the next step waits for its answer.
    Request(Request),
    /// A message on the event connection; the next step waits for the message after it where
    /// something is captured from that.
    Send(Content),
}

/// An HTTP request; path and headers are templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// More headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    pub content: Content,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Nothing.
    Nothing,
    /// A JSON value whose strings are templates, and what stands before it on a connection.
    Json {
        /// What stands before the JSON: `42` for a Socket.IO event.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prefix: String,
        /// The value.
        value: Value,
    },
    /// A template, sent as it is.
    Text(String),
}

/// A value taken from an answer, for `{{ capture.NAME }}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub from: CaptureFrom,
    /// Whether it is this user's alone: another who is shown it is shown what is not theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

/// Where a captured value stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFrom {
    /// In that header.
    Header(String),
    /// In the JSON body, by pointer.
    Pointer(String),
    /// In the first group of a regular expression over the body.
    Pattern(String),
}

impl CaptureFrom {
    /// The value that stands there in an answer: header lines, and the JSON or text of its body.
    pub fn value(&self, headers: &str, body: &str) -> Option<String> {
        match self {
            Self::Header(name) => headers.lines().find_map(|line| {
                let (own, value) = line.split_once(": ")?;
                own.eq_ignore_ascii_case(name).then(|| value.to_owned())
            }),
            Self::Pointer(pointer) => {
                let tree = lenient::tree(body)?;
                match tree.pointer(pointer)? {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                }
            }
            Self::Pattern(pattern) => {
                let found = Regex::new(pattern).ok()?.captures(body)?;
                Some(found.get(1)?.as_str().to_owned())
            }
        }
    }
}

/// How a run is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// By a message on the event connection.
    Message(Content),
    /// By an HTTP request.
    Http {
        /// The request.
        request: Request,
        /// What comes back.
        answer: AnswerKind,
    },
}

/// What answers the request that starts a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// The result, whole.
    Whole,
    /// A stream of events: SSE, or one JSON value a line.
    Stream,
    /// That the run was accepted; its events come on the event connection.
    Accepted,
}

/// A connection that events come on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventConnection {
    /// Whether it is the answer to an HTTP request; else a WebSocket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub streamed: bool,
    /// Path and query, a template.
    pub path: String,
    /// Messages that are answered at once: what comes, and what is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<(String, String)>,
    /// The query by which a user who comes back says what they have, as pairs of a name and a
    /// template over `{{ run }}` and `{{ cursor }}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<(String, String)>,
}

impl Start {
    /// How such runs are started, as plans say it.
    pub fn via(&self) -> Via {
        match self {
            Self::Message(_) | Self::Http { answer: AnswerKind::Accepted, .. } => Via::Socket,
            Self::Http { answer: AnswerKind::Whole, .. } => Via::Http,
            Self::Http { answer: AnswerKind::Stream, .. } => Via::Stream,
        }
    }
}

impl Protocol {
    /// How the runs are started, as plans say it.
    pub fn via(&self) -> Via {
        self.start.via()
    }

    /// Whether the place is a path that users ask for; else it is one in messages.
    pub fn has_path(&self, shared: &Shared) -> bool {
        let requests = self.setup.iter().filter_map(|step| match &step.act {
            Act::Request(request) => Some(&request.path),
            Act::Send(_) => None,
        });
        let starts = [&self.start].into_iter().chain(&self.other_starts);
        let starts = starts.filter_map(|start| match start {
            Start::Http { request, .. } => Some(&request.path),
            Start::Message(_) => None,
        });
        let events = self.events.as_ref().map(|events| &events.path);
        requests.chain(starts).chain(events).any(|path| shared.may_be_path(path))
    }

    /// How a run is started that the plan says is started so.
    pub fn start_via(&self, via: Via) -> &Start {
        self.other_starts.iter().find(|start| start.via() == via).unwrap_or(&self.start)
    }
}
