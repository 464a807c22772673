//! `POST /notes` with `id` (the client's) and `text` gives the note with a summary that the
//! upstream made; `GET /notes/{id}` gives it back. With `Cache` the id is taken for what says that a
//! request is the same one again, whoever sends it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Common, Leak, Server, locked, token};

struct Api {
    common: Common,
    notes: Mutex<BTreeMap<(String, String), Value>>,
    /// The leaks: notes by id alone, and connections that may still owe a reply.
    cache: Mutex<BTreeMap<String, Value>>,
    /// The one that is idle for longest is lent first.
    pool: Mutex<VecDeque<BufReader<TcpStream>>>,
    outstanding: Mutex<Vec<Reply>>,
    /// How many requests there were, and the text of the last.
    last: Mutex<(u64, String)>,
}

/// A reply that is still to come.
type Reply = tokio::task::JoinHandle<Option<String>>;

pub(crate) fn start(leak: Leak, upstream: &str) -> Server {
    let api = Api {
        common: Common::new(leak, upstream),
        notes: Mutex::default(),
        cache: Mutex::default(),
        pool: Mutex::default(),
        outstanding: Mutex::default(),
        last: Mutex::default(),
    };
    let router = Router::new().route("/notes", post(create)).route("/notes/{id}", get(read));
    super::serve(router.with_state(Arc::new(api)))
}

async fn create(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Json(note): Json<Value>,
) -> Response {
    let Some(token) = token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let (Some(id), Some(text)) = (note["id"].as_str(), note["text"].as_str()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if api.common.leak == Leak::Cache
        && let Some(kept) = locked(&api.cache).get(id)
    {
        return Json(kept.clone()).into_response();
    }
    let (number, before) = api.note(text);
    if api.common.leak == Leak::ErrorText && number.is_multiple_of(10) {
        let error = json!({"error": format!("too busy with: {before}")});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(error)).into_response();
    }
    let summary = match api.common.leak {
        Leak::StaleReply => api.pooled(&token, text).await,
        Leak::Outstanding => api.outstanding(&token, text).await,
        _ => api.common.tool(&token, text).await,
    };
    let Some(summary) = summary else { return StatusCode::BAD_GATEWAY.into_response() };
    let summary = match api.common.leak {
        Leak::Buffer if number.is_multiple_of(20) => before.clone(),
        _ => summary,
    };
    let note = json!({"id": id, "text": text, "summary": summary});
    locked(&api.cache).insert(id.to_owned(), note.clone());
    locked(&api.notes).insert((token, id.to_owned()), note.clone());
    let mut answer = (StatusCode::CREATED, Json(note)).into_response();
    if let (Leak::Header, Ok(before)) = (api.common.leak, before.parse()) {
        answer.headers_mut().insert("x-previous", before);
    }
    answer
}

async fn read(State(api): State<Arc<Api>>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let Some(token) = token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    if api.common.leak == Leak::Cache
        && let Some(kept) = locked(&api.cache).get(&id)
    {
        return Json(kept.clone()).into_response();
    }
    let Some(note) = locked(&api.notes).get(&(token, id.clone())).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    locked(&api.cache).insert(id, note.clone());
    Json(note).into_response()
}

/// A connection on loan: back in the pool however its holder ends, and that is the leak.
struct Loan<'a> {
    api: &'a Api,
    connection: Option<BufReader<TcpStream>>,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        locked(&self.api.pool).extend(self.connection.take());
    }
}

/// A reply that somebody waits for: where they go, it is there for the next.
struct Waited<'a> {
    api: &'a Api,
    reply: Option<Reply>,
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        locked(&self.api.outstanding).extend(self.reply.take());
    }
}

impl Api {
    /// Takes the reply that an abandoned request is still owed, or asks. One that has come by then
    /// is thrown away: nothing of a cancellation outlives its reply.
    async fn outstanding(self: &Arc<Self>, token: &str, text: &str) -> Option<String> {
        let owed = {
            let mut outstanding = locked(&self.outstanding);
            outstanding.retain(|reply| !reply.is_finished());
            outstanding.pop()
        };
        let reply = owed.unwrap_or_else(|| {
            let (api, token, text) = (Arc::clone(self), token.to_owned(), text.to_owned());
            tokio::spawn(async move { api.common.tool(&token, &text).await })
        });
        let mut waited = Waited { api: self, reply: Some(reply) };
        let came = waited.reply.as_mut()?.await.ok()?;
        waited.reply = None;
        came
    }

    /// The number of a request, and the text of the one before.
    fn note(&self, text: &str) -> (u64, String) {
        let mut last = locked(&self.last);
        last.0 += 1;
        (last.0, std::mem::replace(&mut last.1, text.to_owned()))
    }

    /// Asks over a pooled connection, one reply after the other.
    async fn pooled(&self, token: &str, text: &str) -> Option<String> {
        let kept = locked(&self.pool).pop_front();
        let connection = match kept {
            Some(kept) => kept,
            None => {
                let address = self.common.upstream.strip_prefix("http://")?;
                BufReader::new(TcpStream::connect(address).await.ok()?)
            }
        };
        let mut loan = Loan { api: self, connection: Some(connection) };
        let connection = loan.connection.as_mut()?;
        let body = json!({"text": text}).to_string();
        let request = format!(
            "POST /echo HTTP/1.1\r\nhost: upstream\r\nauthorization: Bearer {token}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.get_mut().write_all(request.as_bytes()).await.ok()?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).await.ok()?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().ok()?;
                }
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        let answer: Value = serde_json::from_slice(&body).ok()?;
        Some(answer["echo"]["text"].as_str()?.to_owned())
    }
}
