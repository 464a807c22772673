//! How users speak to the reference back end, and to code that is explored in its own tests.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::{
    AnswerKind, Content, EventConnection, Identity, Ping, Protocol, Reads, Request, Start,
};
use crate::dialect::Dialect;
use crate::protocol::Act;
use crate::run_controls::{Caps, RunControls};
use crate::severity::Severities;

static REFERENCE: LazyLock<Arc<Protocol>> = LazyLock::new(|| Arc::new(Protocol::as_reference()));

impl Protocol {
    /// The protocol of the reference back end; whose token each user shows is the transport's matter.
    pub fn reference() -> Arc<Self> {
        Arc::clone(&REFERENCE)
    }

    /// Whether it is that of the reference back end.
    pub fn is_reference(&self) -> bool {
        std::ptr::eq(self, &**REFERENCE) || *self == **REFERENCE
    }

    fn as_reference() -> Self {
        let chat = json!({
            "type": "chat",
            "message": "{{ prompt }}",
            "thread_id": "{{ own_thread | value }}",
            "request_id": "{{ request_id }}",
            "settings": "{{ settings }}",
            "agents": "{{ agents | value }}",
            "approval": "{{ approval | value }}",
            "delays": "{{ delays | value }}",
        });
        let request = |method: &str, path: &str, content| Request {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            content,
        };
        let of_run = |what: &str| {
            let path = format!("/api/runs/{{{{ run }}}}{what}");
            request(if what.is_empty() { "GET" } else { "POST" }, &path, Content::Nothing)
        };
        let thread = "/api/threads/{{ thread }}/messages";
        let after = [("run", "{{ run }}"), ("after", "{{ cursor }}")];
        Self {
            identity: Identity::default(),
            setup: Vec::new(),
            start: Start::Message(content(chat.clone())),
            other_starts: vec![Start::Http {
                request: request("POST", "/api/chat", content(chat)),
                answer: AnswerKind::Whole,
            }],
            events: Some(EventConnection {
                streamed: false,
                path: "/ws".into(),
                replies: Vec::new(),
                resume: after.map(|(name, value)| (name.into(), value.into())).to_vec(),
            }),
            dialect: Dialect::reference(),
            patience: 10_000,
            controls: RunControls {
                stop: Some(Act::Request(of_run("/stop"))),
                approve: Some(Act::Request(of_run("/approve"))),
                asks: String::new(),
            },
            reads: Reads {
                run: Some(of_run("")),
                thread: Some(request("GET", thread, Content::Nothing)),
                ping: Some(Ping {
                    content: content(json!({ "type": "ping" })),
                    answer: "pong".into(),
                }),
            },
            switch: None,
            caps: Caps::default(),
            sharing: Vec::new(),
            severity: Severities::STRICT,
        }
    }
}

fn content(value: Value) -> Content {
    Content::Json { prefix: String::new(), value }
}
