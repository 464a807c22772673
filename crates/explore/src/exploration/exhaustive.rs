//! Every schedule of one small plan, by cost.

use crate::exploration::collector::Collector;
use crate::exploration::explore_trial::explore_trial;
use crate::exploration::level::{Claimed, LevelTally};
use crate::exploration::parameters::{Done, Exploration, Explored, inside_runtime};
use crate::store::budget::Progress;
use crate::store::error::CampaignError;
use partywall_core::canary::Scanner;
use partywall_core::record::SearchMethod;
use partywall_world::strategy::Exhaustive;

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

/// Tries every schedule of the exploration's first plan with at most `delays` deviations (all there
/// are where it is none), in the order of cost, each once; stops early when it has found enough.
///
/// # Errors
///
/// The run folder cannot be written, or the simulated world cannot run here.
pub fn exhaust(
    exploration: &Exploration<'_>,
    delays: Option<usize>,
    progress: &dyn Progress,
) -> Result<Exhausted, CampaignError> {
    let Exploration { workload, seed, side, folder, stop, .. } = exploration;
    progress.begin(side, "exhaust", &workload.scenario, 0);
    let plan = workload.plan(*seed, 0);
    let scanner = Scanner::new(plan.campaign);
    folder.write(&format!("{}/plan.json", exploration.home()), &plan_text(&plan))?;
    let mut collector =
        Collector::new(exploration, LevelTally::systematic(SearchMethod::Exhaustive, workload, 0))?;
    let mut search = Exhaustive::new(delays);
    let mut cheapest_finding = None;
    let mut complete = true;
    while let Some(mut branch) = search.next_branch() {
        let stopped = || stop.reason().is_some();
        let trial = explore_trial(&plan, exploration.subject, &mut branch, &stopped);
        let trial = trial.map_err(inside_runtime)?;
        let number = collector.tally.trials;
        let judged = exploration.judged(number, &trial, &scanner)?;
        if !judged.findings.is_empty() {
            cheapest_finding.get_or_insert(branch.cost());
        }
        search.took(branch);
        if !collector.take(Done { number, judged, trial }, progress)? {
            complete = false;
            break;
        }
    }
    let planned = collector.tally.trials;
    let method = method(search.tried(), delays, complete);
    let explored = collector.finish(method, planned, progress)?;
    Ok(Exhausted { explored, tried: search.tried().to_vec(), cheapest_finding })
}

fn plan_text(plan: &partywall_core::plan::Plan) -> String {
    serde_json::to_string_pretty(plan).expect("plain data serialises") + "\n"
}

fn method(tried: &[u64], delays: Option<usize>, complete: bool) -> Claimed {
    let by_cost = tried.iter().map(u64::to_string).collect::<Vec<_>>().join(" + ");
    let all = match delays {
        Some(delays) => format!("with at most {delays} deviations"),
        None => "that there are".into(),
    };
    let which = if complete { "every schedule" } else { "schedules, but not all," };
    let claims = vec![
        format!("{which} of one plan {all}, each once"),
        format!("by number of deviations {by_cost}"),
    ];
    Claimed { method: SearchMethod::Exhaustive, claims }
}
