//! `partywall check`: a recorded history, judged again.

use std::path::PathBuf;
use std::time::SystemTime;

use super::common::{CameTo, ShownArgs, locate, record, show};
use super::ending::Ended;
use super::places::source_of_file;
use crate::campaign::error::{CampaignError, read_cut_text};
use crate::campaign::recorded::judge_recorded;
use crate::trial::history::History;

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The history file
    history: PathBuf,
    #[command(flatten)]
    shown: ShownArgs,
}

pub(super) fn exec(args: Args) -> Result<Ended, CampaignError> {
    let shown = args.history.display().to_string();
    let text = read_cut_text(&args.history)?;
    let history = History::from_file(&text).map_err(|error| {
        let remedy = "give a file of the folder `histories` of a run";
        CampaignError::usage(format!("`{}`, {error}; {remedy}", shown.escape_debug()))
    })?;
    let level = judge_recorded(&history);
    let levels = vec![level];
    let mut record = record("check", SystemTime::now(), CameTo::all_of(&levels));
    record.backend = Some(format!("what {shown} recorded"));
    record.levels = levels;
    let source = source_of_file(&shown, &text);
    record.levels[0].source = Some(source.clone());
    locate(&mut record, &[(String::new(), source)]);
    Ok(show(&record, &args.shown))
}
