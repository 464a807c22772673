//! `partywall merge`: the parts of a campaign that several machines shared, as one report.

use std::path::PathBuf;

use super::common::{CameTo, ReportArgs};
use crate::campaign::error::CampaignError;
use crate::campaign::merge::Parts;
use crate::trial::verdict::ExitCode;

/// The arguments of `merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run folders of all parts, in any order
    #[arg(value_name = "RUN_FOLDER", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn exec(args: &Args) -> Result<ExitCode, CampaignError> {
    let parts = Parts::read(&args.folders)?;
    let mut begun = args.report.begin("merge", 0, None)?;
    let merged = parts.merge(&begun.folder)?;
    begun.is_of(merged.command, merged.seed);
    let level = merged.level;
    let came_to = CameTo { outcome: level.verdict.into(), reasons: level.reasons.clone() };
    let mut record = begun.record(came_to);
    record.backend = Some(merged.backend);
    record.levels = vec![level];
    begun.finish(record, &args.report)
}
