//! `partywall check`: a recorded history, judged again.

use std::path::PathBuf;

use super::common::{ShownArgs, locate, not_tried, rules, show};
use crate::campaign::error::{CampaignError, read_cut_text};
use crate::campaign::recorded::judge_recorded;
use crate::trial::history::History;
use crate::trial::record::{Record, SCHEMA_VERSION};
use crate::trial::verdict::ExitCode;

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The history file
    history: PathBuf,
    #[command(flatten)]
    shown: ShownArgs,
}

pub(super) fn exec(args: Args) -> Result<ExitCode, CampaignError> {
    let shown = args.history.display().to_string();
    let text = read_cut_text(&args.history)?;
    let history = History::from_file(&text).map_err(|error| {
        let remedy = "give a file of the folder `histories` of a run";
        CampaignError::usage(format!("`{}`, {error}; {remedy}", shown.escape_debug()))
    })?;
    let level = judge_recorded(&history);
    let outcome = level.verdict.into();
    let reasons = level.reasons.clone();
    let mut record = Record {
        schema_version: SCHEMA_VERSION,
        partywall: env!("CARGO_PKG_VERSION").into(),
        command: "check".into(),
        name: "check".into(),
        started_at: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
        seconds: 0.0,
        seed: 0,
        folder: None,
        backend: Some(format!("what {shown} recorded")),
        verdict: outcome,
        exit_code: ExitCode::of(outcome, &reasons),
        reasons,
        before: None,
        after: None,
        cross_checks: Vec::new(),
        saved_repros: Vec::new(),
        models: Vec::new(),
        comparison: Vec::new(),
        levels: vec![level],
        subjects: Vec::new(),
        partition: None,
        migration: None,
        detection: None,
        audit: None,
        not_tried: not_tried(),
        rules: rules(),
    };
    locate(&mut record);
    Ok(show(&record, &args.shown))
}
