//! What a user gets, run by run.
//!
//! A history of one user alone is judged like any other, so what is compared is read by the same
//! code on both sides. Where a user alone gets now this and now that, nothing is known of it.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Start};
use super::interruptions::Interruptions;
use super::message::Channel;
use super::normal::normal;
use super::solo::{Account, Solos};
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::history::{Ending, History};
use partywall_core::ids::UserName;
use partywall_core::plan::Via;
use partywall_core::reader::nothing_to_say;

/// What one user received in a history. Messages are by their places in [`Case::messages`].
#[derive(Debug)]
pub(super) struct Received {
    /// The runs, in the order of their starts.
    pub(super) runs: Vec<ReceivedRun>,
    /// What came to one who starts nothing.
    pub(super) others: Vec<(usize, String)>,
    /// Events of runs that are none of theirs, where they have some and all are known.
    pub(super) strays: Vec<usize>,
}

/// What came of one run.
#[derive(Debug)]
pub(super) struct ReceivedRun {
    pub(super) number: u16,
    pub(super) started: u64,
    /// When its user saw its end.
    pub(super) ended: Option<u64>,
    /// Whether none of its user's other runs went on meanwhile.
    pub(super) is_alone: bool,
    /// Whether something may have been lost with a connection.
    pub(super) is_cut: bool,
    /// When nothing could come any more.
    pub(super) at_rest: Option<u64>,
    /// By number, or by place where events carry none.
    pub(super) events: BTreeMap<u64, (usize, String)>,
    pub(super) answer: Option<(usize, String)>,
    /// Whether an event that ends it came.
    pub(super) has_end: bool,
}

impl Received {
    pub(super) fn of(case: &Case<'_>, user: &UserName) -> Self {
        let interruptions = Interruptions::of(case);
        let starts = case.starts.iter().filter(|start| start.user == user);
        let mut runs: Vec<ReceivedRun> =
            starts.clone().map(|start| received_run(case, &interruptions, start)).collect();
        let open =
            |run: &ReceivedRun, at: u64| run.started < at && run.ended.is_none_or(|n| n > at);
        for place in 0..runs.len() {
            let at = runs[place].started;
            for other in 0..place {
                if open(&runs[other], at) {
                    (runs[other].is_alone, runs[place].is_alone) = (false, false);
                }
            }
        }
        let own: Option<BTreeSet<usize>> = starts.map(|start| start.run_at).collect();
        let only_listens = runs.is_empty();
        let mut received = Self { runs, others: Vec::new(), strays: Vec::new() };
        for (at, message) in case.messages.iter().enumerate() {
            if message.observer != user || !message.channel.carries_events() {
                continue;
            }
            if only_listens && !is_routine(case, at) {
                received.others.push((at, normal(case, message)));
            } else if let (true, Some(run), Some(own)) = (message.is_event, message.run_at(), &own)
            {
                let is_stray = !own.contains(&run) && !case.runs[run].made_up;
                received.strays.extend(is_stray.then_some(at));
            }
        }
        received
    }
}

/// Whether the message greets a connection or says nothing.
fn is_routine(case: &Case<'_>, at: usize) -> bool {
    let message = &case.messages[at];
    let kind = case.kind(message);
    let payload = case.payload(message);
    kind == Some(case.dialect.greeting.as_str())
        || payload.ignored
        || nothing_to_say(case.dialect, kind, &payload.json)
}

fn received_run(case: &Case<'_>, interruptions: &Interruptions, start: &Start<'_>) -> ReceivedRun {
    let own = start.run_at.map_or(&[][..], |run| &case.events[run]);
    let own = own.iter().map(|at| at.get()).filter(|&at| case.messages[at].observer == start.user);
    let own: Vec<usize> = own.collect();
    let mut lines: Vec<usize> = own.iter().map(|&at| case.messages[at].line()).collect();
    lines.dedup();
    let mut events = BTreeMap::new();
    for (place, &at) in (1..).zip(&own) {
        let message = &case.messages[at];
        // Without numbers, what came on two connections has no order.
        let number = message.sequence.or((lines.len() == 1).then_some(place));
        if let Some(number) = number {
            events.entry(number).or_insert_with(|| (at, normal(case, message)));
        }
    }
    let end = own.iter().map(|&at| &case.messages[at]).find(|message| message.is_terminal);
    let answer = case.messages.iter().position(|message| {
        let its = Some(message.line()) == start.line && message.observer == start.user;
        its && message.channel == Channel::HttpAnswer
    });
    let ended = match start.via {
        Via::Http => answer.map(|at| case.messages[at].n),
        Via::Socket | Via::Stream => end.map(|end| end.n),
    };
    let to = ended.or(start.gave_up.map(|(n, _)| n)).unwrap_or(u64::MAX);
    ReceivedRun {
        number: start.run,
        started: start.n,
        ended,
        is_alone: true,
        is_cut: interruptions.is_cut(case, start, to),
        at_rest: start.gave_up.filter(|(_, at_rest)| *at_rest).map(|(n, _)| n),
        has_end: end.is_some(),
        events,
        answer: answer.map(|at| (at, normal(case, &case.messages[at]))),
    }
}

impl ReceivedRun {
    /// None where it does not stand for itself: it did not end, or others of its user went on
    /// meanwhile.
    fn into_account(self) -> Option<Account> {
        (self.is_alone && self.ended.is_some()).then(|| Account {
            events: self.events.into_iter().map(|(number, (_, text))| (number, text)).collect(),
            answer: self.answer.map(|(_, text)| text),
        })
    }
}

impl Solos {
    /// Takes a history in which that user was alone with a fresh back end.
    pub fn add(&mut self, user: &UserName, alone: &History, scanner: &Scanner) {
        let dialect = Dialect::of(&alone.plan);
        let case = Case::with_scanner(alone, &dialect, scanner);
        let Received { runs, others, strays } = Received::of(&case, user);
        let solo = self.0.entry(user.clone()).or_default();
        let mut accounts: BTreeMap<u16, Option<Account>> =
            runs.into_iter().map(|run| (run.number, run.into_account())).collect();
        if solo.histories > 0 {
            for (number, known) in &mut solo.runs {
                let again = accounts.remove(number).flatten();
                *known = known.take().filter(|known| Some(known) == again.as_ref());
            }
            // What did not come to anything the first time says nothing now.
            accounts.values_mut().for_each(|account| *account = None);
        }
        solo.runs.append(&mut accounts);
        solo.others.extend(others.into_iter().map(|(_, text)| text));
        solo.strays |= !strays.is_empty();
        solo.unfinished |= alone.ending != Some(Ending::Finished);
        solo.histories += 1;
    }
}
