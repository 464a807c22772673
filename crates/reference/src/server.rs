//! The reference back end as a real server: axum over the same routes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpSocket};

use super::auth;
use super::service::{HttpAnswer, HttpRequest, Service, SocketIo};
use partywall_core::ids::{RunId, UserName};
use partywall_world::backend::Cursor;

/// The largest body and the largest message that the server takes, in bytes.
const LARGEST_MESSAGE: usize = 1 << 20;

/// So many connections may wait to be accepted. Where a thousand users come at once and the queue is
/// full, the system drops the opening packet, and sends it again after a second only.
const WAITING_TO_BE_ACCEPTED: u32 = 4096;

/// The read buffer of a connection, in bytes; the library's default is 128 KiB, all of it touched.
const READ_BUFFER: usize = 4 << 10;

/// Opens the listening socket on the loopback address; port 0 takes a free one.
///
/// # Errors
///
/// The port is in use, or may not be opened.
pub async fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // As every listener has it: a port whose last connections are still winding up is free.
    socket.set_reuseaddr(cfg!(unix))?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(WAITING_TO_BE_ACCEPTED)
}

/// Serves until `shutdown` ends; then takes no new run and ends every connection.
///
/// # Errors
///
/// The listening socket broke.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let ending = service.clone();
    let router = Router::new()
        .route("/ws", get(open_socket))
        .route("/api/login", post(log_in))
        .fallback(any(answer))
        .layer(DefaultBodyLimit::max(LARGEST_MESSAGE))
        .with_state(service);
    // Else the system holds small events back and sends those of a run in bursts.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            shutdown.await;
            ending.process().shut_down();
        })
        .await
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

impl IntoResponse for HttpAnswer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

/// Who wants to log in.
#[derive(Debug, Deserialize)]
struct LogIn {
    user: UserName,
}

/// The token of whoever somebody says to be: there are no passwords in the modelled system.
async fn log_in(body: Bytes) -> Response {
    let answer = match serde_json::from_slice::<LogIn>(&body) {
        Ok(LogIn { user }) => {
            HttpAnswer::ok(&serde_json::json!({ "token": auth::token_of(&user) }))
        }
        Err(_) => HttpAnswer::error(400, "give {\"user\": NAME}"),
    };
    answer.into_response()
}

async fn answer(
    State(service): State<Service>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = HttpRequest {
        method: method.to_string(),
        path: uri.path().to_owned(),
        authorization: authorization(&headers).map(str::to_owned),
        body: body.to_vec(),
        connection: from.to_string(),
    };
    service.answer(request).await.into_response()
}

/// What a client that comes back says of where it was.
#[derive(Debug, Deserialize)]
struct CursorQuery {
    #[serde(default)]
    run: Option<RunId>,
    #[serde(default)]
    after: u64,
}

async fn open_socket(
    State(service): State<Service>,
    Query(asked): Query<CursorQuery>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let user = match service.authenticate(authorization(&headers)) {
        Ok(user) => user,
        Err(answer) => return answer.into_response(),
    };
    let upgrade = upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(0);
    upgrade.max_message_size(LARGEST_MESSAGE).on_upgrade(async move |socket| {
        let mut io = AxumSocket(socket);
        let cursor = asked.run.map(|run| Cursor { run, after: asked.after });
        let name = format!("{user}/socket");
        service.serve_socket(user, &name, cursor.as_ref(), &mut io).await;
        let frame = CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("ended") };
        // The client may be gone already, which is just as well.
        let _ = io.0.send(Message::Close(Some(frame))).await;
    })
}

struct AxumSocket(WebSocket);

impl SocketIo for AxumSocket {
    fn receive(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async {
            loop {
                match self.0.recv().await {
                    Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                    // Not text: handed on as what it is not, and answered as an error.
                    Some(Ok(Message::Binary(_))) => return Some(String::new()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                }
            }
        })
    }

    fn send(&mut self, text: Arc<str>) -> BoxFuture<'_, bool> {
        Box::pin(async move { self.0.send(Message::Text(Utf8Bytes::from(&*text))).await.is_ok() })
    }
}
