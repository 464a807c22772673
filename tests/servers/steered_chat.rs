//! A chat over WebSocket at `/chat` whose runs can be steered. `{"op":"say","ref","body"}` is answered
//! by `accepted` (with `ref` and `job`), three times `step` and one `final` with `job`, `idx` and
//! `text`, a few milliseconds apart (`steps` and `pad` make it more and longer ones; with
//! `"flash_from":N` the first is a `begin`, and from the N-th job on the next a `flash`); with
//! `"ask":true` the job says `ask` before its `final` and waits for `{"op":"approve","job"}`. `{"op":"stop","job"}`, or `POST /jobs/{job}/stop`, ends a job with a
//! `final` whose `state` is `stopped`. `?job=…&after=…` at the opening gives what came after that.
//! `{"op":"logout"}` and `{"op":"login","token"}` (answered by `hello`) let another user go on.
//! Answers to what is not granted are `error` with the `job` that was named.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, UnboundedSender, channel, unbounded_channel};
use tokio::sync::watch;

use super::{Common, Leak, Server, locked, token};

/// Between two events of a job.
const PACE: Duration = Duration::from_millis(8);
const STEPS: u64 = 3;
/// What the system keeps for a reader who does not read, in bytes, so that it is soon felt.
const SEND_BUFFER: usize = 8 << 10;
/// Longer messages cost the connection.
const LONGEST: usize = 100_000;

type Line = UnboundedSender<String>;

struct Chat {
    common: Common,
    jobs: Mutex<BTreeMap<String, Arc<Job>>>,
    /// The leak: what each user said last.
    last: Mutex<BTreeMap<String, String>>,
    /// For tests: what happened that a client cannot see.
    seen: Arc<Mutex<Vec<String>>>,
}

struct Job {
    owner: String,
    /// Where its events go.
    line: Mutex<Seat>,
    log: Mutex<Vec<(u64, String)>>,
    order: watch::Sender<Order>,
}

/// A connection, and whose it is by now.
#[derive(Clone)]
struct Seat {
    line: Line,
    /// Events wait until there is room; each says whose it is.
    events: Sender<(String, String)>,
    who: Arc<Mutex<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    GoOn,
    Approved,
    Stopped,
}

/// The server, and what it notes.
pub(crate) fn start(leak: Leak) -> (Server, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let chat = Chat {
        common: Common::new(leak, ""),
        jobs: Mutex::default(),
        last: Mutex::default(),
        seen: Arc::clone(&seen),
    };
    let router = Router::new()
        .route("/chat", get(open))
        .route("/jobs/{job}/stop", post(stop))
        .with_state(Arc::new(chat));
    (super::serve_with(router, Some(SEND_BUFFER)), seen)
}

async fn open(
    State(chat): State<Arc<Chat>>,
    headers: HeaderMap,
    Query(cursor): Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(token) = token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    upgrade.on_upgrade(move |socket| talk(chat, token, cursor, socket))
}

async fn stop(
    State(chat): State<Arc<Chat>>,
    headers: HeaderMap,
    Path(job): Path<String>,
) -> Response {
    let Some(token) = token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    match chat.order(&token, &job, Order::Stopped) {
        true => StatusCode::NO_CONTENT.into_response(),
        false => (StatusCode::NOT_FOUND, format!("{{\"job\":\"{job}\"}}")).into_response(),
    }
}

async fn talk(
    chat: Arc<Chat>,
    token: String,
    cursor: BTreeMap<String, String>,
    mut socket: WebSocket,
) {
    let (line, mut replies) = unbounded_channel();
    let (sender, mut events) = channel(1);
    let who = Arc::new(Mutex::new(token.clone()));
    let seat = Seat { line: line.clone(), events: sender, who };
    let _ = line.send(json!({"event": "welcome"}).to_string());
    locked(&chat.seen).push(format!("{token} opens"));
    if let Some(job) = cursor.get("job") {
        let after = cursor.get("after").and_then(|after| after.parse().ok()).unwrap_or(0);
        chat.resume(&seat, job, after);
    }
    loop {
        tokio::select! {
            Some(reply) = replies.recv() => {
                if socket.send(Message::text(reply)).await.is_err() { break }
            }
            Some((owner, event)) = events.recv() => {
                // Another user may have the connection by now; the leak does not look.
                let is_own = *locked(&seat.who) == owner;
                if !is_own && chat.common.leak != Leak::FormerUser { continue }
                if socket.send(Message::text(event)).await.is_err() { break }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) if text.len() > LONGEST => {
                    locked(&chat.seen).push(format!("{} bytes", text.len()));
                    break;
                }
                Some(Ok(Message::Text(text))) => chat.hear(&seat, text.as_str()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    locked(&chat.seen).push(format!("{} leaves", locked(&seat.who)));
}

impl Chat {
    fn hear(self: &Arc<Self>, seat: &Seat, text: &str) {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let who = locked(&seat.who).clone();
        let job = said["job"].as_str().unwrap_or_default();
        let granted = match said["op"].as_str() {
            Some("say") => {
                tokio::spawn(Arc::clone(self).run(seat.clone(), who.clone(), said.clone()));
                true
            }
            Some("stop") => self.order(&who, job, Order::Stopped),
            Some("approve") => self.order(&who, job, Order::Approved),
            Some("logout") => {
                locked(&seat.who).clear();
                true
            }
            Some("login") => {
                let next = said["token"].as_str().unwrap_or_default().to_owned();
                let _ = seat.line.send(json!({"event": "hello", "who": next}).to_string());
                locked(&self.seen).push(format!("{next} takes over"));
                *locked(&seat.who) = next;
                true
            }
            _ => {
                locked(&self.seen).push("malformed".into());
                false
            }
        };
        if !granted {
            let _ = seat.line.send(json!({"event": "error", "job": job}).to_string());
        }
    }

    /// Whether it is done. The leak does not ask whose job it is.
    fn order(&self, who: &str, job: &str, order: Order) -> bool {
        let job = locked(&self.jobs).get(job).cloned();
        let may = |job: &Job| job.owner == who || self.common.leak == Leak::AnybodysRun;
        match job.filter(|job| may(job)) {
            Some(job) => {
                locked(&self.seen).push(format!("{order:?} by {who}"));
                job.order.send_replace(order);
                true
            }
            None => {
                locked(&self.seen).push(format!("{order:?} refused to {who}"));
                false
            }
        }
    }

    /// What came after that; the leak does not ask whose job it is.
    fn resume(&self, seat: &Seat, job: &str, after: u64) {
        let who = locked(&seat.who).clone();
        let known = locked(&self.jobs).get(job).cloned();
        let may = |job: &Job| job.owner == who || self.common.leak == Leak::Cursor;
        let Some(job) = known.filter(|job| may(job)) else {
            locked(&self.seen).push(format!("cursor refused to {who}"));
            let _ = seat.line.send(json!({"event": "error", "job": job}).to_string());
            return;
        };
        locked(&self.seen).push(format!("{who} goes on after {after}"));
        let log = locked(&job.log);
        for (_, event) in log.iter().filter(|(idx, _)| *idx > after) {
            let _ = seat.line.send(event.clone());
        }
        if job.owner == who {
            *locked(&job.line) = seat.clone();
        }
    }

    async fn run(self: Arc<Self>, seat: Seat, who: String, said: Value) {
        let id = self.common.id("job");
        let body = said["body"].as_str().unwrap_or_default().to_owned();
        locked(&self.last).insert(who.clone(), body.clone());
        let accepted = json!({"event": "accepted", "ref": said["ref"], "job": id});
        let _ = seat.events.send((who.clone(), accepted.to_string())).await;
        let (order, mut orders) = watch::channel(Order::GoOn);
        let (line, log) = (Mutex::new(seat), Mutex::default());
        let job = Arc::new(Job { owner: who.clone(), line, log, order });
        locked(&self.jobs).insert(id.clone(), Arc::clone(&job));
        let pad = usize::try_from(said["pad"].as_u64().unwrap_or(0)).unwrap_or(0);
        let event = |kind: &str, idx: u64, state: &str| {
            let text = match self.common.leak {
                // Two requests of one user: the later one's text in both answers.
                Leak::LastOfUser => locked(&self.last).get(&who).cloned().unwrap_or_default(),
                _ => body.clone(),
            };
            let pad = "x".repeat(pad);
            json!({
                "event": kind, "job": id, "idx": idx, "state": state, "text": text, "pad": pad,
            })
            .to_string()
        };
        let steps = said["steps"].as_u64().unwrap_or(STEPS);
        let number: u64 = id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
        let flashes = said["flash_from"].as_u64().is_some_and(|from| number >= from);
        for idx in 1..=steps {
            tokio::time::sleep(PACE).await;
            if *orders.borrow() == Order::Stopped {
                return self.tell(&job, idx, event("final", idx, "stopped"), true).await;
            }
            let kind = match idx {
                1 if said["flash_from"].is_u64() => "begin",
                2 if flashes => "flash",
                _ => "step",
            };
            self.tell(&job, idx, event(kind, idx, ""), false).await;
        }
        if said["ask"] == true {
            let ask = json!({"event": "ask", "job": id}).to_string();
            let seat = locked(&job.line).clone();
            let _ = seat.events.send((job.owner.clone(), ask)).await;
            let _ = orders.wait_for(|order| *order != Order::GoOn).await;
        }
        tokio::time::sleep(PACE).await;
        let state = if *orders.borrow() == Order::Stopped { "stopped" } else { "" };
        self.tell(&job, steps + 1, event("final", steps + 1, state), true).await;
    }

    /// To the connection that the job's user has; one leak does not wait for room.
    async fn tell(&self, job: &Job, idx: u64, event: String, last: bool) {
        locked(&job.log).push((idx, event.clone()));
        let (seat, event) = (locked(&job.line).clone(), (job.owner.clone(), event));
        if self.common.leak == Leak::Dropping && !last {
            let _ = seat.events.try_send(event);
        } else {
            let _ = seat.events.send(event).await;
        }
    }
}
