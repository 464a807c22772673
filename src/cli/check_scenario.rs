//! `partywall check-scenario`: whether a scenario file can be driven, without driving it.

use super::ending::Ended;
use super::{output, scenario};
use crate::campaign::error::CampaignError;
use crate::scenario::Workload;
use crate::trial::verdict::ExitCode;

/// The arguments of `check-scenario`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The scenario file, or a built-in scenario
    #[arg(value_name = "SCENARIO")]
    file: String,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let scenario = scenario::read(&args.file)?;
    let mut text = String::new();
    if let Some(work) = &scenario.explore {
        let (users, runs) = size(work);
        let trials = scenario.explore_trials;
        text.push_str(&format!(
            "{}, explored: {users} users, {runs} runs a trial, {trials} trials\n",
            scenario.name
        ));
    }
    let (users, runs) = size(&scenario.wire);
    text.push_str(&format!(
        "{}: {users} users, {runs} runs a round, {} rounds\n",
        scenario.name, scenario.wire_rounds
    ));
    for state in &scenario.states {
        let legacy = match state.legacy.as_slice() {
            [] => "nothing legacy".to_owned(),
            sites => format!("legacy {}", sites.join(", ")),
        };
        text.push_str(&format!("state {}: {legacy}\n", state.name));
    }
    for name in scenario.environment() {
        text.push_str(&format!("asks for the environment variable {name}\n"));
    }
    output::print(&text);
    let command = match (&scenario.before, scenario.states.as_slice()) {
        (_, [_, ..]) => "migration",
        (Some(_), _) => "signoff",
        (None, []) => "run",
    };
    let next = format!("partywall {command} {}", args.file);
    Ok(Ended::new(ExitCode::Clean, "the scenario can be driven").next(next))
}

/// Users and runs of the first plan.
fn size(work: &Workload) -> (usize, usize) {
    let plan = work.plan(1, 0);
    (plan.users.len(), plan.runs().count())
}
