//! `POST /v1/chat/completions` as OpenAI has it, answered as SSE. It asks a tool first, then the
//! model, and passes the model's stream on. `metadata.conversation` is the client's id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;

use super::{Common, Leak, Server, locked, token};

struct Chat {
    common: Common,
    /// The leaks: the current request and credential of the process, and answers by conversation.
    current: Mutex<Value>,
    credential: Mutex<String>,
    cache: Mutex<BTreeMap<String, String>>,
}

pub(crate) fn start(leak: Leak, upstream: &str) -> Server {
    let chat = Chat {
        common: Common::new(leak, upstream),
        current: Mutex::default(),
        credential: Mutex::default(),
        cache: Mutex::default(),
    };
    super::serve(
        Router::new().route("/v1/chat/completions", post(answer)).with_state(Arc::new(chat)),
    )
}

async fn answer(
    State(chat): State<Arc<Chat>>,
    headers: HeaderMap,
    Json(mut body): Json<Value>,
) -> Response {
    let Some(mut token) = token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let Chat { common, .. } = &*chat;
    let conversation = body["metadata"]["conversation"].as_str().unwrap_or_default().to_owned();
    if common.leak == Leak::Cache
        && let Some(kept) = locked(&chat.cache).get(&conversation)
    {
        return sse(Body::from(kept.clone()));
    }
    *locked(&chat.current) = body.clone();
    locked(&chat.credential).clone_from(&token);
    if common.tool(&token, "profile").await.is_none() {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    match common.leak {
        Leak::Slot => body = locked(&chat.current).clone(),
        Leak::Credential => token = locked(&chat.credential).clone(),
        _ => {}
    }
    body["stream"] = true.into();
    let url = format!("{}/v1/chat/completions", common.upstream);
    let asked = common.http.post(url).bearer_auth(token).json(&body).send().await;
    let Ok(reply) = asked.and_then(reqwest::Response::error_for_status) else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    if common.leak != Leak::Cache {
        return sse(Body::from_stream(reply.bytes_stream()));
    }
    let whole = reply.text().await.unwrap_or_default();
    locked(&chat.cache).insert(conversation, whole.clone());
    sse(Body::from(whole))
}

fn sse(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}
