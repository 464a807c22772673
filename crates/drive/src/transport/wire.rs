//! Servers by URL: every simulated user has an HTTP client and connections of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::http::HttpClient;
use super::servers::Servers;
use super::websocket;
use partywall_core::failure::{Cause, Failure};
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::plan::UserPlan;
use partywall_core::protocol::Protocol;
use partywall_reference::auth;
use partywall_world::World;
use partywall_world::backend::{
    Answer, Answering, Backend, Call, Opening, Refusal, Session, Socket,
};

/// The base URL of a back end, such as `http://127.0.0.1:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUrl(String);

impl TargetUrl {
    /// Checks the URL.
    ///
    /// # Errors
    ///
    /// It is not `http[s]://host[:port][/path]` (or `ws[s]`), or its host is not this machine: traffic goes to
    /// loopback addresses only.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_allowing(text, &[])
    }

    /// Checks the URL; those hosts may be driven too.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn parse_allowing(text: &str, hosts: &[String]) -> Result<Self, String> {
        let shown = text.escape_debug();
        let url = reqwest::Url::parse(text)
            .map_err(|error| format!("`{shown}` is not a URL: {error}"))?;
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
            return Err(format!(
                "`{shown}` is not on this machine; give a loopback address such as \
                 http://127.0.0.1:8080"
            ));
        }
        let (_, rest) = url.as_str().split_once(':').unwrap_or_default();
        let scheme = if secure { "https" } else { "http" };
        Ok(Self(format!("{scheme}:{}", rest.trim_end_matches('/'))))
    }

    fn malformed(text: &str) -> String {
        let shown = text.escape_debug();
        format!("`{shown}` is not of the form http://HOST[:PORT][/PATH] (or https, ws, wss)")
    }

    /// Whether it is spoken to over TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The back end on that port of this machine.
    pub fn loopback(port: u16) -> Self {
        Self(format!("http://127.0.0.1:{port}"))
    }

    /// The WebSocket URL of that path.
    pub(super) fn socket_url(&self, path: &str) -> String {
        format!("ws{}{path}", self.0.trim_start_matches("http"))
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A server, or each of its replicas, over real connections.
#[derive(Debug)]
pub struct Wire {
    servers: Arc<Servers>,
    /// Whether users show the reference back end's tokens.
    with_tokens: bool,
    /// How many sessions there are: users are spread over the replicas.
    sessions: AtomicUsize,
    /// The clients of the browsers that several users sit at.
    browsers: Mutex<BTreeMap<u32, HttpClient>>,
}

impl Wire {
    /// A transport for one drive of a plan of that protocol.
    pub fn to(servers: &Arc<Servers>, protocol: &Protocol) -> Self {
        let with_tokens = protocol.is_reference();
        let (servers, sessions) = (Arc::clone(servers), AtomicUsize::new(0));
        Self { servers, with_tokens, sessions, browsers: Mutex::default() }
    }

    fn session_with(
        &self,
        world: &World,
        user: &UserName,
        http: Option<HttpClient>,
    ) -> Box<dyn Session> {
        let token = self
            .with_tokens
            .then(|| ("authorization".to_owned(), format!("Bearer {}", auth::token_of(user))));
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let (url, servers) = (self.servers.url_of(number), Arc::clone(&self.servers));
        Box::new(WireSession { world: world.clone(), servers, url, token, http })
    }
}

impl Backend for Wire {
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session> {
        self.session_with(world, user, None)
    }

    fn session_of(&self, world: &World, user: &UserPlan) -> Box<dyn Session> {
        let http = user.browser.map(|browser| {
            let mut browsers = self.browsers.lock().unwrap_or_else(PoisonError::into_inner);
            browsers.entry(browser).or_insert_with(|| HttpClient::new(&self.servers.trust)).clone()
        });
        self.session_with(world, &user.name, http)
    }
}

struct WireSession {
    world: World,
    servers: Arc<Servers>,
    url: TargetUrl,
    token: Option<(String, String)>,
    /// Made at the first call: most users of an event connection never make one.
    http: Option<HttpClient>,
}

impl WireSession {
    fn http(&mut self) -> HttpClient {
        self.http.get_or_insert_with(|| HttpClient::new(&self.servers.trust)).clone()
    }

    /// The URL of the call, and the call as it leaves.
    fn ready(&self, mut call: Call) -> (String, Call) {
        call.headers.extend(self.token.clone());
        (format!("{}{}", self.url, call.path), call)
    }
}

impl Session for WireSession {
    fn connect(&mut self, name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        self.open(name, Opening::default())
    }

    fn open(
        &mut self,
        _name: &ConnectionId,
        opening: Opening,
    ) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let Opening { path, mut headers, subprotocol, .. } = opening;
        headers.extend(self.token.clone());
        let url = self.servers.websocket.as_ref().unwrap_or(&self.url).socket_url(&path);
        Box::pin(websocket::open(url, headers, subprotocol, &self.servers.trust))
    }

    fn call(
        &mut self,
        _name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answer, String>> {
        let (url, call) = self.ready(call);
        Box::pin(self.http().call(url, call))
    }

    fn exchange(
        &mut self,
        name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answering, Failure>> {
        let (url, call) = self.ready(call);
        let (sender, answer) = oneshot::channel();
        let asked = self.http().exchange(url, call);
        // A request leaves when it is made, and not only once its user waits for the answer.
        let task = self.world.spawn(name.as_str(), async move {
            // Who does not want the answer any more has dropped the task with it.
            let _ = sender.send(asked.await);
        });
        let task = task.abort_on_drop();
        Box::pin(async move {
            let _task = task;
            let given_up = |_| Err(Cause::Left.because("the request was given up"));
            answer.await.unwrap_or_else(given_up)
        })
    }
}
