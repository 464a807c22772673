//! The judged trials of one level, added up: what was found and how hard we looked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exploration::as_list;
use crate::exploration::at_once::{InFlight, RunsAlone};
use crate::exploration::coverage::{Coverage, Phases};
use crate::exploration::expected_places::ExpectedPlaces;
use crate::exploration::judged_trial::{JudgedTrial, RunCounts, shows};
use crate::exploration::replies::Replies;
use crate::exploration::unfinished::reason_of;
use crate::workload::Workload;
use partywall_core::assumption::Assumption;
use partywall_core::finding::{Finding, FindingKind, Fingerprint, OracleId};
use partywall_core::history::{Ending, History};
use partywall_core::ids::UserName;
use partywall_core::measure::{Partition, Source, SpreadCount};
use partywall_core::plan::Via;
use partywall_core::record::{FindingRecord, Latent, LevelName, SearchMethod};
use partywall_core::verdict::{Reason, ReasonCode};

/// The least share of trials that must overlap for a level to be clean.
const LEAST_OVERLAP: f64 = 0.5;
/// The most pairs of users that are counted: a broadcast among 5,000 would make 25 million.
const MOST_COUNTED_PAIRS: usize = 100_000;

/// How the trials of a level were chosen, and what may be claimed of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) method: SearchMethod,
    /// What may be claimed of it, where it is no independent drawing.
    pub(crate) claims: Vec<String>,
}

/// What a saved repro says of its finding.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) repro: String,
    pub(crate) size: String,
    pub(crate) replay: String,
    pub(crate) story: Vec<String>,
}

/// Adds up the trials of one level, in the order of their numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LevelTally {
    pub(crate) level: LevelName,
    /// The scenario's name.
    pub scenario: String,
    pub(crate) method: SearchMethod,
    /// What may be claimed of the method, where it is no independent drawing.
    pub claims: Vec<String>,
    pub(crate) users: [u32; 2],
    /// Trials to drive.
    pub planned: u64,
    pub(crate) least_overlap: f64,
    pub(crate) may_be_blind: Vec<OracleId>,
    /// Optional oracles that this target has what they need for.
    pub(crate) must_see: Vec<OracleId>,
    /// Trials that were driven.
    pub trials: u64,
    /// Trials in which runs of different users overlapped.
    pub trials_overlapping: u64,
    pub(crate) overlapping_pairs: u64,
    /// Those of them whose events show it.
    #[serde(default)]
    pub(crate) pairs_by_events: u64,
    #[serde(default)]
    pub(crate) in_flight: InFlight,
    /// What runs of one user alone showed, where that had to be known.
    #[serde(default)]
    pub alone: RunsAlone,
    /// Whether calls for two users were under way at once at the upstream, where they were held for
    /// each other.
    #[serde(default)]
    pub met_upstream: Option<bool>,
    pub(crate) runs: RunCounts,
    pub(crate) coverage: Coverage,
    pub(crate) oracles: BTreeMap<OracleId, (u64, u64, Option<String>)>,
    pub(crate) path: BTreeMap<Via, (u64, u64)>,
    pub(crate) malformed: u64,
    /// What the server answered to who connected, logged in and started runs.
    #[serde(default)]
    pub(crate) replies: Replies,
    /// What a scenario expects in messages of its server.
    #[serde(default)]
    pub(crate) expected: ExpectedPlaces,
    /// What a reader is told beside the verdict, whatever it is.
    #[serde(default)]
    pub notices: Vec<Reason>,
    /// How trials ended that did not finish, each way once, with the number of the first.
    pub(crate) endings: Vec<(u64, Reason)>,
    /// The distinct findings, in the order in which they were first seen.
    pub findings: Vec<FindingRecord>,
    /// The distinct warnings, in that order.
    #[serde(default)]
    pub warnings: Vec<FindingRecord>,
    /// What was taken for granted of the server.
    #[serde(default)]
    pub(crate) assumptions: BTreeSet<Assumption>,
    pub(crate) places: BTreeMap<Fingerprint, usize>,
    pub(crate) first_leak: Option<u64>,
    #[serde(default)]
    pub(crate) latent: Option<Latent>,
    #[serde(with = "as_list")]
    pub(crate) pairs: BTreeMap<(UserName, UserName), u64>,
    pub(crate) first_leaks: SpreadCount,
    pub(crate) latency: SpreadCount,
    pub(crate) source: Option<Source>,
    /// Which of the campaign's trials these are.
    pub partition: Partition,
}

impl LevelTally {
    /// A level without trials yet, whose plan is to drive that many.
    pub fn new(level: LevelName, workload: &Workload, method: SearchMethod, planned: u64) -> Self {
        let bystander = u32::from(workload.bystander);
        Self {
            level,
            scenario: workload.scenario.clone(),
            method,
            claims: Vec::new(),
            users: [workload.users.least + bystander, workload.users.most + bystander],
            planned,
            least_overlap: LEAST_OVERLAP,
            may_be_blind: Vec::new(),
            must_see: Vec::new(),
            trials: 0,
            trials_overlapping: 0,
            overlapping_pairs: 0,
            pairs_by_events: 0,
            in_flight: InFlight::default(),
            alone: RunsAlone::default(),
            met_upstream: None,
            runs: RunCounts::default(),
            coverage: Coverage::new(Phases::of(&workload.protocol(), &workload.agents)),
            oracles: BTreeMap::new(),
            path: BTreeMap::new(),
            malformed: 0,
            replies: Replies::default(),
            expected: match level {
                LevelName::Wire | LevelName::Recorded => ExpectedPlaces::of(&workload.protocol()),
                _ => ExpectedPlaces::default(),
            },
            notices: Vec::new(),
            endings: Vec::new(),
            findings: Vec::new(),
            warnings: Vec::new(),
            assumptions: BTreeSet::new(),
            places: BTreeMap::new(),
            first_leak: None,
            latent: None,
            pairs: BTreeMap::new(),
            first_leaks: SpreadCount::default(),
            latency: SpreadCount::default(),
            source: None,
            partition: Partition::WHOLE,
        }
    }

    /// A level of a search most of whose schedules are close to one that lets task after task run
    /// (every schedule up to a bound, PCT, sweeps), so that only some overlap is asked.
    pub(crate) fn systematic(method: SearchMethod, workload: &Workload, planned: u64) -> Self {
        let mut tally = Self::new(LevelName::Explore, workload, method, planned);
        tally.least_overlap = f64::MIN_POSITIVE;
        tally
    }

    /// Which oracles may say nothing without making the verdict doubtful.
    pub fn may_be_blind(&mut self, oracles: &[OracleId]) {
        self.may_be_blind = oracles.to_vec();
    }

    /// That oracle is optional elsewhere, and here the target has what it needs.
    pub fn must_see(&mut self, oracle: OracleId) {
        self.must_see.push(oracle);
    }

    /// States how the trials were chosen and how many there were to try.
    pub(crate) fn state_method(&mut self, claimed: Claimed, planned: u64) {
        (self.method, self.claims) = (claimed.method, claimed.claims);
        self.planned = planned;
    }

    /// The number of the trial that was added last, from 1, among all of the campaign's.
    pub fn number(&self) -> u64 {
        self.partition.trial(self.trials.saturating_sub(1)).saturating_add(1)
    }

    /// Adds the next trial. Gives the places in [`Self::findings`] of those that are new, with
    /// their places in the trial's findings.
    pub fn add(&mut self, trial: &JudgedTrial) -> Vec<(usize, usize)> {
        self.trials += 1;
        self.trials_overlapping += u64::from(trial.overlap.pairs > 0);
        self.overlapping_pairs += trial.overlap.pairs;
        self.pairs_by_events += trial.overlap.pairs_by_events;
        self.in_flight.add(&trial.overlap.in_flight);
        self.runs.add(trial.runs);
        self.malformed += trial.malformed;
        self.replies.merge(trial.replies.clone());
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
                // Of several reasons that of the first trial, which every oracle is asked of.
                Some(why) => _ = row.2.get_or_insert_with(|| why.clone()),
            }
            row.1 += items;
        }
        self.note_ending(trial.ending.as_ref());
        if let Some(left) = &trial.left {
            let text = format!("trial {}: {}", self.number(), left.in_words());
            self.note(ReasonCode::LeftInStore, &text);
        }
        if let Some(hanging) = &trial.hanging {
            let text = format!("trial {}: {hanging}", self.number());
            self.note(ReasonCode::BackendHangs, &text);
        }
        trial.durations.iter().for_each(|took| self.latency.add(*took));
        if let Some(at) = trial.first_crossing {
            self.first_leaks.add(at);
        }
        if let Some(found) = &trial.latent {
            let (first_trial, example) = (self.number(), found.in_words());
            let first = || Latent { trials: 0, first_trial, example };
            self.latent.get_or_insert_with(first).trials += 1;
        }
        self.add_pairs(trial);
        self.assumptions.extend(&trial.assumptions);
        self.add_warnings(trial);
        self.add_findings(trial)
    }

    /// Adds a saved repro that showed its finding again.
    pub(crate) fn add_again(&mut self, trial: &JudgedTrial, known: Known) {
        for (record, _) in self.add(trial) {
            let record = &mut self.findings[record];
            record.chain.clone_from(&known.story);
            record.repro = Some(known.repro.clone());
            record.repro_size = Some(known.size.clone());
            record.reproduce_with = Some(known.replay.clone());
        }
    }

    /// Who saw whose data in this trial, each pair once.
    fn add_pairs(&mut self, trial: &JudgedTrial) {
        let crossed = |finding: &&Finding| {
            finding.kind == FindingKind::Crossing && finding.victim != finding.observer
        };
        let pairs: BTreeSet<_> = trial
            .findings
            .iter()
            .filter(crossed)
            .map(|finding| (finding.victim.clone(), finding.observer.clone()))
            .collect();
        for pair in pairs {
            if self.pairs.len() < MOST_COUNTED_PAIRS || self.pairs.contains_key(&pair) {
                *self.pairs.entry(pair).or_default() += 1;
            }
        }
    }

    fn add_warnings(&mut self, trial: &JudgedTrial) {
        let number = self.number();
        for (place, warning) in trial.warnings.iter().enumerate() {
            // The same one between other users counts once a trial.
            let earlier = &trial.warnings[..place];
            if shows(earlier, &warning.fingerprint) {
                continue;
            }
            let mut known = self.warnings.iter_mut();
            match known.find(|known| known.fingerprint == warning.fingerprint) {
                Some(known) => known.seen_in_trials += 1,
                None => {
                    let record = record_of(warning, None, number);
                    self.warnings.push(FindingRecord { seen_in_trials: 1, ..record });
                }
            }
        }
    }

    fn add_findings(&mut self, trial: &JudgedTrial) -> Vec<(usize, usize)> {
        let number = self.number();
        let mut new = Vec::new();
        let mut seen_here = Vec::new();
        for (place, finding) in trial.findings.iter().enumerate() {
            let known = self.places.get(&finding.fingerprint).copied();
            let record = known.unwrap_or_else(|| {
                let own = self.findings.len();
                self.findings.push(record_of(finding, trial.events[place].clone(), number));
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
            self.first_leak.get_or_insert(self.number());
        }
        new
    }

    /// Adds what went wrong around the trials; each kind once.
    pub fn note(&mut self, code: ReasonCode, what: &dyn std::fmt::Display) {
        if self.endings.iter().all(|(_, known)| known.code != code) {
            self.endings.push((self.number(), Reason::new(code, what.to_string())));
        }
    }

    fn note_ending(&mut self, ending: Option<&Ending>) {
        if let Some(reason) = ending.and_then(|ending| reason_of(ending, self.number())) {
            self.note(reason.code, &reason.text);
        }
    }

    /// Looks for what the scenario expects in messages.
    pub fn look_for_expected(&mut self, history: &History) {
        self.expected.look(history);
    }

    /// Adds what the server said in a trial that is not judged; whether a step of the set-up failed.
    pub fn add_unjudged(&mut self, trial: &JudgedTrial, history: &History) -> bool {
        self.replies.merge(trial.replies.clone());
        self.expected.look(history);
        self.replies.set_up_failed()
    }

    /// Whether users wait for a greeting that does not come.
    pub fn waits_for_greeting(&self) -> bool {
        self.expected.lacks_greeting()
    }

    /// Adds runs of one user alone, which count for nothing but how long they took, and how long
    /// this program waited for a processor meanwhile.
    pub fn add_alone(&mut self, trial: &JudgedTrial, waited: Duration) {
        trial.durations.iter().for_each(|took| self.alone.took.add(*took));
        self.alone.waited += waited;
    }

    /// Adds how fast another trial was served, and nothing else of it: it is none of those planned.
    pub fn add_served(&mut self, trial: &JudgedTrial) {
        self.in_flight.add(&InFlight { together: 0, ..trial.overlap.in_flight.clone() });
    }

    /// How long the shortest completed run took, in milliseconds or steps.
    pub fn shortest_run(&self) -> Option<u64> {
        self.latency.least()
    }

    /// Whether runs of the trials so far did not get the answer that ends them, although the plan let
    /// them wait for it: whatever is still driven, the level cannot become clean.
    pub fn loses_answers(&self) -> bool {
        self.runs.unknown > self.runs.cut_by_plan
    }

    /// Whether no run of the trials so far has completed.
    pub fn is_in_vain(&self) -> bool {
        self.runs.completed == 0
    }
}

/// A part of a whole, between 0 and 1; 0 of nothing.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The record of a finding that was first seen in that trial, at that event; it counts no trial yet.
pub fn record_of(finding: &Finding, event: Option<String>, trial: u64) -> FindingRecord {
    FindingRecord {
        fingerprint: finding.fingerprint.clone(),
        oracle: finding.oracle,
        kind: finding.kind,
        victim: finding.victim.clone(),
        victim_run: finding.victim_run,
        observer: finding.observer.clone(),
        victim_operation: finding.victim_operation.clone(),
        victim_via: finding.victim_via,
        observer_operation: finding.observer_operation.clone(),
        summary: finding.summary(),
        event,
        evidence: finding.evidence.clone(),
        chain: Vec::new(),
        mechanism: None,
        history: None,
        crossing: None,
        seen_in_trials: 0,
        first_trial: trial,
        repro: None,
        repro_size: None,
        reproduction_rate: None,
        reproduce_with: None,
    }
}
