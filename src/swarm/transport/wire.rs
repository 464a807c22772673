//! A back end by URL: every simulated user has an HTTP client and connections of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::super::speech::in_url;
use super::http::HttpClient;
use super::tls::Trust;
use super::websocket;
use crate::reference::auth;
use crate::trial::ids::{ConnectionId, UserName};
use crate::trial::plan::UserPlan;
use crate::world::World;
use crate::world::backend::{Answer, Backend, Call, Cursor, Refusal, Session, Socket};

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
    /// It is not `http[s]://host[:port][/path]` (or `ws[s]`), or its host is not this machine: traffic goes to
    /// loopback addresses only.
    pub fn parse(text: &str) -> Result<Self, TargetUrlError> {
        Self::parse_allowing(text, &[])
    }

    /// Checks the URL; those hosts may be driven too.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn parse_allowing(text: &str, hosts: &[String]) -> Result<Self, TargetUrlError> {
        let shown = text.escape_debug();
        let url = reqwest::Url::parse(text)
            .map_err(|error| TargetUrlError(format!("`{shown}` is not a URL: {error}")))?;
        let secure = match url.scheme() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err(Self::malformed(text)),
        };
        let strange = !url.username().is_empty() || url.password().is_some();
        if strange || url.query().is_some() || url.fragment().is_some() {
            return Err(Self::malformed(text));
        }
        let host = url.host_str().unwrap_or_default();
        let loopback = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback());
        if !loopback && !hosts.iter().any(|allowed| allowed == host) {
            return Err(TargetUrlError(format!(
                "`{shown}` is not on this machine; give a loopback address such as \
                 http://127.0.0.1:8080"
            )));
        }
        let (_, rest) = url.as_str().split_once(':').unwrap_or_default();
        let scheme = if secure { "https" } else { "http" };
        Ok(Self(format!("{scheme}:{}", rest.trim_end_matches('/'))))
    }

    fn malformed(text: &str) -> TargetUrlError {
        let shown = text.escape_debug();
        TargetUrlError(format!(
            "`{shown}` is not of the form http://HOST[:PORT][/PATH] (or https, ws, wss)"
        ))
    }

    /// Whether it is spoken to over TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The back end on that port of this machine.
    pub fn loopback(port: u16) -> Self {
        Self(format!("http://127.0.0.1:{port}"))
    }

    fn websocket(&self) -> String {
        self.socket_url("/ws")
    }

    /// The WebSocket URL of that path.
    pub(in crate::swarm) fn socket_url(&self, path: &str) -> String {
        format!("ws{}{path}", self.0.trim_start_matches("http"))
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
    trust: Trust,
    /// The clients of the browsers that several users sit at.
    browsers: Arc<Mutex<BTreeMap<u32, HttpClient>>>,
}

impl Wire {
    /// A transport to that back end.
    pub fn new(target: TargetUrl) -> Self {
        Self::trusting(target, &Trust::nobody())
    }

    /// The same, with whom to trust where it speaks TLS.
    pub fn trusting(target: TargetUrl, trust: &Trust) -> Self {
        Self { target, trust: trust.clone(), browsers: Arc::default() }
    }
}

impl Backend for Wire {
    fn session(&self, _world: &World, user: &UserName) -> Box<dyn Session> {
        self.session_with(user, None)
    }

    fn session_of(&self, _world: &World, user: &UserPlan) -> Box<dyn Session> {
        let http = user.browser.map(|browser| {
            let mut browsers = self.browsers.lock().unwrap_or_else(PoisonError::into_inner);
            browsers.entry(browser).or_insert_with(|| HttpClient::new(&self.trust)).clone()
        });
        self.session_with(&user.name, http)
    }
}

impl Wire {
    fn session_with(&self, user: &UserName, http: Option<HttpClient>) -> Box<dyn Session> {
        let authorization = format!("Bearer {}", auth::token_of(user));
        let (target, trust) = (self.target.clone(), self.trust.clone());
        Box::new(WireSession { target, trust, authorization, http })
    }
}

struct WireSession {
    target: TargetUrl,
    trust: Trust,
    authorization: String,
    /// Made at the first call: many users never make one.
    http: Option<HttpClient>,
}

impl WireSession {
    fn authorization(&self) -> Vec<(String, String)> {
        vec![("authorization".into(), self.authorization.clone())]
    }
}

impl Session for WireSession {
    fn connect(&mut self, _name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let (url, shown) = (self.target.websocket(), self.authorization());
        Box::pin(websocket::open(url, shown, None, &self.trust))
    }

    fn resume(
        &mut self,
        _name: &ConnectionId,
        cursor: Cursor,
    ) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let Cursor { run, after } = cursor;
        let url = format!("{}?run={}&after={after}", self.target.websocket(), in_url(run.as_str()));
        Box::pin(websocket::open(url, self.authorization(), None, &self.trust))
    }

    fn call(
        &mut self,
        _name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answer, String>> {
        let http = self.http.get_or_insert_with(|| HttpClient::new(&self.trust)).clone();
        let url = format!("{}{}", self.target, call.path);
        let authorization = self.authorization.clone();
        Box::pin(async move { http.call(url, &authorization, call).await })
    }
}
