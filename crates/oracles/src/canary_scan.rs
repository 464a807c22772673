//! Every genuine canary that came in: two scans, each place counted once.
//!
//! The raw bytes of a connection are one stream, since a server may cut anything anywhere. The
//! decoded texts of one field of one run are another, since streamed answers come in pieces.

use std::borrow::Cow;

use super::case::Case;
use super::decode::Decoder;
use super::edits::raw;
use super::fragments::fragments;
use super::leaves::Value;
use super::message::{Channel, Message, Place};
use super::seen::{Seen, is_own_of_earlier, may_be_left, owner_in};
use partywall_core::canary::{Owner, Sighting, Stream};
use partywall_core::history::{Observation, What};
use partywall_core::ids::UserName;
use partywall_core::members::Member as Path;
use partywall_core::raw::Raw;

/// Between two texts that do not belong together: it stands in no canary, however written.
const GAP: u8 = 1;

impl<'h> Decoder<'h> {
    /// Takes in what happened, and the canaries in what came in.
    pub(super) fn take(&mut self, at: usize, observation: &'h Observation) {
        let before = self.case.messages.len();
        let line = self.sort_in(at, observation);
        let message = (self.case.messages.len() > before).then_some(before);
        if let Some(arrived) = Arrived::of(self, at, observation, line, message) {
            // While its bytes are at hand.
            in_raw_bytes(self, &arrived);
        }
    }
}

/// All of them, once the decoder has taken everything in.
pub(super) fn all_canaries(decoder: &mut Decoder<'_>) {
    in_streams(decoder);
    if !decoder.in_part.is_empty() {
        decoder.case.traces = fragments(decoder);
        settle(&mut decoder.case);
    }
}

/// Those that stand whole in a message, a connection's bytes or a field's texts.
fn in_streams(decoder: &mut Decoder<'_>) {
    let mut may_be_cut: Vec<bool> =
        decoder.courses.iter().map(|course| course.may_be_cut).collect();
    may_be_cut.push(decoder.loose.1);
    gather(decoder, &may_be_cut);
}

/// Adds what is cut on those connections and in the texts where something may be.
fn gather(decoder: &mut Decoder<'_>, may_be_cut: &[bool]) {
    if may_be_cut.contains(&true) {
        across_messages(decoder, may_be_cut);
    }
    across_texts(decoder);
    for (message, owner) in std::mem::take(&mut decoder.decoded) {
        let from = decoder.case.messages[message].n;
        decoder.case.seen.push(decoder.case.seen_in(message, from, owner));
    }
    settle(&mut decoder.case);
}

fn settle(case: &mut Case<'_>) {
    let Case { history, seen, left, .. } = case;
    // What is found twice is the same. Of the same canary in the same observation the reading that
    // needs the fewest others stands.
    seen.retain(|seen| !is_own_of_earlier(history, seen.owner, seen.observer));
    seen.sort_by_key(|seen| (seen.at(), seen.owner, std::cmp::Reverse(seen.from)));
    seen.dedup_by_key(|seen| (seen.at, seen.owner));
    let trial = history.plan.campaign;
    if trial.is_of_later_state() {
        left.extend(seen.extract_if(.., |seen| may_be_left(trial, seen.owner)));
    }
}

impl<'h> Case<'h> {
    /// The owner's canary, seen in that message; it began with the observation of number `from`.
    pub(super) fn seen_in(&self, at: usize, from: u64, owner: Owner) -> Seen<'h> {
        let message = &self.messages[at];
        Seen {
            owner,
            at: message.observation,
            n: message.n,
            from,
            observer: message.observer,
            channel: message.channel,
            message: Place::new(at),
        }
    }
}

/// What came in with one observation.
pub(super) struct Arrived<'h> {
    at: usize,
    pub(super) n: u64,
    observer: &'h UserName,
    /// The connection in the decoder's table, if it came on one.
    line: Option<usize>,
    /// Headers and body.
    parts: [&'h [u8]; 2],
    channel: Channel,
    message: Option<usize>,
    /// Whether it is no part of what comes on the connection in a row.
    is_aside: bool,
}

impl<'h> Arrived<'h> {
    /// Nothing came in with most of what users do.
    #[inline]
    pub(super) fn of(
        decoder: &Decoder<'h>,
        at: usize,
        observation: &'h Observation,
        line: Option<usize>,
        message: Option<usize>,
    ) -> Option<Self> {
        let (what, observer) = (&observation.what, observation.by.as_ref()?);
        let parts = [what.headers(), what.inbound()];
        if parts == [None; 2] {
            return None;
        }
        let channel = match (what, message) {
            (What::Answer { .. } | What::Refused { .. }, _) => Channel::HttpAnswer,
            (What::Aside { .. }, _)
                if line.is_some_and(|line| decoder.case.connections[line].is_http) =>
            {
                Channel::HttpAnswer
            }
            (_, Some(message)) => decoder.case.messages[message].channel,
            (_, None) => Channel::Websocket,
        };
        let observer = message.map_or(observer, |message| decoder.case.messages[message].observer);
        let parts = parts.map(|part| part.map_or(&[][..], Raw::bytes));
        let is_aside = matches!(what, What::Aside { .. });
        Some(Self { at, n: observation.n, observer, line, parts, channel, message, is_aside })
    }

    pub(super) fn headers(&self) -> &'h [u8] {
        self.parts[0]
    }

    pub(super) fn body(&self) -> &'h [u8] {
        self.parts[1]
    }

    pub(super) fn sees(&self, from: u64, owner: Owner) -> Seen<'h> {
        let Self { at, n, observer, channel, message, .. } = *self;
        let message = message.map_or(Place::NONE, Place::new);
        Seen { owner, at: Place::new(at), n, from, observer, channel, message }
    }
}

fn arrived<'c, 'h: 'c>(decoder: &'c Decoder<'h>) -> impl Iterator<Item = Arrived<'h>> + 'c {
    let mut messages = decoder.case.messages.iter().enumerate().peekable();
    decoder.case.history.observations.iter().enumerate().filter_map(move |(at, observation)| {
        let message = messages.next_if(|(_, message)| message.at() == at);
        let line = observation.on.as_ref().and_then(|on| decoder.line_of(on));
        Arrived::of(decoder, at, observation, line, message.map(|(number, _)| number))
    })
}

/// Notes what stands whole in what came in at once, and where something may be cut.
fn in_raw_bytes<'h>(decoder: &mut Decoder<'h>, arrived: &Arrived<'h>) {
    let Decoder { case, trial, last, courses, loose, texts, in_part: parts, .. } = decoder;
    let (end, cut) = match arrived.line.map(|line| &mut courses[line]) {
        Some(course) => (&mut course.end, &mut course.may_be_cut),
        None => (&mut loose.0, &mut loose.1),
    };
    for part in arrived.parts.into_iter().filter(|part| !part.is_empty()) {
        let in_part = case.scanner.scan_piece(part, last, |sighting| {
            case.seen.push(arrived.sees(arrived.n, owner_in(*trial, &sighting)));
        });
        *cut |= !arrived.is_aside && (end.take(part) | in_part);
        if in_part {
            parts.push(arrived.at);
        }
        if let (true, Some(message)) = (in_part, arrived.message) {
            texts.at(case.messages[message].texts.get()).may_be_cut = true;
        }
    }
}

/// One connection's bytes so far.
#[derive(Clone, Debug)]
struct Line {
    stream: Stream,
    /// Where each chunk begins, and its observation's number.
    chunks: Vec<(u64, u64)>,
    length: u64,
}

impl Line {
    fn feed(&mut self, n: u64, bytes: &[u8]) -> Vec<(u64, Sighting)> {
        self.chunks.push((self.length, n));
        self.length += bytes.len() as u64;
        let begun = |start| {
            let chunk = self.chunks.partition_point(|&(begin, _)| begin <= start);
            self.chunks[chunk.saturating_sub(1)].1
        };
        let sightings = self.stream.feed(bytes).into_iter();
        sightings.map(|sighting| (begun(sighting.start), sighting)).collect()
    }
}

/// The bytes of those connections as streams.
fn across_messages(decoder: &mut Decoder<'_>, which: &[bool]) {
    let mut lines: Vec<Option<Line>> = vec![None; which.len()];
    let mut found = Vec::new();
    // The last is for what came on none.
    let none = which.len() - 1;
    let line_of = |arrived: &Arrived<'_>| arrived.line.unwrap_or(none);
    for arrived in arrived(decoder).filter(|arrived| which[line_of(arrived)] && !arrived.is_aside) {
        let line = lines[line_of(&arrived)].get_or_insert_with(|| Line {
            stream: Stream::new(decoder.case.scanner.clone()),
            chunks: Vec::new(),
            length: 0,
        });
        for part in arrived.parts {
            for (from, sighting) in line.feed(arrived.n, part) {
                found.push(arrived.sees(from, owner_in(decoder.trial, &sighting)));
            }
        }
    }
    decoder.case.seen.append(&mut found);
}

/// A text in a message, and where it stands there.
struct Text<'h> {
    message: usize,
    path: Path,
    text: Cow<'h, str>,
}

/// The texts in which something may be cut: those of each (connection, run, field) in a row, in one
/// buffer, so that one search goes over all of them.
fn across_texts(decoder: &mut Decoder<'_>) {
    let history = decoder.case.history;
    let mut texts = Vec::new();
    for number in 0..decoder.case.messages.len() {
        let Message { texts: place, observation, channel, .. } = decoder.case.messages[number];
        if decoder.texts.at(place.get()).may_be_cut {
            let raw = raw(history, observation.get());
            let leaves = decoder.texts_of(raw, channel);
            texts.extend(leaves.values.into_iter().filter_map(|(path, value)| match value {
                Value::Text(text) => Some(Text { message: number, path, text }),
                Value::Number(_) => None,
            }));
        }
    }
    let group = |text: &Text<'_>| {
        let message = &decoder.case.messages[text.message];
        (message.line(), message.run_at(), text.path)
    };
    let mut order: Vec<_> = texts.iter().enumerate().map(|(at, text)| (group(text), at)).collect();
    order.sort_unstable();
    let length = texts.iter().map(|text| text.text.len() + 1).sum();
    let mut buffer: Vec<u8> = Vec::with_capacity(length);
    let mut ends = Vec::with_capacity(order.len());
    let mut last = None;
    for (group, at) in order {
        if last.is_some_and(|last| last != group) {
            buffer.push(GAP);
        }
        last = Some(group);
        buffer.extend_from_slice(texts[at].text.as_bytes());
        ends.push((buffer.len() as u64, texts[at].message));
    }
    let case = &mut decoder.case;
    for sighting in case.scanner.scan(&buffer) {
        let Sighting { start, end, .. } = sighting;
        let owner = owner_in(decoder.trial, &sighting);
        // The text whose bytes hold that offset.
        let holding = |offset| ends[ends.partition_point(|&(end, _)| end <= offset)].1;
        let from = case.messages[holding(start)].n;
        case.seen.push(case.seen_in(holding(end - 1), from, owner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation;
    use partywall_core::canary::{Encoding, Field, Scanner};
    use partywall_core::dialect::Dialect;
    use partywall_core::history::{History, Observation};
    use partywall_core::ids::ConnectionId;
    use partywall_core::raw::Raw;

    /// A row of numbers that is the same in every run of the test.
    struct Draw(u64);

    impl Draw {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % limit
        }
    }

    /// Canaries in every encoding, whole and in pieces: over texts of one field, over frames, with
    /// escapes, and with other runs and fields between the pieces.
    fn cut_history(draw: &mut Draw) -> History {
        let mut history = notation::history("alice connects; bob connects; alice starts r1");
        let mint = history.plan.mint();
        let encodings = Encoding::all();
        let mut texts: Vec<(usize, &str, String)> = Vec::new();
        for run in 0..3 {
            let owner = Owner { user: draw.below(2) as u32, run: 1, field: Field::Prompt };
            let encoded = encodings[draw.below(encodings.len())].encode(&mint.mint(owner));
            let field = ["message", "result"][draw.below(2)];
            let mut rest = encoded.as_str();
            while !rest.is_empty() {
                let most = [1, 3, 12, 200][draw.below(4)];
                let (piece, after) = rest.split_at((1 + draw.below(most)).min(rest.len()));
                texts.push((run % 2, field, piece.to_owned()));
                rest = after;
            }
        }
        for turn in (1..texts.len()).rev().filter(|turn| turn % 5 == 0) {
            texts.insert(turn, (draw.below(2), "message", ["x", "", "pw1"][draw.below(3)].into()));
        }
        let mut messages: Vec<String> = texts
            .iter()
            .map(|(run, field, text)| {
                let mut text = serde_json::to_string(text).expect("a string");
                if draw.below(4) == 0 {
                    text = text.replace('p', "\\u0070").replace('M', "\\u004d");
                }
                format!(r#"{{"type":"agent_thinking","run_id":"run-{run}","{field}":{text}}}"#)
            })
            .collect();
        if draw.below(3) == 0 {
            // Frames that are cut without regard to what they hold.
            let whole = messages.concat();
            let size = 1 + draw.below(90);
            messages = whole
                .as_bytes()
                .chunks(size)
                .map(|part| String::from_utf8_lossy(part).into())
                .collect();
        }
        let who = UserName::new("alice");
        let on =
            history.observations.iter().find_map(|seen| seen.on.clone()).expect("a connection");
        for (place, message) in messages.iter().enumerate() {
            let other = place % 7 == 6;
            history.observations.push(Observation {
                n: history.observations.len() as u64,
                at: 0,
                by: Some(who.clone()),
                on: Some(if other { ConnectionId::new("alice/socket2") } else { on.clone() }),
                what: What::Received { raw: Raw::new(message.as_bytes()) },
            });
        }
        history
    }

    #[test]
    fn what_is_told_apart_is_what_a_search_of_everything_finds() {
        let mut draw = Draw(1);
        let (mut whole, mut cut) = (0, 0);
        for _ in 0..1500 {
            let history = cut_history(&mut draw);
            let scanner = Scanner::new(history.plan.campaign);
            let dialect = Dialect::reference();
            let decoded = || {
                let mut decoder = Decoder::new(Case::empty(&history, &dialect, &scanner));
                for (at, observation) in history.observations.iter().enumerate() {
                    decoder.take(at, observation);
                }
                decoder
            };
            let mut decoder = decoded();
            in_streams(&mut decoder);
            let found = std::mem::take(&mut decoder.case.seen);
            let mut decoder = decoded();
            for message in 0..decoder.case.messages.len() {
                let place = decoder.case.messages[message].texts.get();
                decoder.texts.at(place).may_be_cut = true;
            }
            let everywhere = vec![true; decoder.case.connections.len() + 1];
            decoder.case.seen.clear();
            gather(&mut decoder, &everywhere);
            assert_eq!(found, decoder.case.seen);
            cut += found.iter().filter(|seen| seen.from != seen.n).count();
            whole += found.iter().filter(|seen| seen.from == seen.n).count();
        }
        assert!(whole > 300 && cut > 300, "{whole} whole, {cut} cut");
    }
}
