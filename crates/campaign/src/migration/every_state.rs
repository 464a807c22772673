//! The migration matrix: every subset of the reference back end's call sites, driven with the same
//! plans, so that it is known which sites leak, and in which order to migrate them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::follows::Known;
use super::leak_rows::{describe_leak, sorted};
use partywall_core::canary::{CampaignKey, Scanner};
use partywall_core::migration::{LeakRow, MigrationRecord, ScenarioTrials, StateRow, StateVerdict};
use partywall_core::record::SearchMethod;
use partywall_core::target::Reference;
use partywall_drive::scenario::Workload;
use partywall_drive::transport::ReferenceSubject;
use partywall_explore::exploration::confidence::upper_bound;
use partywall_explore::exploration::explore_trial::explore_trial;
use partywall_explore::exploration::judged_trial::judge_trial;
use partywall_explore::exploration::parameters::{inside_runtime, walk_seed};
use partywall_explore::store::budget::{Progress, Stop};
use partywall_explore::store::error::CampaignError;
use partywall_reference::call_sites::{CallSite, Migration};
use partywall_world::strategy::Random;

/// The share of trials that must overlap, or a state is not called clean.
const LEAST_OVERLAP: f64 = 0.5;

/// What to drive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Matrix<'m> {
    /// The work, of one scenario after the other.
    pub works: &'m [Workload],
    /// Where plans and schedules come from; the same for all states.
    pub seed: u64,
    /// Trials of each work in each state.
    pub trials: u64,
    /// Threads that drive states; the result does not depend on it.
    pub workers: usize,
    /// When to stop early.
    pub stop: &'m Stop,
}

/// A state as the trials have it, by number: bit n for the n-th site.
type State = usize;

/// Trials that were driven, over all states: overlapping, and with findings.
#[derive(Default)]
struct Counts {
    done: AtomicU64,
    overlapping: AtomicU64,
    leaking: AtomicU64,
}

impl<'m> Matrix<'m> {
    /// Every state with that many trials of each work, on two workers.
    pub fn new(works: &'m [Workload], seed: u64, trials: u64, stop: &'m Stop) -> Self {
        Self { works, seed, trials, workers: 2, stop }
    }

    /// Drives all states.
    ///
    /// # Errors
    ///
    /// The simulated world cannot run here.
    pub fn run(&self, progress: &dyn Progress) -> Result<MigrationRecord, CampaignError> {
        let count = 1 << CallSite::ALL.len();
        let planned = count as u64 * self.trials * self.works.len() as u64;
        progress.begin("", "migration", "all states", planned);
        let next = AtomicUsize::new(0);
        let counts = Counts::default();
        let done: Mutex<BTreeMap<State, StateRow>> = Mutex::default();
        let failed = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..self.workers.max(1) {
                scope.spawn(|| {
                    loop {
                        let state = next.fetch_add(1, Ordering::Relaxed);
                        if state >= count || self.stop.reason().is_some() {
                            return;
                        }
                        match self.state(state, &counts, progress) {
                            Ok(row) => {
                                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                                done.insert(state, row);
                            }
                            Err(error) => {
                                let mut failed =
                                    failed.lock().unwrap_or_else(PoisonError::into_inner);
                                *failed = Some(error);
                                return;
                            }
                        }
                    }
                });
            }
        });
        progress.end();
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        // What was not come to any more is not known.
        let rows = (0..count).map(|state| done.remove(&state).unwrap_or_else(|| unknown(state)));
        Ok(self.concluded(&rows.collect::<Vec<_>>()))
    }

    fn state(
        &self,
        state: State,
        counts: &Counts,
        progress: &dyn Progress,
    ) -> Result<StateRow, CampaignError> {
        let reference = Reference::from(migration(state));
        let scanner = Scanner::new(CampaignKey::from_seed(self.seed));
        let mut row = unknown(state);
        let mut leaks: BTreeMap<String, u64> = BTreeMap::new();
        for number in 0..self.trials {
            for work in self.works {
                if self.stop.reason().is_some() {
                    row.leaks = leak_rows(leaks);
                    row.verdict = verdict(&row, false);
                    return Ok(row);
                }
                let plan = work.plan(self.seed, number);
                let mut walk = Random::new(walk_seed(self.seed, number));
                let trial =
                    explore_trial(&plan, &ReferenceSubject(reference), &mut walk, &|| false);
                let trial = trial.map_err(inside_runtime)?;
                let judged = judge_trial(&trial.history, &work.agents, &scanner);
                let is_contaminated = judged.latent.is_some();
                row.runs_started += judged.runs.started;
                row.runs_completed += judged.runs.completed;
                let leaked = !judged.findings.is_empty();
                row.count(judged.overlap.pairs > 0, leaked, is_contaminated);
                let told: BTreeSet<String> = judged
                    .findings
                    .iter()
                    .map(|finding| {
                        describe_leak(
                            finding.oracle,
                            finding.kind,
                            &finding.victim_operation,
                            &finding.observer_operation,
                        )
                    })
                    .collect();
                for what in told {
                    *leaks.entry(what).or_default() += 1;
                }
                counts.add(judged.overlap.pairs > 0, !judged.findings.is_empty());
                counts.tell(progress);
            }
        }
        row.leaks = leak_rows(leaks);
        row.verdict = verdict(&row, true);
        if row.leaking == 0 {
            row.leak_probability_upper_bound =
                upper_bound(row.overlapping, "trial", SearchMethod::RandomWalk, false);
        }
        Ok(row)
    }

    pub(super) fn concluded(&self, states: &[StateRow]) -> MigrationRecord {
        let scenarios = self
            .works
            .iter()
            .map(|work| ScenarioTrials { scenario: work.scenario.clone(), trials: self.trials });
        let sites = CallSite::ALL.map(|site| site.name().to_owned());
        let scenarios = scenarios.collect();
        MigrationRecord { scenarios, ..Known::new(&sites, states).conclude() }
    }
}

impl Counts {
    fn add(&self, overlapped: bool, leaked: bool) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.overlapping.fetch_add(overlapped.into(), Ordering::Relaxed);
        self.leaking.fetch_add(leaked.into(), Ordering::Relaxed);
    }

    fn tell(&self, progress: &dyn Progress) {
        let [done, overlapping, leaking] = [&self.done, &self.overlapping, &self.leaking]
            .map(|count| count.load(Ordering::Relaxed));
        progress.advance(done, overlapping, leaking);
    }
}

/// A state of which nothing is known yet.
fn unknown(state: State) -> StateRow {
    StateRow::of(names(state))
}

fn migration(state: State) -> Migration {
    Migration::of(sites(state))
}

fn sites(state: State) -> impl Iterator<Item = CallSite> {
    CallSite::ALL
        .into_iter()
        .enumerate()
        .filter_map(move |(bit, site)| (state & 1 << bit != 0).then_some(site))
}

fn names(state: State) -> Vec<String> {
    sites(state).map(|site| site.name().to_owned()).collect()
}

fn verdict(row: &StateRow, is_whole: bool) -> StateVerdict {
    let overlap = row.overlapping as f64 / row.trials.max(1) as f64;
    match () {
        () if row.leaking > 0 => StateVerdict::Leaked,
        () if !is_whole || overlap < LEAST_OVERLAP => StateVerdict::Inconclusive,
        () if row.latent > 0 => StateVerdict::Latent,
        () => StateVerdict::Clean,
    }
}

fn leak_rows(leaks: BTreeMap<String, u64>) -> Vec<LeakRow> {
    let row = |(what, trials)| LeakRow { what, trials, reproduce_with: None };
    sorted(leaks.into_iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::super::conclusion::conclude;
    use super::*;
    use partywall_core::verdict::{Outcome, ReasonCode};
    use partywall_drive::scenario::built_in;
    use partywall_oracles::latent::contaminations;

    #[test]
    fn the_legacy_back_end_reports_contamination_and_the_migrated_one_none() {
        let work =
            built_in("reference-golden-path").expect("built in").explore.expect("it is explored");
        let reported = |migration| {
            let drive = |number| {
                let mut walk = Random::new(walk_seed(1, number));
                let plan = work.plan(1, number);
                let trial = explore_trial(
                    &plan,
                    &ReferenceSubject(Reference::from(migration)),
                    &mut walk,
                    &|| false,
                );
                contaminations(&trial.expect("no runtime here").history).len()
            };
            (0..20).map(drive).sum::<usize>()
        };
        assert!(reported(Migration::NONE) > 0);
        assert_eq!(reported(Migration::ALL), 0);
    }

    fn rows(of: impl Fn(State) -> StateVerdict) -> Vec<StateRow> {
        let row = |state| {
            let verdict = of(state);
            let leaking = if verdict == StateVerdict::Leaked { 5 } else { 0 };
            StateRow { verdict, leaking, trials: 10, runs_completed: 10, ..unknown(state) }
        };
        (0..1 << CallSite::ALL.len()).map(row).collect()
    }

    #[test]
    fn the_smallest_sets_and_the_order_follow_from_the_states() {
        // Clean as soon as the third and the last site are migrated, or the first and the second.
        let clean = |state: State| state & 0b10_0100 == 0b10_0100 || state & 0b11 == 0b11;
        let states =
            rows(|state| if clean(state) { StateVerdict::Clean } else { StateVerdict::Leaked });
        let stop = Stop::default();
        let matrix = Matrix::new(&[], 1, 10, &stop).concluded(&states);
        assert_eq!(matrix.smallest_clean, [names(0b11), names(0b10_0100)]);
        let steps = matrix.order;
        assert_eq!(steps.len(), CallSite::ALL.len());
        let leaking = steps.iter().filter(|step| step.verdict == StateVerdict::Leaked).count();
        assert_eq!(leaking, 1, "{steps:?}");
        assert_eq!(steps.last().map(|step| step.state), Some(0b11_1111));
    }

    #[test]
    fn what_is_latent_is_neither_clean_nor_a_leak() {
        let states = rows(|state| match state {
            0b11_1111 => StateVerdict::Clean,
            0b11_1110 => StateVerdict::Latent,
            _ => StateVerdict::Leaked,
        });
        let stop = Stop::default();
        let matrix = Matrix::new(&[], 1, 10, &stop).concluded(&states);
        assert_eq!(matrix.latent_alone, ["startup"]);
        assert_eq!(matrix.leak_alone.len(), 5);
        assert_eq!(matrix.smallest_clean.len(), 1);
        assert_eq!(matrix.order.last().map(|step| step.migrate.join("+")), Some("startup".into()));
        assert_eq!(conclude(&matrix, None).0, Outcome::Fixed);
        assert_eq!(conclude(&matrix, Some(ReasonCode::Interrupted)).0, Outcome::Inconclusive);
    }

    #[test]
    fn a_matrix_without_a_leak_shows_nothing_and_one_that_ends_in_a_leak_fails() {
        let stop = Stop::default();
        let of = |verdict| Matrix::new(&[], 1, 10, &stop).concluded(&rows(|_| verdict));
        assert_eq!(conclude(&of(StateVerdict::Clean), None).0, Outcome::BaselineClean);
        assert_eq!(conclude(&of(StateVerdict::Leaked), None).0, Outcome::StillLeaks);
    }
}
