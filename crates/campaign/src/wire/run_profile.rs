//! How long the runs of a server are, in events and in time, so that a plan can cut one just before
//! its end.

use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::history::History;
use partywall_drive::scenario::Learnt;
use partywall_explore::exploration::run_ends::{durations, run_ends};
use partywall_oracles::Case;

/// Measures the completed runs of a round. Gives nothing if no run completed.
pub(crate) fn run_profile(history: &History, scanner: &Scanner) -> Option<Learnt> {
    let dialect = Dialect::of(&history.plan);
    let case = Case::with_scanner(history, &dialect, scanner);
    let ends = run_ends(&case);
    let whole = case.starts.iter().filter(|start| {
        start.gave_up.is_none() && ends.contains_key(&(start.user.as_str(), start.run))
    });
    let events = whole.map(|start| case.events_of(start)).min()?;
    let mut millis = durations(&case, &ends);
    millis.sort_unstable();
    let median = millis.get(millis.len() / 2).copied().unwrap_or_default();
    Some(Learnt {
        events: u32::try_from(events).unwrap_or(u32::MAX),
        millis: u32::try_from(median).unwrap_or(u32::MAX),
    })
}
