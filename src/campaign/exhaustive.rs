//! Every schedule of one small plan, by cost.

use super::budget::Progress;
use super::error::CampaignError;
use super::explore::{Done, Exploration, Explored, inside_runtime};
use super::explore_trial::{Trial, explore_trial};
use super::judged_trial::judge_trial;
use super::level::LevelTally;
use crate::oracle::judge_control;
use crate::trial::canary::Scanner;
use crate::trial::control::{Drive, Tally};
use crate::trial::dialect::Dialect;
use crate::trial::history::History;
use crate::world::strategy::Exhaustive;

/// What an exhaustive search came to.
#[derive(Clone, Debug)]
pub struct Exhausted {
    /// The level with its repros.
    pub explored: Explored,
    /// How many schedules of each cost were tried, from cost 0.
    pub tried: Vec<u64>,
    /// The cost of the cheapest schedule with a finding.
    pub cheapest_finding: Option<usize>,
}

/// Tries every schedule of the exploration's first plan with at most `delays` deviations, in the
/// order of cost, each once; stops early when it has found enough.
///
/// # Errors
///
/// The run folder cannot be written, or the simulated world cannot run here.
pub fn exhaust(
    exploration: &Exploration<'_>,
    delays: usize,
    progress: &dyn Progress,
) -> Result<Exhausted, CampaignError> {
    let Exploration { workload, seed, side, folder, stop, .. } = exploration;
    progress.begin(side, "exhaust", &workload.scenario, 0);
    let plan = workload.plan(*seed, 0);
    let scanner = Scanner::new(plan.campaign);
    let log = folder.lines(&format!("{}/trials.jsonl", exploration.home()))?;
    folder.write(&format!("{}/plan.json", exploration.home()), &plan_text(&plan))?;
    let mut tally = LevelTally::exhaustive(workload);
    let mut search = Exhaustive::new(Some(delays));
    let mut found = Vec::new();
    let mut overlapping: Option<History> = None;
    let mut cheapest_finding = None;
    let mut complete = true;
    while let Some(mut branch) = search.next_branch() {
        let trial = explore_trial(&plan, exploration.migration, &mut branch, &|| false);
        let Trial { history, schedule, steps } = trial.map_err(inside_runtime)?;
        let judged = judge_trial(&history, &workload.agents, &scanner);
        let done = Done { number: tally.trials, judged, trial: Trial { history, schedule, steps } };
        exploration.log(&log, &done)?;
        if !done.judged.findings.is_empty() {
            cheapest_finding.get_or_insert(branch.cost());
        }
        for (record, place) in tally.add(&done.judged) {
            found.push(exploration.keep(&mut tally.findings[record], &done, place)?);
        }
        if overlapping.is_none() && done.judged.overlapping_pairs > 0 {
            overlapping = Some(done.trial.history);
        }
        search.took(branch);
        progress.advance(tally.trials, tally.trials_overlapping, tally.findings.len() as u64);
        let enough = exploration.enough.is_some_and(|enough| tally.findings.len() as u64 >= enough);
        if enough || stop.reason().is_some() {
            complete = false;
            break;
        }
    }
    let stopped = stop.reason();
    let mut repros = Vec::new();
    for (record, (repro, finding)) in tally.findings.iter_mut().zip(found) {
        repros.push(exploration.smallest(record, repro, &finding)?);
    }
    let judge = overlapping.map_or_else(Tally::default, |history| {
        judge_control(&history, &Dialect::reference(), *seed)
    });
    progress.end();
    tally.state_method(method(search.tried(), delays, complete), tally.trials);
    let level = tally.finish(judge, Drive::Absent, stopped);
    let explored = Explored { level, repros };
    Ok(Exhausted { explored, tried: search.tried().to_vec(), cheapest_finding })
}

fn plan_text(plan: &crate::trial::plan::Plan) -> String {
    serde_json::to_string_pretty(plan).expect("plain data serialises") + "\n"
}

fn method(tried: &[u64], delays: usize, complete: bool) -> String {
    let by_cost = tried.iter().map(u64::to_string).collect::<Vec<_>>().join(" + ");
    if complete {
        format!("every schedule of one plan with at most {delays} deviations: {by_cost}")
    } else {
        format!(
            "schedules of one plan by cost, not all with at most {delays} deviations: {by_cost}"
        )
    }
}
