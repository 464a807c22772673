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
/// The share of before's meetings in a phase, for each trial, that after must have.
const LEAST_OF_MEETINGS: f64 = 0.5;
/// A phase with a smaller share of a level's meetings is one where runs meet by chance.
const BY_CHANCE: f64 = 0.01;
/// In fewer phases a lock could not be told from runs that wait for something else.
const LEAST_PHASES: usize = 2;
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
    /// What after must reach: of its trials those of before's plans, and where phases count over all
    /// trials, these for them.
    fn beside(&self, same: &Self, after: &Self, all_phases: bool) -> [Row; 4] {
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
        let by_time = match (self.pairs_a_millisecond, same.pairs_a_millisecond) {
            (Some(before), Some(after)) => of(before, after),
            _ => 0.0,
        };
        let pairs = of(self.overlapping_pairs, same.overlapping_pairs).max(by_time);
        let measured = !self.phase_coverage.mean_milliseconds.is_empty();
        let lasting = lasting(&after.phase_coverage).filter(|_| measured);
        let of_after = if all_phases { after } else { same };
        let [before_phases, after_phases] = [self, of_after].map(|side| {
            let coverage = &side.phase_coverage;
            lasting.as_ref().map_or(coverage.share, |lasting| share_in(coverage, lasting))
        });
        [
            of_before("overlapping trials", self.overlapping_trials, same.overlapping_trials),
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

/// Whether in each phase where runs of others often went on before, they do after.
pub(crate) fn meet_as_before(before: &Level, after: &Level) -> bool {
    let a_trial = |level: &Level| -> Vec<f64> {
        let trials = level.trials.max(1) as f64;
        let of_phase = |counts: &Vec<u64>| counts.iter().sum::<u64>() as f64 / trials;
        level.phase_coverage.counts.iter().map(of_phase).collect()
    };
    let (before, after) = (a_trial(before), a_trial(after));
    let often = before.iter().sum::<f64>() * BY_CHANCE;
    let pairs = before.iter().zip(&after).filter(|(before, _)| **before > often);
    let met: Vec<bool> =
        pairs.map(|(before, after)| *after >= before * LEAST_OF_MEETINGS).collect();
    met.len() >= LEAST_PHASES && met.iter().all(|met| *met)
}

/// The share of the pairs with those phases that were hit.
fn share_in(coverage: &PhaseCoverage, phases: &[bool]) -> f64 {
    let rows = coverage.counts.iter().zip(phases).filter(|(_, wanted)| **wanted);
    let (hit, of) = rows.fold((0, 0), |(hit, of), (row, _)| {
        (hit + row.iter().filter(|count| **count > 0).count() as u64, of + row.len() as u64)
    });
    share(hit, of)
}

/// What after reached of before, level by level. Where before drove fewer trials, after is judged by what
/// it had shown when it had driven as many, since those of other plans differ in what can overlap. What it
/// met in phases later counts only if in each trial runs meet about as often as before.
pub(crate) fn compare(
    before: &[Level],
    after: &[Level],
    same: &[Option<Level>],
) -> Vec<Comparison> {
    let same = same.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let of_level = |((before, after), same): ((&Level, &Level), Option<&Level>)| {
        let all_phases = same.is_none() || meet_as_before(before, after);
        let same = same.unwrap_or(after);
        Effort::from(before).beside(&same.into(), &after.into(), all_phases).map(|row| Comparison {
            level: after.level,
            scenario: after.scenario.clone(),
            figure: row.figure.to_owned(),
            before: row.before,
            after: row.after,
            needed: row.needed,
            met: row.met(),
        })
    };
    before.iter().zip(after).zip(same).flat_map(of_level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::control::{Drive, Tally};
    use partywall_core::record::SearchMethod;
    use partywall_drive::scenario::built_in;
    use partywall_explore::exploration::level::LevelTally;

    const PLANNED: u64 = 8;

    /// A level of so many rounds, with how often runs of others went on in each of two phases.
    fn level(trials: u64, counts: [[u64; 2]; 2]) -> Level {
        let work = built_in("reference-golden-path").expect("built in").wire;
        let tally = LevelTally::new(LevelName::Wire, &work, SearchMethod::BarrierRounds, PLANNED);
        let mut level = tally.finish(Tally::default(), Drive::Absent, None);
        (level.trials, level.trials_overlapping) = (trials, trials);
        level.overlapping_pairs = 100 * trials;
        (level.runs_started, level.runs_completed) = (40 * trials, 40 * trials);
        level.phase_coverage.share = share_in_all(&counts);
        level.phase_coverage.counts = counts.map(|row| row.to_vec()).to_vec();
        level
    }

    fn share_in_all(counts: &[[u64; 2]; 2]) -> f64 {
        share(counts.iter().flatten().filter(|count| **count > 0).count() as u64, 4)
    }

    /// What is not met.
    fn unmet(before: &Level, after: Level, same: Option<Level>) -> Vec<String> {
        let rows = compare(std::slice::from_ref(before), &[after], &[same]);
        rows.into_iter().filter(|row| !row.met).map(|row| row.figure).collect()
    }

    #[test]
    fn what_many_rounds_hit_now_and_then_is_not_what_one_round_hits() {
        let one = level(1, [[9, 9], [9, 9]]);
        for times in [&[][..], &[4.0, 6.0]] {
            let unmet = |counts, first| {
                let mut after = level(PLANNED, counts);
                after.phase_coverage.mean_milliseconds = times.to_vec();
                unmet(&one, after, Some(level(1, first)))
            };
            // As much in each round, be it of one or of all.
            assert!(unmet([[72, 72], [72, 72]], [[9, 9], [9, 9]]).is_empty());
            // Where the first round missed phases by chance, others make up for it.
            assert!(unmet([[72, 72], [64, 64]], [[9, 9], [0, 0]]).is_empty());
            // Behind a lock with a few ways around it all runs but a few are in one phase.
            assert_eq!(unmet([[144, 144], [2, 2]], [[18, 18], [0, 0]]), [PHASE_COVERAGE]);
        }
    }

    #[test]
    fn rounds_of_other_plans_do_not_make_after_look_better_or_worse() {
        let (one, calm) = (level(1, [[9, 9], [9, 9]]), [[72, 72], [72, 72]]);
        let with = |pairs, of_first| {
            let (mut after, mut first) = (level(PLANNED, calm), level(1, [[9, 9], [9, 9]]));
            (after.overlapping_pairs, first.overlapping_pairs) = (pairs, of_first);
            unmet(&one, after, Some(first))
        };
        assert!(with(PLANNED * 50, 100).is_empty(), "later plans have fewer runs");
        assert_eq!(with(PLANNED * 100, 50), ["overlapping pairs, of before's"]);
    }
}
