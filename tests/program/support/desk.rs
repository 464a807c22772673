//! A sound server that refuses each mistake in words of its own, for tests of what is told of them.
//!
//! `POST /login` gives a token; `POST /chat` answers whole, `POST /stream` as a stream of events,
//! `POST /runs` by events on `GET /events` or `GET /ws`, on which `{"type":"chat"}` starts a run too;
//! `POST /rpc` speaks JSON-RPC with the tool `echo`.

#![expect(clippy::result_large_err, reason = "the answers of a test's server are few")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use futures_util::stream;
use partywall::trial::raw::{from_hex, to_hex};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Desk = Arc<Shared>;

#[derive(Default)]
struct Shared {
    data: Mutex<Data>,
}

#[derive(Default)]
struct Data {
    last: u64,
    lines: BTreeMap<u64, (String, UnboundedSender<Value>)>,
}

impl Shared {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().expect("no handler panics")
    }

    fn next(&self) -> u64 {
        let mut data = self.data();
        data.last += 1;
        data.last
    }

    fn line(&self, user: &str) -> (u64, UnboundedReceiver<Value>) {
        let id = self.next();
        let (sender, events) = unbounded_channel();
        self.data().lines.insert(id, (user.to_owned(), sender));
        (id, events)
    }

    fn tell(&self, user: &str, event: &Value) {
        for (_, line) in self.data().lines.values().filter(|(own, _)| own == user) {
            let _ = line.send(event.clone());
        }
    }
}

/// Serves on a thread of its own, as long as the tests run. Gives the URL.
pub(crate) fn serve() -> String {
    let (sender, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
            let listener = listener.expect("a free port");
            let port = listener.local_addr().expect("it is bound").port();
            sender.send(port).expect("the test waits for it");
            let router = Router::new()
                .route("/login", post(log_in))
                .route("/strict", post(log_in_strictly))
                .route("/form", post(|| async { Redirect::to("/home") }))
                .route("/chat", post(chat))
                .route("/talk", any(|| async { Redirect::permanent("/chat") }))
                .route("/guest", any(|| async { Redirect::to("/sign-in") }))
                .route("/stream", post(streamed))
                .route("/runs", post(accepted))
                .route("/events", get(events))
                .route("/ws", get(open))
                .route("/rpc", post(rpc))
                .route("/xml", post(|| async { refused(StatusCode::NOT_ACCEPTABLE, "only XML") }))
                .route("/busy", post(|| async { refused(StatusCode::TOO_MANY_REQUESTS, "busy") }))
                .route("/down", any(|| async { failed() }))
                .route("/hang", any(std::future::pending::<()>))
                .route("/page", any(|| async { axum::response::Html("<h1>It works") }))
                .with_state(Desk::default());
            let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("an option"));
            axum::serve(listener, router).await.expect("it serves");
        });
    });
    format!("http://127.0.0.1:{}", port.recv().expect("it listens"))
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}

fn failed() -> Response {
    refused(StatusCode::INTERNAL_SERVER_ERROR, "the database is down")
}

/// Whose token it is, or the refusal of those who show none.
fn user(headers: &HeaderMap) -> Result<String, Response> {
    let token = headers.get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    let no_token = || refused(StatusCode::UNAUTHORIZED, "show a bearer token");
    let token = token.and_then(|token| token.strip_prefix("Bearer ")).ok_or_else(no_token)?;
    let name = token.strip_prefix("desk-").and_then(from_hex);
    let name = name.and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| refused(StatusCode::FORBIDDEN, "this token is not known"))
}

async fn log_in(Json(who): Json<Value>) -> Response {
    match (who["user"].as_str(), who["password"].as_str()) {
        (Some(user), Some("open")) => {
            Json(json!({"token": format!("desk-{}", to_hex(user.as_bytes()))})).into_response()
        }
        (Some(_), _) => refused(StatusCode::UNAUTHORIZED, "wrong password"),
        (None, _) => refused(StatusCode::BAD_REQUEST, "who is it?"),
    }
}

/// The same for users whose names need no quotes.
async fn log_in_strictly(Json(who): Json<Value>) -> Response {
    let is_plain = |name: &str| !name.contains(':') && name.is_ascii();
    match who["user"].as_str().is_some_and(is_plain) {
        true => log_in(Json(who)).await,
        false => refused(StatusCode::BAD_REQUEST, "no such names"),
    }
}

/// The message and the client's id of a request.
fn asked(body: &Bytes) -> Result<(String, Value), Response> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| refused(StatusCode::BAD_REQUEST, "the body is no JSON"))?;
    let message = value["message"].as_str();
    let missing = || refused(StatusCode::UNPROCESSABLE_ENTITY, "the field `message` is missing");
    let message = message.ok_or_else(missing)?.to_owned();
    if !value["id"].is_string() {
        return Err(refused(StatusCode::UNPROCESSABLE_ENTITY, "`id` must be a text"));
    }
    Ok((message, value["id"].clone()))
}

async fn chat(headers: HeaderMap, body: Bytes) -> Response {
    let who = user(&headers);
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let answer = || {
        let who = who?;
        if !json {
            return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "only JSON is read"));
        }
        let (message, id) = asked(&body)?;
        Ok(Json(json!({"reply": format!("about «{message}»"), "id": id, "user": who})))
    };
    let answer: Result<_, Response> = answer();
    tokio::time::sleep(Duration::from_millis(20)).await;
    answer.into_response()
}

/// The events of one run.
fn run(desk: &Desk, user: &str, message: &str, id: &Value) -> Vec<Value> {
    let run = format!("run-{}", desk.next());
    let event = |kind: &str, seq: u64| {
        json!({
            "type": kind, "run": run, "user": user, "id": id, "seq": seq,
            "text": format!("about «{message}»"),
        })
    };
    ["accepted", "token", "token", "done"]
        .into_iter()
        .zip(0..)
        .map(|(kind, n)| event(kind, n))
        .collect()
}

async fn streamed(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    let begun = user(&headers).and_then(|user| Ok((user, asked(&body)?)));
    let (user, (message, id)) = match begun {
        Ok(begun) => begun,
        Err(refused) => return refused,
    };
    let events = run(&desk, &user, &message, &id);
    let texts = stream::unfold(events.into_iter(), |mut left| async {
        let event = left.next()?;
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((Ok::<_, Infallible>(format!("data: {event}\n\n")), left))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(texts)).into_response()
}

async fn tell(desk: Desk, user: String, message: String, id: Value) {
    for event in run(&desk, &user, &message, &id) {
        desk.tell(&user, &event);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn accepted(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    match user(&headers).and_then(|user| Ok((user, asked(&body)?))) {
        Ok((user, (message, id))) => {
            let answer = json!({"queued": id});
            tokio::spawn(tell(desk, user, message, id));
            (StatusCode::ACCEPTED, Json(answer)).into_response()
        }
        Err(refused) => refused,
    }
}

async fn events(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    let user = match user(&headers) {
        Ok(user) => user,
        Err(refused) => return refused,
    };
    let (_, events) = desk.line(&user);
    let welcome = json!({"type": "welcome", "user": user});
    desk.tell(&user, &welcome);
    let texts = stream::unfold(events, |mut events| async {
        let event = events.recv().await?;
        Some((Ok::<_, Infallible>(format!("data: {event}\n\n")), events))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(texts)).into_response()
}

async fn open(
    State(desk): State<Desk>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    match (user(&headers), upgrade) {
        (Err(refused), _) => refused,
        (_, Err(no_upgrade)) => no_upgrade.into_response(),
        (Ok(user), Ok(upgrade)) => upgrade.on_upgrade(move |socket| talk(desk, user, socket)),
    }
}

async fn talk(desk: Desk, user: String, mut socket: WebSocket) {
    let (id, mut events) = desk.line(&user);
    desk.tell(&user, &json!({"type": "welcome", "user": user}));
    loop {
        tokio::select! {
            Some(event) = events.recv() => {
                if socket.send(Message::text(event.to_string())).await.is_err() { break }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    let said: Value = serde_json::from_str(text.as_str()).unwrap_or_default();
                    match (said["type"].as_str(), said["message"].as_str()) {
                        (Some("chat"), Some(message)) => {
                            let (message, id) = (message.to_owned(), said["id"].clone());
                            tokio::spawn(tell(Arc::clone(&desk), user.clone(), message, id));
                        }
                        (Some("quit"), _) => {
                            let frame = axum::extract::ws::CloseFrame {
                                code: 1008, reason: "no such command".into(),
                            };
                            let _ = socket.send(Message::Close(Some(frame))).await;
                            break;
                        }
                        (Some("chat"), None) => {
                            desk.tell(&user, &json!({"type": "error", "error": "say a `message`"}));
                        }
                        _ => desk.tell(&user, &json!({"type": "error", "error": "unknown type"})),
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    desk.data().lines.remove(&id);
}

async fn rpc(headers: HeaderMap, Json(call): Json<Value>) -> Response {
    if let Err(refused) = user(&headers) {
        return refused;
    }
    let id = &call["id"];
    let params = &call["params"];
    let text = |text: &str, error: bool| json!({"content": [{"type": "text", "text": text}], "isError": error});
    let result = match (call["method"].as_str(), params["name"].as_str()) {
        (Some("tools/call"), Some("echo")) => match params["arguments"]["text"].as_str() {
            Some(said) => text(&format!("about «{said}»"), false),
            None => text("`text` is required", true),
        },
        (Some("tools/call"), Some(other)) => text(&format!("unknown tool: {other}"), true),
        _ => {
            let error = json!({"code": -32601, "message": "method not found"});
            return Json(json!({"jsonrpc": "2.0", "id": id, "error": error})).into_response();
        }
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response()
}
