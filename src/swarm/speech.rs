//! How a simulated user speaks to a back end of the reference protocol.

use std::borrow::Cow;
use std::cell::RefCell;

use serde::Serialize;

use crate::trial::canary::Mint;
use crate::trial::dialect::Dialect;
use crate::trial::ids::{RequestId, RunId, ThreadId};
use crate::trial::json::{self, Visitor};
use crate::trial::members::{Begin, Member, Members};
use crate::trial::plan::{RunPlan, Twist, UserPlan};
use crate::trial::raw::Raw;
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
#[derive(Debug, Default)]
struct Glance<'m> {
    kind: Option<Cow<'m, str>>,
    run_id: Option<Cow<'m, str>>,
    request_id: Option<Cow<'m, str>>,
    agent_name: Option<Cow<'m, str>>,
    sequence: Option<u64>,
    status: Option<Cow<'m, str>>,
}

/// A member of a message that a user looks at.
#[derive(Clone, Copy, Debug)]
enum LookedAt {
    Kind,
    Run,
    Request,
    Agent,
    Sequence,
    Status,
}

/// All of them, by name.
const LOOKED_AT: [(&str, LookedAt); 6] = [
    ("type", LookedAt::Kind),
    ("run_id", LookedAt::Run),
    ("request_id", LookedAt::Request),
    ("agent_name", LookedAt::Agent),
    ("sequence", LookedAt::Sequence),
    ("status", LookedAt::Status),
];

impl LookedAt {
    fn of(at: Member) -> Option<Self> {
        let place = at.number().checked_sub(Member::FIRST.number())?;
        LOOKED_AT.get(place).map(|(_, member)| *member)
    }
}

/// Members of longer names, in bytes, are not known again.
const LONGEST_NAME: usize = 64;

thread_local! {
    /// The members that messages had so far; those of [`LOOKED_AT`] are the first.
    static MEMBERS: RefCell<Members> = RefCell::new(looked_at());
}

fn looked_at() -> Members {
    let mut members = Members::of_names_up_to(LONGEST_NAME);
    LOOKED_AT.iter().for_each(|(name, _)| _ = members.child(Member::ROOT, name));
    members
}

/// Takes a [`Glance`].
struct Look<'k, 'm> {
    members: &'k mut Members,
    glance: Glance<'m>,
}

impl<'m> Glance<'m> {
    /// None if it is no JSON.
    fn at(message: &'m Raw) -> Option<Self> {
        let text = message.as_text()?;
        MEMBERS.with_borrow_mut(|members| {
            if members.is_full() {
                // What fills it never comes again.
                *members = looked_at();
            }
            let mut look = Look { members, glance: Glance::default() };
            json::read(text, Member::ROOT, &mut look).then_some(look.glance)
        })
    }
}

impl<'m> Visitor<'m> for Look<'_, 'm> {
    type Place = Member;

    fn object(&mut self, _: Member) {}

    fn member(&mut self, object: Member, last: Option<Member>, name: &str) -> Member {
        self.members.next_child(object, last, name)
    }

    fn expected(&self, object: Member, last: Option<Member>) -> Option<(&Begin, Member)> {
        self.members.expected(object, last)
    }

    fn element(&mut self, _: Member, _: usize) -> Member {
        Member::ELSEWHERE
    }

    fn text(&mut self, at: Member, text: Cow<'m, str>) {
        let slot = match LookedAt::of(at) {
            Some(LookedAt::Kind) => &mut self.glance.kind,
            Some(LookedAt::Run) => &mut self.glance.run_id,
            Some(LookedAt::Request) => &mut self.glance.request_id,
            Some(LookedAt::Agent) => &mut self.glance.agent_name,
            Some(LookedAt::Status) => &mut self.glance.status,
            Some(LookedAt::Sequence) | None => return,
        };
        *slot = Some(text);
    }

    fn number(&mut self, at: Member, number: u64) {
        if let Some(LookedAt::Sequence) = LookedAt::of(at) {
            self.glance.sequence = Some(number);
        }
    }
}

/// What a message means to the user who got it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'m> {
    Greeting,
    Pong,
    Accepted { request: Cow<'m, str>, run: RunId },
    Event { run: Cow<'m, str>, sequence: u64, terminal: bool },
    Other,
}

/// What the message means, and whether it is JSON.
pub(super) fn hear<'m>(dialect: &Dialect, message: &'m Raw) -> (Heard<'m>, bool) {
    match Glance::at(message) {
        Some(glance) => (glance.heard(dialect), true),
        // That is for the oracles to judge.
        None => (Heard::Other, false),
    }
}

impl<'m> Glance<'m> {
    fn heard(self, dialect: &Dialect) -> Heard<'m> {
        let kind = self.kind.as_deref().unwrap_or_default();
        match (self.run_id, self.request_id) {
            _ if kind == dialect.greeting => Heard::Greeting,
            _ if kind == "pong" => Heard::Pong,
            (Some(run), Some(request)) if kind == dialect.accepted => {
                Heard::Accepted { request, run: RunId::new(run) }
            }
            (Some(run), _) if dialect.is_event(kind) => {
                let terminal = dialect.is_terminal(kind, self.agent_name.as_deref());
                Heard::Event { run, sequence: self.sequence.unwrap_or_default(), terminal }
            }
            _ => Heard::Other,
        }
    }
}

/// What an answer says of a run: its id, and whether it has ended.
pub(super) fn run_state(body: &Raw) -> (Option<RunId>, bool) {
    let glance = Glance::at(body).unwrap_or_default();
    let ended = matches!(glance.status.as_deref(), Some("completed" | "failed" | "cancelled"));
    (glance.run_id.map(RunId::new), ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_looks_at_members_of_the_message_itself_only_whatever_came_before() {
        let dialect = Dialect::reference();
        let event = r#"{"type":"agent_started","run_id":"r1","sequence":3,"agent_name":"triage"}"#;
        let same = r#"{ "sequence":3, "nested":{"type":"pong","run_id":"r2","sequence":9},
            "list":[{"type":"pong"},"pong"], "run_id" : "r1", "type":"agent_started"}"#;
        for text in [event, same, event, event, same, same] {
            let raw = Raw::from(text);
            let expected = Heard::Event { run: "r1".into(), sequence: 3, terminal: false };
            assert_eq!(hear(&dialect, &raw), (expected, true));
        }
        let of_last = Raw::from(r#"{"type":"pong","type":"agent_started","run_id":"r1"}"#);
        assert!(matches!(hear(&dialect, &of_last).0, Heard::Event { .. }));
        assert_eq!(hear(&dialect, &Raw::from("{\"type\":\"pong\"")), (Heard::Other, false));
    }
}
