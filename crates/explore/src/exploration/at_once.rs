//! Whether a server works on runs of several users at once, by how long they are in flight together
//! and alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use partywall_core::measure::SpreadCount;

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
    /// Of each trial, how many microseconds a run took where those of several users came closest
    /// together: the least of any stretch of time, by the number of them that lie in it as a whole.
    #[serde(default)]
    pub closest: SpreadCount,
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
    /// Unknown: the machine had other work, and a run alone mostly waited for a processor: as many
    /// milliseconds.
    Busy(f64),
}

/// What was measured while one user was driven alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsAlone {
    /// How long runs took, in milliseconds.
    pub took: SpreadCount,
    /// How long this program waited for a processor meanwhile, in all.
    pub waited: Duration,
}

impl RunsAlone {
    /// Adds what was measured elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.took.merge(&other.took);
        self.waited += other.waited;
    }

    /// How many milliseconds a run waited for a processor, here and where the server is, which is taken
    /// to be as busy. Where many runs wait at once that takes no longer, so it is no time that is served.
    fn waited(&self) -> f64 {
        self.waited.as_secs_f64() * 1000.0 * BOTH_SIDES / self.took.count().max(1) as f64
    }
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
/// What this program's threads waited is doubled, for those of the server.
const BOTH_SIDES: f64 = 2.0;
/// Where that is more than this part of what a run takes, time tells nothing of the server.
const MOST_WAITED: f64 = 0.2;
/// Stretches of time with so many runs of different users at most are looked at for the closest.
const MOST_CLOSE: usize = 8;
/// The closest runs of so many trials, against so many runs alone, tell what a busy machine hides from
/// the average: one after the other no stretch holds more runs than fit into it by the shortest alone.
const ENOUGH_CLOSE: u64 = 3;
const ENOUGH_ALONE: u64 = 8;
/// Where a run took less than so many milliseconds among others, it takes no time worth measuring alone.
const AT_ONCE: u64 = 2;

impl AtOnce {
    /// What is known where that many pairs overlap by their events and in all, of what was in flight
    /// together, of how long runs of one user alone took, and of whether calls for two users met at the
    /// upstream where they were held for each other.
    pub fn of(
        [by_events, pairs]: [u64; 2],
        together: &InFlight,
        alone: &RunsAlone,
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
        let Some(takes) = alone.took.quantile(QUARTER) else { return Self::Unknown };
        if takes < TOO_SHORT {
            return Self::TooShort;
        }
        let is_late =
            together.shortest.is_some_and(|shortest| shortest >= takes.saturating_mul(SHARED));
        if is_late && together.evenness.is_some_and(|percent| percent >= EVEN) {
            return Self::Shown;
        }
        let sum = |of: fn(&Served) -> u64| together.fastest.iter().map(of).sum::<u64>();
        let (runs, busy) = (sum(|own| own.runs) as f64, sum(|own| own.busy));
        let waited = alone.waited();
        let served = runs * (takes as f64 - waited).max(0.0) / busy.max(1) as f64;
        let closest = together.served_closest(alone).unwrap_or_default();
        match served.max(closest) {
            several if several >= LEAST_SERVED => Self::Several(several),
            _ if waited > takes as f64 * MOST_WAITED => Self::Busy(waited),
            _ => Self::OneByOne(served),
        }
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
        self.closest.merge(&other.closest);
    }

    /// How many runs were served at once where they came closest together, in a quarter of the trials
    /// at least; nothing where too few were measured.
    fn served_closest(&self, alone: &RunsAlone) -> Option<f64> {
        let enough = self.closest.count() >= ENOUGH_CLOSE && alone.took.count() >= ENOUGH_ALONE;
        let (closest, took) = (self.closest.quantile(QUARTER)?, alone.took.least()?);
        enough.then(|| (took as f64 - alone.waited()) * 1000.0 / closest.max(1) as f64)
    }

    /// Of the runs of a trial.
    pub(super) fn of(flights: &[Flight]) -> Self {
        let mut moments: Vec<(u64, bool, usize)> = flights
            .iter()
            .flat_map(|own| [(own.from, true, own.user), (own.to, false, own.user)])
            .collect();
        // At one moment the ends come first.
        moments.sort_unstable();
        let lengths = flights.iter().map(|own| own.to - own.from);
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
        if let Some(closest) = closest(flights) {
            own.closest.add(closest);
        }
        own
    }
}

/// How many microseconds each run took where those of several users came closest together. Equal
/// requests are left out, which may have been one piece of work.
fn closest(flights: &[Flight]) -> Option<u64> {
    let mut by_end: Vec<_> = flights.iter().filter(|own| !own.is_equal).collect();
    by_end.sort_unstable_by_key(|own| (own.to, own.from));
    let ended_by = |place: usize| {
        let to = by_end[place].to;
        let mut last: Vec<&Flight> = Vec::with_capacity(MOST_CLOSE);
        for own in by_end[..=place].iter().rev().take(2 * MOST_CLOSE) {
            if last.len() < MOST_CLOSE && last.iter().all(|other| other.user != own.user) {
                last.push(own);
            }
        }
        last.sort_unstable_by_key(|own| std::cmp::Reverse(own.from));
        let several = last.into_iter().zip(1..).skip(1);
        several.map(move |(own, runs)| (to - own.from) * 1000 / runs).min()
    };
    (0..by_end.len()).filter_map(ended_by).min()
}

/// A run in flight.
#[derive(Debug)]
pub(super) struct Flight {
    /// When it began.
    pub(super) from: u64,
    /// When it ended.
    pub(super) to: u64,
    /// The place of its user among all.
    pub(super) user: usize,
    /// Whether its words are the same as other users' words.
    pub(super) is_equal: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty users whose runs of that length begin at once, each taking the server for that time.
    fn flights(length: u64, apart: u64) -> InFlight {
        let flight = |user: usize| (0, length + user as u64 * apart, user);
        of(&(0..20).map(flight).collect::<Vec<_>>())
    }

    /// What was in flight of runs from a start to an end, with the user's place.
    fn of(flights: &[(u64, u64, usize)]) -> InFlight {
        let flight = |&(from, to, user): &_| Flight { from, to, user, is_equal: false };
        InFlight::of(&flights.iter().map(flight).collect::<Vec<_>>())
    }

    /// Eight runs of one user alone, of those lengths in turn.
    fn alone(lengths: &[u64]) -> RunsAlone {
        let mut alone = RunsAlone::default();
        lengths.iter().cycle().take(8).for_each(|length| alone.took.add(*length));
        alone
    }

    /// The same where each run waited so many milliseconds for a processor, here and where the server is.
    fn alone_among_others(lengths: &[u64], waited: u64) -> RunsAlone {
        RunsAlone { waited: Duration::from_millis(waited * 8 / 2), ..alone(lengths) }
    }

    #[test]
    fn time_in_flight_is_counted_by_pair_and_as_a_whole() {
        let own = of(&[(0, 10, 0), (4, 12, 1), (5, 7, 0), (20, 21, 1)]);
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
        let few = |took| super::tests::of(&[(0, took, 0), (0, 2 * took, 1)]);
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
            AtOnce::of([0, 190], &flights(20, 20), &RunsAlone::default(), None),
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

    #[test]
    fn a_machine_that_is_busy_all_the_time_does_not_hide_runs_that_were_served_at_once() {
        let rounds = |round: &[(u64, u64, usize)], often: usize| {
            let mut sums = InFlight::default();
            (0..often).for_each(|_| sums.add(&of(round)));
            sums
        };
        // Most runs of 60 ms begin late or end late, and yet two lie in 75 ms.
        let parallel = [(0, 70, 0), (5, 75, 1), (20, 140, 2), (150, 300, 0), (200, 400, 1)];
        let judge = |together: &InFlight, lengths: &[u64]| {
            AtOnce::of([0, 9], together, &alone(lengths), None)
        };
        let busy = [60, 75, 61, 90];
        assert!(matches!(judge(&rounds(&parallel, 3), &busy), AtOnce::Several(_)));
        // Fewer trials say nothing, nor do runs of one user, nor one in eight trials.
        assert!(matches!(judge(&rounds(&parallel, 2), &busy), AtOnce::OneByOne(_)));
        let same = parallel.map(|(from, to, _)| (from, to, 0));
        assert!(matches!(judge(&rounds(&same, 3), &busy), AtOnce::OneByOne(_)));
        let lock = [(0, 61, 0), (1, 122, 1), (2, 183, 2), (62, 244, 0), (123, 305, 1)];
        assert!(matches!(judge(&rounds(&lock, 20), &busy), AtOnce::OneByOne(_)));
        let mut once = rounds(&lock, 7);
        once.add(&of(&parallel));
        assert!(matches!(judge(&once, &busy), AtOnce::OneByOne(_)));
        // What a run alone waits for a processor is no work that a lock would hold.
        let slow = alone_among_others(&[41, 52, 44, 60], 20);
        let tight = [(0, 45, 0), (1, 68, 1), (2, 90, 2), (46, 112, 0), (70, 133, 1)];
        let of_lock = judge(&rounds(&tight, 20), &[41, 52, 44, 60]);
        assert!(matches!(of_lock, AtOnce::Several(_)), "what follows would show nothing");
        assert_eq!(AtOnce::of([0, 9], &rounds(&tight, 20), &slow, None), AtOnce::Busy(20.0));
        let many: Vec<_> = (0..20).map(|user| (0, 60 + user as u64, user)).collect();
        let of_many = AtOnce::of([0, 9], &rounds(&many, 3), &slow, None);
        assert!(matches!(of_many, AtOnce::Several(served) if served > 5.0));
        // Equal requests may have been one piece of work.
        let equal = |&(from, to, user): &_| Flight { from, to, user, is_equal: true };
        let equal: Vec<_> = parallel.iter().map(equal).collect();
        assert_eq!(closest(&equal), None);
    }
}
