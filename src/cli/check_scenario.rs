//! `partywall check-scenario`: whether a scenario file can be driven, without driving it.

use super::{output, server};
use crate::campaign::error::CampaignError;
use crate::trial::verdict::ExitCode;

/// The arguments of `check-scenario`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The scenario file
    file: String,
}

pub(super) fn exec(args: &Args) -> Result<ExitCode, CampaignError> {
    let scenario = server::read(&args.file)?;
    let plan = scenario.work.plan(1, 0);
    let mut text = format!(
        "{}: {} users, {} runs a round, {} rounds\n",
        scenario.name,
        plan.users.len(),
        plan.runs().count(),
        scenario.rounds
    );
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
    Ok(ExitCode::Clean)
}
