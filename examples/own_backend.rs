//! A service with event connections of its own, explored through the trait `Backend`.
//!
//! Run it with `cargo run --example own_backend`. The service echoes each prompt to the connection
//! that asked; `Routing::Latest` sends it to whoever asked last, which leaks.

use std::sync::{Arc, Mutex};

use partywall::backend::{
    Answer, Backend, BoxFuture, Call, ConnectionId, Incoming, Raw, Receiver, Refusal, Sender,
    Session, Socket, UserName,
};
use partywall::{Config, Verdict, World, explore};
use serde_json::{Value, json};

/// To whom events are sent.
#[derive(Clone, Copy)]
enum Routing {
    /// Right: the connection that asked.
    Asker,
    /// Wrong: the connection that asked last.
    Latest,
}

/// What all users of a trial share.
struct Echo {
    routing: Routing,
    latest: Arc<Mutex<Option<Sender<Value>>>>,
}

impl Backend for Echo {
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session> {
        let latest = Arc::clone(&self.latest);
        Box::new(EchoSession {
            world: world.clone(),
            user: user.clone(),
            routing: self.routing,
            latest,
        })
    }
}

/// One user.
struct EchoSession {
    world: World,
    user: UserName,
    routing: Routing,
    latest: Arc<Mutex<Option<Sender<Value>>>>,
}

impl Session for EchoSession {
    fn connect(&mut self, name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let (to_user, events) = self.world.channel(64);
        let _ = to_user.send(json!({ "type": "connection_established" }));
        let socket = EchoSocket {
            world: self.world.clone(),
            user: self.user.clone(),
            connection: name.clone(),
            routing: self.routing,
            latest: Arc::clone(&self.latest),
            to_user: Some(to_user),
            events,
            runs: 0,
        };
        Box::pin(async move { Ok(Box::new(socket) as Box<dyn Socket>) })
    }

    fn call(&mut self, _: &ConnectionId, _: Call) -> BoxFuture<'static, Result<Answer, String>> {
        let answer = Answer { status: 404, headers: Raw::default(), body: Raw::from("{}") };
        Box::pin(async move { Ok(answer) })
    }
}

/// One event connection.
struct EchoSocket {
    world: World,
    user: UserName,
    connection: ConnectionId,
    routing: Routing,
    latest: Arc<Mutex<Option<Sender<Value>>>>,
    to_user: Option<Sender<Value>>,
    events: Receiver<Value>,
    runs: u32,
}

impl EchoSocket {
    /// Starts a run: accepts it, works, and answers with the prompt.
    fn chat(&mut self, chat: &Value) {
        let Some(asker) = self.to_user.clone() else { return };
        self.runs += 1;
        let run = format!("{}-{}", self.connection, self.runs);
        let signed = |kind: &str| {
            json!({
                "type": kind, "run_id": run, "thread_id": chat["thread_id"],
                "user_id": self.user.as_str(),
            })
        };
        let mut accepted = signed("run_accepted");
        accepted["request_id"] = chat["request_id"].clone();
        let mut events = [signed("agent_thinking"), signed("agent_completed")];
        for (event, number) in events.iter_mut().zip(1..) {
            event["agent_name"] = "supervisor".into();
            event["sequence"] = number.into();
            event["text"] = chat["message"].clone();
        }

        *self.latest.lock().unwrap() = Some(asker.clone());
        let _ = asker.send(accepted);
        let (world, routing, latest) = (self.world.clone(), self.routing, Arc::clone(&self.latest));
        self.world.spawn(format!("run {run}"), async move {
            for event in events {
                world.sleep(2).await; // the work
                let latest = latest.lock().unwrap().clone();
                let to = match routing {
                    Routing::Asker => &asker,
                    Routing::Latest => latest.as_ref().unwrap_or(&asker),
                };
                let _ = to.send(event);
            }
        });
    }
}

impl Socket for EchoSocket {
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), String>> {
        let message: Value = serde_json::from_str(&text).unwrap_or_default();
        match message["type"].as_str() {
            Some("chat") => self.chat(&message),
            Some("ping") => {
                let _ = self.to_user.as_ref().map(|user| user.send(json!({ "type": "pong" })));
            }
            _ => {}
        }
        Box::pin(async { Ok(()) })
    }

    fn receive(&mut self) -> BoxFuture<'_, Incoming> {
        Box::pin(async {
            match self.events.receive().await {
                Some(event) => Incoming::Message(Raw::from(event.to_string())),
                None => Incoming::Ended { code: None, reason: Raw::default() },
            }
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.to_user = None;
        Box::pin(async {})
    }
}

pub(crate) fn main() -> Result<(), partywall::Error> {
    let explored = |name, routing| {
        let config = Config::named(name).trials(200).regressions(None);
        explore(config, move || Echo { routing, latest: Arc::default() })
    };
    let leaky = explored("latest", Routing::Latest)?;
    println!("to the latest: {}", leaky.verdict());
    for finding in leaky.findings() {
        println!("  {}", finding.summary);
    }
    assert_eq!(leaky.verdict(), Verdict::Leaked);

    let sound = explored("asker", Routing::Asker)?;
    println!("to the asker: {} {:?}", sound.verdict(), sound.reasons());
    assert_eq!(sound.verdict(), Verdict::Clean);
    Ok(())
}
