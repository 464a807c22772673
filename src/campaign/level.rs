//! From judged trials to one level of a report: what was found, how hard we looked, and what that
//! comes to.

use std::collections::BTreeMap;

use super::confidence::upper_bound;
use super::coverage::{Coverage, Phases};
use super::judged_trial::{JudgedTrial, RunCounts};
use crate::scenario::Workload;
use crate::trial::control::{Controls, Drive, Tally};
use crate::trial::finding::{Finding, Fingerprint, OracleId};
use crate::trial::history::Ending;
use crate::trial::plan::Via;
use crate::trial::record::{FindingRecord, Level, LevelName, OracleRow, UpperBound};
use crate::trial::verdict::{Reason, ReasonCode, Verdict};

/// The method whose trials are drawn independently.
pub(crate) const RANDOM_WALK: &str = "random walk";
/// The least share of trials that must overlap for a level to be clean.
const LEAST_OVERLAP: f64 = 0.5;
/// The least share of the runs with a known outcome that must complete for a level to be clean.
const LEAST_COMPLETED: f64 = 0.9;
/// The largest share of runs whose outcome may be unknown in a clean level.
const MOST_UNKNOWN: f64 = 0.2;

/// Notes a reason, in words made when needed, if it holds.
type Against<'a> = dyn FnMut(bool, ReasonCode, &dyn Fn() -> String) + 'a;

/// Adds up the trials of one level, in the order of their numbers.
#[derive(Debug)]
pub(crate) struct LevelTally {
    level: LevelName,
    scenario: String,
    method: String,
    users: [u32; 2],
    planned: u64,
    least_overlap: f64,
    pub(crate) trials: u64,
    pub(crate) trials_overlapping: u64,
    overlapping_pairs: u64,
    runs: RunCounts,
    coverage: Coverage,
    oracles: BTreeMap<OracleId, (u64, u64, Option<String>)>,
    path: BTreeMap<Via, (u64, u64)>,
    malformed: u64,
    unreachable: u64,
    first_unreachable: String,
    endings: Vec<Reason>,
    pub(crate) findings: Vec<FindingRecord>,
    places: BTreeMap<Fingerprint, usize>,
    first_leak: Option<u64>,
}

impl LevelTally {
    pub(crate) fn new(level: LevelName, workload: &Workload, method: &str, planned: u64) -> Self {
        let bystander = u32::from(workload.bystander);
        Self {
            level,
            scenario: workload.scenario.clone(),
            method: method.to_owned(),
            users: [workload.users.least + bystander, workload.users.most + bystander],
            planned,
            least_overlap: LEAST_OVERLAP,
            trials: 0,
            trials_overlapping: 0,
            overlapping_pairs: 0,
            runs: RunCounts::default(),
            coverage: Coverage::new(Phases::golden_path(&workload.agents)),
            oracles: BTreeMap::new(),
            path: BTreeMap::new(),
            malformed: 0,
            unreachable: 0,
            first_unreachable: String::new(),
            endings: Vec::new(),
            findings: Vec::new(),
            places: BTreeMap::new(),
            first_leak: None,
        }
    }

    /// A level that tried every schedule up to a bound: most of them are close to the default
    /// policy, which lets one task after the other run, so only that some overlapped is asked.
    pub(crate) fn exhaustive(workload: &Workload) -> Self {
        let mut tally = Self::new(LevelName::Explore, workload, "exhaustive", 0);
        tally.least_overlap = f64::MIN_POSITIVE;
        tally
    }

    /// States how the trials were chosen and how many there were to try.
    pub(crate) fn state_method(&mut self, method: String, planned: u64) {
        self.method = method;
        self.planned = planned;
    }

    /// Adds the next trial. Gives the places in [`Self::findings`] of those that are new, with
    /// their places in the trial's findings.
    pub(crate) fn add(&mut self, trial: &JudgedTrial) -> Vec<(usize, usize)> {
        self.trials += 1;
        self.trials_overlapping += u64::from(trial.overlapping_pairs > 0);
        self.overlapping_pairs += trial.overlapping_pairs;
        self.runs.started += trial.runs.started;
        self.runs.completed += trial.runs.completed;
        self.runs.unknown += trial.runs.unknown;
        self.malformed += trial.malformed;
        if let (0, Some(first)) = (self.unreachable, trial.unreachable.first()) {
            self.first_unreachable.clone_from(first);
        }
        self.unreachable += trial.unreachable.len() as u64;
        self.coverage.add(&trial.coverage);
        for (via, came_back) in &trial.path {
            let (planted, caught) = self.path.entry(*via).or_default();
            *planted += 1;
            *caught += u64::from(*came_back);
        }
        for (oracle, items, blind) in &trial.rows {
            let row = self.oracles.entry(*oracle).or_default();
            match blind {
                None => row.0 += 1,
                Some(why) => row.2 = Some(why.clone()),
            }
            row.1 += items;
        }
        self.note_ending(trial.ending.as_ref());
        self.add_findings(trial)
    }

    fn add_findings(&mut self, trial: &JudgedTrial) -> Vec<(usize, usize)> {
        let mut new = Vec::new();
        let mut seen_here = Vec::new();
        for (place, finding) in trial.findings.iter().enumerate() {
            let known = self.places.get(&finding.fingerprint).copied();
            let record = known.unwrap_or_else(|| {
                let own = self.findings.len();
                self.findings.push(record_of(finding, trial.events[place].clone(), self.trials));
                self.places.insert(finding.fingerprint.clone(), own);
                new.push((own, place));
                own
            });
            if !seen_here.contains(&record) {
                seen_here.push(record);
                self.findings[record].seen_in_trials += 1;
            }
        }
        if !trial.findings.is_empty() {
            self.first_leak.get_or_insert(self.trials);
        }
        new
    }

    fn note_ending(&mut self, ending: Option<&Ending>) {
        let reason = match ending {
            Some(Ending::Finished) | None => return,
            Some(Ending::Stuck { tasks }) => Reason::new(
                ReasonCode::BackendHangs,
                format!(
                    "trial {}: nothing could go on although {} users were left",
                    self.trials,
                    tasks.len()
                ),
            ),
            Some(Ending::StepLimit { steps }) => Reason::new(
                ReasonCode::BackendHangs,
                format!("trial {} was not over after {steps} steps", self.trials),
            ),
            Some(Ending::Panicked { task, message }) => Reason::new(
                ReasonCode::BackendPanicked,
                format!("trial {}: the task {task} panicked: {message}", self.trials),
            ),
            Some(Ending::Diverged { deviation }) => Reason::new(
                ReasonCode::ReplayDiverged,
                format!("trial {}: deviation {deviation} could not be followed", self.trials),
            ),
            Some(Ending::Flooded { bytes }) => Reason::new(
                ReasonCode::UnexpectedProtocol,
                format!(
                    "trial {} was stopped: the server had sent {} MB, far more than was asked for",
                    self.trials,
                    bytes >> 20
                ),
            ),
            // Said once for the whole level, by whoever stopped it.
            Some(Ending::Stopped) => return,
        };
        if self.endings.iter().all(|known| known.code != reason.code) {
            self.endings.push(reason);
        }
    }

    /// Whether no run of the trials so far has completed.
    pub(crate) fn is_in_vain(&self) -> bool {
        self.runs.completed == 0
    }

    /// Closes the level: controls in, verdict out.
    pub(crate) fn finish(self, judge: Tally, drive: Drive, stopped: Option<ReasonCode>) -> Level {
        let mut path = Tally::default();
        for (via, (planted, caught)) in &self.path {
            // Once for each kind of run; that it did not come back everywhere is the runs' matter.
            debug_assert!(*planted > 0);
            path.count(*caught > 0, || {
                format!("a phantom's canary sent through {} never came back", via.run_kind())
            });
        }
        let controls = Controls::new(judge, path, drive);
        let mut reasons = self.endings.clone();
        reasons.extend(self.reasons_against_clean(&controls));
        if let Some(code) = stopped {
            let what = match code {
                ReasonCode::Interrupted => "interrupted",
                _ => "the time limit was reached",
            };
            let text = format!("{what} after {} of {} trials", self.trials, self.planned);
            reasons.push(Reason::new(code, text));
        }
        let verdict = if !self.findings.is_empty() {
            let text = format!(
                "{} distinct findings, the first in trial {}",
                self.findings.len(),
                self.first_leak.unwrap_or_default()
            );
            reasons.insert(0, Reason::new(ReasonCode::Findings, text));
            Verdict::Leaked
        } else if reasons.is_empty() {
            reasons
                .push(Reason::new(ReasonCode::Shown, "nothing crossed, and every control fired"));
            Verdict::Clean
        } else {
            Verdict::Inconclusive
        };
        self.into_record(verdict, reasons, controls)
    }

    fn into_record(self, verdict: Verdict, reasons: Vec<Reason>, controls: Controls) -> Level {
        let oracles = OracleId::ALL.map(|oracle| self.oracle_row(oracle)).to_vec();
        Level {
            leak_probability_upper_bound: self.bound(),
            level: self.level,
            scenario: self.scenario,
            verdict,
            reasons,
            method: self.method,
            users: self.users,
            trials: self.trials,
            trials_planned: self.planned,
            trials_overlapping: self.trials_overlapping,
            runs_started: self.runs.started,
            runs_completed: self.runs.completed,
            runs_unknown: self.runs.unknown,
            overlapping_pairs: self.overlapping_pairs,
            phase_coverage: self.coverage.to_record(),
            controls,
            oracles,
            findings: self.findings,
            first_leak_at_trial: self.first_leak,
        }
    }

    fn oracle_row(&self, oracle: OracleId) -> OracleRow {
        let (judged_trials, judged_items, blind) =
            self.oracles.get(&oracle).cloned().unwrap_or((0, 0, None));
        OracleRow {
            oracle,
            judged_trials,
            judged_items,
            blind: blind.filter(|_| judged_trials == 0),
            findings: self.findings.iter().filter(|found| found.oracle == oracle).count() as u64,
        }
    }

    /// Only independently drawn trials with overlap count, and none of it holds after a leak.
    fn bound(&self) -> Option<UpperBound> {
        if !self.findings.is_empty() {
            return None;
        }
        match self.level {
            LevelName::Explore => {
                upper_bound(self.trials_overlapping, "trial", &self.method, false)
            }
            LevelName::Wire => {
                upper_bound(self.trials_overlapping, "barrier round", &self.method, true)
            }
            LevelName::Model | LevelName::Recorded => None,
        }
    }

    fn reasons_against_clean(&self, controls: &Controls) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut against = |holds: bool, code, text: &dyn Fn() -> String| {
            if holds {
                reasons.push(Reason::new(code, text()));
            }
        };
        against(self.unreachable > 0, ReasonCode::TargetUnreachable, &|| {
            format!(
                "{} connections could not be opened; the first: {}",
                self.unreachable, self.first_unreachable
            )
        });
        against(self.malformed > 0, ReasonCode::UnexpectedProtocol, &|| {
            format!("{} messages were not of the expected protocol", self.malformed)
        });
        if self.runs.completed == 0 {
            against(true, ReasonCode::NothingExercised, &|| {
                format!("none of {} runs completed", self.runs.started)
            });
            return reasons;
        }
        self.reasons_of_effort(&mut against);
        for tally in [&controls.judge, &controls.path] {
            against(!tally.all_caught(), ReasonCode::ControlMissed, &|| match tally
                .missed
                .as_slice()
            {
                [] => "no control could be planted".into(),
                missed => format!("{} controls were missed: {}", missed.len(), missed.join("; ")),
            });
        }
        for oracle in OracleId::ALL {
            let row = self.oracle_row(oracle);
            against(row.judged_trials == 0, ReasonCode::PreconditionNotMet, &|| {
                format!("{oracle} was blind: {}", row.blind.clone().unwrap_or_default())
            });
        }
        reasons
    }

    fn reasons_of_effort(&self, against: &mut Against<'_>) {
        let overlap = share(self.trials_overlapping, self.trials);
        against(overlap < self.least_overlap, ReasonCode::TooLittleOverlap, &|| {
            format!(
                "runs of different users overlapped in {} of {} trials, too few",
                self.trials_overlapping, self.trials
            )
        });
        let RunCounts { started, completed, unknown } = self.runs;
        against(
            share(completed, started - unknown) < LEAST_COMPLETED
                || share(unknown, started) > MOST_UNKNOWN,
            ReasonCode::RunsIncomplete,
            &|| {
                format!(
                    "{completed} of {started} runs completed, {unknown} have an unknown outcome; at \
                     least {:.0} % of those with a known outcome must complete, and at most {:.0} % \
                     may be unknown",
                    LEAST_COMPLETED * 100.0,
                    MOST_UNKNOWN * 100.0
                )
            },
        );
    }
}

pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn record_of(finding: &Finding, event: Option<String>, trial: u64) -> FindingRecord {
    FindingRecord {
        fingerprint: finding.fingerprint.clone(),
        oracle: finding.oracle,
        kind: finding.kind,
        victim: finding.victim.clone(),
        victim_run: finding.victim_run,
        observer: finding.observer.clone(),
        victim_operation: finding.victim_operation.clone(),
        observer_operation: finding.observer_operation.clone(),
        summary: finding.summary(),
        event,
        evidence: finding.evidence.clone(),
        chain: Vec::new(),
        seen_in_trials: 0,
        first_trial: trial,
        repro: None,
        repro_size: None,
        reproduction_rate: None,
        reproduce_with: None,
    }
}
