//! The messages that the reference back end speaks: the five golden-path events, their error, and
//! what frames them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use partywall_core::ids::{RequestId, RunId, ThreadId, UserName};
use partywall_core::plan::DEFAULT_THREAD;

/// What an agent tells the person's browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum AgentEvent {
    AgentStarted { message: String },
    AgentThinking { reasoning: String },
    ToolExecuting { tool_name: String, parameters: Value },
    ToolCompleted { tool_name: String, result: String },
    AgentCompleted { result: String },
    AgentError { error: String },
}

impl AgentEvent {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::AgentStarted { .. } => "agent_started",
            Self::AgentThinking { .. } => "agent_thinking",
            Self::ToolExecuting { .. } => "tool_executing",
            Self::ToolCompleted { .. } => "tool_completed",
            Self::AgentCompleted { .. } => "agent_completed",
            Self::AgentError { .. } => "agent_error",
        }
    }
}

/// An event with whose it is, as it goes over the wire.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<'e> {
    #[serde(flatten)]
    pub(crate) event: &'e AgentEvent,
    pub(crate) run_id: &'e RunId,
    pub(crate) thread_id: &'e ThreadId,
    pub(crate) user_id: &'e UserName,
    pub(crate) agent_name: &'e str,
    pub(crate) timestamp: u64,
    pub(crate) sequence: u64,
}

/// What frames the events on a connection.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Frame<'f> {
    ConnectionEstablished {
        user_id: &'f UserName,
        connection_id: String,
    },
    RunAccepted {
        request_id: &'f RequestId,
        run_id: &'f RunId,
        thread_id: &'f ThreadId,
        user_id: &'f UserName,
    },
    Pong,
    Error {
        error: &'f str,
    },
}

impl Frame<'_> {
    pub(crate) fn to_text(&self) -> String {
        to_text(self)
    }
}

pub(crate) fn to_text(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("messages have string keys only")
}

/// What a client sends on a connection, or as the body of `POST /api/chat`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClientMessage {
    Chat(Chat),
    Ping,
}

/// A message to the agents.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Chat {
    pub(crate) message: String,
    /// The conversation; the user's own default one where it is left out.
    #[serde(default)]
    pub(crate) thread_id: Option<ThreadId>,
    #[serde(default = "Chat::default_request")]
    pub(crate) request_id: RequestId,
    /// Who the client says it is; must be who it proved to be.
    #[serde(default)]
    pub(crate) user_id: Option<UserName>,
    /// The user's own LLM settings.
    #[serde(default)]
    pub(crate) settings: String,
    /// The sub-agents to run; all where it is empty.
    #[serde(default)]
    pub(crate) agents: Vec<String>,
    /// Whether the run waits for its user's approval before it ends.
    #[serde(default)]
    pub(crate) approval: bool,
    /// How long each stub call takes, in turns, round-robin.
    #[serde(default)]
    pub(crate) delays: Vec<u32>,
}

impl Chat {
    /// The conversation that it belongs to.
    pub(crate) fn thread(&self) -> ThreadId {
        self.thread_id.clone().unwrap_or_else(|| ThreadId::new(DEFAULT_THREAD))
    }

    fn default_request() -> RequestId {
        RequestId::new("unnamed")
    }

    /// How long the stub call of that number takes, in turns; at most a minute on the wire.
    pub(crate) fn delay(&self, call: usize) -> u32 {
        let delays = &self.delays;
        if delays.is_empty() { 0 } else { delays[call % delays.len()].min(60_000) }
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RunAnswer {
    pub(crate) status: RunStatus,
    pub(crate) answer: String,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SaidMessage {
    pub(crate) run_id: RunId,
    pub(crate) role: &'static str,
    pub(crate) text: String,
}
