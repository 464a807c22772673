//! How a back end's messages are read: where in the JSON the type, the ids and the number stand.

use serde::{Deserialize, Serialize};

/// Where a back end's JSON messages hold what the oracles ask for, as JSON pointers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// The type of the message.
    pub kind: String,
    /// The user that the message is for.
    pub user: String,
    /// The thread.
    pub thread: String,
    /// The run.
    pub run: String,
    /// The number of the event in its run, from 1 without gaps.
    pub sequence: String,
    /// The agent that speaks.
    pub agent: String,
    /// The client's id of the request, in the message that accepts a run.
    pub request: String,
    /// The type of the first message on a connection.
    pub greeting: String,
    /// The type of the message that accepts a run.
    pub accepted: String,
    /// The types of the messages that belong to a run's stream.
    pub events: Vec<String>,
    /// What ends a run: type and, where that is not enough, agent.
    pub terminal: Vec<(String, Option<String>)>,
    /// The error that the last event of a stopped run tells.
    pub stopped: String,
    /// What only servers of somebody's own have; none for the reference protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
}

/// What a server of somebody's own may do otherwise than the reference protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Foreign {
    /// What stands before the JSON of a message, as a regular expression from its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// Messages of no interest, as a regular expression over their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_pattern: Option<String>,
    /// Types of messages of no interest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// A message that has something in one of these places ends its run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends_where: Vec<String>,
    /// The types of a whole run's events with a space between them, as a regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The number of a run's first event.
    pub first: u64,
    /// How a message finds its run where it names none.
    pub matching: Matching,
    /// Whether the ids of runs are unique among all users.
    pub unique_runs: bool,
    /// Where the end of a run that was stopped says so, by [`Dialect::stopped`]; empty where it
    /// does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stopped_at: String,
}

/// How a message finds the run that it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
            accepted: "run_accepted".into(),
            events: events.map(String::from).to_vec(),
            terminal: vec![
                ("agent_completed".into(), Some("supervisor".into())),
                ("agent_error".into(), None),
            ],
            stopped: "the run was stopped".into(),
            foreign: None,
        }
    }

    /// One that knows nothing of a server of somebody's own but that messages may come.
    pub fn unknown() -> Self {
        let none = String::new;
        Self {
            kind: none(),
            user: none(),
            thread: none(),
            run: none(),
            sequence: none(),
            agent: none(),
            request: none(),
            greeting: none(),
            accepted: none(),
            events: Vec::new(),
            terminal: Vec::new(),
            stopped: none(),
            foreign: Some(Foreign { first: 1, unique_runs: true, ..Foreign::default() }),
        }
    }

    /// Whether anything in a message can end a run.
    pub fn tells_ends(&self) -> bool {
        self.ends_by_place() || !self.terminal.is_empty()
    }

    /// Whether a run may end by what stands in some place of a message.
    pub fn ends_by_place(&self) -> bool {
        let places =
            |foreign: &Foreign| !(foreign.ends_where.is_empty() && foreign.stopped_at.is_empty());
        self.foreign.as_ref().is_some_and(places)
    }

    /// Whether a message of that type belongs to a run's stream. Where no types are listed, all do
    /// but those with another meaning.
    pub fn is_event(&self, kind: &str) -> bool {
        if let (Some(foreign), true) = (&self.foreign, self.events.is_empty()) {
            let other = kind == self.greeting || kind == self.accepted;
            return kind.is_empty() || !(other || foreign.ignore.iter().any(|own| own == kind));
        }
        self.events.iter().any(|event| event == kind) || self.terminal_kind(kind)
    }

    fn terminal_kind(&self, kind: &str) -> bool {
        self.foreign.is_some() && self.terminal.iter().any(|(ending, _)| ending == kind)
    }

    /// Whether that event ends its run.
    pub fn is_terminal(&self, kind: &str, agent: Option<&str>) -> bool {
        self.terminal
            .iter()
            .any(|(ending, by)| ending == kind && by.as_deref().is_none_or(|by| Some(by) == agent))
    }
}
