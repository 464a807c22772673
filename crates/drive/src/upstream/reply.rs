//! A reply on its way: pieces with gaps between them, cut where a fault says so.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;

use super::gate::Pass;

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) pieces: VecDeque<String>,
    /// Between two pieces.
    pub(super) gap: Duration,
    /// After how many pieces the connection is cut.
    pub(super) cut_after: Option<usize>,
    /// Held until the last piece has gone.
    pub(super) pass: Option<Pass>,
}

impl Reply {
    /// JSON, whole.
    pub(super) fn json(status: u16, body: String) -> Self {
        let pieces = VecDeque::from([body]);
        let (gap, content_type) = (Duration::ZERO, "application/json");
        Self { status, content_type, pieces, gap, cut_after: None, pass: None }
    }

    /// JSON in two halves, so that it can be cut in the middle.
    pub(super) fn halves(mut self) -> Self {
        let whole: String = self.pieces.drain(..).collect();
        let middle = whole.floor_char_boundary(whole.len() / 2);
        let (head, tail) = whole.split_at(middle);
        self.pieces = [head.to_owned(), tail.to_owned()].into();
        self
    }

    pub(super) fn into_response(self) -> Response {
        let (status, content_type) = (self.status, self.content_type);
        let whole = self.pieces.len() == 1 && self.cut_after.is_none() && self.pass.is_none();
        let body = if whole {
            Body::from(self.pieces.into_iter().collect::<String>())
        } else {
            Body::from_stream(stream::unfold((self, 0), next))
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// The next piece; an error makes the server close the connection without an orderly end.
async fn next(
    (mut reply, sent): (Reply, usize),
) -> Option<(Result<Bytes, std::io::Error>, (Reply, usize))> {
    if sent > 0 {
        // At least once, so that what was sent goes out before the cut.
        tokio::task::yield_now().await;
        tokio::time::sleep(reply.gap).await;
    }
    if reply.cut_after.is_some_and(|cut| sent >= cut || reply.pieces.is_empty()) {
        // Nothing was flushed yet if it is the first: the client sees a closed connection only.
        let cut = std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut on purpose");
        reply.pieces.clear();
        return Some((Err(cut), (reply, sent)));
    }
    let piece = reply.pieces.pop_front()?;
    Some((Ok(Bytes::from(piece)), (reply, sent + 1)))
}
