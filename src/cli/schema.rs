//! `partywall schema`: the JSON Schema of scenario files, or of reports.

use super::ending::Ended;
use super::output;
use crate::campaign::error::CampaignError;
use crate::report::schema::report_schema;
use crate::scenario::scenario_schema;

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Of what
    #[arg(value_enum, default_value_t = Of::Scenario)]
    of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Of {
    /// Scenario files with a table `[target]`
    Scenario,
    /// report.json
    Report,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    output::print(&match args.of {
        Of::Scenario => scenario_schema(),
        Of::Report => report_schema(),
    });
    Ok(Ended::with_text())
}
