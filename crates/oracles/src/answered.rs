//! Which run of its user each message answers.

use std::collections::BTreeMap;

use super::case::Case;
use super::message::Message;
use super::seen::{EARLIER, Seen};
use partywall_core::canary::{Field, Owner};

/// Which run each message answers: the one that the back end or the client names. Where neither tells
/// which run of the user a run id is, it is the one whose words its events hold most often, of several
/// the first: events of one run hold the words of one request.
pub(super) struct Answered<'c, 'h> {
    case: &'c Case<'h>,
    /// Of each run id that nobody told more of.
    by_words: Vec<Option<u16>>,
}

impl<'c, 'h> Answered<'c, 'h> {
    pub(super) fn of(case: &'c Case<'h>) -> Self {
        let mut by_words = vec![None; case.runs.len()];
        // A name is no part of any request.
        let own = |seen: &&Seen<'_>| {
            let Owner { run, field, .. } = seen.owner;
            case.is_own(seen.owner, seen.observer) && field != Field::Name && run != EARLIER
        };
        if !case.dialect.strict {
            let mut counts: BTreeMap<usize, Vec<(u16, usize)>> = BTreeMap::new();
            for seen in case.seen.iter().filter(own) {
                let message = seen.message().map(|message| &case.messages[message]);
                let Some(message) = message.filter(|message| message.is_event) else { continue };
                let Some(run) = message.run_at().filter(|run| !case.runs[*run].run_told) else {
                    continue;
                };
                if case.runs[run].user != Some(message.observer) {
                    continue;
                }
                let runs = counts.entry(run).or_default();
                match runs.iter_mut().find(|(run, _)| *run == seen.owner.run) {
                    Some((_, times)) => *times += 1,
                    None => runs.push((seen.owner.run, 1)),
                }
            }
            for (run, counts) in counts {
                // Of equal ones the last is the greatest, and the first is wanted.
                let most = counts.iter().rev().max_by_key(|(_, times)| *times);
                by_words[run] = most.map(|(number, _)| *number);
            }
        }
        Self { case, by_words }
    }

    /// The run that the message answers, where it is known.
    pub(super) fn run(&self, message: &Message<'_>) -> Option<u16> {
        let by_words = || {
            let run = message.run_at().filter(|_| message.is_event)?;
            let own = self.case.runs[run].user == Some(message.observer);
            self.by_words[run].filter(|_| own)
        };
        self.case.answered_run(message).or_else(by_words)
    }
}

#[cfg(test)]
mod tests {
    use crate::Case;
    use crate::after_close::AFTER_CLOSE;
    use crate::binding::BINDING;
    use crate::notation::{history, told};
    use crate::oracle::Oracle;
    use partywall_core::dialect::{Dialect, Matching};

    /// A server that tells the ids of its runs in events only.
    fn by_run() -> Dialect {
        let mut dialect = Dialect::reference();
        (dialect.strict, dialect.accepted) = (false, String::new());
        (dialect.request, dialect.user) = (String::new(), String::new());
        dialect
    }

    fn found(oracle: &Oracle, dialect: &Dialect, rest: &str) -> Vec<String> {
        let text = format!("alice connects silently; alice asks r1 in t1; {rest}");
        let history = history(&text);
        let judged = (oracle.judge)(&Case::new(&history, dialect));
        match judged.blind {
            Some(_) => vec!["blind".into()],
            None => judged.suspects.iter().map(told).collect(),
        }
    }

    #[test]
    fn events_of_a_run_that_only_names_itself_hold_the_words_of_one_request() {
        let found = |rest: &str| found(&BINDING, &by_run(), rest);
        assert!(found("r1 of alice emits 1-2 called x; r1 of alice ends 3 called x").is_empty());
        assert_eq!(found("r1 of alice ends 1 called x showing nothing"), ["blind"]);
        let both = "alice asks r2 in t2; r1 of alice emits 1-2 called x; \
                    r1 of alice emits 3 called x showing r2";
        assert_eq!(
            found(both),
            ["own data, wrong request alice r2: prompt of chat over websocket @ websocket"]
        );
        // A run may quote what was said before in its conversation, where events need not hold words.
        let quoted = "alice asks r2 in t1; r2 of alice emits 1-2 called x showing r2; \
                      r2 of alice emits 3 called x showing r1+r2; \
                      r2 of alice ends 4 called x showing nothing";
        assert!(found(quoted).is_empty(), "{:?}", found(quoted));
    }

    #[test]
    fn in_the_order_of_requests_an_event_that_nobody_waits_for_is_of_the_last_run() {
        let mut dialect = by_run();
        (dialect.run, dialect.matching) = (String::new(), Matching::Order);
        let whole = "r1 of alice emits 1; r1 of alice ends 2;";
        let late = format!("{whole} r1 of alice emits 3");
        let found_late = found(&AFTER_CLOSE, &dialect, &late);
        assert_eq!(found_late, ["late alice r1: chat over websocket @ websocket"]);
        let next = format!("{whole} alice asks r2 in t1; r2 of alice emits 1; r2 of alice ends 2");
        assert!(found(&AFTER_CLOSE, &dialect, &next).is_empty());
        // Where any type is an event, it may be of no run at all.
        dialect.events.clear();
        assert!(found(&AFTER_CLOSE, &dialect, &late).is_empty());
    }
}
