//! How hard we looked: which runs of different users overlapped, and whether the server worked on
//! several at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use partywall_core::history::Note;
use partywall_core::ids::{RunId, UserName};
use partywall_core::measure::SpreadCount;
use partywall_core::plan::Via;
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

/// Runs in flight: from the request to the end that its user saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The trials that were served fastest, as many as it takes for enough runs. Where the machine
    /// has other work runs only take longer, so these say most of the server.
    pub fastest: Vec<Served>,
    /// The time during which two runs of different users were, summed over all pairs.
    pub together: u64,
    /// How long the shortest took.
    pub shortest: Option<u64>,
    /// The shortest of a trial in percent of its longest, where that is least.
    #[serde(default)]
    pub evenness: Option<u64>,
}

/// How fast the runs of a trial were served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Runs whose end is known.
    pub runs: u64,
    /// The time during which at least one was in flight.
    pub busy: u64,
}

impl Served {
    fn rate(self) -> f64 {
        self.runs as f64 / self.busy.max(1) as f64
    }
}

/// Whether a server works on runs of several users at once, as far as that can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AtOnce {
    /// It does: events of different runs enclose each other, calls for two users were under way at
    /// once at the upstream, or no run got through in less than several times what it takes alone, as
    /// where they share a processor.
    Shown,
    /// Unknown: nothing shows it, and no user was driven alone.
    Unknown,
    /// Unknown: a run of one user alone takes too little time.
    TooShort,
    /// While a call for one of two users was held at the upstream, none came for the other.
    Held,
    /// On average that many runs were served at once, too few to be told from one after the other.
    OneByOne(f64),
    /// On average that many runs were served at once.
    Several(f64),
}

/// One pair in so many must overlap by its events: a few may do so because events were held up on the
/// way.
const LEAST_BY_EVENTS: u64 = 10;
/// A run shorter than this many milliseconds is mostly the way there and back.
const TOO_SHORT: u64 = 4;
/// Runs over which the time that they took is taken: of fewer, some may be short by chance.
const ENOUGH_RUNS: u64 = 30;
/// So many runs are served at once, on average, by a server that serves several: one that serves them
/// one after the other comes to 1 or less, give or take what is measured with.
const LEAST_SERVED: f64 = 1.4;
/// Behind a lock the first run in each round is not held up. Where the shortest of all took so many
/// times as long as alone, all of them were, or the machine is busier than it was.
const SHARED: u64 = 3;
/// Where runs share a processor they end at about the same time: the shortest took at least so many
/// percent of the longest. Behind a lock they end one after the other.
const EVEN: u64 = 50;
/// Which percentage of the runs alone take no longer than what one is taken to take: a machine that is
/// busy now and then makes some of them longer, and a run that is taken for longer than it is would
/// pass a lock off as many users served at once.
const QUARTER: u64 = 25;
/// Where a run took less than so many milliseconds among others, it takes no time worth measuring alone.
const AT_ONCE: u64 = 2;

impl AtOnce {
    /// What is known where that many pairs overlap by their events and in all, of what was in flight
    /// together, of how long runs of one user alone took, and of whether calls for two users met at the
    /// upstream where they were held for each other.
    pub fn of(
        [by_events, pairs]: [u64; 2],
        together: &InFlight,
        alone: &SpreadCount,
        met_upstream: Option<bool>,
    ) -> Self {
        if by_events > 0 && by_events.saturating_mul(LEAST_BY_EVENTS) >= pairs {
            return Self::Shown;
        }
        match met_upstream {
            Some(true) => return Self::Shown,
            Some(false) => return Self::Held,
            None => {}
        }
        if together.shortest.is_some_and(|shortest| shortest < AT_ONCE) {
            return Self::TooShort;
        }
        let Some(takes) = alone.quantile(QUARTER) else { return Self::Unknown };
        if takes < TOO_SHORT {
            return Self::TooShort;
        }
        let is_late =
            together.shortest.is_some_and(|shortest| shortest >= takes.saturating_mul(SHARED));
        if is_late && together.evenness.is_some_and(|percent| percent >= EVEN) {
            return Self::Shown;
        }
        let sum = |of: fn(&Served) -> u64| together.fastest.iter().map(of).sum::<u64>();
        let (runs, busy) = (sum(|own| own.runs), sum(|own| own.busy));
        let served = (runs * takes) as f64 / busy.max(1) as f64;
        if served < LEAST_SERVED { Self::OneByOne(served) } else { Self::Several(served) }
    }
}

impl InFlight {
    /// Adds what was in flight in another trial.
    pub fn add(&mut self, other: &Self) {
        self.fastest.extend(&other.fastest);
        self.fastest.sort_by(|one, other| other.rate().total_cmp(&one.rate()));
        let mut runs = 0;
        self.fastest.retain(|own| {
            let is_needed = runs < ENOUGH_RUNS;
            runs += own.runs;
            is_needed
        });
        self.together += other.together;
        self.shortest = [self.shortest, other.shortest].into_iter().flatten().min();
        self.evenness = [self.evenness, other.evenness].into_iter().flatten().min();
    }

    /// Of runs from a start to an end, with the user's place.
    fn of(flights: &[(u64, u64, usize)]) -> Self {
        let mut moments: Vec<(u64, bool, usize)> = flights
            .iter()
            .flat_map(|&(from, to, user)| [(from, true, user), (to, false, user)])
            .collect();
        // At one moment the ends come first.
        moments.sort_unstable();
        let lengths = flights.iter().map(|(from, to, _)| to - from);
        let (shortest, longest) = (lengths.clone().min(), lengths.max());
        let evenness = shortest.zip(longest).map(|(short, long)| short * 100 / long.max(1));
        let mut own = Self { shortest, evenness, ..Self::default() };
        let mut busy = 0;
        let mut by_user: BTreeMap<usize, i64> = BTreeMap::new();
        let (mut all, mut pairs, mut last) = (0_i64, 0_i64, 0);
        for (at, begins, user) in moments {
            let passed = at - last;
            busy += if all > 0 { passed } else { 0 };
            own.together += passed * pairs.unsigned_abs();
            last = at;
            let its = by_user.entry(user).or_default();
            let step = if begins { 1 } else { -1 };
            pairs += step * (all - *its);
            all += step;
            *its += step;
        }
        let served = Served { runs: flights.len() as u64, busy };
        own.fastest.extend(Some(served).filter(|own| own.runs > 0));
        own
    }
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
/// only queued. `ends` is where each run ended, by user and number.
pub fn overlap(case: &Case<'_>, ends: &BTreeMap<(&str, u16), usize>) -> Overlap {
    let mut runs = reported(case);
    if runs.is_empty() {
        runs = seen(case);
    }
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
fn flights(case: &Case<'_>, ends: &BTreeMap<(&str, u16), usize>) -> Vec<(u64, u64, usize)> {
    let observed = &case.history.observations;
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    let mut flights = Vec::with_capacity(ends.len());
    for start in case.starts.iter().filter(|start| start.gave_up.is_none()) {
        let end = ends.get(&(start.user.as_str(), start.run)).map(|end| observed[*end].at);
        let begun = usize::try_from(start.n).ok().and_then(|n| observed.get(n));
        if let (Some(begun), Some(end)) = (begun, end) {
            let next = users.len();
            let user = *users.entry(start.user.as_str()).or_insert(next);
            flights.push((begun.at, end.max(begun.at), user));
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
        let Some(end) = case.end_of(start) else { continue };
        let first = case.event_numbers(start).next().and_then(at);
        let (Some(begun), Some(first), Some(end)) = (at(start.n), first, at(end.n)) else {
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
        overlap(&Case::new(&history, &Dialect::reference()), &BTreeMap::new()).pairs
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

    /// Twenty users whose runs of that length begin at once, each taking the server for that time.
    fn flights(length: u64, apart: u64) -> InFlight {
        let flight = |user: usize| (0, length + user as u64 * apart, user);
        InFlight::of(&(0..20).map(flight).collect::<Vec<_>>())
    }

    /// Eight runs of one user alone, of those lengths in turn.
    fn alone(lengths: &[u64]) -> SpreadCount {
        let mut count = SpreadCount::default();
        lengths.iter().cycle().take(8).for_each(|length| count.add(*length));
        count
    }

    #[test]
    fn time_in_flight_is_counted_by_pair_and_as_a_whole() {
        let own = InFlight::of(&[(0, 10, 0), (4, 12, 1), (5, 7, 0), (20, 21, 1)]);
        // alice and bob from 4 to 10, and alice's second run with bob's from 5 to 7.
        let found = (own.together, own.shortest, own.fastest);
        assert_eq!(found, (8, Some(1), vec![Served { runs: 4, busy: 13 }]));
    }

    #[test]
    fn rounds_in_which_the_machine_had_other_work_say_nothing_of_the_server() {
        let sums = |rounds: &[(u64, u64)]| {
            let mut sums = InFlight::default();
            rounds.iter().for_each(|(length, apart)| sums.add(&flights(*length, *apart)));
            sums
        };
        let of = |rounds: &[(u64, u64)]| AtOnce::of([0, 9], &sums(rounds), &alone(&[20]), None);
        assert!(matches!(of(&[(25, 1), (20, 90), (25, 2), (99, 99)]), AtOnce::Several(_)));
        // One of two runs each: two that are short by chance are outweighed.
        let few = |took| InFlight::of(&[(0, took, 0), (0, 2 * took, 1)]);
        let mut all = InFlight::default();
        [12, 20, 20, 24, 20, 20, 24, 20, 20, 20].iter().for_each(|took| all.add(&few(*took)));
        assert!(matches!(AtOnce::of([0, 9], &all, &alone(&[20]), None), AtOnce::OneByOne(_)));
    }

    #[test]
    fn a_server_that_works_on_one_run_at_a_time_is_told_from_one_that_works_on_several() {
        let of = |together: InFlight| AtOnce::of([0, 190], &together, &alone(&[20]), None);
        assert!(matches!(of(flights(20, 20)), AtOnce::OneByOne(served) if served < 1.1));
        assert!(matches!(of(flights(20, 2)), AtOnce::Several(served) if served > 6.0));
        assert!(matches!(of(flights(20, 10)), AtOnce::Several(served) if served > 1.5));
        // All share a processor, and end when all have had their time.
        assert_eq!(of(flights(380, 1)), AtOnce::Shown);
        // A machine that is busier than it was is no shared processor.
        assert!(matches!(of(flights(60, 60)), AtOnce::OneByOne(_)));
        // Runs between whose events those of others come are proof by themselves, if they are many.
        let few = AtOnce::of([1, 190], &flights(20, 20), &alone(&[20]), None);
        assert!(matches!(few, AtOnce::OneByOne(_)));
        assert_eq!(AtOnce::of([190, 190], &flights(20, 20), &alone(&[20]), None), AtOnce::Shown);
        assert_eq!(
            AtOnce::of([0, 190], &flights(20, 20), &SpreadCount::default(), None),
            AtOnce::Unknown
        );
        assert_eq!(AtOnce::of([0, 190], &flights(2, 2), &alone(&[2]), None), AtOnce::TooShort);
        assert_eq!(AtOnce::of([0, 190], &flights(1, 9), &alone(&[9]), None), AtOnce::TooShort);
        // What was seen at the upstream decides, whatever time says.
        let held = |met| AtOnce::of([0, 190], &flights(20, 2), &alone(&[20]), Some(met));
        assert_eq!([held(true), held(false)], [AtOnce::Shown, AtOnce::Held]);
        // What else keeps the machine busy while a user is driven alone excuses no lock.
        let noisy = alone(&[21, 45, 22, 90, 60]);
        assert!(matches!(
            AtOnce::of([0, 190], &flights(20, 20), &noisy, None),
            AtOnce::OneByOne(_)
        ));
    }
}
