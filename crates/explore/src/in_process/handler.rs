//! A back end made of one async function: the shortest way to have one's own code explored.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use partywall_world::box_future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pipe::{self, ServerEnd};
use super::steps::Steps;
use partywall_core::dialect::SUPERVISOR;
use partywall_core::history::Note;
use partywall_core::ids::{ConnectionId, RequestId, RunId, ThreadId, UserName};
use partywall_core::plan::FaultKind;
use partywall_core::raw::Raw;
use partywall_world::World;
use partywall_world::backend::{Answer, Backend, Call, Method, Refusal, Session, Socket};
use partywall_world::channel::Sender;

type Run = dyn Fn(Chat) -> BoxFuture<'static, String> + Send + Sync;

/// Makes a back end of one async function, which is called once for each run.
///
/// The returned text is the run's answer. [`Chat::say`] sends events on the way. Both go to the user who
/// started the run, so a leak can only come from what the function shares between its calls.
///
/// To be judged, the function must
///
/// - put what it made of [`Chat::prompt`] into its answer or its events: the prompt holds a canary, and
///   what never comes back cannot be recognised;
/// - wait at least once, through [`World`] or a runtime-free future: runs without an `.await` never
///   overlap, and the result is then inconclusive;
/// - take its clock, timers, tasks and channels from [`Chat::world`], not from tokio;
/// - behave the same each time it is given the same input and the same schedule.
pub fn handler<F, Answered>(run: F) -> Handler
where
    F: Fn(Chat) -> Answered + Send + Sync + 'static,
    Answered: Future<Output = String> + Send + 'static,
{
    let run: Arc<Run> = Arc::new(move |chat| Box::pin(run(chat)));
    Handler { run, runs: Arc::default() }
}

/// A back end made by [`handler`].
#[derive(Clone)]
pub struct Handler {
    run: Arc<Run>,
    /// How many runs there were, for their ids.
    runs: Arc<AtomicU64>,
}

/// One run, as the function sees it.
#[derive(Debug)]
pub struct Chat {
    speaker: Speaker,
    prompt: String,
}

impl Chat {
    /// The world that this run is in. Its turns, sleeps, time limits and channels are switch points.
    pub fn world(&self) -> &World {
        &self.speaker.world
    }

    /// The name of the user who started the run.
    pub fn user(&self) -> &str {
        self.speaker.user.as_str()
    }

    /// The conversation. Different users choose equal names for theirs, on purpose.
    pub fn thread(&self) -> &str {
        self.speaker.thread.as_str()
    }

    /// What the user wrote. It holds a canary: a word that no other user may see.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// Sends the user an event of this run.
    pub fn say(&self, text: &str) {
        self.speaker.say("agent_thinking", json!({ "reasoning": text }));
    }
}

/// Sends the events of one run, numbered.
#[derive(Clone, Debug)]
struct Speaker {
    world: World,
    user: UserName,
    thread: ThreadId,
    run: RunId,
    request: RequestId,
    said: Arc<AtomicU64>,
    /// None over HTTP, where only the answer is sent.
    to_client: Option<Sender<Raw>>,
}

impl Speaker {
    fn say(&self, kind: &str, mut event: Value) {
        self.world.report(Note::Emitted {
            user: self.user.clone(),
            run: self.run.clone(),
            event: kind.into(),
            agent: SUPERVISOR.into(),
        });
        event["agent_name"] = SUPERVISOR.into();
        event["sequence"] = (self.said.fetch_add(1, Ordering::Relaxed) + 1).into();
        self.send(kind, event);
    }

    /// The run's future, whose steps are reported.
    fn steps(&self, future: BoxFuture<'static, String>) -> Steps {
        let (world, user, run) = (self.world.clone(), self.user.clone(), self.run.clone());
        Steps { world, user, run, future, last: None }
    }

    fn send(&self, kind: &str, mut message: Value) {
        message["type"] = kind.into();
        self.sign(&mut message);
        if let Some(to_client) = &self.to_client {
            // A client that has gone does not stop its run.
            let _ = to_client.send(raw(&message));
        }
    }

    /// Whose run the message is about, and which.
    fn sign(&self, message: &mut Value) {
        message["run_id"] = self.run.as_str().into();
        message["thread_id"] = self.thread.as_str().into();
        message["user_id"] = self.user.as_str().into();
    }
}

fn raw(message: &Value) -> Raw {
    Raw::from(message.to_string().as_str())
}

impl Backend for Handler {
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session> {
        Box::new(HandlerSession { handler: self.clone(), world: world.clone(), user: user.clone() })
    }
}

struct HandlerSession {
    handler: Handler,
    world: World,
    user: UserName,
}

impl Session for HandlerSession {
    fn connect(&mut self, name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let name = name.clone();
        Box::pin(async move {
            self.world.turn().await;
            let (client, server) = pipe::open(&self.world, &self.user);
            let (world, user) = (self.world.clone(), self.user.clone());
            let served = self.handler.clone().serve(world, user, name.clone(), server);
            self.world.spawn(name.as_str(), served);
            Ok(Box::new(client) as Box<dyn Socket>)
        })
    }

    fn call(
        &mut self,
        name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answer, String>> {
        let (handler, world, user) = (self.handler.clone(), self.world.clone(), self.user.clone());
        let (reply, mut replies) = self.world.channel(1);
        let mut line = self.world.fault_line(&self.user, FaultKind::Cancel);
        let task = self.world.spawn(name.as_str(), async move {
            if let Ok(answer) = line.guard(handler.answer(world, user, call)).await {
                let _ = reply.send(answer);
            }
        });
        // A client that goes away takes its handler with it.
        let task = task.abort_on_drop();
        Box::pin(async move {
            let _task = task;
            let answer = replies.receive().await;
            answer.ok_or_else(|| "the connection was cut before the answer".into())
        })
    }
}

/// What a simulated user sends.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    thread_id: String,
    #[serde(default)]
    request_id: String,
}

impl Handler {
    fn chat(
        &self,
        world: World,
        user: UserName,
        message: Message,
        to_client: Option<Sender<Raw>>,
    ) -> Chat {
        let number = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        let speaker = Speaker {
            world,
            user,
            thread: ThreadId::new(message.thread_id),
            run: RunId::new(format!("run-{number}")),
            request: RequestId::new(message.request_id),
            said: Arc::default(),
            to_client,
        };
        speaker.world.report(Note::Accepted {
            user: speaker.user.clone(),
            run: speaker.run.clone(),
            request_id: speaker.request.clone(),
        });
        Chat { speaker, prompt: message.message }
    }

    /// Serves one connection until its client goes; its runs live on.
    async fn serve(self, world: World, user: UserName, name: ConnectionId, end: ServerEnd) {
        let ServerEnd { to_client, mut from_client } = end;
        let greeting = json!({ "type": "connection_established", "user_id": user.as_str() });
        let _ = to_client.send(raw(&greeting));
        let mut runs = 0;
        while let Some(text) = from_client.receive().await {
            let Ok(message) = serde_json::from_str::<Message>(&text) else { continue };
            if message.kind == "ping" {
                let _ = to_client.send(Raw::from(r#"{"type":"pong"}"#));
                continue;
            }
            let chat = self.chat(world.clone(), user.clone(), message, Some(to_client.clone()));
            let request = chat.speaker.request.as_str();
            chat.speaker.send("run_accepted", json!({ "request_id": request }));
            runs += 1;
            let run = Arc::clone(&self.run);
            world.spawn(format!("{name}/run{runs}"), async move {
                let speaker = chat.speaker.clone();
                let answer = speaker.steps(run(chat)).await;
                speaker.say("agent_completed", json!({ "result": answer }));
            });
        }
    }

    /// Answers an HTTP request: a chat when its run has ended.
    async fn answer(self, world: World, user: UserName, call: Call) -> Answer {
        let answer =
            |status, body: &Value| Answer { status, headers: Raw::default(), body: raw(body) };
        let message = serde_json::from_str::<Message>(&call.body);
        let (Method::Post, Ok(message)) = (call.method, message) else {
            world.turn().await;
            return answer(404, &json!({ "error": "there is nothing here" }));
        };
        let chat = self.chat(world, user, message, None);
        let speaker = chat.speaker.clone();
        let said = speaker.steps((self.run)(chat)).await;
        speaker.say("agent_completed", json!({ "result": said }));
        let request = speaker.request.as_str();
        let mut body = json!({ "status": "completed", "answer": said, "request_id": request });
        speaker.sign(&mut body);
        answer(200, &body)
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Handler")
    }
}
