//! Runs that a user named to the back end: what comes back for that is an echo, no crossing, and
//! events that were asked for again are no duplicates.

use std::collections::BTreeMap;

use super::message::{Channel, Message};
use partywall_core::history::{Observation, What};
use partywall_core::ids::ConnectionId;

/// What users named, and where they asked for events again.
#[derive(Debug, Default)]
pub(super) struct Named<'h> {
    /// By user and id of the run: when it was named first.
    first: BTreeMap<(&'h str, &'h str), u64>,
    /// By connection: the run, and the number after which its events were asked for.
    resumed: BTreeMap<usize, (&'h str, u64)>,
}

impl<'h> Named<'h> {
    pub(super) fn of(
        acts: &[(usize, &'h Observation)],
        line_of: impl Fn(&ConnectionId) -> Option<usize>,
    ) -> Self {
        let mut named = Self::default();
        for &(_, seen) in acts {
            let id = match &seen.what {
                What::Resume { run, after } => {
                    if let Some(line) = seen.on.as_ref().and_then(&line_of) {
                        named.resumed.insert(line, (run.as_str(), *after));
                    }
                    Some(run)
                }
                What::Control { id, .. } => id.as_ref(),
                _ => None,
            };
            if let (Some(user), Some(id)) = (&seen.by, id) {
                named.first.entry((user.as_str(), id.as_str())).or_insert(seen.n);
            }
        }
        named
    }

    /// Whether the message may only answer what its observer named: it is no event of a run.
    pub(super) fn may_echo(&self, message: &Message<'_>, run: &str) -> bool {
        let first = self.first.get(&(message.observer.as_str(), run));
        let answers = !message.is_event || message.channel == Channel::HttpAnswer;
        answers && first.is_some_and(|first| *first < message.n)
    }

    /// Whether that event of a run may come again on that connection: the user asked for it. What a
    /// server does for a cursor of another run, or of none, is not known.
    pub(super) fn asked_for(&self, line: usize, run: Option<&str>, number: u64) -> bool {
        self.resumed.get(&line).is_some_and(|(own, after)| run != Some(own) || number > *after)
    }
}
