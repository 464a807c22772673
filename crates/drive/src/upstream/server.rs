//! The stub's endpoints.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use super::answer::pieces;
use super::directive::{Directive, Fault};
use super::gate::Gate;
use super::log::{Journal, Says, Service};
use super::openai::{self, Request};
use super::reply::Reply;
use partywall_core::target::Options;

const WHAT_THERE_IS: &str = "there are POST /v1/chat/completions, GET /v1/models and POST /echo";

#[derive(Debug)]
struct Stub {
    options: Options,
    gate: Gate,
    log: Arc<Journal>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Journal")
    }
}

pub(super) async fn serve(
    listener: TcpListener,
    options: Options,
    gate: Gate,
    log: Arc<Journal>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let limit = options.largest_body;
    let router = Router::new()
        .route("/v1/chat/completions", post(chat))
        // Some are given the URL without the version.
        .route("/chat/completions", post(chat))
        .route("/v1/models", get(async || Reply::json(200, openai::models()).into_response()))
        .route("/models", get(async || Reply::json(200, openai::models()).into_response()))
        .route("/echo", post(echo))
        .route("/echo/{*rest}", post(echo))
        .fallback(async || refuse(404, WHAT_THERE_IS))
        .method_not_allowed_fallback(async || refuse(405, WHAT_THERE_IS))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(Arc::new(Stub { options, gate, log }));
    // Else the system holds small pieces back and sends those of a reply in bursts.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

fn refuse(status: u16, message: &str) -> Response {
    Reply::json(status, openai::error(status, message)).into_response()
}

fn unread(stub: &Stub, rejection: &BytesRejection) -> Response {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let most = stub.options.largest_body;
        return refuse(413, &format!("the body is longer than {most} bytes; send a shorter one"));
    }
    refuse(400, "the body broke off; send it whole")
}

async fn chat(
    State(stub): State<Arc<Stub>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = body.map_err(|rejection| unread(&stub, &rejection))?;
    let wrong = |problem: String| refuse(400, &problem);
    let request = Request::read(&body).map_err(wrong)?;
    let told = request.told();
    let directive = Directive::of(&stub.options, &told.last).map_err(wrong)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let n = stub.log.write(Service::Model, &headers, request.says(), text);
    let pieces = pieces(&told, stub.options.chunks);
    let reply = if request.streams() {
        let frames = request.frames(n, &pieces).into();
        let content_type = "text/event-stream; charset=utf-8";
        Reply { pieces: frames, content_type, ..Reply::json(200, String::new()) }
    } else {
        Reply::json(200, request.completion(n, &pieces))
    };
    Ok(send(&stub, reply, &directive).await)
}

/// Answers any JSON with itself.
async fn echo(
    State(stub): State<Arc<Stub>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let body = body.map_err(|rejection| unread(&stub, &rejection))?;
    let checked = serde_json::from_slice::<serde::de::IgnoredAny>(&body)
        .map_err(|error| format!("the body is no JSON: {error}"))
        .and_then(|_| String::from_utf8(body.into()).map_err(|_| "the body is no UTF-8".into()));
    let wrong = |problem: String| refuse(400, &problem);
    let text = checked.map_err(wrong)?;
    let directive = Directive::of(&stub.options, &text).map_err(wrong)?;
    let answer = Reply::json(200, format!("{{\"echo\":{text}}}"));
    stub.log.write(Service::Tool, &headers, Says::default(), text);
    Ok(send(&stub, answer, &directive).await)
}

/// Sends the reply when it is due, with what goes wrong.
async fn send(stub: &Stub, mut reply: Reply, directive: &Directive) -> Response {
    let pass = stub.gate.enter().await;
    tokio::time::sleep(directive.delay).await;
    match directive.fault {
        Some(Fault::Status(status)) => {
            reply = Reply::json(status, openai::error(status, "failed on purpose"));
        }
        Some(Fault::CutAfter(pieces)) => {
            if reply.pieces.len() == 1 {
                reply = reply.halves();
            }
            // Cut before its end, also where the reply has fewer pieces than that.
            let most = reply.pieces.len() - 1;
            reply.cut_after = Some(usize::from(pieces).min(most));
        }
        None => {}
    }
    Reply { gap: directive.gap, pass, ..reply }.into_response()
}
