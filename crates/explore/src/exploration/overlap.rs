//! How hard we looked: which runs of different users overlapped.

use std::collections::{BTreeMap, BTreeSet};

use crate::exploration::at_once::{Flight, InFlight};
use partywall_core::history::{History, Note};
use partywall_core::ids::{RunId, UserName};
use partywall_core::plan::{Twist, Via};
use partywall_oracles::Case;

/// What comes within this part of the shortest run's time is one burst: an answer in several events.
const BURST: u64 = 4;

/// Which runs of a trial overlapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Pairs of runs of different users that overlapped.
    pub pairs: u64,
    /// Those of them whose events show it. The other pairs were in flight together: they may have
    /// waited for each other.
    pub pairs_by_events: u64,
    /// What was in flight.
    pub in_flight: InFlight,
}

/// What is seen of a run: its events, or where one answer is all that is seen, also the request.
struct Seen<'c> {
    user: &'c UserName,
    numbers: Vec<u64>,
    by_events: bool,
}

/// How runs of different users overlapped: the first and last events of each enclose at least one
/// event of the other, by the recorder's number; of steps or in order of emission where the back end
/// reports them, else of observation. Send times do not count, since a server that serialises would
/// fake overlap; of runs that are answered all at once there is nothing else, and [`InFlight`] tells whether they
/// only queued. `ends` is where each run ended, by user and number. Runs of users who are `left_out` do not
/// count.
pub fn overlap(
    case: &Case<'_>,
    ends: &BTreeMap<(&str, u16), usize>,
    left_out: &BTreeSet<UserName>,
) -> Overlap {
    let mut runs = reported(case);
    if runs.is_empty() {
        runs = seen(case);
    }
    runs.retain(|run| !left_out.contains(run.user));
    runs.sort_by_key(|run| run.numbers.first().copied());
    let mut own = Overlap { in_flight: InFlight::of(&flights(case, ends)), ..Overlap::default() };
    for (place, run) in runs.iter().enumerate() {
        let last = run.numbers.last();
        // Those that begin later than this one ends cannot overlap with it.
        for other in runs[place + 1..].iter().take_while(|run| run.numbers.first() < last) {
            let overlap = run.user != other.user
                && encloses(&run.numbers, &other.numbers)
                && encloses(&other.numbers, &run.numbers);
            own.pairs += u64::from(overlap);
            own.pairs_by_events += u64::from(overlap && run.by_events && other.by_events);
        }
    }
    own
}

/// When each run that ended was in flight.
fn flights(case: &Case<'_>, ends: &BTreeMap<(&str, u16), usize>) -> Vec<Flight> {
    let History { observations, plan, .. } = case.history;
    let mut equal: BTreeSet<(&str, u16)> = BTreeSet::new();
    for user in &plan.users {
        let same_words = user.runs().filter(|run| run.has(Twist::EqualMessage));
        equal.extend(same_words.map(|run| (user.name.as_str(), run.run)));
    }
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    let mut flights = Vec::with_capacity(ends.len());
    for start in case.starts.iter().filter(|start| start.gave_up.is_none()) {
        let end = ends.get(&(start.user.as_str(), start.run)).map(|end| observations[*end].at);
        let begun = usize::try_from(start.n).ok().and_then(|n| observations.get(n));
        if let (Some(begun), Some(end)) = (begun, end) {
            let next = users.len();
            let user = *users.entry(start.user.as_str()).or_insert(next);
            let is_equal = equal.contains(&(start.user.as_str(), start.run));
            flights.push(Flight { from: begun.at, to: end.max(begun.at), user, is_equal });
        }
    }
    flights
}

/// The steps of each run, where the back end reports them, without those that ended in waiting for
/// another run; else the events that it reports.
fn reported<'c>(case: &'c Case<'_>) -> Vec<Seen<'c>> {
    let [mut steps, mut events] = [BTreeMap::new(), BTreeMap::new()];
    for seen in &case.history.observations {
        let (runs, user, run): (&mut BTreeMap<&RunId, Seen<'_>>, _, _) = match seen.what.note() {
            Some(Note::Worked { user, run }) => (&mut steps, user, run),
            Some(Note::Emitted { user, run, .. }) => (&mut events, user, run),
            Some(Note::Waited { run, .. }) => {
                steps.get_mut(run).and_then(|own| own.numbers.pop());
                continue;
            }
            _ => continue,
        };
        let new = || Seen { user, numbers: Vec::new(), by_events: true };
        runs.entry(run).or_insert_with(new).numbers.push(seen.n);
    }
    let runs = if steps.is_empty() { events } else { steps };
    runs.into_values().collect()
}

/// The events of each run; with them the request, where runs are answered all at once. Where its end
/// came to its own user, what came to others does not count: a broadcast would stretch the run.
fn seen<'c>(case: &'c Case<'_>) -> Vec<Seen<'c>> {
    let mut runs: Vec<Option<Seen<'_>>> = case.runs.iter().map(|_| None).collect();
    let home = case.came_home();
    for message in case.messages.iter().filter(|message| message.is_event) {
        let owner = case.facts(message).and_then(|facts| facts.user);
        if let (Some(user), Some(place)) = (owner, message.run_at())
            && (user == message.observer || !home[place])
        {
            let new = || Seen { user, numbers: Vec::new(), by_events: true };
            runs[place].get_or_insert_with(new).numbers.push(message.n);
        }
    }
    if !case.dialect.tells_states() {
        let bursts = come_in_bursts(case);
        for start in &case.starts {
            let own = start.run_at.map(|place| &mut runs[place]);
            let events =
                own.as_ref().and_then(|own| own.as_ref()).map_or(0, |own| own.numbers.len());
            let whole = match start.via {
                Via::Http => true,
                Via::Stream => events < 2 || bursts,
                Via::Socket => bursts,
            };
            if !whole {
                continue;
            }
            match own {
                Some(Some(own)) if own.user == start.user => {
                    own.numbers.insert(0, start.n);
                    own.by_events = false;
                }
                _ => {
                    let exchange = case.exchange_of(start);
                    let answered = exchange.filter(|_| start.via != Via::Socket);
                    if let Some(answered) = answered.and_then(|exchange| exchange.answered) {
                        let numbers = vec![start.n, answered];
                        runs.push(Some(Seen { user: start.user, numbers, by_events: false }));
                    }
                }
            }
        }
    }
    runs.into_iter().flatten().collect()
}

/// Whether the events of a run mostly come all at once, after the work: from the first to the last in
/// less than a quarter of the time that the shortest run took. How long runs waited says nothing.
fn come_in_bursts(case: &Case<'_>) -> bool {
    let observed = &case.history.observations;
    let at = |n: u64| usize::try_from(n).ok().and_then(|n| observed.get(n)).map(|seen| seen.at);
    let mut spans = Vec::new();
    let mut shortest = u64::MAX;
    for start in case.starts.iter().filter(|start| start.via != Via::Http) {
        // A stream ends with its last event, where none is called the end.
        let end = case.end_of(start).map(|end| end.n);
        let end = end.or_else(|| case.event_numbers(start).last()).and_then(at);
        let first = case.event_numbers(start).next().and_then(at);
        let (Some(begun), Some(first), Some(end)) = (at(start.n), first, end) else {
            continue;
        };
        spans.push(end.saturating_sub(first));
        shortest = shortest.min(end.saturating_sub(begun));
    }
    spans.sort_unstable();
    spans.get(spans.len() / 2).is_some_and(|median| median * BURST < shortest.max(1))
}

/// Whether an event of `inner` lies between the first and the last of `outer`; both ascend.
fn encloses(outer: &[u64], inner: &[u64]) -> bool {
    let (Some(first), Some(last)) = (outer.first(), outer.last()) else { return false };
    inner.get(inner.partition_point(|n| n < first)).is_some_and(|n| n < last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::dialect::Dialect;

    fn pairs(rest: &str) -> u64 {
        let start = "alice connects; bob connects; alice starts r1; bob starts r1;";
        let history = partywall_oracles::notation::history(&format!("{start} {rest}"));
        overlap(&Case::new(&history, &Dialect::reference()), &BTreeMap::new(), &BTreeSet::new())
            .pairs
    }

    #[test]
    fn runs_overlap_only_if_each_encloses_an_event_of_the_other() {
        let [a1, b1, a2, b2] = [
            "r1 of alice emits 1",
            "r1 of bob emits 1",
            "r1 of alice emits 2",
            "r1 of bob emits 2",
        ];
        assert_eq!(pairs(&[a1, b1, a2, b2].join("; ")), 1);
        assert_eq!(pairs(&[a1, a2, b1, b2].join("; ")), 0);
        // One after the other was started is not enough, nor is one inside the other.
        assert_eq!(pairs(&[a1, b1, b2, a2].join("; ")), 0);
    }

    #[test]
    fn overlap_asks_that_each_run_encloses_an_event_of_the_other() {
        assert!(encloses(&[1, 5], &[3]));
        assert!(!encloses(&[1, 5], &[0, 6]));
        assert!(!encloses(&[1, 5], &[]));
        assert!(!encloses(&[2], &[2]));
    }
}
