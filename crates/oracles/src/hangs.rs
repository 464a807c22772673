//! Runs that never return: their work waits for something that does not come. That is a fault of the
//! back end, but nobody's data went anywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Start};
use partywall_core::history::Note;
use partywall_core::ids::{RequestId, RunId, UserName};

/// Which runs hang, of a back end that reports their steps and their ends.
#[derive(Debug, Default)]
pub struct Hangs<'h> {
    accepted: BTreeMap<(&'h UserName, &'h RequestId), &'h RunId>,
    going_on: BTreeSet<&'h RunId>,
}

impl<'h> Hangs<'h> {
    /// What the case shows of it.
    pub fn of(case: &Case<'h>) -> Self {
        let mut own = Self::default();
        for (_, seen) in &case.acts {
            match seen.what.note() {
                Some(Note::Accepted { user, run, request_id }) => {
                    own.accepted.entry((user, request_id)).or_insert(run);
                }
                Some(Note::Worked { run, .. }) => _ = own.going_on.insert(run),
                Some(Note::Emitted { run, event, agent, .. })
                    if case.dialect.is_terminal(event, Some(agent)) =>
                {
                    own.going_on.remove(run);
                }
                _ => {}
            }
        }
        own
    }

    /// Whether nothing could go on any more when its user stopped waiting for the run, and it had begun
    /// and not returned. One whose request was cut is no longer there.
    pub fn hangs(&self, case: &Case<'_>, start: &Start<'_>) -> bool {
        let at_rest = start.gave_up.is_some_and(|(_, at_rest)| at_rest);
        let cut = case.exchange_of(start).is_some_and(|exchange| exchange.broken.is_some());
        let run = self.accepted.get(&(start.user, start.request_id));
        at_rest && !cut && run.is_some_and(|run| self.going_on.contains(run))
    }
}
