//! WebSocket by tokio-tungstenite.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{
    Connector, WebSocketStream, client_async_tls_with_config, client_async_with_config,
};

use super::http::header_lines;
use super::tls::{Trust, distrust};
use partywall_core::failure::Cause;
use partywall_core::raw::Raw;
use partywall_world::backend::{Incoming, Refusal, Socket};

/// The largest message that is read, in bytes; a server must not be able to fill the memory.
const LARGEST_MESSAGE: usize = 16 << 20;

/// The read buffer of a connection, in bytes; the library's default costs 136 KiB a connection.
const READ_BUFFER: usize = 4 << 10;

pub(super) async fn open(
    url: String,
    headers: Vec<(String, String)>,
    subprotocol: Option<String>,
    trust: &Trust,
) -> Result<Box<dyn Socket>, Refusal> {
    let failed = |cause: Cause| {
        move |error: Error| {
            Refusal::Failed(match distrust(&error) {
                Some(why) => Cause::Untrusted.because(why),
                None => cause.because(error.to_string()),
            })
        }
    };
    let mut request = url.into_client_request().map_err(failed(Cause::Unfilled))?;
    let subprotocol = subprotocol.map(|value| ("sec-websocket-protocol".to_owned(), value));
    for (name, value) in headers.into_iter().chain(subprotocol) {
        let invalid = || {
            let words = format!("`{}` is no header", name.escape_debug());
            Refusal::Failed(Cause::Unfilled.because(words))
        };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
        request.headers_mut().insert(header, value);
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    let stream = dial(&request).await.map_err(failed(Cause::Unreachable))?;
    let opened = if request.uri().scheme_str() == Some("wss") {
        let connector = Some(Connector::Rustls(Arc::clone(trust.config())));
        let opening = client_async_tls_with_config(request, stream, Some(config), connector);
        // In a box, since it takes 8 KiB, which users without TLS would hold too.
        Box::pin(opening).await.map(boxed)
    } else {
        client_async_with_config(request, stream, Some(config)).await.map(boxed)
    };
    match opened {
        Ok(socket) => Ok(socket),
        Err(Error::Http(response)) => Err(Refusal::Refused {
            status: response.status().as_u16(),
            headers: header_lines(response.headers()),
            body: Raw::new(response.body().clone().unwrap_or_default()),
        }),
        Err(error) => Err(failed(Cause::Lost)(error)),
    }
}

/// A connection to the host of that request.
async fn dial(request: &Request) -> Result<TcpStream, Error> {
    let uri = request.uri();
    let by_default = if uri.scheme_str() == Some("wss") { 443 } else { 80 };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(by_default))).await?;
    // Else the system holds small messages back.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn boxed<S>((stream, answer): (WebSocketStream<S>, Response)) -> Box<dyn Socket>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    Box::new(WireSocket { stream, opening: header_lines(answer.headers()) })
}

struct WireSocket<S> {
    stream: WebSocketStream<S>,
    /// The header lines of the answer, until they are asked for.
    opening: Raw,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> WireSocket<S> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            // Each is made where it is wanted, and handed through no other place.
            return Poll::Ready(match std::task::ready!(self.stream.poll_next_unpin(context)) {
                Some(Ok(Message::Text(text))) => Incoming::Message(Raw::from(text.as_str())),
                Some(Ok(Message::Binary(bytes))) => Incoming::Message(Raw::new(bytes.to_vec())),
                Some(Ok(Message::Close(Some(frame)))) => {
                    let (code, reason) = (Some(frame.code.into()), frame.reason.as_str().into());
                    Incoming::Ended { code, reason }
                }
                Some(Ok(Message::Close(None))) | None => {
                    Incoming::Ended { code: None, reason: Raw::default() }
                }
                Some(Ok(Message::Ping(bytes) | Message::Pong(bytes))) if !bytes.is_empty() => {
                    Incoming::Aside(Raw::new(bytes.to_vec()))
                }
                // It only keeps the connection alive.
                Some(Ok(_)) => continue,
                Some(Err(error)) => Incoming::Broken(error.to_string()),
            });
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for WireSocket<S> {
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            self.stream.send(Message::text(text)).await.map_err(|error| error.to_string())
        })
    }

    fn receive(&mut self) -> BoxFuture<'_, Incoming> {
        Box::pin(std::future::poll_fn(|context| self.poll(context)))
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Option<Poll<Incoming>> {
        Some(self.poll(context))
    }

    fn opening(&mut self) -> Raw {
        std::mem::take(&mut self.opening)
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // It may be broken already; the next receive says so.
            let _ = self.stream.close(None).await;
        })
    }
}
