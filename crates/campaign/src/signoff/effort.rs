//! How hard each side of a sign-off looked, and the share of "before" that "after" must reach: else
//! a global lock would pass.

use partywall_core::record::{Comparison, Level, LevelName, PhaseCoverage};
use partywall_explore::exploration::level::share;

/// What after must reach of before's overlap and phase coverage.
const LEAST_OF_BEFORE: f64 = 0.8;
/// The share of after's runs that must complete.
const LEAST_COMPLETED: f64 = 0.9;
/// A run that is in a phase for less than so many milliseconds on average is hardly in it.
const MOMENT: f64 = 1.0;
pub(crate) const PHASE_COVERAGE: &str = "phase coverage";

/// What is compared of a level.
struct Effort {
    overlapping_trials: f64,
    /// Pairs of runs in a trial.
    overlapping_pairs: f64,
    /// The same for each millisecond in which two runs of different users were under way; on the
    /// wire alone.
    pairs_a_millisecond: Option<f64>,
    phase_coverage: PhaseCoverage,
    /// Of the runs whose end is known.
    completed: f64,
}

impl From<&Level> for Effort {
    fn from(level: &Level) -> Self {
        Self {
            overlapping_trials: share(level.trials_overlapping, level.trials),
            overlapping_pairs: share(level.overlapping_pairs, level.trials),
            pairs_a_millisecond: (level.level == LevelName::Wire && level.time_together > 0)
                .then(|| share(level.overlapping_pairs, level.time_together)),
            phase_coverage: level.phase_coverage.clone(),
            completed: share(level.runs_completed, level.runs_started - level.runs_unknown),
        }
    }
}

/// A figure that after must reach.
struct Row {
    figure: &'static str,
    before: Option<f64>,
    after: f64,
    needed: f64,
}

impl Row {
    fn met(&self) -> bool {
        self.after >= self.needed
    }
}

impl Effort {
    fn beside(&self, after: &Self) -> [Row; 4] {
        let of_before = |figure, before: f64, after| Row {
            figure,
            before: Some(before),
            after,
            needed: before * LEAST_OF_BEFORE,
        };
        let alone = |figure, after, needed| Row { figure, before: None, after, needed };
        // Pairs show a back end that lets only a few users at a time go on. A fix that is faster than
        // before has shorter runs, of which fewer meet; those that wait for each other are under way
        // for longer and meet less.
        let of = |before: f64, after: f64| if before > 0.0 { after / before } else { 1.0 };
        let by_time = match (self.pairs_a_millisecond, after.pairs_a_millisecond) {
            (Some(before), Some(after)) => of(before, after),
            _ => 0.0,
        };
        let pairs = of(self.overlapping_pairs, after.overlapping_pairs).max(by_time);
        let measured = !self.phase_coverage.mean_milliseconds.is_empty();
        let lasting = lasting(&after.phase_coverage).filter(|_| measured);
        let [before_phases, after_phases] = [self, after].map(|side| {
            let coverage = &side.phase_coverage;
            lasting.as_ref().map_or(coverage.share, |lasting| share_in(coverage, lasting))
        });
        [
            of_before("overlapping trials", self.overlapping_trials, after.overlapping_trials),
            alone("overlapping pairs, of before's", pairs, LEAST_OF_BEFORE),
            of_before(PHASE_COVERAGE, before_phases, after_phases),
            alone("runs completed", after.completed, LEAST_COMPLETED),
        ]
    }
}

/// The phases of after in which its runs stay: whether others go on in one that is over at once is
/// chance, and a leak that sends much to many makes such phases long before. Behind a lock, runs stay
/// in the phase in which they wait. None where it was not measured, or no phase lasts.
fn lasting(after: &PhaseCoverage) -> Option<Vec<bool>> {
    let lasts = |mean: &f64| *mean >= MOMENT;
    let lasting: Vec<bool> = after.mean_milliseconds.iter().map(lasts).collect();
    lasting.contains(&true).then_some(lasting)
}

/// The share of the pairs with those phases that were hit.
fn share_in(coverage: &PhaseCoverage, phases: &[bool]) -> f64 {
    let rows = coverage.counts.iter().zip(phases).filter(|(_, wanted)| **wanted);
    let (hit, of) = rows.fold((0, 0), |(hit, of), (row, _)| {
        (hit + row.iter().filter(|count| **count > 0).count() as u64, of + row.len() as u64)
    });
    share(hit, of)
}

/// What after reached of before, level by level.
pub(crate) fn compare(before: &[Level], after: &[Level]) -> Vec<Comparison> {
    let of_level = |(before, after): (&Level, &Level)| {
        Effort::from(before).beside(&after.into()).map(|row| Comparison {
            level: after.level,
            scenario: after.scenario.clone(),
            figure: row.figure.to_owned(),
            before: row.before,
            after: row.after,
            needed: row.needed,
            met: row.met(),
        })
    };
    before.iter().zip(after).flat_map(of_level).collect()
}
