//! HTTP by reqwest: one client a simulated user, so that no pool and no cookie jar is shared.

use futures_util::StreamExt;
use reqwest::header::HeaderMap;

use super::tls::{Trust, distrust};
use crate::trial::raw::Raw;
use crate::world::backend::{Answer, Call, Method};

/// The most of a body that is read, in bytes; a server must not be able to fill the memory.
const LARGEST_BODY: usize = 16 << 20;

#[derive(Clone, Debug)]
pub(in crate::swarm) struct HttpClient(reqwest::Client);

impl HttpClient {
    pub(in crate::swarm) fn new(trust: &Trust) -> Self {
        // Neither proxies nor redirects: what is driven is the target and nothing else.
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((**trust.config()).clone())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self(client.unwrap_or_default())
    }

    /// A request that is ready to leave.
    pub(in crate::swarm) fn request(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: String,
    ) -> Result<reqwest::RequestBuilder, String> {
        let method = reqwest::Method::from_bytes(method.as_bytes())
            .map_err(|_| format!("`{}` is no HTTP method", method.escape_debug()))?;
        let mut request = self.0.request(method, url);
        for (name, value) in headers {
            // Names need not be ASCII; what is no header value is told by the request.
            request = request.header(name, value.as_bytes());
        }
        Ok(if body.is_empty() { request } else { request.body(body) })
    }

    pub(super) async fn call(
        &self,
        url: String,
        authorization: &str,
        call: Call,
    ) -> Result<Answer, String> {
        let request = match call.method {
            Method::Get => self.0.get(url),
            Method::Post => {
                self.0.post(url).header("content-type", "application/json").body(call.body)
            }
        };
        let response = request
            .header("authorization", authorization)
            .send()
            .await
            .map_err(|error| words(&error))?;
        let status = response.status().as_u16();
        let headers = header_lines(response.headers());
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        // A body that breaks off is kept as far as it came: it may already hold a crossing.
        while let Some(Ok(chunk)) = chunks.next().await {
            let room = LARGEST_BODY - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() >= room {
                break;
            }
        }
        Ok(Answer { status, headers, body: Raw::new(body) })
    }
}

/// Header lines, `name: value`, each ended by a newline.
pub(in crate::swarm) fn header_lines(headers: &HeaderMap) -> Raw {
    let mut lines = Vec::new();
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            lines.extend_from_slice(part);
        }
    }
    Raw::new(lines)
}

/// The error with its causes: reqwest's own text leaves out what the system said.
pub(in crate::swarm) fn words(error: &reqwest::Error) -> String {
    if let Some(why) = distrust(error) {
        return why;
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
