//! `partywall report`: the report of a run folder, in any form, again.

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;

use super::common::{ShownArgs, show_report};
use super::ending::Ended;
use super::formats::Format;
use super::output;
use crate::campaign::error::{CampaignError, read_text, shown};
use crate::report::{json, schema};
use crate::trial::measure::Subject;
use crate::trial::record::Record;
use crate::trial::verdict::ExitCode;

/// The arguments of `report`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run folder, or its report.json
    #[arg(value_name = "RUN_FOLDER", required_unless_present = "schema")]
    folder: Option<PathBuf>,
    /// Write these forms into the run folder [default: show it on the terminal]
    #[arg(long, env = "PARTYWALL_FORMAT", value_name = "FORM", value_enum, value_delimiter = ',')]
    format: Vec<Format>,
    /// Write there instead: a file for one form, a folder for several, or - for standard output
    #[arg(long, env = "PARTYWALL_OUTPUT", value_name = "PATH", requires = "format")]
    output: Option<PathBuf>,
    /// The tested build, for the attestation: NAME@sha256:HEX
    #[arg(long, env = "PARTYWALL_SUBJECT", value_name = "BUILD", value_delimiter = ',')]
    subject: Vec<Subject>,
    /// Print the JSON Schema of report.json
    #[arg(long, env = "PARTYWALL_SCHEMA", value_parser = BoolishValueParser::new())]
    schema: bool,
    #[command(flatten)]
    shown: ShownArgs,
}

pub(super) fn exec(args: Args) -> Result<Ended, CampaignError> {
    if args.schema {
        output::print(&schema::report_schema());
        return Ok(Ended::with_text());
    }
    // Asked for by clap where there is no `--schema`.
    let path = file_of(&args.folder.unwrap_or_default());
    let mut record = read(&path)?;
    if !args.subject.is_empty() {
        record.subjects = args.subject;
    }
    if args.format.is_empty() {
        show_report(&record, &args.shown);
        let (verdict, code) = (record.verdict.as_str(), record.exit_code as u8);
        let what = format!("shown; the run ended with {code}, {verdict}");
        return Ok(Ended::new(ExitCode::Clean, what));
    }
    let home = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let several = args.format.len() > 1;
    for format in args.format {
        let Some(text) = format.render(&record, args.shown.lets_pass(&record)) else {
            return Err(CampaignError::usage(
                "a statement needs the tested build: name it by --subject NAME@sha256:HEX",
            ));
        };
        let target = match &args.output {
            Some(to) if to.as_os_str() == "-" => {
                output::print(&text);
                continue;
            }
            Some(to) if several || to.is_dir() => to.join(format.file()),
            Some(to) => to.clone(),
            None => home.join(format.file()),
        };
        std::fs::write(&target, text)
            .map_err(|error| CampaignError::storage("write", &target, &error))?;
        output::print(&format!("{}\n", output::visible(&target.display().to_string())));
    }
    Ok(Ended::new(ExitCode::Clean, "written"))
}

/// The report of a run folder.
pub(super) fn file_of(folder: &Path) -> PathBuf {
    if folder.is_dir() { folder.join("report.json") } else { folder.to_path_buf() }
}

/// Reads a report that partywall wrote.
pub(super) fn read(path: &PathBuf) -> Result<Record, CampaignError> {
    let text = read_text(path)?;
    json::read(&text).map_err(|error| {
        let remedy = "name a run folder, or a report.json that this partywall wrote";
        CampaignError::usage(format!("{}: {error}; {remedy}", shown(path)))
    })
}
