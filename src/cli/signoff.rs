//! `partywall signoff`: before and after the migration.

use super::common::{CameTo, CampaignArgs, scenario};
use super::progress::Shown;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::signoff::{SignOff, SignedOff};
use crate::reference::call_sites::Migration;
use crate::scenario::built_in_names;
use crate::trial::verdict::ExitCode;

/// The arguments of `signoff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Built-in scenarios to drive [default: all]
    #[arg(value_name = "SCENARIO", env = "PARTYWALL_SCENARIOS", value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Call sites migrated before: none, all, or SITE,…
    #[arg(long, env = "PARTYWALL_BEFORE", value_name = "SITES", default_value = "none")]
    before: Migration,
    /// Call sites migrated after: none, all, or SITE,…
    #[arg(long, env = "PARTYWALL_AFTER", value_name = "SITES", default_value = "all")]
    after: Migration,
    /// Explored trials of each scenario and side [default: the scenario's]
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Rounds on the wire of each scenario and side [default: the scenario's]
    #[arg(long, env = "PARTYWALL_ROUNDS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    #[command(flatten)]
    campaign: CampaignArgs,
}

pub(super) fn exec(args: Args) -> Result<ExitCode, CampaignError> {
    let names = if args.scenarios.is_empty() {
        built_in_names().map(String::from).collect()
    } else {
        args.scenarios
    };
    let scenarios = names.iter().map(|name| scenario(name)).collect::<Result<Vec<_>, _>>()?;
    let program = std::env::current_exe().map_err(|error| {
        CampaignError::new(Kind::Internal, format!("this program does not know its path: {error}"))
    })?;
    let begun = args.campaign.begin("signoff")?;
    let mut signoff =
        SignOff::new(&scenarios, args.campaign.seed, &program, &begun.folder, &begun.stop);
    signoff.before = args.before;
    signoff.after = args.after;
    signoff.trials = args.trials;
    signoff.rounds = args.rounds;
    let SignedOff { outcome, reasons, before, after, cross_checks, models, comparison, .. } =
        signoff.run(&Shown::new())?;
    let mut record = begun.record(CameTo { outcome, reasons });
    record.before = Some(before);
    record.after = Some(after);
    record.cross_checks = cross_checks;
    record.models = models;
    record.comparison = comparison;
    begun.finish(record, &args.campaign.report)
}
