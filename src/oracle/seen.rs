//! Every genuine canary that came in: two scans, each place counted once.
//!
//! The raw bytes of a connection are one stream, since a server may cut anything anywhere. The
//! decoded texts of one field of one run are another, since streamed answers come in pieces.

use super::case::{Channel, Text};
use super::decode::Decoder;
use crate::trial::canary::{Owner, Scanner, Sighting, Stream};
use crate::trial::history::{History, What};
use crate::trial::ids::UserName;

/// Stands for a run of an earlier trial on the same back end: plans count runs from 1. What a user
/// gave there is still their own, and whoever else sees it sees it across the boundary.
pub(super) const EARLIER: u16 = 0;

/// Whose canary that is, in a trial of that round.
pub(super) fn owner_in(round: u32, sighting: &Sighting) -> Owner {
    match sighting.round == round {
        true => sighting.owner,
        false => Owner { run: EARLIER, ..sighting.owner },
    }
}

/// Whether the user of that name gave it in an earlier round: it may come back at any time.
pub(super) fn is_own_of_earlier(history: &History, owner: Owner, name: &UserName) -> bool {
    let own = |user: &crate::trial::plan::UserPlan| user.index == owner.user && user.name == *name;
    owner.run == EARLIER && history.plan.users.iter().any(own)
}

/// Between two texts that do not belong together: it stands in no canary, however written.
const GAP: u8 = 0;

/// A genuine canary that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whose data it marks.
    pub owner: Owner,
    /// The place in the history of the observation that it was complete with.
    pub at: usize,
    /// That observation's number.
    pub n: u64,
    /// The number of the observation that it begins in: an earlier one if it came in pieces.
    pub from: u64,
    /// Who saw it.
    pub observer: UserName,
    /// How it came.
    pub channel: Channel,
    /// The message that it was complete with, if it was a message.
    pub(super) message: Option<usize>,
}

/// Finds them all.
pub(super) fn all(history: &History, scanner: &Scanner, decoder: &Decoder<'_>) -> Vec<Seen> {
    let mut seen = in_raw_bytes(history, scanner, decoder);
    in_texts(history, scanner, decoder, &mut seen);
    for &(message, owner) in &decoder.in_names {
        seen.push(in_message(decoder, message, decoder.messages[message].n, owner));
    }
    // The raw scan sees most texts too. Of the same canary in the same observation the reading that
    // needs the fewest others stands.
    seen.retain(|seen| !is_own_of_earlier(history, seen.owner, &seen.observer));
    seen.sort_by_key(|seen| (seen.at, seen.owner, std::cmp::Reverse(seen.from)));
    seen.dedup_by_key(|seen| (seen.at, seen.owner));
    seen
}

fn in_message(decoder: &Decoder<'_>, at: usize, from: u64, owner: Owner) -> Seen {
    let message = &decoder.messages[at];
    Seen {
        owner,
        at: message.at,
        n: message.n,
        from,
        observer: message.observer.clone(),
        channel: message.channel,
        message: Some(at),
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

fn in_raw_bytes(history: &History, scanner: &Scanner, decoder: &Decoder<'_>) -> Vec<Seen> {
    let mut seen = Vec::new();
    // One more is for what came on no connection.
    let mut lines: Vec<Option<Line>> = vec![None; decoder.connections.len() + 1];
    let mut messages = decoder.messages.iter().enumerate().peekable();
    for (at, observation) in history.observations.iter().enumerate() {
        let message = messages.next_if(|(_, message)| message.at == at).map(|(number, _)| number);
        let (Some(raw), Some(observer)) = (observation.what.inbound(), &observation.by) else {
            continue;
        };
        let line = match (message, &observation.on) {
            (Some(message), _) => Some(decoder.messages[message].line),
            (None, Some(on)) => decoder.line_of(on),
            (None, None) => None,
        };
        let line = lines[line.unwrap_or(decoder.connections.len())].get_or_insert_with(|| Line {
            stream: Stream::new(scanner.clone()),
            chunks: Vec::new(),
            length: 0,
        });
        let (headers, channel) = match &observation.what {
            What::Answer { headers, .. } => (headers.bytes(), Channel::HttpAnswer),
            What::Refused { .. } => (&[][..], Channel::HttpAnswer),
            _ => {
                let streamed =
                    message.is_some_and(|at| decoder.messages[at].channel == Channel::Stream);
                (&[][..], if streamed { Channel::Stream } else { Channel::Websocket })
            }
        };
        for part in [headers, raw.bytes()] {
            for (from, sighting) in line.feed(observation.n, part) {
                let owner = owner_in(history.plan.campaign.round(), &sighting);
                let (n, observer) = (observation.n, observer.clone());
                seen.push(Seen { owner, at, n, from, observer, channel, message });
            }
        }
    }
    seen
}

/// The texts of each (connection, run, field) in a row, in one buffer, so that one search goes over
/// all of them: a stream for each would cost more than the search.
fn in_texts(history: &History, scanner: &Scanner, decoder: &Decoder<'_>, seen: &mut Vec<Seen>) {
    let group = |text: &Text<'_>| {
        let message = &decoder.messages[text.message];
        (message.line, message.run_at, text.path)
    };
    let mut order: Vec<_> =
        decoder.texts.iter().enumerate().map(|(at, text)| (group(text), at)).collect();
    order.sort_unstable();
    let length = decoder.texts.iter().map(|text| text.text.len() + 1).sum();
    let mut buffer: Vec<u8> = Vec::with_capacity(length);
    let mut ends = Vec::with_capacity(order.len());
    let mut last = None;
    for (group, at) in order {
        if last.is_some_and(|last| last != group) {
            buffer.push(GAP);
        }
        last = Some(group);
        buffer.extend_from_slice(decoder.texts[at].text.as_bytes());
        ends.push((buffer.len() as u64, decoder.texts[at].message));
    }
    for sighting in scanner.scan(&buffer) {
        let Sighting { start, end, .. } = sighting;
        let owner = owner_in(history.plan.campaign.round(), &sighting);
        // The text whose bytes hold that offset.
        let holding = |offset| ends[ends.partition_point(|&(end, _)| end <= offset)].1;
        let from = history.observations[decoder.messages[holding(start)].at].n;
        seen.push(in_message(decoder, holding(end - 1), from, owner));
    }
}
