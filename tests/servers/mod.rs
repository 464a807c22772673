//! Small servers as people write them, each with or without a leak, for tests to drive. Whoever
//! shows a bearer token is a user of their own; all work goes through an upstream that is given by
//! its URL, so that the test chooses what overlaps.
//!
//! | module | what it is | its leaks |
//! | --- | --- | --- |
//! | `sse_chat` | an OpenAI-compatible chat, SSE | `Slot`, `Cache`, `Credential` |
//! | `json_rpc` | JSON-RPC over streamable HTTP, as MCP does it | `IdCollision`, `Session` |
//! | `http_api` | create and read back | `Cache`, `StaleReply`, `Outstanding`, `Buffer`, `Header`, `ErrorText` |
//! | `socket_io` | a chat in Socket.IO frames | `Broadcast`, `IdCollision` |
//! | `steered_chat` | a chat with stops, approvals, cursors, changes of user | `AnybodysRun`, `Cursor`, `FormerUser`, `LastOfUser`, `Dropping` |
//! | `ws_chat` | a chat over WebSocket | `Slot`, `Broadcast`, `CloseReason` |

#![allow(dead_code, clippy::allow_attributes, reason = "each test takes what it needs")]

pub(crate) mod http_api;
pub(crate) mod json_rpc;
mod lines;
pub(crate) mod socket_io;
pub(crate) mod sse_chat;
pub(crate) mod steered_chat;
pub(crate) mod ws_chat;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// What is wrong with a server; each has some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// Nothing.
    None,
    /// One slot of the process holds the current request or socket (M05).
    Slot,
    /// Answers are kept by the client's id, not by user (M15).
    Cache,
    /// The upstream is asked under whatever credential came last (M22).
    Credential,
    /// A connection to the upstream goes back to the pool with its reply unread (M01).
    StaleReply,
    /// The same, but only until that reply has come: what shows it must happen before (M01).
    Outstanding,
    /// Events go to everybody who is connected (M12).
    Broadcast,
    /// Who waits for a reply is looked up by the client's id (M03).
    IdCollision,
    /// A run is stopped and approved by whoever names it (M23).
    AnybodysRun,
    /// Events are given again to whoever names their run (M17).
    Cursor,
    /// A connection goes on with its former user's events (M19).
    FormerUser,
    /// What a reader has no room for is left out (M20).
    Dropping,
    /// Of a user's requests the last one's words answer all (M01, within one user).
    LastOfUser,
    /// One answer in twenty is what the buffer of the request before still holds (M08).
    Buffer,
    /// A header of each answer tells what was asked before (M08).
    Header,
    /// One request in ten is refused, in words that tell what was asked before (M08).
    ErrorText,
    /// A header tells the session that was opened last, whoever opened it (M05).
    Session,
    /// A connection that is closed for what was said on it is told what was last said on any (M05).
    CloseReason,
}

impl Leak {
    /// All of them.
    pub(crate) const ALL: [Self; 17] = [
        Self::Slot,
        Self::Cache,
        Self::Credential,
        Self::StaleReply,
        Self::Broadcast,
        Self::IdCollision,
        Self::Buffer,
        Self::Header,
        Self::ErrorText,
        Self::Session,
        Self::CloseReason,
        Self::Outstanding,
        Self::AnybodysRun,
        Self::Cursor,
        Self::FormerUser,
        Self::Dropping,
        Self::LastOfUser,
    ];
}

/// A client without a proxy. It takes the provider of TLS that the program has, though it needs none.
pub(crate) fn http_client() -> reqwest::Client {
    // Somebody else in this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    end: Option<oneshot::Sender<()>>,
}

impl Server {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
    }
}

/// Serves on a thread of its own.
pub(crate) fn serve(router: Router) -> Server {
    serve_with(router, None)
}

/// The same; the system keeps no more than that of what is not read.
fn serve_with(router: Router, send_buffer: Option<usize>) -> Server {
    let (sender, port) = std::sync::mpsc::channel();
    let (end, ended) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
            let listener = listener.expect("a free port");
            let port = listener.local_addr().expect("it is bound").port();
            sender.send(port).expect("the test waits for it");
            let listener = listener.tap_io(move |stream| {
                let _ = stream.set_nodelay(true);
                if let Some(bytes) = send_buffer {
                    let _ = socket2::SockRef::from(&*stream).set_send_buffer_size(bytes);
                }
            });
            tokio::select! {
                _ = axum::serve(listener, router) => {}
                _ = ended => {}
            }
        });
    });
    Server { port: port.recv().expect("it listens"), end: Some(end) }
}

/// What all these servers have.
struct Common {
    leak: Leak,
    upstream: String,
    http: reqwest::Client,
    ids: AtomicU64,
}

impl Common {
    fn new(leak: Leak, upstream: &str) -> Self {
        let http = http_client();
        Self { leak, upstream: upstream.into(), http, ids: AtomicU64::new(0) }
    }

    /// An id that no other user gets.
    fn id(&self, kind: &str) -> String {
        format!("{kind}-{}", self.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Asks the upstream's tool for a text back, under that user's token.
    async fn tool(&self, token: &str, text: &str) -> Option<String> {
        let url = format!("{}/echo", self.upstream);
        let asked = self.http.post(url).bearer_auth(token).json(&json!({"text": text})).send();
        let answer: Value = asked.await.ok()?.error_for_status().ok()?.json().await.ok()?;
        Some(answer["echo"]["text"].as_str()?.to_owned())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bearer token, which is who the user is.
fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}
