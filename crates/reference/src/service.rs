//! The routes of the reference back end, the same for the server and the simulated world.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;

use super::auth;
use super::call_sites::{CallSite, Migration, for_request};
use super::controls;
use super::defects::{
    Defect, m14_scope_key, m17_replay_log, m18_reconnect, m19_identity_change, m20_backpressure,
};
use super::delivery::{Delivery, EventSink};
use super::event::{Chat, ClientMessage, Frame, RunAnswer, RunStatus, SaidMessage, to_text};
use super::kernel::runs::Run;
use super::process::Process;
use super::run::{ChatRun, Refusal};
use super::shared::Shared;
use super::warning::Warn;
use partywall_core::ids::{RequestId, RunId, ThreadId, UserName};
use partywall_world::World;
use partywall_world::backend::Cursor;

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
    /// The keep-alive connection that it came on.
    pub connection: String,
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
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self { status: 200, body: to_text(body) }
    }

    pub(crate) fn error(status: u16, error: &str) -> Self {
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
struct ControlBody<'r> {
    run_id: &'r RunId,
    user_id: &'r UserName,
    control: &'r str,
}

#[derive(Serialize)]
struct ThreadBody<'t> {
    thread_id: &'t ThreadId,
    user_id: &'t UserName,
    messages: &'t [SaidMessage],
}

/// What is known of a run: whose it is, in which conversation, and what it came to.
type KnownRun = Run<(UserName, ThreadId), RunAnswer>;

/// The two ends of one connection, whatever carries it.
pub trait SocketIo: Send {
    /// The next message from the client; none once it has gone. Dropping the future loses nothing.
    fn receive(&mut self) -> BoxFuture<'_, Option<String>>;

    /// Sends a message to the client; false once it has gone.
    fn send(&mut self, text: Arc<str>) -> BoxFuture<'_, bool>;
}

impl Service {
    /// The back end with those call sites migrated and that defect switched on; it says what it
    /// does that the migration is to take away.
    pub fn new(
        world: World,
        migration: Migration,
        defect: Option<Defect>,
        warn: Option<Warn>,
    ) -> Self {
        Self { process: Process::start(world, migration, defect, warn) }
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
        self.route(&request).await.unwrap_or_else(|refusal| refusal)
    }

    async fn route(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpAnswer> {
        let user = self.authenticate(request.authorization.as_deref())?;
        let user = m19_identity_change::user(&self.process.shared, request, user);
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["api", "chat"]) => self.chat(&user, &request.body).await,
            ("GET", ["api", "runs", run]) => self.read_run(&user, &RunId::new(run)).await,
            ("POST", ["api", "runs", run, "stop"]) => {
                self.control(&user, &RunId::new(run), "stopping", controls::stop).await
            }
            ("POST", ["api", "runs", run, "approve"]) => {
                self.control(&user, &RunId::new(run), "approved", controls::approve).await
            }
            ("GET", ["api", "threads", thread, "messages"]) => {
                self.read_thread(&user, &ThreadId::new(thread)).await
            }
            (
                _,
                ["api", "chat"]
                | ["api", "runs", _]
                | ["api", "runs", _, "stop" | "approve"]
                | ["api", "threads", _, "messages"],
            ) => Err(HttpAnswer::error(405, "that method does not serve here")),
            _ => Err(HttpAnswer::error(404, "there is no such route")),
        }
    }

    async fn chat(&self, user: &UserName, body: &[u8]) -> Result<HttpAnswer, HttpAnswer> {
        let unreadable = |error| HttpAnswer::error(400, &format!("not a chat message: {error}"));
        let chat: Chat = serde_json::from_slice(body).map_err(unreadable)?;
        let run = ChatRun::admit(&self.process, user, &chat, None)
            .map_err(|Refusal { status, error }| HttpAnswer::error(status, error))?;
        let factory = for_request(&self.process, CallSite::RequestDependency, run.context());
        run.configure(&factory, &chat);
        let context = run.context().clone();
        let came_to = run.execute(&factory, &chat).await;
        Ok(HttpAnswer::ok(&RunBody {
            run_id: context.run_id(),
            thread_id: context.thread_id(),
            request_id: Some(context.request_id()),
            user_id: context.user_id(),
            status: came_to.status,
            answer: &came_to.answer,
        }))
    }

    /// The run of that id, if it is the user's own.
    async fn own_run(&self, user: &UserName, run: &RunId) -> Result<KnownRun, HttpAnswer> {
        let shared = &self.process.shared;
        shared.world.turn().await;
        let known = shared.runs.get(run);
        let known = known.ok_or_else(|| HttpAnswer::error(404, "there is no such run"))?;
        if known.owner.0 != *user {
            return Err(HttpAnswer::error(403, "that run belongs to somebody else"));
        }
        Ok(known)
    }

    async fn read_run(&self, user: &UserName, run_id: &RunId) -> Result<HttpAnswer, HttpAnswer> {
        let run = self.own_run(user, run_id).await?;
        let (owner, thread) = &run.owner;
        let (status, answer) = match &run.answer {
            Some(answer) => (answer.status, answer.answer.as_str()),
            None => (RunStatus::Running, ""),
        };
        Ok(HttpAnswer::ok(&RunBody {
            run_id,
            thread_id: thread,
            request_id: None,
            user_id: owner,
            status,
            answer,
        }))
    }

    /// Stops or approves a run, if it is the user's own.
    async fn control(
        &self,
        user: &UserName,
        run: &RunId,
        done: &str,
        act: fn(&Shared, &RunId) -> bool,
    ) -> Result<HttpAnswer, HttpAnswer> {
        self.own_run(user, run).await?;
        if !act(&self.process.shared, run) {
            return Err(HttpAnswer::error(409, "that run has ended"));
        }
        Ok(HttpAnswer::ok(&ControlBody { run_id: run, user_id: user, control: done }))
    }

    async fn read_thread(
        &self,
        user: &UserName,
        thread: &ThreadId,
    ) -> Result<HttpAnswer, HttpAnswer> {
        let shared = &self.process.shared;
        shared.world.turn().await;
        let key = m14_scope_key::read_key(shared, (user.clone(), thread.clone()));
        match shared.conversations.read(&key) {
            Some(messages) => Ok(HttpAnswer::ok(&ThreadBody {
                thread_id: thread,
                user_id: user,
                messages: &messages,
            })),
            None if shared.conversations.any(|(_, other)| other == thread) => {
                Err(HttpAnswer::error(403, "that thread belongs to somebody else"))
            }
            None => Err(HttpAnswer::error(404, "there is no such thread")),
        }
    }

    /// Serves one authenticated connection until either side ends it. With a cursor it begins with
    /// what the user missed of that run of theirs.
    ///
    /// `name` is the connection's task; the runs that it starts are named after it and live on
    /// when it ends.
    pub async fn serve_socket(
        &self,
        user: UserName,
        name: &str,
        cursor: Option<&Cursor>,
        io: &mut dyn SocketIo,
    ) {
        let shared = &self.process.shared;
        let (sender, mut events) = shared.world.channel(EVENTS_WAITING);
        let Some(id) = shared.connections.connect(&user, EventSink(sender)) else { return };
        let connection = Connection { process: &self.process, user: &user, id, name };
        let connection_id = format!("conn-{id}");
        let greeting = Frame::ConnectionEstablished { user_id: &user, connection_id };
        if !io.send(greeting.to_text().into()).await {
            return;
        }
        let mut replayed = Replayed::default();
        if let Some(cursor) = cursor
            && !connection.replay(cursor, &mut replayed, io).await
        {
            return;
        }
        let mut runs = 0;
        loop {
            let answer = tokio::select! {
                biased;
                event = events.receive() => match event {
                    Some(event) => {
                        m20_backpressure::taken(shared);
                        (!replayed.holds(&event)).then(|| Arc::clone(&event.text))
                    }
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

/// How far a run was replayed: what comes of it again is not sent again.
#[derive(Debug, Default)]
struct Replayed(Option<Arc<Delivery>>);

impl Replayed {
    fn holds(&self, event: &Delivery) -> bool {
        self.0.as_ref().is_some_and(|last| last.run == event.run && event.sequence <= last.sequence)
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
    /// Sends what comes after the cursor; false once the client has gone. The connection is
    /// registered already, so what is not in the log by now comes live.
    async fn replay(
        &self,
        cursor: &Cursor,
        replayed: &mut Replayed,
        io: &mut dyn SocketIo,
    ) -> bool {
        let shared = &self.process.shared;
        let Some(log) = m17_replay_log::log(shared, cursor)
            .or_else(|| shared.log.get(&(self.user.clone(), cursor.run.clone())))
        else {
            let error = Frame::Error { error: "there is no such run of yours" };
            return io.send(error.to_text().into()).await;
        };
        for event in log.into_iter().filter(|event| event.sequence > cursor.after) {
            if !io.send(Arc::clone(&event.text)).await {
                return false;
            }
            if event.run == cursor.run {
                replayed.0 = Some(event);
            }
        }
        true
    }

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
            Ok(run) => run,
            Err(Refusal { error, .. }) => return Some(Frame::Error { error }.to_text().into()),
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
        let factory = for_request(self.process, CallSite::WebsocketRoute, context);
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
        let shared = &self.process.shared;
        shared.connections.disconnect(self.user, self.id);
        m18_reconnect::disconnect(shared, self.user, self.id);
    }
}

impl fmt::Display for HttpAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.status, self.body)
    }
}
