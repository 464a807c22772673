//! Servers that misbehave: what they do with a connection is one closure.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::LIMIT;

/// Serves every connection on a thread of its own, as long as the tests run. Gives the URL.
pub(crate) fn serve_raw(handle: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            std::thread::spawn(move || handle(stream));
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// The same, with the head of the first request read.
pub(crate) fn serve(handle: impl Fn(Asked) + Clone + Send + 'static) -> String {
    serve_raw(move |stream| {
        // A client that goes away before it has asked is no matter.
        if let Some(asked) = Asked::read(stream) {
            handle(asked);
        }
    })
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// What a client has asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) stream: TcpStream,
    pub(crate) head: String,
    pub(crate) body: String,
    key: Option<String>,
}

impl Asked {
    fn read(mut stream: TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let header = |name: &str| header(&head, name);
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let key = header("sec-websocket-key");
        let body = String::from_utf8_lossy(&body).into_owned();
        Some(Self { stream, head, body, key })
    }

    /// The value of that header.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        header(&self.head, name)
    }

    /// The path that was asked for.
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// Answers with that head line, content type and body, and closes the connection.
    pub(crate) fn answer(mut self, status: &str, content_type: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        let _ = self.stream.write_all(&[head.as_bytes(), body].concat());
    }

    /// Opens the event connection that was asked for, or gives the request back.
    pub(crate) fn open(self) -> Result<Line, Self> {
        self.open_with("")
    }

    /// The same with more header lines, each begun by a line's end.
    pub(crate) fn open_with(mut self, headers: &str) -> Result<Line, Self> {
        let Some(key) = &self.key else { return Err(self) };
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}{headers}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        let _ = self.stream.write_all(head.as_bytes());
        let _ = self.stream.set_read_timeout(Some(LIMIT));
        Ok(Line(WebSocket::from_raw_socket(self.stream, Role::Server, None)))
    }
}

/// The server's end of an event connection.
#[derive(Debug)]
pub(crate) struct Line(WebSocket<TcpStream>);

impl Line {
    /// Sends a message; false once the client has gone.
    pub(crate) fn send(&mut self, message: Message) -> bool {
        self.0.send(message).is_ok()
    }

    /// Sends a text.
    pub(crate) fn say(&mut self, text: &str) -> bool {
        self.send(Message::text(text))
    }

    /// What a well-behaved server says first.
    pub(crate) fn greet(&mut self) -> bool {
        self.say(r#"{"type":"connection_established"}"#)
    }

    /// The next text; none once the client has gone.
    pub(crate) fn hear(&mut self) -> Option<String> {
        loop {
            match self.0.read().ok()? {
                Message::Text(text) => return Some(text.as_str().to_owned()),
                Message::Close(_) => {
                    let _ = self.0.flush();
                    return None;
                }
                _ => {}
            }
        }
    }
}
