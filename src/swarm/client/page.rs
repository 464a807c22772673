//! A page of the server that nobody is judged by: what it tells of itself.

use std::time::Duration;

use futures_util::StreamExt;

use super::Servers;
use crate::swarm::transport::{HttpClient, words};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The most that is read of it, in bytes.
const LARGEST: usize = 16 << 20;

/// What the server (each of its replicas, one after the other) answers to a GET of that path.
///
/// # Errors
///
/// One of them does not answer in time, or with a status other than 2xx; in words.
pub async fn read_page(servers: &Servers, path: &str) -> Result<String, String> {
    let mut text = String::new();
    for url in &servers.urls {
        let request = HttpClient::new(&servers.trust).request(
            "GET",
            &format!("{url}{path}"),
            &[],
            String::new(),
        );
        let answer = request?.timeout(LIMIT).send().await.map_err(|error| words(&error))?;
        if !answer.status().is_success() {
            return Err(format!("GET {path} is answered with {}", answer.status().as_u16()));
        }
        let mut body = Vec::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            body.extend_from_slice(&chunk.map_err(|error| words(&error))?);
            if body.len() > LARGEST {
                return Err(format!("the answer to GET {path} is longer than {LARGEST} bytes"));
            }
        }
        text.push_str(&String::from_utf8_lossy(&body));
        text.push('\n');
    }
    Ok(text)
}
