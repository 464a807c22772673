//! What comes beside messages and bodies, or late: another user's words there are found.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use serde_json::{Value, json};

use super::drive::{Came, drive};
use crate::servers::serve;

/// Where an answer over HTTP holds the words of whoever asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Nowhere,
    Reason,
    Trailers,
    Interim,
    BehindTheBody,
}

fn over_http(beside: Beside) -> Came {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let last: Arc<Mutex<String>> = Arc::default();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let last = Arc::clone(&last);
            std::thread::spawn(move || answer(stream, beside, &last));
        }
    });
    let text = r#"version = 1
name = "beside"
title = "Requests"
[target]
url = "http://127.0.0.1:1"
[identity]
headers = { authorization = "{{ user }}" }
[start]
by = "http"
path = "/ask"
json = { text = "{{ prompt }}" }
[workload]
users = 5
runs_per_user = 2
rounds = 1
"#;
    drive(&url, text)
}

fn answer(stream: TcpStream, beside: Beside, last: &Mutex<String>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked: Value = serde_json::from_slice(&body).ok()?;
    let asked = asked["text"].as_str()?.to_owned();
    // Long enough that requests overlap.
    std::thread::sleep(Duration::from_millis(5));
    let other = std::mem::replace(&mut *last.lock().ok()?, asked.clone());
    let body = json!({ "text": asked }).to_string();
    let plain = format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let answer = match beside {
        Beside::Nowhere => format!("HTTP/1.1 200 OK\r\n{plain}"),
        Beside::Reason => format!("HTTP/1.1 200 {other}\r\n{plain}"),
        Beside::Interim => {
            format!("HTTP/1.1 103 Early Hints\r\nlink: {other}\r\n\r\nHTTP/1.1 200 OK\r\n{plain}")
        }
        Beside::BehindTheBody => format!("HTTP/1.1 200 OK\r\n{plain}{other}"),
        Beside::Trailers => format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
             trailer: x-last\r\n\r\n{:x}\r\n{body}\r\n0\r\nx-last: {other}\r\n\r\n",
            body.len()
        ),
    };
    let mut writer = stream;
    writer.write_all(answer.as_bytes()).ok()
}

#[test]
fn reasons_and_trailers_are_searched() {
    over_http(Beside::Nowhere).is_clean();
    for beside in [Beside::Reason, Beside::Trailers] {
        over_http(beside).is_found_by("O1");
    }
}

/// The HTTP library hands on neither.
#[test]
fn blind_spot_interim_responses_and_bytes_behind_the_body() {
    for beside in [Beside::Interim, Beside::BehindTheBody] {
        over_http(beside).is_clean();
    }
}

/// Where a chat over WebSocket shows the words of whoever spoke before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nowhere,
    Ping,
    Pong,
    /// In a message, a second after the last run.
    Late,
}

fn over_websocket(shown: Shown, linger: u32) -> Came {
    let last: Arc<Mutex<String>> = Arc::default();
    let open = move |upgrade: WebSocketUpgrade| {
        let last = Arc::clone(&last);
        async move { upgrade.on_upgrade(move |socket| talk(socket, shown, last)) }
    };
    let server = serve(Router::new().route("/chat", get(open)));
    let text = format!(
        r#"version = 1
name = "aside"
title = "A chat"
[target]
url = "http://127.0.0.1:1"
[identity]
headers = {{ authorization = "{{{{ user }}}}" }}
[start]
by = "message"
json = {{ ref = "{{{{ request_id }}}}", text = "{{{{ prompt }}}}" }}
[events]
connection = "websocket"
path = "/chat"
type = "/event"
request = "/ref"
match = "request"
types = ["step"]
ends = ["final"]
ignore = ["news"]
[workload]
users = 4
runs_per_user = 2
rounds = 1
linger = {linger}
"#
    );
    drive(&server.url(), &text)
}

async fn talk(mut socket: WebSocket, shown: Shown, last: Arc<Mutex<String>>) {
    let (sender, mut late) = tokio::sync::mpsc::unbounded_channel::<String>();
    loop {
        let text = tokio::select! {
            Some(news) = late.recv() => {
                let news = json!({ "event": "news", "text": news }).to_string();
                if socket.send(Message::Text(news.into())).await.is_err() { return }
                continue;
            }
            came = socket.recv() => match came {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(_)) => continue,
                _ => return,
            },
        };
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        let words = said["text"].as_str().unwrap_or_default().to_owned();
        for event in ["step", "final"] {
            tokio::time::sleep(Duration::from_millis(4)).await;
            let event = json!({ "event": event, "ref": said["ref"], "text": words }).to_string();
            if socket.send(Message::Text(event.into())).await.is_err() {
                return;
            }
            let other = last.lock().expect("nobody panics").clone();
            // No more than a ping may hold.
            let payload = other.split_whitespace().find(|word| word.contains("pw10"));
            let payload = payload.unwrap_or_default().as_bytes().to_vec();
            let beside = match shown {
                Shown::Ping => Some(Message::Ping(payload.into())),
                Shown::Pong => Some(Message::Pong(payload.into())),
                Shown::Late => {
                    let sender = sender.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(1_000)).await;
                        let _ = sender.send(other);
                    });
                    None
                }
                Shown::Nowhere => None,
            };
            if let Some(beside) = beside
                && socket.send(beside).await.is_err()
            {
                return;
            }
        }
        *last.lock().expect("nobody panics") = words;
    }
}

#[test]
fn pings_and_pongs_are_searched() {
    over_websocket(Shown::Nowhere, 0).is_clean();
    for shown in [Shown::Ping, Shown::Pong] {
        over_websocket(shown, 0).is_found_by("O1");
    }
}

#[test]
fn what_is_pushed_after_the_last_run_is_heard_and_found_again() {
    let came = over_websocket(Shown::Late, 2_000);
    came.is_found_by("O1");
    assert!(came.repros.iter().any(|repro| repro.plan.linger == 2_000), "else it would be gone");
    let came = over_websocket(Shown::Late, 0);
    assert_eq!(came.level.findings, []);
    assert!(
        came.level.claims.iter().any(|claim| claim.contains("linger")),
        "{:?}",
        came.level.claims
    );
}
