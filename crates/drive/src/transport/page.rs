//! A page of the server that nobody is judged by: what it tells of itself.

use std::time::Duration;

use super::http::HttpClient;
use super::servers::Servers;
use partywall_world::World;
use partywall_world::backend::{Call, Method};

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
    let (world, mut text) = (World::live(None), String::new());
    for url in &servers.urls {
        let (headers, body) = (Vec::new(), String::new());
        let call = Call { method: Method::Get, path: path.to_owned(), headers, body };
        let asked = HttpClient::new(&servers.trust).call(format!("{url}{path}"), call);
        let answer = tokio::select! {
            biased;
            answer = asked => answer?,
            _ = world.patience(LIMIT) => {
                return Err(format!("GET {path} is not answered in {} s", LIMIT.as_secs()));
            }
        };
        if !(200..300).contains(&answer.status) {
            return Err(format!("GET {path} is answered with {}", answer.status));
        }
        if answer.body.bytes().len() >= LARGEST {
            return Err(format!("the answer to GET {path} is longer than {LARGEST} bytes"));
        }
        text.push_str(&answer.body.text());
        text.push('\n');
    }
    Ok(text)
}
