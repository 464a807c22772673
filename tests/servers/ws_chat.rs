//! A chat over WebSocket at `/chat`: `{"event":"welcome"}`, then `{"op":"say","ref","conversation",
//! "body"}` is answered by `accepted` (with `ref` and `job`), three times `step` and one `final`,
//! with `job`, `idx`, `who` and `data.text`. `{"op":"hello"}` is answered by `{"event":"hello"}`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::lines::{Line, Lines, carry};
use super::{Common, Leak, Server, token};

const STEPS: u64 = 3;

pub(crate) fn start(leak: Leak, upstream: &str) -> Server {
    let lines = Lines::new(Common::new(leak, upstream));
    super::serve(Router::new().route("/chat", get(open)).with_state(lines))
}

async fn open(
    State(lines): State<Arc<Lines>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(token) = token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    upgrade.on_upgrade(move |socket| talk(lines, token, socket))
}

async fn talk(lines: Arc<Lines>, token: String, socket: WebSocket) {
    let id = lines.common.id("line");
    let (line, events) = lines.open(&id);
    let _ = line.send(json!({"event": "welcome", "line": id}).to_string().into());
    carry(socket, events, |text| {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        match said["op"].as_str() {
            Some("say") => {
                drop(tokio::spawn(run(Arc::clone(&lines), line.clone(), token.clone(), said)))
            }
            Some("hello") => drop(line.send(json!({"event": "hello"}).to_string().into())),
            _ => {
                let error = json!({"event": "error", "error": "no such op"}).to_string();
                let _ = line.send(lines.refusal().unwrap_or(error.into()));
            }
        }
    })
    .await;
    lines.close(&id);
}

async fn run(lines: Arc<Lines>, line: Line, who: String, said: Value) {
    let (reference, body) = (said["ref"].as_str().unwrap_or_default(), said["body"].as_str());
    let (job, body) = (lines.common.id("job"), body.unwrap_or_default());
    lines.begin(&line, reference, body);
    let conversation = &said["conversation"];
    let accepted = json!({
        "event": "accepted", "ref": reference, "job": job, "conversation": conversation, "who": who,
    });
    let _ = line.send(accepted.to_string().into());
    for idx in 1..=STEPS + 1 {
        let answer = lines.common.tool(&who, body).await;
        let answer = answer.unwrap_or_else(|| "the upstream failed".into());
        let event = json!({
            "event": if idx > STEPS { "final" } else { "step" },
            "job": job, "conversation": conversation, "who": who, "idx": idx,
            "data": {"text": format!("{idx}: {answer}")},
        });
        lines.tell(&line, reference, event.to_string());
    }
}
