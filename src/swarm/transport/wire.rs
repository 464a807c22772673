//! A back end by URL: every simulated user has an HTTP client and connections of their own.

use std::fmt;

use futures_util::future::BoxFuture;

use super::http::HttpClient;
use super::websocket;
use crate::reference::auth;
use crate::trial::ids::{ConnectionId, UserName};
use crate::world::World;
use crate::world::backend::{Answer, Backend, Call, Refusal, Session, Socket};

/// The base URL of a back end, such as `http://127.0.0.1:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUrl(String);

/// Why a URL cannot be driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUrlError(String);

impl fmt::Display for TargetUrlError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for TargetUrlError {}

impl TargetUrl {
    /// Checks the URL.
    ///
    /// # Errors
    ///
    /// It is not `http://host[:port][/path]`, or its host is not this machine: traffic goes to
    /// loopback addresses only.
    pub fn parse(text: &str) -> Result<Self, TargetUrlError> {
        let shown = text.escape_debug();
        let url = reqwest::Url::parse(text)
            .map_err(|error| TargetUrlError(format!("`{shown}` is not a URL: {error}")))?;
        if url.scheme() != "http" || url.query().is_some() || url.fragment().is_some() {
            return Err(TargetUrlError(format!(
                "`{shown}` is not of the form http://HOST[:PORT][/PATH]"
            )));
        }
        let host = url.host_str().unwrap_or_default();
        let loopback = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback());
        if !loopback {
            return Err(TargetUrlError(format!(
                "`{shown}` is not on this machine; give a loopback address such as \
                 http://127.0.0.1:8080"
            )));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The back end on that port of this machine.
    pub fn loopback(port: u16) -> Self {
        Self(format!("http://127.0.0.1:{port}"))
    }

    fn websocket(&self) -> String {
        format!("ws{}/ws", self.0.trim_start_matches("http"))
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A back end that speaks the reference protocol, over real connections.
#[derive(Clone, Debug)]
pub struct Wire {
    target: TargetUrl,
}

impl Wire {
    /// A transport to that back end.
    pub fn new(target: TargetUrl) -> Self {
        Self { target }
    }
}

impl Backend for Wire {
    fn session(&self, _world: &World, user: &UserName) -> Box<dyn Session> {
        let authorization = format!("Bearer {}", auth::token_of(user));
        Box::new(WireSession { target: self.target.clone(), authorization, http: None })
    }
}

struct WireSession {
    target: TargetUrl,
    authorization: String,
    /// Made at the first call: many users never make one.
    http: Option<HttpClient>,
}

impl Session for WireSession {
    fn connect(&mut self, _name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        Box::pin(websocket::open(self.target.websocket(), self.authorization.clone()))
    }

    fn call(
        &mut self,
        _name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answer, String>> {
        let http = self.http.get_or_insert_with(HttpClient::new).clone();
        let url = format!("{}{}", self.target, call.path);
        let authorization = self.authorization.clone();
        Box::pin(async move { http.call(url, &authorization, call).await })
    }
}
