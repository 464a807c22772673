//! One HTTP exchange: its answer is recorded as it comes, whole or event by event.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};

use super::Client;
use super::given::{hide_captures, hide_cookies};
use crate::swarm::transport::header_lines;
use crate::trial::history::What;
use crate::trial::ids::{ConnectionId, UserName};
use crate::trial::plan::Plan;
use crate::trial::raw::Raw;
use crate::trial::reader::{Reader, Said};
use crate::world::{AbortOnDrop, World};

/// The most of a body that is read, in bytes; a server must not be able to fill the memory.
const LARGEST_BODY: usize = 16 << 20;

/// What an exchange tells its user.
#[derive(Debug)]
pub(super) enum Heard {
    /// An event came.
    Said { run: Option<u16>, said: Said<'static> },
    /// The answer has begun; whole answers have come with it.
    Answered { on: ConnectionId, run: Option<u16>, status: u16, headers: Raw, body: Option<Raw> },
    /// Nothing more comes.
    Over { on: ConnectionId, run: Option<u16>, broken: bool },
}

/// A request that is ready to leave.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// How an answer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Whole,
    /// Whole too, and it brings what the step of the set-up with that number captures.
    SetUp(usize),
    Stream,
    /// A stream that is the user's event connection.
    Events,
}

/// An exchange under way. Dropping it is going away without a word.
pub(super) struct Exchange {
    pub(super) name: ConnectionId,
    pub(super) run: Option<u16>,
    flow: Arc<Mutex<Flow>>,
    _task: AbortOnDrop,
}

/// What came and is not recorded yet.
#[derive(Debug, Default)]
struct Flow {
    /// The head of a whole answer, which is recorded with its body.
    head: Option<(u16, Raw)>,
    rest: Vec<u8>,
    streams: bool,
    lines: bool,
}

impl Flow {
    /// What is to be recorded of what came of an unfinished answer.
    fn leftover(&mut self) -> Option<What> {
        let raw = Raw::new(std::mem::take(&mut self.rest));
        match self.head.take() {
            Some((status, headers)) => Some(What::Answer { status, headers, raw }),
            None => (!raw.bytes().is_empty()).then_some(What::Received { raw }),
        }
    }

    /// The next whole event.
    fn next_record(&mut self) -> Option<Vec<u8>> {
        let ends: &[&[u8]] = if self.lines { &[b"\n"] } else { &[b"\n\n", b"\r\n\r\n", b"\r\r"] };
        let end = ends.iter().filter_map(|end| {
            let at = self.rest.windows(end.len()).position(|window| window == *end)?;
            Some(at + end.len())
        });
        let end = end.min()?;
        let rest = self.rest.split_off(end);
        Some(std::mem::replace(&mut self.rest, rest))
    }
}

fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange {
    /// Goes away: what came so far is recorded first.
    pub(super) fn abandon(self, client: &Client, why: Option<&str>) {
        if let Some(what) = lock(&self.flow).leftover() {
            client.observe(Some(&self.name), what);
        }
        let what = match why {
            Some(why) => What::Broken { error: why.into() },
            None => What::Leave { vanished: true },
        };
        client.observe(Some(&self.name), what);
    }

    /// Whether it is a stream whose head has come.
    pub(super) fn streams(&self) -> bool {
        lock(&self.flow).streams
    }
}

impl Client {
    /// Sends a request that was recorded already.
    pub(super) fn exchange(
        &self,
        name: ConnectionId,
        run: Option<u16>,
        ready: Ready,
        reading: Reading,
    ) -> Exchange {
        let flow = Arc::new(Mutex::new(Flow::default()));
        let task = Task {
            world: self.world.clone(),
            user: self.who().name.clone(),
            name: name.clone(),
            run,
            reading,
            plan: Arc::clone(&self.plan),
            reader: Arc::clone(&self.reader),
            flow: Arc::clone(&flow),
            post: self.post.clone(),
            reads: self.reads.subscribe(),
        };
        let request = self.http().request(&ready.method, &ready.url, &ready.headers, ready.body);
        let task = self.world.spawn(name.as_str(), task.drive(request));
        Exchange { name, run, flow, _task: task.abort_on_drop() }
    }
}

struct Task {
    world: World,
    user: UserName,
    name: ConnectionId,
    run: Option<u16>,
    reading: Reading,
    plan: Arc<Plan>,
    reader: Arc<Reader>,
    flow: Arc<Mutex<Flow>>,
    post: mpsc::UnboundedSender<Box<Heard>>,
    /// Whether the user reads.
    reads: watch::Receiver<bool>,
}

impl Task {
    fn observe(&self, what: What) {
        self.world.observe(&self.user, Some(&self.name), what);
    }

    fn tell(&self, heard: Heard) {
        // A user who has gone needs no more.
        let _ = self.post.send(Box::new(heard));
    }

    async fn drive(self, request: Result<reqwest::RequestBuilder, String>) {
        let broken = match request {
            Ok(request) => self.converse(request).await,
            Err(error) => Some(error),
        };
        if let Some(what) = lock(&self.flow).leftover() {
            self.observe(what);
        }
        let is_broken = broken.is_some();
        if let Some(error) = broken {
            self.observe(What::Broken { error });
        } else if lock(&self.flow).streams {
            self.observe(What::Ended { code: None, raw: Raw::default() });
        }
        self.tell(Heard::Over { on: self.name.clone(), run: self.run, broken: is_broken });
    }

    /// Gives why it broke, if it did.
    async fn converse(&self, request: reqwest::RequestBuilder) -> Option<String> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                return Some(format!("cannot reach: {}", crate::swarm::transport::words(&error)));
            }
        };
        let status = response.status().as_u16();
        let headers = header_lines(response.headers());
        hide_cookies(&self.world, &self.user, &headers);
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        let asks_whole = matches!(self.reading, Reading::Whole | Reading::SetUp(_));
        let whole = asks_whole && !kind.starts_with("text/event-stream");
        // An error in JSON is no stream, whatever was asked for.
        let streams = !(whole || kind.starts_with("application/json") || status >= 400);
        {
            let mut flow = lock(&self.flow);
            flow.streams = streams;
            flow.lines = !kind.starts_with("text/event-stream");
            if !streams {
                flow.head = Some((status, headers.clone()));
            }
        }
        if streams {
            self.hide_captures(&headers, &Raw::default());
            self.observe(What::Answer { status, headers: headers.clone(), raw: Raw::default() });
            if self.reading == Reading::Events {
                self.observe(What::Connected { headers: Raw::default() });
            }
            let (on, run) = (self.name.clone(), self.run);
            self.tell(Heard::Answered { on, run, status, headers: headers.clone(), body: None });
        }
        let broken = self.read_body(response).await;
        if !streams {
            let body = Raw::new(std::mem::take(&mut lock(&self.flow).rest));
            lock(&self.flow).head = None;
            self.hide_captures(&headers, &body);
            self.observe(What::Answer { status, headers: headers.clone(), raw: body.clone() });
            let (on, run) = (self.name.clone(), self.run);
            self.tell(Heard::Answered { on, run, status, headers, body: Some(body) });
        }
        broken
    }

    /// Takes out of the history what must not stand there, before anything of it is recorded.
    fn hide_captures(&self, headers: &Raw, body: &Raw) {
        let (Reading::SetUp(step), Some(protocol)) = (self.reading, &self.plan.protocol) else {
            return;
        };
        let captures = protocol.setup.get(step).map_or(&[][..], |step| &step.captures);
        let answer = (&*headers.text(), &*body.text());
        hide_captures(&self.world, &self.user, protocol, captures, answer);
    }

    async fn read_body(&self, response: reqwest::Response) -> Option<String> {
        let mut chunks = response.bytes_stream();
        let mut read = 0;
        let mut reads = self.reads.clone();
        loop {
            // A user who has gone reads what is left.
            let _ = reads.wait_for(|reads| *reads).await;
            let Some(chunk) = chunks.next().await else { break };
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return Some(format!("the answer broke off: {error}")),
            };
            read += chunk.len();
            let streams = {
                let mut flow = lock(&self.flow);
                flow.rest.extend_from_slice(&chunk);
                flow.streams
            };
            if read > LARGEST_BODY {
                return Some("the answer is longer than 16 MiB".into());
            }
            while streams && let Some(record) = { lock(&self.flow).next_record() } {
                self.take(record);
            }
        }
        None
    }

    fn take(&self, record: Vec<u8>) {
        if let Some(protocol) = &self.plan.protocol {
            let raw = Raw::new(record);
            let said = self.reader.read(&protocol.dialect, &raw, true).into_owned();
            self.observe(What::Received { raw });
            self.tell(Heard::Said { run: self.run, said });
        }
    }
}
