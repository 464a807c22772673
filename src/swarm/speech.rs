//! How a simulated user speaks to a back end of the reference protocol.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::trial::canary::Mint;
use crate::trial::dialect::Dialect;
use crate::trial::ids::{RequestId, RunId, ThreadId};
use crate::trial::plan::{RunPlan, Twist, UserPlan};
use crate::world::backend::{Call, Method};

#[derive(Serialize)]
struct ChatMessage<'m> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<&'m ThreadId>,
    request_id: &'m RequestId,
    settings: String,
    agents: &'m [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    approval: bool,
    delays: &'m [u32],
}

/// The message that starts the run.
pub(super) fn chat(mint: &Mint, user: &UserPlan, run: &RunPlan) -> String {
    let message = ChatMessage {
        kind: "chat",
        message: run.prompt(mint, user.index),
        thread_id: (!run.has(Twist::NoThread)).then_some(&run.thread),
        request_id: &run.request_id,
        settings: run.settings(mint, user.index),
        agents: &run.agents,
        approval: run.has(Twist::Approval),
        delays: &run.delays,
    };
    serde_json::to_string(&message).expect("a message has string keys only")
}

/// The request that starts the run over HTTP.
pub(super) fn chat_call(body: String) -> Call {
    Call { method: Method::Post, path: "/api/chat".into(), body }
}

/// The request that reads a run.
pub(super) fn read_run(run: &RunId) -> Call {
    Call {
        method: Method::Get,
        path: format!("/api/runs/{}", in_url(run.as_str())),
        body: String::new(),
    }
}

/// The request that does something to a run: `stop` or `approve`.
pub(super) fn control(run: &RunId, action: &str) -> Call {
    Call {
        method: Method::Post,
        path: format!("/api/runs/{}/{action}", in_url(run.as_str())),
        body: String::new(),
    }
}

/// The request that reads a thread's messages.
pub(super) fn read_thread(thread: &ThreadId) -> Call {
    let path = format!("/api/threads/{}/messages", in_url(thread.as_str()));
    Call { method: Method::Get, path, body: String::new() }
}

/// What is no message of the protocol.
pub(super) const MALFORMED: &str = r#"{"type":"chat","message":7"#;

pub(super) const PING: &str = r#"{"type":"ping"}"#;

/// An id as one segment of a path, or one value of a query. A run id comes from the server: it may be anything.
pub(super) fn in_url(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// What a user takes from a message to know how their own runs go on. The oracles read messages
/// anew and trust nothing of this.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound = "'de: 'm")]
struct Glance<'m> {
    #[serde(rename = "type")]
    kind: Option<Word<'m>>,
    run_id: Option<Word<'m>>,
    request_id: Option<Word<'m>>,
    agent_name: Option<Word<'m>>,
    sequence: Option<u64>,
    status: Option<Word<'m>>,
}

/// A text, taken from the message as it stands where nothing in it is escaped.
#[derive(Debug, Deserialize)]
#[serde(transparent, bound = "'de: 'm")]
struct Word<'m>(#[serde(borrow)] Cow<'m, str>);

impl Word<'_> {
    fn of(word: &Option<Self>) -> Option<&str> {
        word.as_ref().map(|Word(text)| &**text)
    }
}

/// What a message means to the user who got it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'m> {
    Greeting,
    Pong,
    Accepted { request: RequestId, run: RunId },
    Event { run: Cow<'m, str>, sequence: u64, terminal: bool },
    Other,
}

pub(super) fn hear<'m>(dialect: &Dialect, message: &'m [u8]) -> Heard<'m> {
    // Anything else is for the oracles to judge.
    let glance: Glance<'m> = serde_json::from_slice(message).unwrap_or_default();
    let kind = Word::of(&glance.kind).unwrap_or_default();
    match (glance.run_id, &glance.request_id) {
        _ if kind == dialect.greeting => Heard::Greeting,
        _ if kind == "pong" => Heard::Pong,
        (Some(Word(run)), Some(Word(request))) if kind == dialect.accepted => {
            Heard::Accepted { request: RequestId::new(request), run: RunId::new(run) }
        }
        (Some(Word(run)), _) if dialect.is_event(kind) => {
            let terminal = dialect.is_terminal(kind, Word::of(&glance.agent_name));
            Heard::Event { run, sequence: glance.sequence.unwrap_or_default(), terminal }
        }
        _ => Heard::Other,
    }
}

/// What an answer says of a run: its id, and whether it has ended.
pub(super) fn run_state(body: &[u8]) -> (Option<RunId>, bool) {
    let glance: Glance<'_> = serde_json::from_slice(body).unwrap_or_default();
    let ended = Word::of(&glance.status);
    let ended = matches!(ended, Some("completed" | "failed" | "cancelled"));
    (Word::of(&glance.run_id).map(RunId::new), ended)
}
