//! A small chat server that partywall does not know, with a leak planted in it or none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use partywall::trial::raw::{from_hex, to_hex};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// Nothing.
    None,
    /// Events of one type go to everybody who is connected.
    Broadcast,
    /// Answers over HTTP come from a cache that only knows the thread.
    AnswerCache,
}

type Toy = Arc<Shared>;

struct Shared {
    leak: Leak,
    state: Mutex<Data>,
}

#[derive(Default)]
struct Data {
    last_id: u64,
    lines: BTreeMap<u64, (String, UnboundedSender<Value>)>,
    runs: BTreeMap<String, (String, Value)>,
    said: BTreeMap<(String, String), Vec<Value>>,
    cache: BTreeMap<String, String>,
    /// How often something went to everybody, and how often the cache was asked.
    uses: [u64; 2],
}

impl Shared {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.state.lock().expect("no handler panics")
    }
}

/// Serves on a thread of its own, as long as the tests run. Gives the URL.
pub(crate) fn serve(leak: Leak) -> String {
    let (sender, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
            let listener = listener.expect("a free port");
            let port = listener.local_addr().expect("it is bound").port();
            sender.send(port).expect("the test waits for it");
            let router = Router::new()
                .route("/ws", get(open))
                .route("/api/login", post(log_in))
                .route("/debug/sites", get(sites))
                .route("/api/chat", post(chat))
                .route("/api/runs/{run}", get(read_run))
                .route("/api/threads/{thread}/messages", get(read_thread))
                .with_state(Arc::new(Shared { leak, state: Mutex::default() }));
            // Else the system holds small events back, and no two runs seem to overlap.
            let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("an option"));
            axum::serve(listener, router).await.expect("it serves");
        });
    });
    format!("http://127.0.0.1:{}", port.recv().expect("it listens"))
}

/// Whose token it is: the name stands in it as hex.
fn user(headers: &HeaderMap) -> String {
    let token = headers["authorization"].to_str().expect("a token is text");
    let name = token.split('-').nth(1).and_then(from_hex).expect("a token has a name");
    String::from_utf8(name).expect("names are text")
}

async fn open(
    State(toy): State<Toy>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> axum::response::Response {
    let user = user(&headers);
    upgrade.on_upgrade(move |socket| talk(toy, user, socket))
}

async fn talk(toy: Toy, user: String, mut socket: WebSocket) {
    let (sender, mut events) = unbounded_channel();
    let id = toy.data().next_id();
    toy.data().lines.insert(id, (user.clone(), sender.clone()));
    let greeting =
        json!({"type": "connection_established", "user_id": user, "connection_id": id.to_string()});
    let _ = sender.send(greeting);
    loop {
        tokio::select! {
            Some(event) = events.recv() => {
                if socket.send(Message::text(event.to_string())).await.is_err() { break }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(text.as_str()).expect("JSON");
                    if message["type"] == "ping" {
                        let _ = sender.send(json!({"type": "pong"}));
                    } else {
                        tokio::spawn(run(Arc::clone(&toy), user.clone(), message, Some(id)));
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    toy.data().lines.remove(&id);
}

impl Data {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn tell(&self, whom: impl Fn(u64, &str) -> bool, what: &Value) {
        for (id, (user, line)) in &self.lines {
            if whom(*id, user) {
                let _ = line.send(what.clone());
            }
        }
    }
}

/// One run; its events go to its user, or in part to everybody.
async fn run(toy: Toy, user: String, chat: Value, line: Option<u64>) -> Value {
    let run = format!("toy-{}", toy.data().next_id());
    let thread = chat["thread_id"].as_str().expect("a thread").to_owned();
    let prompt = chat["message"].as_str().expect("a message").to_owned();
    let envelope = json!({
        "run_id": run, "thread_id": thread, "user_id": user, "request_id": chat["request_id"],
    });
    let with = |more: Value| {
        let mut whole = envelope.clone();
        let members = more.as_object().expect("an object").clone();
        whole.as_object_mut().expect("an object").extend(members);
        whole
    };
    let running = with(json!({"status": "running", "answer": ""}));
    toy.data().runs.insert(run.clone(), (user.clone(), running));
    if let Some(line) = line {
        toy.data().tell(|id, _| id == line, &with(json!({"type": "run_accepted"})));
    }
    let answer = toy.answer(&thread, &format!("about «{prompt}»"), line.is_none());
    let steps = [
        ("agent_started", "supervisor"),
        ("agent_started", "triage"),
        ("agent_thinking", "triage"),
        ("agent_completed", "triage"),
        ("agent_completed", "supervisor"),
    ];
    for (number, (kind, agent)) in (1..).zip(steps) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let text = if kind == "agent_started" { "" } else { &answer };
        let event = with(json!({
            "type": kind, "agent_name": agent, "sequence": number, "text": text,
        }));
        let everybody = toy.leak == Leak::Broadcast && kind == "agent_thinking";
        toy.data().uses[0] += u64::from(everybody);
        if line.is_some() || everybody {
            toy.data().tell(|_, other| everybody || other == user, &event);
        }
    }
    let done = with(json!({"status": "completed", "answer": answer}));
    let mut data = toy.data();
    data.said.entry((user.clone(), thread)).or_default().push(json!({"text": answer}));
    data.runs.insert(run, (user, done.clone()));
    done
}

impl Shared {
    /// The answer, or the one that the cache has.
    fn answer(&self, thread: &str, fresh: &str, over_http: bool) -> String {
        if self.leak != Leak::AnswerCache || !over_http {
            return fresh.to_owned();
        }
        self.data().uses[1] += 1;
        self.data().cache.entry(thread.to_owned()).or_insert_with(|| fresh.to_owned()).clone()
    }
}

/// The token of whoever somebody says to be.
async fn log_in(Json(who): Json<Value>) -> Json<Value> {
    let user = who["user"].as_str().expect("a name");
    Json(json!({"token": format!("toy-{}", to_hex(user.as_bytes()))}))
}

/// What the server tells of itself.
async fn sites(State(toy): State<Toy>) -> Json<Value> {
    let [fan_out, answer_cache] = toy.data().uses;
    Json(json!({"fan_out": fan_out, "answer_cache": answer_cache}))
}

async fn chat(State(toy): State<Toy>, headers: HeaderMap, Json(chat): Json<Value>) -> Json<Value> {
    Json(run(toy, user(&headers), chat, None).await)
}

async fn read_run(
    State(toy): State<Toy>,
    headers: HeaderMap,
    Path(run): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    match toy.data().runs.get(&run) {
        Some((owner, state)) if *owner == user(&headers) => Ok(Json(state.clone())),
        Some(_) => Err(StatusCode::FORBIDDEN),
        None => Err(StatusCode::NOT_FOUND),
    }
}

async fn read_thread(
    State(toy): State<Toy>,
    headers: HeaderMap,
    Path(thread): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    let user = user(&headers);
    let said = toy.data().said.get(&(user.clone(), thread.clone())).cloned();
    let messages = said.ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({"thread_id": thread, "user_id": user, "messages": messages})))
}
