//! The self-test in the simulated world: trials until a mechanism is found, and none that are not.

use std::collections::BTreeMap;

use crate::campaign::alone::Alone;
use crate::campaign::diagnosis::{Diagnosis, diagnose};
use crate::campaign::explore::walk_seed;
use crate::campaign::explore_trial::explore_trial;
use crate::campaign::judged_trial::judge_trial;
use crate::campaign::subject::Subject;
use crate::scenario::Workload;
use crate::trial::canary::{CampaignKey, Scanner};
use crate::trial::finding::{Finding, OracleId};
use crate::trial::history::{Ending, History};
use crate::world::simulated::InsideRuntime;
use crate::world::strategy::Random;

/// The search for one mechanism with several seeds.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// For each seed in which trial it was found, from 1; none where it was not.
    pub found_at: Vec<Option<u64>>,
    /// How often each oracle was among those that found it.
    pub oracles: BTreeMap<OracleId, u64>,
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
    let overlaps = judged.overlapping_pairs > 0;
    Ok(Looked { history: done.history, findings: judged.findings, overlaps })
}

/// What O5 finds in a trial.
fn interference(history: &History, subject: &dyn Subject) -> Result<Vec<Finding>, InsideRuntime> {
    Alone::new(&history.plan, subject, &|| false).findings(history)
}

/// Explores until something is found, with each of the seeds and at most that many trials.
///
/// # Errors
///
/// [`InsideRuntime`] when called from inside a tokio runtime.
pub fn search(
    work: &Workload,
    subject: &dyn Subject,
    seeds: u64,
    most: u64,
) -> Result<Search, InsideRuntime> {
    let mut search = Search::default();
    for seed in 1..=seeds {
        let scanner = Scanner::new(CampaignKey::from_seed(seed));
        let mut found_at = None;
        for trial in 0..most {
            let mut looked = look(work, subject, seed, trial, &scanner)?;
            if looked.findings.is_empty() {
                continue;
            }
            found_at = Some(trial + 1);
            // O5 is not among what counts trials, since it looks at some of them only.
            looked.findings.extend(interference(&looked.history, subject)?);
            search.diagnoses.push(diagnose(&looked.history, &looked.findings));
            for oracle in OracleId::ALL {
                let by = looked.findings.iter().any(|finding| finding.oracle == oracle);
                *search.oracles.entry(oracle).or_default() += u64::from(by);
            }
            break;
        }
        search.found_at.push(found_at);
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
