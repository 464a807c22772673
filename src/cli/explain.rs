//! `partywall explain`: what an oracle looks for.

use super::common::rules;
use super::output;
use crate::campaign::error::CampaignError;
use crate::report::explain::explain;
use crate::trial::finding::OracleId;
use crate::trial::verdict::ExitCode;

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An oracle by code or name: O1, canary, …
    oracle: String,
}

pub(super) fn exec(args: &Args) -> Result<ExitCode, CampaignError> {
    let wanted = args.oracle.to_lowercase();
    let rule = rules()
        .into_iter()
        .find(|rule| rule.oracle.code().to_lowercase() == wanted || rule.oracle.name() == wanted);
    let rule = rule.ok_or_else(|| {
        let known = OracleId::ALL.map(|oracle| oracle.to_string()).join(", ");
        CampaignError::usage(format!(
            "there is no oracle `{}`; there are {known}",
            args.oracle.escape_debug()
        ))
    })?;
    output::print(&explain(&rule));
    Ok(ExitCode::Clean)
}
