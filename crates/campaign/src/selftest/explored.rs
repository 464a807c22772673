//! The self-test in the simulated world: trials until a mechanism is found, and none that are not.

use std::collections::BTreeMap;

use partywall_core::canary::{CampaignKey, Scanner};
use partywall_core::finding::{Finding, OracleId};
use partywall_core::history::{Ending, History};
use partywall_drive::scenario::Workload;
use partywall_explore::exploration::alone::Alone;
use partywall_explore::exploration::diagnosis::{Diagnosis, diagnose};
use partywall_explore::exploration::explore_trial::explore_trial;
use partywall_explore::exploration::judged_trial::judge_trial;
use partywall_explore::exploration::parameters::walk_seed;
use partywall_explore::exploration::subject::Subject;
use partywall_world::simulated::InsideRuntime;
use partywall_world::strategy::Random;

/// In which trial something was found, for each seed, from 1; none where it was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundAt(pub Vec<Option<u64>>);

impl FoundAt {
    /// With how many of the seeds.
    pub fn seeds(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The median and the most of the trials that it took where it was found.
    pub fn spread(&self) -> Option<(u64, u64)> {
        let mut found: Vec<u64> = self.0.iter().flatten().copied().collect();
        found.sort_unstable();
        Some((*found.get(found.len() / 2)?, *found.last()?))
    }
}

/// The search for one mechanism with several seeds.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// For each seed in which trial it was found, from 1; none where it was not.
    pub found_at: Vec<Option<u64>>,
    /// The same for each oracle.
    pub oracles: BTreeMap<OracleId, FoundAt>,
    /// What each first leaking trial looked like.
    pub diagnoses: Vec<Diagnosis>,
}

impl Search {
    /// The median number of trials; none where a seed in the middle did not find it.
    pub fn median(&self) -> Option<u64> {
        let mut sorted = self.found_at.clone();
        sorted.sort_unstable_by_key(|found| found.unwrap_or(u64::MAX));
        sorted.get(sorted.len() / 2).copied().flatten()
    }

    /// The most trials that any seed took; none where one did not find it.
    pub fn worst(&self) -> Option<u64> {
        let all: Option<Vec<u64>> = self.found_at.iter().copied().collect();
        all?.into_iter().max()
    }
}

/// What an exploration without a defect came to.
#[derive(Clone, Debug, Default)]
pub struct Quiet {
    /// Trials in all.
    pub trials: u64,
    /// Trials in which runs of different users overlapped.
    pub overlapping: u64,
    /// What was found, with seed and trial: nothing, if all is well.
    pub findings: Vec<(u64, u64, Finding)>,
    /// Trials that did not finish.
    pub unfinished: u64,
}

/// One trial, judged.
struct Looked {
    history: History,
    findings: Vec<Finding>,
    overlaps: bool,
}

fn look(
    work: &Workload,
    subject: &dyn Subject,
    seed: u64,
    trial: u64,
    scanner: &Scanner,
) -> Result<Looked, InsideRuntime> {
    let plan = work.plan(seed, trial);
    let mut walk = Random::new(walk_seed(seed, trial));
    let done = explore_trial(&plan, subject, &mut walk, &|| false)?;
    let judged = judge_trial(&done.history, &work.agents, scanner);
    let overlaps = judged.overlap.pairs > 0;
    Ok(Looked { history: done.history, findings: judged.findings, overlaps })
}

/// What O5 finds in a trial.
fn interference(history: &History, subject: &dyn Subject) -> Result<Vec<Finding>, InsideRuntime> {
    Alone::new(&history.plan, subject, &|| false).findings(history)
}

/// Explores with each of the seeds, at most that many trials: until something is found, and on until
/// each of the wanted oracles has found something.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn search(
    work: &Workload,
    subject: &dyn Subject,
    seeds: u64,
    most: u64,
    wanted: &[OracleId],
) -> Result<Search, InsideRuntime> {
    let mut search = Search::default();
    for seed in 1..=seeds {
        let scanner = Scanner::new(CampaignKey::from_seed(seed));
        let mut found_at = None;
        let mut first: BTreeMap<OracleId, u64> = BTreeMap::new();
        for trial in 0..most {
            let Looked { history, mut findings, .. } = look(work, subject, seed, trial, &scanner)?;
            if findings.is_empty() {
                continue;
            }
            // O5 does not count trials of its own: in an exploration it looks at some of them only.
            if !first.contains_key(&OracleId::NonInterference) {
                findings.extend(interference(&history, subject)?);
            }
            if found_at.is_none() {
                found_at = Some(trial + 1);
                search.diagnoses.push(diagnose(&history, &findings));
            }
            for finding in &findings {
                first.entry(finding.oracle).or_insert(trial + 1);
            }
            if wanted.iter().all(|oracle| first.contains_key(oracle)) {
                break;
            }
        }
        search.found_at.push(found_at);
        for oracle in OracleId::ALL {
            let found = first.get(&oracle).copied();
            search.oracles.entry(oracle).or_default().0.push(found);
        }
    }
    Ok(search)
}

/// Explores what must be clean until that many trials overlapped.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn stay_quiet(
    work: &Workload,
    subject: &dyn Subject,
    seed: u64,
    overlapping: u64,
) -> Result<Quiet, InsideRuntime> {
    let mut quiet = Quiet::default();
    let scanner = Scanner::new(CampaignKey::from_seed(seed));
    // A work that never overlaps must not keep this for ever.
    while quiet.overlapping < overlapping && quiet.trials < overlapping * 4 {
        let trial = quiet.trials;
        let looked = look(work, subject, seed, trial, &scanner)?;
        quiet.trials += 1;
        quiet.overlapping += u64::from(looked.overlaps);
        quiet.unfinished += u64::from(looked.history.ending != Some(Ending::Finished));
        let found = looked.findings.into_iter().chain(interference(&looked.history, subject)?);
        quiet.findings.extend(found.map(|found| (seed, trial, found)));
    }
    Ok(quiet)
}
