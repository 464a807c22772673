//! Canaries of which no text holds all: cut over two fields of one answer or over two answers of one
//! run, or cut short.
//!
//! Only what holds a magic that is no whole canary is looked at again, so that whoever cuts nothing
//! pays nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::canary_scan::Arrived;
use super::case::Case;
use super::decode::Decoder;
use super::edits::raw;
use super::leaves::Value;
use super::message::Message;
use super::seen::{Seen, Trace, owner_in};
use partywall_core::canary::{CANARY_LEN, Field, LEAST_FRAGMENT, Owner, Planted, heads, tail};
use partywall_core::history::History;
use partywall_core::ids::UserName;

/// The answers of one run, or of one request: to whom, and of which.
type Run<'h> = (&'h UserName, Option<u16>, Option<usize>);

/// The beginning of a canary in a text.
struct Head<'h> {
    text: Vec<u8>,
    /// Whether it is at the end of its text.
    is_last: bool,
    seen: Seen<'h>,
}

/// Adds what stands in pieces to what is seen, and gives what is cut short.
pub(super) fn fragments<'h>(decoder: &mut Decoder<'h>) -> Vec<Trace<'h>> {
    let mut places = std::mem::take(&mut decoder.in_part);
    places.dedup();
    let mut heads = all_heads(decoder, &places);
    if heads.is_empty() {
        return Vec::new();
    }
    join(decoder, &mut heads);
    let case = &decoder.case;
    let planted = Planted::new(&case.history.plan.mint(), owners(case.history));
    let seen = case.seen.iter().map(|seen| (seen.observer, seen.owner, seen.from)).collect();
    let cut_short = heads.into_iter().filter_map(|head| cut_short(case, &planted, &seen, head));
    cut_short.collect()
}

/// Whose canaries there may be in this trial.
fn owners(history: &History) -> impl Iterator<Item = Owner> {
    history.plan.users.iter().flat_map(|user| {
        let runs: BTreeSet<u16> = user.runs().map(|run| run.run).chain([1]).collect();
        let runs = runs.into_iter();
        runs.flat_map(|run| Field::ALL.map(|field| Owner { user: user.index, run, field }))
    })
}

fn all_heads<'h>(decoder: &mut Decoder<'h>, places: &[usize]) -> Vec<Head<'h>> {
    let history = decoder.case.history;
    let mut all = Vec::new();
    for &at in places {
        let observation = &history.observations[at];
        let message = decoder.case.messages.binary_search_by_key(&at, Message::at).ok();
        let line = observation.on.as_ref().and_then(|on| decoder.line_of(on));
        let Some(arrived) = Arrived::of(decoder, at, observation, line, message) else { continue };
        let mut texts: Vec<Cow<'h, [u8]>> = Vec::new();
        texts.extend(arrived.headers().split(|&byte| byte == b'\n').map(Cow::Borrowed));
        match message.map(|message| texts_of(decoder, message)) {
            Some(of_json) if !of_json.is_empty() => texts.extend(of_json),
            _ => texts.push(Cow::Borrowed(arrived.body())),
        }
        for text in &texts {
            all.extend(heads(text).map(|(head, is_last)| {
                let nobody = Owner { user: 0, run: 0, field: Field::Prompt };
                let seen = arrived.sees(arrived.n, nobody);
                Head { text: head.to_ascii_lowercase(), is_last, seen }
            }));
        }
    }
    all
}

fn texts_of<'h>(decoder: &mut Decoder<'h>, message: usize) -> Vec<Cow<'h, [u8]>> {
    let (at, channel) =
        (decoder.case.messages[message].at(), decoder.case.messages[message].channel);
    let leaves = decoder.texts_of(raw(decoder.case.history, at), channel);
    let texts = leaves.values.into_iter().filter_map(|(_, value)| match value {
        Value::Text(Cow::Borrowed(text)) => Some(Cow::Borrowed(text.as_bytes())),
        Value::Text(Cow::Owned(text)) => Some(Cow::Owned(text.into_bytes())),
        Value::Number(_) => None,
    });
    texts.collect()
}

fn run_of<'h>(message: &Message<'h>) -> Run<'h> {
    (message.observer, message.asked_run, message.run_at())
}

/// Finds the rest of each head at the beginning of another text of the same run; what is whole then is
/// seen, and no head any more.
fn join<'h>(decoder: &mut Decoder<'h>, heads: &mut Vec<Head<'h>>) {
    let of_run = |decoder: &Decoder<'h>, head: &Head<'h>| {
        head.seen.message().map(|at| run_of(&decoder.case.messages[at]))
    };
    let last = heads.iter().filter(|head| head.is_last);
    let runs: BTreeSet<_> = last.filter_map(|head| of_run(decoder, head)).collect();
    let mut tails: BTreeMap<(Run<'h>, Vec<u8>), usize> = BTreeMap::new();
    for message in 0..decoder.case.messages.len() {
        let run = run_of(&decoder.case.messages[message]);
        if !runs.contains(&run) {
            continue;
        }
        for text in texts_of(decoder, message) {
            if let Some(tail) = tail(&text) {
                tails.entry((run, tail.to_vec())).or_insert(message);
            }
        }
    }
    let mut found = Vec::new();
    heads.retain(|head| {
        let Some(run) = of_run(decoder, head).filter(|_| head.is_last) else { return true };
        let of_run = tails.range((run, Vec::new())..).take_while(|((own, _), _)| *own == run);
        let fitting = of_run.filter(|((_, tail), _)| tail.len() + head.text.len() == CANARY_LEN);
        let case = &decoder.case;
        let before = found.len();
        for ((_, tail), message) in fitting {
            let rest = &case.messages[*message];
            for sighting in case.scanner.scan(&[&head.text[..], tail].concat()) {
                let owner = owner_in(decoder.trial, &sighting);
                let mut seen = head.seen.clone();
                seen.from = head.seen.n.min(rest.n);
                if rest.n > head.seen.n {
                    seen = case.seen_in(*message, seen.from, owner);
                }
                found.push(Seen { owner, ..seen });
            }
        }
        found.len() == before
    });
    decoder.case.seen.append(&mut found);
}

/// Whose the head is, if it is not the observer's own or seen as a whole.
fn cut_short<'h>(
    case: &Case<'h>,
    planted: &Planted,
    seen: &BTreeSet<(&UserName, Owner, u64)>,
    head: Head<'h>,
) -> Option<Trace<'h>> {
    if head.text.len() < LEAST_FRAGMENT {
        return None;
    }
    let Seen { observer, n, .. } = head.seen;
    let owners: Vec<Owner> =
        planted.beginning_with(&head.text).iter().map(|(_, owner)| *owner).collect();
    let foreign = owners.iter().find(|owner| !case.is_own(**owner, observer))?;
    // The text goes on elsewhere, or the other's whole canary has come too.
    let is_told = owners.iter().any(|owner| {
        let of_owner = (observer, *owner, 0)..=(observer, *owner, u64::MAX);
        let mut its = seen.range(of_owner);
        its.any(|(.., from)| *from == n || !case.is_own(*owner, observer))
    });
    if is_told {
        return None;
    }
    let is_ambiguous = owners.iter().any(|owner| owner.user != foreign.user);
    Some(Trace { seen: Seen { owner: *foreign, ..head.seen }, is_ambiguous })
}

#[cfg(test)]
mod tests;
