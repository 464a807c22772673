//! A client of the reference protocol, with nothing of the program's own transports in it.

use std::io::{Read, Write};
use std::net::TcpStream;

use partywall::reference::auth::token_of;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};

use super::LIMIT;

/// The token of that user.
pub(crate) fn token(user: &str) -> String {
    token_of(&user.into())
}

/// An HTTP exchange: status and body.
#[track_caller]
pub(crate) fn http(
    port: u16,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> (u16, String) {
    let mut stream = tcp(port);
    let authorization = token.map_or(String::new(), |t| format!("Authorization: Bearer {t}\r\n"));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{authorization}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("the server takes it");
    let mut answer = Vec::new();
    // A server that has refused a body may cut the connection after its answer.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("the answer is text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("the answer has a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("the answer has a status"), body.to_owned())
}

/// The same with a JSON answer, by that user.
#[track_caller]
pub(crate) fn http_as(
    port: u16,
    user: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = http(port, method, path, Some(&token(user)), &body);
    (status, serde_json::from_str(&answer).expect("the answer is JSON"))
}

pub(crate) fn tcp(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit can be set");
    stream
}

/// A chat message on an event connection.
pub(crate) fn chat(thread: &str, request: &str, agents: &[&str], delays: &[u32]) -> Value {
    json!({
        "type": "chat",
        "message": "what costs most",
        "thread_id": thread,
        "request_id": request,
        "agents": agents,
        "delays": delays,
    })
}

/// An event connection.
#[derive(Debug)]
pub(crate) struct Events(WebSocket<TcpStream>);

impl Events {
    /// Opens it, or gives the status that the server refused it with.
    pub(crate) fn open(port: u16, token: Option<&str>) -> Result<Self, u16> {
        let url = format!("ws://127.0.0.1:{port}/ws");
        let mut request = url.into_client_request().expect("a request");
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("a header value");
            request.headers_mut().insert("authorization", value);
        }
        match client(request, tcp(port)) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(error) => panic!("neither opened nor refused: {error}"),
        }
    }

    /// Opens it for that user, and takes the greeting.
    #[track_caller]
    pub(crate) fn of(port: u16, user: &str) -> Self {
        let mut own = Self::open(port, Some(&token(user))).expect("the token is genuine");
        let greeting = own.next();
        assert_eq!(greeting["type"], "connection_established");
        assert_eq!(greeting["user_id"], user);
        own
    }

    #[track_caller]
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_raw(Message::text(message.to_string()));
    }

    #[track_caller]
    pub(crate) fn send_raw(&mut self, message: Message) {
        self.0.send(message).expect("the server listens");
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Value {
        let text = self.until_text().expect("a message comes");
        serde_json::from_str(&text).expect("messages are JSON")
    }

    /// The next text; none once the connection has ended.
    pub(crate) fn until_text(&mut self) -> Option<String> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Every message up to the supervisor's last, that one included.
    #[track_caller]
    pub(crate) fn whole_run(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let message = self.next();
            let last = is_end(&message);
            messages.push(message);
            if last {
                return messages;
            }
        }
    }

    /// Sends what the server may refuse by cutting the connection.
    pub(crate) fn try_send(&mut self, message: Message) {
        let _ = self.0.send(message);
    }
}

/// Whether the message ends its run.
pub(crate) fn is_end(message: &Value) -> bool {
    message["type"] == "agent_error"
        || (message["type"] == "agent_completed" && message["agent_name"] == "supervisor")
}
