//! The types of events that a scenario expects of a whole run, in their order: a part of O3, for
//! servers that do not number their events.

use regex_lite::Regex;

use super::case::{Case, Start};
use super::interruptions::Interruptions;
use super::message::Message;
use super::suspects::{self, Suspects, shows};
use partywall_core::dialect::Dialect;
use partywall_core::finding::FindingKind;
use partywall_core::ids::UserName;

/// What stands for an event without a type.
const UNTYPED: &str = "?";
/// So much of a sequence is shown, in characters.
const MOST_SHOWN: usize = 200;

/// What is expected.
pub(super) struct Sequence {
    whole: Regex,
    written: String,
}

impl Sequence {
    /// What that dialect expects, if anything.
    pub(super) fn of(dialect: &Dialect) -> Option<Self> {
        let written = dialect.expected.clone()?;
        // It was checked with the scenario; one that cannot be compiled here expects nothing.
        let whole = Regex::new(&format!("^(?:{written})$")).ok()?;
        Some(Self { whole, written })
    }

    /// Judges the events that a user got of their own run, which has ended and was not cut.
    pub(super) fn judge(
        &self,
        case: &Case<'_>,
        start: &Start<'_>,
        own: &[&Message<'_>],
        suspects: &mut Suspects,
    ) {
        let (Some(first), Some(last)) = (own.first(), own.last()) else { return };
        // What came on a second connection may have come before.
        let one_line = own.iter().all(|event| event.line() == first.line());
        let came = words(case, own.iter().copied());
        if !one_line || self.whole.is_match(&came) {
            return;
        }
        let (user, run) = (start.user, start.run);
        let short: String = came.chars().take(MOST_SHOWN).collect();
        let text = format!("run {run} has ended as `{short}`, expected is `{}`", self.written);
        let operation = format!("the sequence of {}", case.run_kind(user, Some(run)));
        let evidence =
            vec![shows(start.n, format!("{user} starts run {run}")), shows(last.n, text)];
        let (kind, seen_on) = (FindingKind::Disorder, first.channel.as_str());
        suspects.add(suspects::own(kind, user, Some(run), operation, seen_on, evidence));
    }

    /// Events without which a run that came as expected would not have: whose, and their places.
    pub(super) fn needed<'c>(&self, case: &'c Case<'_>) -> Vec<(&'c UserName, usize)> {
        let interruptions = Interruptions::of(case);
        let mut found = Vec::new();
        for start in &case.starts {
            let events: Vec<_> = case.its_events(start).collect();
            let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
            let own =
                |event: &&Message<'_>| event.observer == start.user && event.line() == first.line();
            let whole = last.is_terminal
                && events.iter().all(own)
                && self.whole.is_match(&words(case, events.iter().copied()))
                && !interruptions.is_cut(case, start, last.n);
            for (place, event) in events.iter().enumerate().filter(|(_, own)| !own.is_terminal) {
                let rest = events.iter().enumerate().filter(|(at, _)| *at != place);
                let rest = words(case, rest.map(|(_, event)| *event));
                if whole && !self.whole.is_match(&rest) {
                    found.push((start.user, event.at()));
                }
            }
        }
        found
    }
}

/// The types, with a space between them.
fn words<'m, 'h: 'm>(case: &Case<'_>, events: impl Iterator<Item = &'m Message<'h>>) -> String {
    let kinds = events.map(|event| case.kind(event).unwrap_or(UNTYPED));
    kinds.collect::<Vec<_>>().join(" ")
}
