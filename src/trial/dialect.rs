//! How a back end's messages are read: where in the JSON the type, the ids and the number stand.

use serde::{Deserialize, Serialize};

/// Where a back end's JSON messages hold what the oracles ask for, as JSON pointers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
        }
    }

    /// Whether a message of that type belongs to a run's stream.
    pub fn is_event(&self, kind: &str) -> bool {
        self.events.iter().any(|event| event == kind)
    }

    /// Whether that event ends its run.
    pub fn is_terminal(&self, kind: &str, agent: Option<&str>) -> bool {
        self.terminal
            .iter()
            .any(|(ending, by)| ending == kind && by.as_deref().is_none_or(|by| Some(by) == agent))
    }
}
