//! `partywall merge`: the parts of a campaign that several machines shared, as one report.

use std::path::PathBuf;

use super::common::ReportArgs;
use super::ending::Ended;
use super::report;
use super::signoff::signed_off_record;
use super::source::SourceArgs;
use crate::campaign::error::{CampaignError, shown};
use crate::campaign::merge::{Merged, Parts, Whole};
use crate::trial::measure::Subject;

/// The arguments of `merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run folders of all parts, in any order
    #[arg(value_name = "RUN_FOLDER", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let source = args.source.read()?;
    let parts = Parts::read(&args.folders)?;
    let mut begun = args.report.begin("merge", 0, None)?;
    let Merged { command, seed, whole } = parts.merge(&begun.folder)?;
    begun.is_of(command, seed);
    let mut record = match whole {
        Whole::Plain(level, backend) => begun.record_of(backend, vec![*level]),
        Whole::SignOff(signed_off) => signed_off_record(&begun, *signed_off),
    };
    source.stands_in(&mut record);
    record.subjects = tested(&args.folders)?;
    begun.finish(record, &args.report)
}

/// The build that all parts tested.
fn tested(folders: &[PathBuf]) -> Result<Vec<Subject>, CampaignError> {
    let mut builds: Option<Vec<Subject>> = None;
    for folder in folders {
        let own = report::read(&report::file_of(folder))?.subjects;
        if builds.get_or_insert_with(|| own.clone()) != &own {
            return Err(CampaignError::usage(format!(
                "{} and {} tested different builds; merge parts of one",
                shown(&folders[0]),
                shown(folder)
            )));
        }
    }
    Ok(builds.unwrap_or_default())
}
