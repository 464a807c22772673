//! A small service that was not written for partywall: its own channels, `select!`, and a cache of
//! answers. It knows neither the reference back end nor its messages; the adapter below does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use partywall::campaign::search::Search;
use partywall::trial::ids::{ConnectionId, UserName};
use partywall::trial::raw::Raw;
use partywall::trial::verdict::Verdict;
use partywall::world::backend::{Answer, Backend, Call, Incoming, Refusal, Session, Socket};
use partywall::{Config, World, assert_isolated, explore};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::config;

/// The service: a worker task answers questions from a queue and remembers what it answered.
mod notes {
    use super::*;

    /// A question to the worker, with where its answer goes.
    pub(super) struct Question {
        pub(super) who: String,
        pub(super) thread: String,
        pub(super) text: String,
        pub(super) progress: mpsc::UnboundedSender<String>,
        pub(super) answer: oneshot::Sender<String>,
    }

    /// What answers are remembered by.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum CacheKey {
        /// Correct: nobody else's.
        UserAndThread,
        /// The fault: users choose the same names for their threads.
        Thread,
    }

    /// Works until nobody can ask any more; each question is worked on at the same time as others.
    pub(super) async fn work(world: World, mut queue: mpsc::Receiver<Question>, key: CacheKey) {
        let cache: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        let (done, mut finished) = mpsc::channel::<()>(64);
        let mut under_way = 0_u32;
        let mut number = 0_u32;
        loop {
            tokio::select! {
                biased;
                Some(()) = finished.recv() => under_way -= 1,
                question = queue.recv(), if under_way < 8 => match question {
                    Some(question) => {
                        under_way += 1;
                        number += 1;
                        let (cache, done) = (Arc::clone(&cache), done.clone());
                        let inner = world.clone();
                        world.spawn(format!("worker/question{number}"), async move {
                            answer(&inner, question, &cache, key).await;
                            let _ = done.send(()).await;
                        });
                    }
                    None => return,
                },
            }
        }
    }

    async fn answer(
        world: &World,
        question: Question,
        cache: &Mutex<BTreeMap<String, String>>,
        key: CacheKey,
    ) {
        let key = match key {
            CacheKey::UserAndThread => format!("{:?}", (&question.who, &question.thread)),
            CacheKey::Thread => question.thread.clone(),
        };
        let _ = question.progress.send(format!("looking for {}", question.text));
        world.turn().await;
        let known = cache.lock().expect("nobody panics").get(&key).cloned();
        let text = match known {
            Some(known) => known,
            None => {
                world.sleep(2).await;
                let text = format!("what I found about {}", question.text);
                cache.lock().expect("nobody panics").insert(key, text.clone());
                text
            }
        };
        let _ = question.progress.send("writing it up".into());
        world.turn().await;
        let _ = question.answer.send(text);
    }
}

use notes::{CacheKey, Question};

/// The adapter: what a simulated user says and hears, as the service's questions and answers.
struct Notes {
    queue: mpsc::Sender<Question>,
}

impl Notes {
    fn start(world: &World, key: CacheKey) -> Self {
        let (queue, questions) = mpsc::channel(64);
        world.spawn("worker", notes::work(world.clone(), questions, key));
        Self { queue }
    }
}

impl Backend for Notes {
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session> {
        let (queue, world, user) = (self.queue.clone(), world.clone(), user.clone());
        Box::new(NotesSession { queue, world, user })
    }
}

struct NotesSession {
    queue: mpsc::Sender<Question>,
    world: World,
    user: UserName,
}

impl Session for NotesSession {
    fn connect(&mut self, name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let name = name.clone();
        Box::pin(async move {
            self.world.turn().await;
            let (events, inbox) = mpsc::unbounded_channel();
            let greeting = json!({ "type": "connection_established" });
            let _ = events.send(greeting.to_string());
            let (queue, world) = (self.queue.clone(), self.world.clone());
            let user = self.user.clone();
            Ok(Box::new(NotesSocket {
                queue,
                world,
                user,
                name,
                events: Some(events),
                inbox,
                asked: 0,
            }) as Box<dyn Socket>)
        })
    }

    fn call(
        &mut self,
        _name: &ConnectionId,
        _call: Call,
    ) -> BoxFuture<'static, Result<Answer, String>> {
        let body = Raw::from("{}");
        Box::pin(async { Ok(Answer { status: 404, headers: Raw::default(), body }) })
    }
}

struct NotesSocket {
    queue: mpsc::Sender<Question>,
    world: World,
    user: UserName,
    name: ConnectionId,
    events: Option<mpsc::UnboundedSender<String>>,
    inbox: mpsc::UnboundedReceiver<String>,
    asked: u32,
}

impl NotesSocket {
    /// Puts the question, and tells its owner how it goes on.
    fn ask(&mut self, chat: &Value) {
        let Some(events) = self.events.clone() else { return };
        self.asked += 1;
        let (who, queue) = (self.user.to_string(), self.queue.clone());
        let run = format!("{}-question{}", self.name, self.asked);
        let word = |key: &str| chat[key].as_str().unwrap_or_default().to_owned();
        let (thread, text) = (word("thread_id"), word("message"));
        let accepted = json!({
            "type": "run_accepted", "request_id": word("request_id"), "run_id": run,
            "thread_id": thread, "user_id": who,
        });
        let _ = events.send(accepted.to_string());
        self.world.spawn(format!("{}/ask{}", self.name, self.asked), async move {
            let (progress, mut steps) = mpsc::unbounded_channel();
            let (answer, mut answered) = oneshot::channel();
            let owner = who.clone();
            let question = Question { who, thread: thread.clone(), text, progress, answer };
            if queue.send(question).await.is_err() {
                return;
            }
            let mut sequence = 0;
            let mut tell = |kind: &str, text: &str| {
                sequence += 1;
                let event = json!({
                    "type": kind, "run_id": run, "thread_id": thread, "user_id": owner,
                    "agent_name": "supervisor", "sequence": sequence, "message": text,
                });
                let _ = events.send(event.to_string());
            };
            loop {
                tokio::select! {
                    biased;
                    Some(step) = steps.recv() => tell("agent_thinking", &step),
                    text = &mut answered => {
                        return match text {
                            Ok(text) => tell("agent_completed", &text),
                            Err(_) => tell("agent_error", "the worker is gone"),
                        };
                    }
                }
            }
        });
    }
}

impl Socket for NotesSocket {
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), String>> {
        let message: Value = serde_json::from_str(&text).unwrap_or_default();
        match message["type"].as_str() {
            Some("chat") => self.ask(&message),
            Some("ping") => {
                let pong = json!({ "type": "pong" }).to_string();
                let _ = self.events.as_ref().map(|events| events.send(pong));
            }
            _ => {}
        }
        Box::pin(async { Ok(()) })
    }

    fn receive(&mut self) -> BoxFuture<'_, Incoming> {
        Box::pin(async {
            self.world.turn().await;
            match self.inbox.recv().await {
                Some(text) => Incoming::Message(Raw::from(text.as_str())),
                None => Incoming::Ended { code: None, reason: Raw::default() },
            }
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.events = None;
        Box::pin(async {})
    }
}

fn notes_config(name: &str) -> Config {
    config(name).trials(500)
}

#[test]
fn a_cache_keyed_by_what_users_name_alike_is_found() {
    let make = |world: &World| Notes::start(world, CacheKey::Thread);
    let leaks = explore(notes_config("thread-key"), make).expect("explored");
    assert_eq!(leaks.verdict(), Verdict::Leaked, "{:?}", leaks.reasons());
    let finding = leaks.findings().next().expect("it has one");
    assert_ne!(finding.victim, finding.observer);
    // No race is needed: it leaks under the default policy already.
    let none = Search::Exhaustive { delays: Some(0) };
    let sequential = explore(notes_config("thread-key-0").search(none), make).expect("explored");
    assert_eq!(sequential.verdict(), Verdict::Leaked);
}

#[test]
fn a_cache_keyed_by_its_owner_is_isolated() {
    let make = |world: &World| Notes::start(world, CacheKey::UserAndThread);
    assert_isolated(notes_config("owner-key"), make);
}
