//! How a back end's messages are read: where in the JSON the type, the ids and the number stand.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who speaks for a run of the reference protocol as a whole.
pub const SUPERVISOR: &str = "supervisor";

/// Where a back end's JSON messages hold what the oracles ask for, as JSON pointers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// The type of the message.
    pub kind: String,
    /// The user that the message is for.
    pub user: String,
    /// The thread.
    pub thread: String,
    /// The run.
    pub run: String,
    /// The number of the event in its run, without gaps.
    pub sequence: String,
    /// The number of a run's first event.
    pub first: u64,
    /// The agent that speaks.
    pub agent: String,
    /// The client's id of the request, in the message that accepts a run.
    pub request: String,
    /// The type of the first message on a connection.
    pub greeting: String,
    /// Where that message names the connection; empty where it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub connection: String,
    /// The type of the message that accepts a run.
    pub accepted: String,
    /// The types of the messages that belong to a run's stream.
    pub events: Vec<String>,
    /// What ends a run: type and, where that is not enough, agent.
    pub terminal: Vec<(String, Option<String>)>,
    /// A message that has something in one of these places ends its run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends_where: Vec<String>,
    /// What the end of a run that was stopped says.
    pub stopped: String,
    /// Where it says that, of a back end whose runs may end by that alone; empty where it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stopped_at: String,
    /// Where the event that ends a run says why, of a back end that answers whether it stops one;
    /// empty where there is no such place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why_ended: String,
    /// Where an answer over HTTP tells the state of its run; empty where each answer to the request
    /// that starts a run is its end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// The states of a run that has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<String>,
    /// What stands before the JSON of a message, as a regular expression from its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// Messages of no interest, as a regular expression over their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_pattern: Option<String>,
    /// Types of messages of no interest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// The types of a whole run's events with a space between them, as a regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// How a message finds its run where it names none.
    pub matching: Matching,
    /// Whether every answer holds the prompt of its request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub echoes: bool,
    /// Whether the ids of runs are unique among all users.
    pub unique_runs: bool,
    /// Whether all keep to this to the letter: each message on an event connection is a JSON object
    /// with a type, and each run is accepted by its id before its first event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// How a message finds the run that it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// It names the run.
    Run,
    /// It names the request.
    Request,
    /// Runs of one user end in the order in which they were started.
    Order,
    /// It comes in the answer to the request, or nothing is known.
    #[default]
    Stream,
}

impl Dialect {
    /// The protocol of the reference back end: the five golden-path events and `agent_error`.
    pub fn reference() -> Self {
        let pointer = |name: &str| format!("/{name}");
        let events = [
            "agent_started",
            "agent_thinking",
            "tool_executing",
            "tool_completed",
            "agent_completed",
            "agent_error",
        ];
        Self {
            kind: pointer("type"),
            user: pointer("user_id"),
            thread: pointer("thread_id"),
            run: pointer("run_id"),
            sequence: pointer("sequence"),
            agent: pointer("agent_name"),
            request: pointer("request_id"),
            greeting: "connection_established".into(),
            connection: pointer("connection_id"),
            accepted: "run_accepted".into(),
            events: events.map(String::from).to_vec(),
            terminal: vec![
                ("agent_completed".into(), Some(SUPERVISOR.into())),
                ("agent_error".into(), None),
            ],
            stopped: "the run was stopped".into(),
            why_ended: pointer("error"),
            state: pointer("status"),
            ended: ["completed", "failed", "cancelled"].map(String::from).to_vec(),
            matching: Matching::Run,
            strict: true,
            ..Self::unknown()
        }
    }

    /// One that knows nothing of a back end but that messages may come.
    pub fn unknown() -> Self {
        let none = String::new;
        Self {
            kind: none(),
            user: none(),
            thread: none(),
            run: none(),
            sequence: none(),
            first: 1,
            agent: none(),
            request: none(),
            greeting: none(),
            connection: none(),
            accepted: none(),
            events: Vec::new(),
            terminal: Vec::new(),
            ends_where: Vec::new(),
            stopped: none(),
            stopped_at: none(),
            why_ended: none(),
            state: none(),
            ended: Vec::new(),
            frame: None,
            ignore_pattern: None,
            ignore: Vec::new(),
            expected: None,
            matching: Matching::Stream,
            echoes: false,
            unique_runs: true,
            strict: false,
        }
    }

    /// Whether each event that names its request accepts the run: no type of message does.
    pub fn accepts_by_request(&self) -> bool {
        let names_one = matches!(self.matching, Matching::Run | Matching::Request);
        !self.strict && self.accepted.is_empty() && names_one
    }

    /// Whether anything in a message can end a run.
    pub fn tells_ends(&self) -> bool {
        self.ends_by_place() || !self.terminal.is_empty()
    }

    /// Whether a run may end by what stands in some place of a message.
    pub fn ends_by_place(&self) -> bool {
        !(self.ends_where.is_empty() && self.stopped_at.is_empty())
    }

    /// Whether an answer over HTTP tells the state of its run.
    pub fn tells_states(&self) -> bool {
        !self.state.is_empty()
    }

    /// Whether a message of that type belongs to a run's stream. Where no types are listed, all do
    /// but those with another meaning.
    pub fn is_event(&self, kind: &str) -> bool {
        if self.events.is_empty() {
            let other = kind == self.greeting || kind == self.accepted;
            return kind.is_empty() || !(other || self.ignore.iter().any(|own| own == kind));
        }
        self.events.iter().any(|event| event == kind) || self.terminal_kind(kind)
    }

    fn terminal_kind(&self, kind: &str) -> bool {
        self.terminal.iter().any(|(ending, _)| ending == kind)
    }

    /// Whether that event ends its run.
    pub fn is_terminal(&self, kind: &str, agent: Option<&str>) -> bool {
        self.terminal
            .iter()
            .any(|(ending, by)| ending == kind && by.as_deref().is_none_or(|by| Some(by) == agent))
    }
}
