//! `partywall migration`: every state between legacy and migrated, and what leaks in it.

use super::common::{CameTo, CampaignArgs, scenario};
use super::progress::Shown;
use crate::campaign::error::CampaignError;
use crate::campaign::migration::{Matrix, conclude};
use crate::scenario::built_in_names;
use crate::trial::verdict::ExitCode;

/// The arguments of `migration`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Built-in scenarios to drive [default: all]
    #[arg(value_name = "SCENARIO", env = "PARTYWALL_SCENARIOS", value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Trials of each scenario in each of the 64 states
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
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
    let begun = args.campaign.begin("migration")?;
    let matrix = Matrix::new(&scenarios, args.campaign.seed, args.trials, &begun.stop);
    let matrix = matrix.run(&Shown::new())?;
    let (outcome, reasons) = conclude(&matrix, begun.stop.reason());
    let mut record = begun.record(CameTo { outcome, reasons });
    record.backend = Some("reference back end, every subset of its call sites migrated".into());
    record.migration = Some(matrix);
    begun.finish(record, &args.campaign.report)
}
