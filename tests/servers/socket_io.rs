//! A chat in Socket.IO frames over `GET /socket.io/?EIO=4&transport=websocket`: the server opens
//! with `0{…}`, the client joins with `40{"token":…}` (or a bearer token at the handshake), the
//! server pings with `2` and the client answers `3`. `42["chat",{"id","room","text"}]` starts a run,
//! told by `started`, three times `token`, and `done`, with `run`, `seq` and `text`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::lines::{Line, Lines, carry};
use super::{Common, Leak, Server, token};

const PIECES: u64 = 3;

pub(crate) fn start(leak: Leak, upstream: &str) -> Server {
    let lines = Lines::new(Common::new(leak, upstream));
    super::serve(Router::new().route("/socket.io/", get(open)).with_state(lines))
}

async fn open(
    State(lines): State<Arc<Lines>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let token = token(&headers);
    upgrade.on_upgrade(move |socket| talk(lines, token, socket))
}

async fn talk(lines: Arc<Lines>, mut token: Option<String>, socket: WebSocket) {
    let sid = lines.common.id("sid");
    let (line, events) = lines.open(&sid);
    let opened = json!({
        "sid": sid, "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000,
        "maxPayload": 1_000_000,
    });
    let _ = line.send(format!("0{opened}").into());
    carry(socket, events, |text| {
        if let Some(joined) = text.strip_prefix("40") {
            let joined: Value = serde_json::from_str(joined).unwrap_or_default();
            token = joined["token"].as_str().map(str::to_owned).or(token.take());
            let answer = match &token {
                Some(_) => format!("40{}", json!({"sid": sid})),
                None => format!("44{}", json!({"message": "not authorised"})),
            };
            let _ = line.send(answer.into());
            let _ = line.send("2".to_owned().into());
        } else if let (Some(event), Some(token)) = (text.strip_prefix("42"), &token)
            && let Ok((name, chat)) = serde_json::from_str::<(String, Value)>(event)
            && name == "chat"
        {
            let run = run(Arc::clone(&lines), line.clone(), token.clone(), chat);
            tokio::spawn(run);
        }
    })
    .await;
    lines.close(&sid);
}

async fn run(lines: Arc<Lines>, line: Line, token: String, chat: Value) {
    let (request, text) = (chat["id"].as_str().unwrap_or_default(), chat["text"].as_str());
    let (run, text) = (lines.common.id("run"), text.unwrap_or_default());
    lines.begin(&line, request, text);
    let started = json!(["started", {"run": run, "id": request, "room": chat["room"]}]);
    let _ = line.send(format!("42{started}").into());
    for seq in 1..=PIECES + 1 {
        let answer = lines.common.tool(&token, text).await;
        let answer = answer.unwrap_or_else(|| "the upstream failed".into());
        let name = if seq > PIECES { "done" } else { "token" };
        let event = json!([name, {"run": run, "seq": seq, "text": format!("{seq}: {answer}")}]);
        lines.tell(&line, request, format!("42{event}"));
    }
}
