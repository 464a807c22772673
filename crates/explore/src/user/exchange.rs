//! One HTTP exchange: its answer is taken as it comes, whole or event by event.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use partywall_world::box_future::BoxFuture;

use super::credentials::hide_cookies;
use partywall_core::failure::{Cause, Failure};
use partywall_core::history::What;
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::raw::Raw;
use partywall_world::World;
use partywall_world::backend::{Answering, Body, Pieces};

/// The most of a body that is read, in bytes; a server must not be able to fill the memory.
const LARGEST_BODY: usize = 16 << 20;
/// The longest of what ends an event of a stream, in bytes.
const LONGEST_END: usize = 4;

/// A part of an answer. After the last two nothing more comes.
#[derive(Debug)]
pub(super) enum Part {
    /// The answer is a stream, and begins.
    Begins { status: u16, headers: Raw },
    /// An event of it.
    Event(Raw),
    /// A whole answer, as far as it came; and why it broke off, if it did.
    Answer { status: u16, headers: Raw, body: Raw, broken: Option<Failure> },
    /// The end of a stream with what was left of it, or there was no answer.
    Over { rest: Vec<What>, broken: Option<Failure> },
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

/// That the answer did not come in time.
pub(super) fn late() -> Failure {
    Cause::Late.because("the answer did not come in time")
}

/// That its user wanted it no longer.
pub(super) fn went_away() -> Failure {
    Cause::Left.because("the user went away")
}

/// An exchange under way. Dropping it is going away without a word; what came of an event that was
/// not whole is recorded then.
pub(super) struct Exchange {
    pub(super) name: ConnectionId,
    pub(super) run: Option<u16>,
    pub(super) reading: Reading,
    user: UserName,
    world: World,
    flow: Flow,
    state: State,
}

enum State {
    Asked(BoxFuture<'static, Result<Answering, Failure>>),
    Comes(Box<dyn Pieces>),
    /// All of it is here; and why it broke off, if it did.
    Here(Option<Failure>),
}

impl Exchange {
    pub(super) fn new(
        (world, user): (&World, &UserName),
        name: ConnectionId,
        run: Option<u16>,
        reading: Reading,
        unrecorded: &Unrecorded,
        answer: BoxFuture<'static, Result<Answering, Failure>>,
    ) -> Self {
        let (user, world, state) = (user.clone(), world.clone(), State::Asked(answer));
        let flow = Flow::counted_in(unrecorded.clone());
        Self { name, run, reading, user, world, flow, state }
    }

    /// Whether it is a stream whose head has come.
    pub(super) fn streams(&self) -> bool {
        self.flow.streams
    }

    /// Whether nothing of the answer has come yet.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    /// Goes away: what came so far is recorded first.
    pub(super) fn abandon(mut self, why: Option<Failure>) {
        let what = match why {
            Some(why) => What::broken(why),
            None => What::Leave { vanished: true },
        };
        let seen = self.flow.leftover().into_iter().chain([what]);
        seen.for_each(|what| self.world.observe(&self.user, Some(&self.name), what));
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Part> {
        loop {
            if self.flow.streams
                && let Some(event) = self.flow.next_record()
            {
                return Poll::Ready(Part::Event(Raw::new(event)));
            }
            match &mut self.state {
                State::Asked(answer) => match ready!(answer.as_mut().poll(context)) {
                    Ok(answer) => {
                        if let Some(part) = self.begin(answer) {
                            return Poll::Ready(part);
                        }
                    }
                    Err(error) => {
                        return Poll::Ready(Part::Over { rest: Vec::new(), broken: Some(error) });
                    }
                },
                State::Comes(pieces) => {
                    let flow = &mut self.flow;
                    let came = ready!(pieces.poll_next(context, &mut |piece| flow.push(piece)));
                    let broken = match came {
                        Some(Ok(())) if self.flow.came <= LARGEST_BODY => continue,
                        Some(Ok(())) => {
                            Some(Cause::CutShort.because("the answer is longer than 16 MiB"))
                        }
                        Some(Err(error)) => Some(Cause::CutShort.because(error)),
                        None => {
                            self.flow.trailers = pieces.trailers();
                            None
                        }
                    };
                    self.state = State::Here(broken);
                }
                State::Here(broken) => {
                    let broken = broken.take();
                    return Poll::Ready(self.flow.end(broken));
                }
            }
        }
    }

    /// Takes the head of the answer. What is whole at once has no other part.
    fn begin(&mut self, answer: Answering) -> Option<Part> {
        let Answering { status, headers, body } = answer;
        // Before anything of it is recorded, also by who goes away before the body has come.
        hide_cookies(&self.world, &self.user, &headers);
        let kind = content_type(&headers);
        let asks_whole = matches!(self.reading, Reading::Whole | Reading::SetUp(_));
        let whole = asks_whole && !kind.starts_with("text/event-stream");
        // An error in JSON is no stream, whatever was asked for.
        let streams = !(whole || kind.starts_with("application/json") || status >= 400);
        self.flow.streams = streams;
        self.flow.lines = !kind.starts_with("text/event-stream");
        self.state = match body {
            Body::Whole(body) if !streams => {
                return Some(Part::Answer { status, headers, body, broken: None });
            }
            Body::Whole(body) => {
                self.flow.push(body.bytes());
                State::Here(None)
            }
            Body::Pieces(pieces) => State::Comes(pieces),
        };
        if streams {
            return Some(Part::Begins { status, headers });
        }
        self.flow.head = Some((status, headers));
        None
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let seen = self.flow.leftover();
        if !seen.is_empty() {
            // What became of the rest is unknown.
            let left = What::broken(Cause::Left.because("left before its end"));
            for what in seen.into_iter().chain([left]) {
                self.world.observe(&self.user, Some(&self.name), what);
            }
        }
    }
}

/// What the answer says it is, in small letters.
fn content_type(headers: &Raw) -> String {
    let headers = headers.text();
    let kind = headers.lines().find_map(|line| line.strip_prefix("content-type: "));
    kind.unwrap_or_default().to_ascii_lowercase()
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
    /// What came behind the body.
    trailers: Raw,
    rest: Vec<u8>,
    /// How many bytes of the rest belong to records that were taken.
    taken: usize,
    /// So far no further record ends in the rest.
    searched: usize,
    /// How many bytes came in all.
    came: usize,
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
        self.came += chunk.len();
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

    /// What is to be recorded of what came of an unfinished answer: each whole event by itself, then
    /// what there is of the next.
    fn leftover(&mut self) -> Vec<What> {
        let mut seen = Vec::new();
        while self.streams
            && let Some(event) = self.next_record()
        {
            seen.push(What::Received { raw: Raw::new(event) });
        }
        let raw = Raw::new(self.take_rest());
        match self.head.take() {
            Some((status, headers)) => seen.push(What::Answer { status, headers, raw }),
            None if raw.bytes().is_empty() => {}
            None => seen.push(What::Received { raw }),
        }
        seen
    }

    /// The last part.
    fn end(&mut self, broken: Option<Failure>) -> Part {
        match self.head.take() {
            Some((status, mut headers)) => {
                if !self.trailers.is_empty() {
                    headers = Raw::new([headers.bytes(), self.trailers.bytes()].concat());
                }
                let body = Raw::new(self.take_rest());
                Part::Answer { status, headers, body, broken }
            }
            None => {
                let mut rest = self.leftover();
                if !self.trailers.is_empty() {
                    rest.push(What::Aside { raw: std::mem::take(&mut self.trailers) });
                }
                Part::Over { rest, broken }
            }
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
    fn who_goes_away_has_each_event_that_came_by_itself() {
        let mut flow = Flow::default();
        flow.streams = true;
        flow.push(b"data: 1\n\ndata: 2\n\ndata: 3\n\nda");
        assert_eq!(flow.next_record().as_deref(), Some(&b"data: 1\n\n"[..]));
        let received = |text: &str| What::Received { raw: text.into() };
        let seen = ["data: 2\n\n", "data: 3\n\n", "da"].map(received);
        assert_eq!(flow.leftover(), seen);
        assert_eq!(flow.leftover(), []);
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
