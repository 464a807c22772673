//! What a simulated user can do to a back end, whatever carries it there.
//!
//! The simulated user speaks only these traits; what implements them is a transport: in-process in
//! the simulated world, HTTP and WebSocket on the wire.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::World;
use super::box_future::BoxFuture;
use partywall_core::failure::Failure;
use partywall_core::ids::{ConnectionId, RunId, UserName};
use partywall_core::plan::UserPlan;
use partywall_core::raw::Raw;

/// A system under test.
///
/// In the simulated world a user speaks JSON, one object a message. `message` holds the prompt with its
/// canary. Your back end may ignore the fields that it has no use for.
///
/// | a user sends | with |
/// | --- | --- |
/// | on the event connection, to start a run | `{"type": "chat", "message", "thread_id", "request_id", "settings", "agents", "approval", "delays"}` |
/// | on the event connection, to ask whether it is alive | `{"type": "ping"}` |
/// | over HTTP, to start a run (only with `Via::Http`) | `POST /api/chat` with the same body as `chat` |
///
/// A run started over HTTP is answered with status 200 and the body
/// `{"status": "completed", "answer", "request_id", "run_id", "thread_id", "user_id"}`. On the event
/// connection, users expect:
///
/// | when | your back end sends | with |
/// | --- | --- | --- |
/// | it is opened | `connection_established` | nothing else is needed |
/// | a run starts | `run_accepted` | `request_id` as the user chose it, `run_id`, `thread_id`, `user_id` |
/// | during the run | `agent_started`, `agent_thinking`, `tool_executing` or `tool_completed` | `run_id`, `thread_id`, `user_id`, `agent_name`, `sequence`, and any text |
/// | the run ends | `agent_completed` or `agent_error` | the same, with `agent_name` = `"supervisor"` for `agent_completed` |
/// | a ping comes | `pong` | |
///
/// - The name stands in `type`: `{"type": "run_accepted", "run_id": "r1", …}`.
/// - `run_id` is chosen by the back end and differs for every run of every user.
/// - Send at least one event between `run_accepted` and the end. Two runs overlap if each has an event
///   between those of the other, and runs that never overlap show nothing.
/// - `sequence` counts the events of one run from 1, without gaps.
/// - `user_id` is the name that [`Backend::session`] was given.
/// - Answer any other HTTP request with status 404.
///
/// `examples/own_backend.rs` of the package `partywall` is a complete one.
pub trait Backend: Send + Sync {
    /// A new session for that user, who shares nothing with another user's session: no client, no
    /// connection pool, no cookies. Called once for each simulated user, before their first step.
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session>;

    /// The same for a user of a plan, who may sit at a browser that others use too. What has no
    /// notion of a browser need not know of it.
    fn session_of(&self, world: &World, user: &UserPlan) -> Box<dyn Session> {
        self.session(world, &user.name)
    }
}

impl<B: Backend + ?Sized> Backend for Arc<B> {
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session> {
        (**self).session(world, user)
    }

    fn session_of(&self, world: &World, user: &UserPlan) -> Box<dyn Session> {
        (**self).session_of(world, user)
    }
}

/// Where a user who comes back wants a run's stream to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The run.
    pub run: RunId,
    /// The number of the last event that the user has.
    pub after: u64,
}

/// One user's way to the back end.
pub trait Session: Send {
    /// Opens an event connection.
    fn connect(&mut self, name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>>;

    /// Opens an event connection that begins with what came after the cursor. What keeps no log
    /// opens a plain one.
    fn resume(
        &mut self,
        name: &ConnectionId,
        _cursor: Cursor,
    ) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        self.connect(name)
    }

    /// Opens an event connection as all of that says. What knows its users by itself, and has one
    /// kind of event connection, need not know of it.
    fn open(
        &mut self,
        name: &ConnectionId,
        opening: Opening,
    ) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        match opening.cursor {
            Some(cursor) => self.resume(name, cursor),
            None => self.connect(name),
        }
    }

    /// Sends an HTTP request. The future owns what it needs: dropping it is the client going away.
    fn call(
        &mut self,
        name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answer, String>>;

    /// The same, where the answer may come piece by piece. What answers at once need not know of it.
    fn exchange(
        &mut self,
        name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answering, Failure>> {
        let answer = self.call(name, call);
        Box::pin(async move {
            let Answer { status, headers, body } = answer.await?;
            Ok(Answering { status, headers, body: Body::Whole(body) })
        })
    }
}

/// How an event connection is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The WebSocket subprotocol.
    pub subprotocol: Option<String>,
    /// Where a run's stream is to go on; the query says it too.
    pub cursor: Option<Cursor>,
}

/// An open event connection. Dropping it is vanishing without a goodbye.
pub trait Socket: Send {
    /// Sends a text message; fails with words when the connection is broken.
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), String>>;

    /// What comes next. Dropping the future loses nothing.
    fn receive(&mut self) -> BoxFuture<'_, Incoming>;

    /// The same without a future of its own, which is several times as fast where thousands of
    /// messages come. None where there is no such way.
    fn poll_receive(&mut self, _context: &mut Context<'_>) -> Option<Poll<Incoming>> {
        None
    }

    /// Header lines of the answer that opened it, for who asks first; none where there was no such
    /// answer.
    fn opening(&mut self) -> Raw {
        Raw::default()
    }

    /// Begins an orderly end: messages may still come, until [`Incoming::Ended`].
    fn close(&mut self) -> BoxFuture<'_, ()>;
}

/// What comes on an event connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A message.
    Message(Raw),
    /// What came in a ping or a pong.
    Aside(Raw),
    /// The other side ended the connection in order.
    Ended {
        /// The close code, if one was given.
        code: Option<u16>,
        /// The close reason.
        reason: Raw,
    },
    /// The connection broke.
    Broken(String),
}

/// Why an event connection was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The back end answered something else.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Header lines, `name: value`, each ended by a newline.
        headers: Raw,
        /// The body.
        body: Raw,
    },
    /// There was no answer.
    Failed(Failure),
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: String,
}

/// The HTTP methods that simulated users use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// That of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// The method's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The answer to an HTTP request, as it begins.
#[derive(Debug)]
pub struct Answering {
    /// The status.
    pub status: u16,
    /// Header lines, `name: value`, each ended by a newline.
    pub headers: Raw,
    /// What follows.
    pub body: Body,
}

/// The body of an answer.
pub enum Body {
    /// All of it is here.
    Whole(Raw),
    /// It comes piece by piece.
    Pieces(Box<dyn Pieces>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(raw) => write!(out, "Whole({raw:?})"),
            Self::Pieces(_) => out.write_str("Pieces"),
        }
    }
}

/// The rest of an answer. Dropping it is going away.
pub trait Pieces: Send {
    /// Hands on the next piece; none at the end. An error says why it broke off.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Poll<Option<Result<(), String>>>;

    /// The trailers, once the end has come: lines as of headers.
    fn trailers(&mut self) -> Raw {
        Raw::default()
    }
}

/// The answer to an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header lines, `name: value`, each ended by a newline.
    pub headers: Raw,
    /// The body, as far as it came.
    pub body: Raw,
}
