//! Extra rounds on the side after, where phases that did not meet are all that keeps a sign-off
//! in doubt.
//!
//! Some events follow each other within microseconds, and whether two runs meet there is chance, in
//! each round anew. Phases that have met are counted over all rounds, so further rounds raise that
//! figure for a lock with a few ways around it, too. They are therefore driven only where in each
//! round runs meet about as often as before; a lock keeps all runs but one in one phase.

use std::time::Duration;

use crate::signoff::effort::{PHASE_COVERAGE, compare, meet_as_before};
use partywall_core::history::History;
use partywall_core::record::Level;
use partywall_core::verdict::Verdict;
use partywall_explore::store::budget::Stop;
use partywall_explore::user::Allowance;

/// How many times the planned rounds are driven at the most, these included.
pub(crate) const MOST_TIMES: u64 = 8;

/// Whether further rounds may bring what after lacks: it is clean but for the phases that have met,
/// and its runs meet as before's do.
pub(crate) fn may_help(before: &Level, after: &Level, same: Option<&Level>) -> bool {
    let [before_alone, after_alone] = [before, after].map(std::slice::from_ref);
    let rows = compare(before_alone, after_alone, &[same.cloned()]);
    before.verdict == Verdict::Leaked
        && after.verdict == Verdict::Clean
        && rows.iter().all(|row| row.met != (row.figure == PHASE_COVERAGE))
        && meet_as_before(before, after)
}

/// How long a round took: until what was observed last.
pub(crate) fn time_of(round: &History) -> Duration {
    Duration::from_millis(round.observations.last().map_or(0, |last| last.at))
}

/// What the most expensive round so far took: the maximum of each figure.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RoundCost {
    time: Duration,
    requests: u64,
}

impl RoundCost {
    /// Adds a round that took that many requests.
    pub(crate) fn add(&mut self, history: &History, requests: u64) {
        self.time = self.time.max(time_of(history));
        self.requests = self.requests.max(requests);
    }

    /// Whether that many such rounds may still be driven.
    pub(crate) fn leaves(self, rounds: u64, stop: &Stop, allowance: &Allowance) -> bool {
        let time = self.time.saturating_mul(rounds.try_into().unwrap_or(u32::MAX));
        let requests = self.requests.saturating_mul(rounds);
        stop.leaves(time) && allowance.left().is_none_or(|left| left >= requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::control::{Drive, Tally};
    use partywall_core::record::{LevelName, SearchMethod};
    use partywall_drive::scenario::built_in;
    use partywall_explore::exploration::level::LevelTally;

    const ROUNDS: u64 = 4;

    /// A level in whose four phases runs of others went on so often, over all rounds.
    fn level(verdict: Verdict, meetings: [u64; 3], share: f64) -> Level {
        let work = built_in("reference-golden-path").expect("built in").wire;
        let tally = LevelTally::new(LevelName::Wire, &work, SearchMethod::BarrierRounds, ROUNDS);
        let mut level = tally.finish(Tally::default(), Drive::Absent, None);
        level.verdict = verdict;
        (level.trials, level.trials_overlapping) = (ROUNDS, ROUNDS);
        level.overlapping_pairs = 100;
        (level.runs_started, level.runs_completed) = (40, 40);
        level.phase_coverage.share = share;
        level.phase_coverage.counts = meetings.map(|often| vec![often, 0, 0, 0]).to_vec();
        level
    }

    fn before() -> Level {
        level(Verdict::Leaked, [50_000, 20, 30_000], 1.0)
    }

    fn after() -> Level {
        level(Verdict::Clean, [50_000, 0, 26_000], 0.7)
    }

    #[test]
    fn further_rounds_help_where_only_chance_kept_phases_apart() {
        assert!(may_help(&before(), &after(), None));
        // Of more rounds each counts as much as one of before's.
        let mut more = after();
        (more.trials, more.trials_overlapping, more.overlapping_pairs) = (8, 8, 200);
        assert!(!may_help(&before(), &more, None), "each of them met half as often");
        more.phase_coverage.counts = vec![vec![100_000], vec![0], vec![52_000]];
        assert!(may_help(&before(), &more, None));
    }

    #[test]
    fn a_lock_is_given_no_further_round_wherever_its_runs_wait() {
        for meetings in [[50_000, 0, 1_000], [900, 0, 30_000], [0, 60_000, 0]] {
            let locked = level(Verdict::Clean, meetings, 0.7);
            assert!(!may_help(&before(), &locked, None), "{meetings:?}");
        }
        // Where nearly all meet in one phase, a lock looks like waiting for something else.
        let one_phase = level(Verdict::Leaked, [50_000, 20, 30], 1.0);
        assert!(!may_help(&one_phase, &after(), None));
    }

    #[test]
    fn no_further_round_is_driven_for_what_is_decided_or_lacks_something_else() {
        let weaken: [fn(&mut Level); 6] = [
            |level| level.phase_coverage.share = 0.9,
            |level| level.verdict = Verdict::Leaked,
            |level| level.verdict = Verdict::Inconclusive,
            |level| level.trials_overlapping = 3,
            |level| level.overlapping_pairs = 70,
            |level| level.runs_completed = 30,
        ];
        for (place, weaken) in weaken.into_iter().enumerate() {
            let mut weaker = after();
            weaken(&mut weaker);
            assert!(!may_help(&before(), &weaker, None), "{place}");
        }
        let mut clean = before();
        clean.verdict = Verdict::Clean;
        assert!(!may_help(&clean, &after(), None));
    }

    #[test]
    fn what_is_left_must_do_for_all_that_is_still_to_come() {
        let cost = RoundCost { time: Duration::from_secs(100), requests: 10 };
        let (forever, boundless) = (Stop::default(), Allowance::default());
        assert!(cost.leaves(u64::MAX, &forever, &boundless));
        assert!(cost.leaves(5, &forever, &Allowance::new(Some(50), None)));
        assert!(!cost.leaves(6, &forever, &Allowance::new(Some(59), None)));
        let stop = forever.within(Duration::from_secs(350));
        assert!(cost.leaves(3, &stop, &boundless) && !cost.leaves(4, &stop, &boundless));
    }
}
