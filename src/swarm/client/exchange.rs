//! One HTTP exchange: its answer is recorded as it comes, whole or event by event.

use std::sync::atomic::{AtomicU64, Ordering};
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
/// The longest of what ends an event of a stream, in bytes.
const LONGEST_END: usize = 4;

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

/// An exchange under way. Dropping it is going away without a word; what came of an event that was
/// not whole is recorded then.
pub(super) struct Exchange {
    pub(super) name: ConnectionId,
    pub(super) run: Option<u16>,
    user: UserName,
    world: World,
    flow: Arc<Mutex<Flow>>,
    _task: AbortOnDrop,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(what) = lock(&self.flow).leftover() {
            // What became of the rest is unknown.
            let error = "left before its end".into();
            for what in [what, What::Broken { error }] {
                self.world.observe(&self.user, Some(&self.name), what);
            }
        }
    }
}

/// How many bytes all users of one server have received and not recorded yet; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Unrecorded(Arc<AtomicU64>);

impl Unrecorded {
    /// So many there are.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What came and is not recorded yet.
#[derive(Debug, Default)]
struct Flow {
    /// The head of a whole answer, which is recorded with its body.
    head: Option<(u16, Raw)>,
    rest: Vec<u8>,
    /// How many bytes of the rest belong to records that were taken.
    taken: usize,
    /// So far no further record ends in the rest.
    searched: usize,
    streams: bool,
    lines: bool,
    /// Where what is here is counted.
    unrecorded: Unrecorded,
    /// How much was searched in all.
    #[cfg(test)]
    work: usize,
}

impl Flow {
    fn counted_in(unrecorded: Unrecorded) -> Self {
        let mut own = Self::default();
        own.unrecorded = unrecorded;
        own
    }

    fn push(&mut self, chunk: &[u8]) {
        self.unrecorded.0.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        self.rest.extend_from_slice(chunk);
    }

    fn is_no_more_here(&self, bytes: usize) {
        self.unrecorded.0.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// All that is here.
    fn take_rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.rest);
        rest.drain(..self.taken);
        self.is_no_more_here(rest.len());
        (self.taken, self.searched) = (0, 0);
        rest
    }

    /// What is to be recorded of what came of an unfinished answer.
    fn leftover(&mut self) -> Option<What> {
        let raw = Raw::new(self.take_rest());
        match self.head.take() {
            Some((status, headers)) => Some(What::Answer { status, headers, raw }),
            None => (!raw.bytes().is_empty()).then_some(What::Received { raw }),
        }
    }

    /// The next whole event. What was searched is not searched again, and the rest moves once for
    /// all events that have come: a server may send one that never ends, or very many.
    fn next_record(&mut self) -> Option<Vec<u8>> {
        let ends: &[&[u8]] = if self.lines { &[b"\n"] } else { &[b"\n\n", b"\r\n\r\n", b"\r\r"] };
        // What ends a record may have begun in what was searched, but not where the last one ended.
        let from = self.searched.saturating_sub(LONGEST_END - 1).max(self.taken);
        let unseen = &self.rest[from..];
        let end = ends.iter().filter_map(|end| {
            let at = unseen.windows(end.len()).position(|window| window == *end)?;
            Some(from + at + end.len())
        });
        let end = end.min();
        #[cfg(test)]
        {
            self.work += end.unwrap_or(self.rest.len()) - from;
        }
        let Some(end) = end else {
            self.rest.drain(..self.taken);
            (self.taken, self.searched) = (0, self.rest.len());
            return None;
        };
        let record = self.rest[self.taken..end].to_vec();
        (self.taken, self.searched) = (end, end);
        self.is_no_more_here(record.len());
        Some(record)
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.take_rest();
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
        &mut self,
        name: ConnectionId,
        run: Option<u16>,
        ready: Ready,
        reading: Reading,
    ) -> Exchange {
        let unrecorded = self.servers.unrecorded.clone();
        let flow = Arc::new(Mutex::new(Flow::counted_in(unrecorded)));
        let task = Task {
            world: self.world.clone(),
            user: self.name.clone(),
            name: name.clone(),
            run,
            reading,
            plan: Arc::clone(&self.plan),
            reader: Arc::clone(&self.reader),
            flow: Arc::clone(&flow),
            post: self.post.clone(),
            reads: self.reads.subscribe(),
        };
        self.unheard += 1;
        let request = self.http().request(&ready.method, &ready.url, &ready.headers, ready.body);
        let task = self.world.spawn(name.as_str(), task.drive(request));
        let (user, world) = (self.name.clone(), self.world.clone());
        Exchange { name, run, user, world, flow, _task: task.abort_on_drop() }
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
            let body = Raw::new(lock(&self.flow).take_rest());
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
        let Reading::SetUp(step) = self.reading else { return };
        let protocol = &self.plan.protocol;
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
                flow.push(&chunk);
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
        let raw = Raw::new(record);
        let said = self.reader.read(&self.plan.protocol.dialect, &raw, true).into_owned();
        self.observe(What::Received { raw });
        self.tell(Heard::Said { run: self.run, said });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records that come of those chunks, and what is left.
    fn records(flow: &mut Flow, chunks: &[&[u8]]) -> (Vec<String>, Vec<u8>) {
        let mut records = Vec::new();
        for chunk in chunks {
            flow.push(chunk);
            while let Some(record) = flow.next_record() {
                records.push(String::from_utf8(record).expect("text"));
            }
        }
        (records, flow.take_rest())
    }

    #[test]
    fn records_are_the_same_however_they_come() {
        let text = b"data: 1\n\ndata: 2\r\n\r\n\n\ndata: 3\r\rda\n\r\n\r\nta: 4";
        let whole = records(&mut Flow::default(), &[text]);
        let ends = ["data: 1\n\n", "data: 2\r\n\r\n", "\n\n", "data: 3\r\r", "da\n\r\n\r\n"];
        assert_eq!(whole, (ends.map(String::from).to_vec(), b"ta: 4".to_vec()));
        for size in 1..text.len() {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(records(&mut Flow::default(), &chunks), whole, "{size}");
        }
        let mut lines = Flow::default();
        lines.lines = true;
        let (found, rest) = records(&mut lines, &[b"{}\n{", b"}\n", b"{"]);
        assert_eq!((found, rest), (vec!["{}\n".into(), "{}\n".into()], b"{".to_vec()));
    }

    #[test]
    fn what_never_ends_is_searched_once_and_counted() {
        let unrecorded = Unrecorded::default();
        let mut flow = Flow::counted_in(unrecorded.clone());
        let chunk = [b'x'; 4096];
        for _ in 0..1024 {
            flow.push(&chunk);
            assert_eq!(flow.next_record(), None);
        }
        let came = 1024 * chunk.len();
        assert!(flow.work <= came + 1024 * LONGEST_END, "{} of {came}", flow.work);
        assert_eq!(unrecorded.bytes(), came as u64);
        flow.push(b"\n\nda");
        assert_eq!(flow.next_record().map(|record| record.len()), Some(came + 2));
        assert_eq!(unrecorded.bytes(), 2);
        drop(flow);
        assert_eq!(unrecorded.bytes(), 0);
    }
}
