//! The routes of the reference back end, the same for the server and the simulated world.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;

use super::auth;
use super::call_sites::{self, Migration};
use super::event::{Chat, ClientMessage, Frame, RunStatus, SaidMessage, to_text};
use super::process::{EventSink, Process};
use super::run::{Admission, ChatRun};
use crate::trial::ids::{RequestId, RunId, ThreadId, UserName};
use crate::world::World;

/// How many events may wait for one connection before it is dropped as too slow.
const EVENTS_WAITING: usize = 4096;

/// The reference back end: a process and its routes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    process: Arc<Process>,
}

/// An HTTP request, as far as the routes care.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// An HTTP answer; the body is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

impl HttpAnswer {
    fn ok(body: &impl Serialize) -> Self {
        Self { status: 200, body: to_text(body) }
    }

    fn error(status: u16, error: &str) -> Self {
        Self { status, body: to_text(&ErrorBody { error }) }
    }
}

#[derive(Serialize)]
struct ErrorBody<'e> {
    error: &'e str,
}

#[derive(Serialize)]
struct RunBody<'r> {
    run_id: &'r RunId,
    thread_id: &'r ThreadId,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'r RequestId>,
    user_id: &'r UserName,
    status: RunStatus,
    answer: &'r str,
}

#[derive(Serialize)]
struct ThreadBody<'t> {
    thread_id: &'t ThreadId,
    user_id: &'t UserName,
    messages: &'t [SaidMessage],
}

/// The two ends of one connection, whatever carries it.
pub trait SocketIo: Send {
    /// The next message from the client; none once it has gone. Dropping the future loses nothing.
    fn receive(&mut self) -> BoxFuture<'_, Option<String>>;

    /// Sends a message to the client; false once it has gone.
    fn send(&mut self, text: Arc<str>) -> BoxFuture<'_, bool>;
}

impl Service {
    /// The back end with those call sites migrated.
    pub fn new(world: World, migration: Migration) -> Self {
        Self { process: Process::start(world, migration) }
    }

    /// The process behind the routes.
    pub fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// Whose request it is.
    ///
    /// # Errors
    ///
    /// The 401 answer, where the token is missing or not genuine.
    pub fn authenticate(&self, authorization: Option<&str>) -> Result<UserName, HttpAnswer> {
        auth::user_of_header(authorization)
            .ok_or_else(|| HttpAnswer::error(401, "a genuine bearer token is needed"))
    }

    /// Answers an HTTP request. Dropping the future is the client going away: the run it started
    /// is cancelled.
    pub async fn answer(&self, request: HttpRequest) -> HttpAnswer {
        if request.path == "/health" {
            return HttpAnswer { status: 200, body: r#"{"status":"ok"}"#.into() };
        }
        let user = match self.authenticate(request.authorization.as_deref()) {
            Ok(user) => user,
            Err(answer) => return answer,
        };
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["api", "chat"]) => self.chat(&user, &request.body).await,
            ("GET", ["api", "runs", run]) => self.read_run(&user, &RunId::new(run)).await,
            ("GET", ["api", "threads", thread, "messages"]) => {
                self.read_thread(&user, &ThreadId::new(thread)).await
            }
            (_, ["api", "chat"] | ["api", "runs", _] | ["api", "threads", _, "messages"]) => {
                HttpAnswer::error(405, "that method does not serve here")
            }
            _ => HttpAnswer::error(404, "there is no such route"),
        }
    }

    async fn chat(&self, user: &UserName, body: &[u8]) -> HttpAnswer {
        let chat: Chat = match serde_json::from_slice(body) {
            Ok(chat) => chat,
            Err(error) => return HttpAnswer::error(400, &format!("not a chat message: {error}")),
        };
        let run = match ChatRun::admit(&self.process, user, &chat, None) {
            Admission::Run(run) => run,
            Admission::Refused { status, error } => return HttpAnswer::error(status, error),
        };
        let factory = call_sites::request_dependency(&self.process, run.context());
        run.configure(&factory, &chat);
        let context = run.context().clone();
        let came_to = run.execute(&factory, &chat).await;
        HttpAnswer::ok(&RunBody {
            run_id: context.run_id(),
            thread_id: context.thread_id(),
            request_id: Some(context.request_id()),
            user_id: context.user_id(),
            status: came_to.status,
            answer: &came_to.answer,
        })
    }

    async fn read_run(&self, user: &UserName, run_id: &RunId) -> HttpAnswer {
        let shared = &self.process.shared;
        shared.world.turn().await;
        let Some(run) = shared.runs.get(run_id) else {
            return HttpAnswer::error(404, "there is no such run");
        };
        let (owner, thread) = &run.owner;
        if owner != user {
            return HttpAnswer::error(403, "that run belongs to somebody else");
        }
        let (status, answer) = match &run.answer {
            Some(answer) => (answer.status, answer.answer.as_str()),
            None => (RunStatus::Running, ""),
        };
        HttpAnswer::ok(&RunBody {
            run_id,
            thread_id: thread,
            request_id: None,
            user_id: owner,
            status,
            answer,
        })
    }

    async fn read_thread(&self, user: &UserName, thread: &ThreadId) -> HttpAnswer {
        let shared = &self.process.shared;
        shared.world.turn().await;
        match shared.conversations.read(&(user.clone(), thread.clone())) {
            Some(messages) => HttpAnswer::ok(&ThreadBody {
                thread_id: thread,
                user_id: user,
                messages: &messages,
            }),
            None if shared.conversations.any(|(_, other)| other == thread) => {
                HttpAnswer::error(403, "that thread belongs to somebody else")
            }
            None => HttpAnswer::error(404, "there is no such thread"),
        }
    }

    /// Serves one authenticated connection until either side ends it.
    ///
    /// `name` is the connection's task; the runs that it starts are named after it and live on
    /// when it ends.
    pub async fn serve_socket(&self, user: UserName, name: &str, io: &mut dyn SocketIo) {
        let shared = &self.process.shared;
        let (sender, mut events) = shared.world.channel(EVENTS_WAITING);
        let Some(id) = shared.connections.connect(&user, EventSink(sender)) else { return };
        let connection = Connection { process: &self.process, user: &user, id, name };
        let connection_id = format!("conn-{id}");
        let greeting = Frame::ConnectionEstablished { user_id: &user, connection_id };
        if !io.send(greeting.to_text().into()).await {
            return;
        }
        let mut runs = 0;
        loop {
            let answer = tokio::select! {
                biased;
                event = events.receive() => match event {
                    Some(event) => Some(event),
                    None => return,
                },
                message = io.receive() => match message {
                    Some(message) => connection.take(&message, &mut runs, io).await,
                    None => return,
                },
            };
            if let Some(text) = answer
                && !io.send(text).await
            {
                return;
            }
        }
    }
}

/// A registered connection; unregistered when dropped.
struct Connection<'c> {
    process: &'c Arc<Process>,
    user: &'c UserName,
    id: u64,
    name: &'c str,
}

impl Connection<'_> {
    /// Acts on a client's message; what comes back is answered on the connection.
    async fn take(&self, message: &str, runs: &mut u32, io: &mut dyn SocketIo) -> Option<Arc<str>> {
        let chat = match serde_json::from_str(message) {
            Ok(ClientMessage::Chat(chat)) => chat,
            Ok(ClientMessage::Ping) => return Some(Frame::Pong.to_text().into()),
            Err(error) => {
                let error = format!("not a message of this protocol: {error}");
                return Some(Frame::Error { error: &error }.to_text().into());
            }
        };
        let run = match ChatRun::admit(self.process, self.user, &chat, Some(self.id)) {
            Admission::Run(run) => run,
            Admission::Refused { error, .. } => {
                return Some(Frame::Error { error }.to_text().into());
            }
        };
        let context = run.context();
        let accepted = Frame::RunAccepted {
            request_id: context.request_id(),
            run_id: context.run_id(),
            thread_id: context.thread_id(),
            user_id: context.user_id(),
        };
        // The acceptance must come before the run's first event; a client that has gone meanwhile
        // does not stop its run.
        io.send(accepted.to_text().into()).await;
        let factory = call_sites::websocket_route(self.process, context);
        run.configure(&factory, &chat);
        *runs += 1;
        self.process.shared.world.spawn(format!("{}/run{runs}", self.name), async move {
            run.execute(&factory, &chat).await;
        });
        None
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.process.shared.connections.disconnect(self.user, self.id);
    }
}

impl fmt::Display for HttpAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.status, self.body)
    }
}
