//! JSON-RPC over streamable HTTP as MCP does it: `POST /mcp` with `initialize` (which may give a
//! session by the header `mcp-session-id`), `notifications/*`, `tools/list`, and `tools/call` of
//! `echo` with a `text`. Answers are JSON or one SSE message. Clients count their ids from 1.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Common, Leak, Server, locked, token};

const SESSION: &str = "mcp-session-id";

/// How it speaks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// Whether `initialize` gives a session, which every later call must show.
    pub(crate) sessions: bool,
    /// Whether answers are SSE.
    pub(crate) sse: bool,
}

struct Rpc {
    common: Common,
    style: Style,
    /// Sessions and whose they are.
    sessions: Mutex<BTreeMap<String, String>>,
    /// Who waits for a reply; with the leak, by the client's id alone.
    waiting: Mutex<BTreeMap<String, oneshot::Sender<Value>>>,
    /// The session that was opened last.
    last: Mutex<Option<String>>,
}

pub(crate) fn start(leak: Leak, style: Style, upstream: &str) -> Server {
    let common = Common::new(leak, upstream);
    let (sessions, waiting, last) = Default::default();
    let rpc = Rpc { common, style, sessions, waiting, last };
    super::serve(Router::new().route("/mcp", post(call)).with_state(Arc::new(rpc)))
}

async fn call(
    State(rpc): State<Arc<Rpc>>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let Some(token) = token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let method = request["method"].as_str().unwrap_or_default();
    let id = request["id"].clone();
    if method != "initialize" && rpc.style.sessions {
        let given = headers.get(SESSION).and_then(|value| value.to_str().ok());
        let owner = given.and_then(|given| locked(&rpc.sessions).get(given).cloned());
        if owner.as_ref() != Some(&token) {
            return StatusCode::NOT_FOUND.into_response();
        }
    }
    let mut response = rpc.answer(method, token, id, &request).await;
    if rpc.common.leak == Leak::Session
        && method != "initialize"
        && let Some(last) = locked(&rpc.last).clone()
    {
        response.headers_mut().insert(SESSION, last.parse().expect("a plain id"));
    }
    response
}

impl Rpc {
    /// What is answered to a call that may be made.
    async fn answer(
        self: &Arc<Self>,
        method: &str,
        token: String,
        id: Value,
        request: &Value,
    ) -> Response {
        let result = |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
        match method {
            "initialize" => {
                let answer = result(json!({
                    "protocolVersion": "2025-06-18",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "echo", "version": "1"},
                }));
                let mut response = self.respond(&answer);
                if self.style.sessions {
                    let session = self.common.id("session");
                    response.headers_mut().insert(SESSION, session.parse().expect("a plain id"));
                    *locked(&self.last) = Some(session.clone());
                    locked(&self.sessions).insert(session, token);
                }
                response
            }
            "tools/list" => self.respond(&result(json!({"tools": [{"name": "echo"}]}))),
            "tools/call" => {
                let text = request["params"]["arguments"]["text"].as_str().unwrap_or_default();
                match self.reply(&token, id, text).await {
                    Some(answer) => self.respond(&answer),
                    None => StatusCode::BAD_GATEWAY.into_response(),
                }
            }
            _ if id.is_null() => StatusCode::ACCEPTED.into_response(),
            _ => {
                let error = json!({"code": -32601, "message": "method not found"});
                self.respond(&json!({"jsonrpc": "2.0", "id": id, "error": error}))
            }
        }
    }

    /// Registers who waits, does the work elsewhere, and waits for what is looked up.
    async fn reply(self: &Arc<Self>, token: &str, id: Value, text: &str) -> Option<Value> {
        let key = match self.common.leak {
            Leak::IdCollision => id.to_string(),
            _ => self.common.id("call"),
        };
        let (sender, reply) = oneshot::channel();
        locked(&self.waiting).insert(key.clone(), sender);
        let (rpc, token, text) = (Arc::clone(self), token.to_owned(), text.to_owned());
        tokio::spawn(async move {
            let echoed = rpc.common.tool(&token, &text).await;
            let waiting = locked(&rpc.waiting).remove(&key);
            if let (Some(waiting), Some(text)) = (waiting, echoed) {
                let content = json!([{"type": "text", "text": text}]);
                let result = json!({"content": content, "isError": false});
                let _ = waiting.send(json!({"jsonrpc": "2.0", "id": id, "result": result}));
            }
        });
        reply.await.ok()
    }

    fn respond(&self, answer: &Value) -> Response {
        if !self.style.sse {
            return Json(answer.clone()).into_response();
        }
        let body = format!("event: message\ndata: {answer}\n\n");
        ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
    }
}
