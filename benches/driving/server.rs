//! A server that costs little: it answers a chat with an acceptance and five events of about 250
//! bytes, in one write or in five.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt, StreamExt};
use partywall::trial::raw::from_hex;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

const EVENTS: [(&str, &str); super::EVENTS] = [
    ("agent_started", "supervisor"),
    ("agent_started", "triage"),
    ("agent_thinking", "triage"),
    ("agent_completed", "triage"),
    ("agent_completed", "supervisor"),
];

/// About how long an event is, in bytes.
const LENGTH: usize = 250;

pub(crate) fn serve(one_write: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let listener = socket.listen(4096).expect("it listens");
        println!("{{\"port\":{}}}", listener.local_addr().expect("it is bound").port());
        let ids = Arc::new(AtomicU64::new(0));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("an option");
            tokio::spawn(talk(stream, Arc::clone(&ids), one_write));
        }
    });
}

async fn talk(stream: tokio::net::TcpStream, ids: Arc<AtomicU64>, one_write: bool) {
    let mut user = String::new();
    #[expect(clippy::result_large_err, reason = "the library's type")]
    let callback = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let token = request.headers()["authorization"].to_str().unwrap_or_default();
        user = match token.strip_prefix("Bearer key-") {
            Some(name) => name.to_owned(),
            None => {
                let name = token.split('-').nth(1).and_then(from_hex).unwrap_or_default();
                String::from_utf8(name).unwrap_or_default()
            }
        };
        Ok(response)
    };
    let buffer = if one_write { 64 << 10 } else { 0 };
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(buffer);
    let accepted =
        tokio_tungstenite::accept_hdr_async_with_config(stream, callback, Some(config)).await;
    let Ok(mut socket) = accepted else { return };
    let id = ids.fetch_add(1, Ordering::Relaxed);
    let greeting = format!(
        r#"{{"type":"connection_established","user_id":"{user}","connection_id":"c{id}"}}"#
    );
    let _ = socket.send(Message::text(greeting)).await;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let chat: serde_json::Value = serde_json::from_str(text.as_str()).expect("JSON");
        let run = ids.fetch_add(1, Ordering::Relaxed);
        let (thread, request) = (chat["thread_id"].as_str(), chat["request_id"].as_str());
        let (thread, request) = (thread.expect("a thread"), request.expect("an id"));
        let of = format!(r#""run_id":"r{run}","thread_id":"{thread}","user_id":"{user}""#);
        let accepted = format!(r#"{{"type":"run_accepted",{of},"request_id":"{request}"}}"#);
        let _ = socket.feed(Message::text(accepted)).await;
        let prompt = chat["message"].as_str().expect("a message");
        for (sequence, (kind, agent)) in (1..).zip(EVENTS) {
            let head = format!(
                r#"{{"type":"{kind}",{of},"agent_name":"{agent}","timestamp":{run},"sequence":{sequence},"message":"{prompt}"#
            );
            let rest = LENGTH.saturating_sub(head.len() + 2);
            let event = format!("{head}{:x<rest$}\"}}", " ");
            let _ = socket.feed(Message::text(event)).await;
        }
        let _ = socket.flush().await;
    }
}
