//! HTTP by reqwest: one client a simulated user, so that no pool and no cookie jar is shared.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Body as _;
use hyper::ext::ReasonPhrase;
use reqwest::header::HeaderMap;

use super::tls::{Trust, distrust};
use partywall_core::failure::{Cause, Failure};
use partywall_core::raw::Raw;
use partywall_world::backend::{Answer, Answering, Body, Call, Pieces};

/// The most of a body that is read where it is wanted whole, in bytes.
const LARGEST_BODY: usize = 16 << 20;

#[derive(Clone, Debug)]
pub(super) struct HttpClient(reqwest::Client);

impl HttpClient {
    pub(super) fn new(trust: &Trust) -> Self {
        // Neither proxies nor redirects: what is driven is the target and nothing else.
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((**trust.config()).clone())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self(client.unwrap_or_default())
    }

    /// Sends the call to the server of that URL; the answer as it begins.
    pub(super) async fn exchange(self, url: String, call: Call) -> Result<Answering, Failure> {
        let method = reqwest::Method::from_bytes(call.method.as_str().as_bytes());
        let mut request = self.0.request(method.map_err(|error| error.to_string())?, url);
        for (name, value) in &call.headers {
            // Names need not be ASCII; what is no header value is told by the request.
            request = request.header(name, value.as_bytes());
        }
        if !call.body.is_empty() {
            request = request.body(call.body);
        }
        let response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let response: hyper::Response<reqwest::Body> = response.into();
        let mut headers = header_lines(response.headers());
        // Only one that is not the usual one of its status is kept.
        if let Some(reason) = response.extensions().get::<ReasonPhrase>() {
            let line = [REASON, reason.as_bytes(), b"\n", headers.bytes()].concat();
            headers = Raw::new(line);
        }
        let body = Box::pin(response.into_body());
        let pieces = Received { body, trailers: Raw::default() };
        Ok(Answering { status, headers, body: Body::Pieces(Box::new(pieces)) })
    }

    /// The same, once all of the answer is there; one that breaks off is an error.
    pub(super) async fn call(self, url: String, call: Call) -> Result<Answer, String> {
        let asked = self.exchange(url, call).await;
        let Answering { status, mut headers, body } = asked.map_err(|failed| failed.words)?;
        let mut pieces = match body {
            Body::Whole(body) => return Ok(Answer { status, headers, body }),
            Body::Pieces(pieces) => pieces,
        };
        let mut body = Vec::new();
        while body.len() < LARGEST_BODY {
            let mut take = |piece: &[u8]| body.extend_from_slice(piece);
            let came = std::future::poll_fn(|context| pieces.poll_next(context, &mut take)).await;
            match came {
                Some(came) => came?,
                None => break,
            }
        }
        let trailers = pieces.trailers();
        if !trailers.is_empty() {
            headers = Raw::new([headers.bytes(), trailers.bytes()].concat());
        }
        Ok(Answer { status, headers, body: Raw::new(body) })
    }
}

/// Stands before the words beside a status, in a line among those of the headers. No header has such a
/// name.
const REASON: &[u8] = b":reason: ";

/// The body of an answer, as reqwest has it, and what came behind it.
struct Received {
    body: Pin<Box<reqwest::Body>>,
    trailers: Raw,
}

impl Pieces for Received {
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Poll<Option<Result<(), String>>> {
        let frame = std::task::ready!(self.body.as_mut().poll_frame(context));
        Poll::Ready(frame.map(|frame| match frame {
            Ok(frame) => {
                if let Some(piece) = frame.data_ref() {
                    take(piece);
                } else if let Some(trailers) = frame.trailers_ref() {
                    self.trailers = header_lines(trailers);
                }
                Ok(())
            }
            Err(error) => Err(format!("the answer broke off: {error}")),
        }))
    }

    fn trailers(&mut self) -> Raw {
        std::mem::take(&mut self.trailers)
    }
}

/// Header lines, `name: value`, each ended by a newline.
pub(super) fn header_lines(headers: &HeaderMap) -> Raw {
    let mut lines = Vec::new();
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            lines.extend_from_slice(part);
        }
    }
    Raw::new(lines)
}

/// The error with its causes: reqwest's own text leaves out what the system said.
fn failure(error: &reqwest::Error) -> Failure {
    if let Some(why) = distrust(error) {
        return Cause::Untrusted.because(why);
    }
    let cause = if error.is_connect() {
        Cause::Unreachable
    } else if error.is_builder() {
        Cause::Unfilled
    } else {
        Cause::Lost
    };
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    cause.because(text)
}
