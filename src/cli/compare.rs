//! `partywall compare`: what is new, gone or still there between two reports, for CI gates.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::ValueEnum;

use super::common::today;
use super::ending::Ended;
use super::output::{self, Colour};
use super::report::{file_of, read};
use crate::campaign::baseline::Baseline;
use crate::campaign::compare::compare;
use crate::campaign::error::{CampaignError, read_text};
use crate::report::compared;
use crate::trial::compared::Compared;
use crate::trial::verdict::{ExitCode, Outcome};

/// The arguments of `compare`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The earlier and the later report, or the later alone: run folders, or their report.json
    #[arg(value_name = "REPORT", required = true, num_args = 1..=2)]
    reports: Vec<PathBuf>,
    /// Findings that are known and borne until a day, each with a reason
    #[arg(long, env = "PARTYWALL_BASELINE", value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Exit with 1 if there are any of these
    #[arg(long, env = "PARTYWALL_FAIL_ON", value_name = "WHAT", value_enum, value_delimiter = ',')]
    fail_on: Vec<FailOn>,
    /// How to tell it
    #[arg(
        long,
        env = "PARTYWALL_MESSAGE_FORMAT",
        value_name = "FORM",
        value_enum,
        default_value_t
    )]
    message_format: MessageFormat,
    /// When to use colour
    #[arg(long, env = "PARTYWALL_COLOR", value_name = "WHEN", value_enum, default_value_t)]
    color: Colour,
}

/// What a gate fails on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Findings that are neither in the earlier report nor in the baseline
    New,
    /// Findings that are not in the baseline
    Any,
    /// Figures of coverage that are clearly less than then
    Less,
}

/// How a comparison is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum MessageFormat {
    /// For a terminal
    #[default]
    Text,
    /// For scripts
    Json,
    /// For a pull request
    Markdown,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let mut records =
        args.reports.iter().map(|path| read(&file_of(path))).collect::<Result<Vec<_>, _>>()?;
    // Clap asks for one at least.
    let Some(new) = records.pop() else { return Ok(Ended::usage()) };
    let baseline = match &args.baseline {
        Some(path) => Baseline::parse(&read_text(path)?, &path.display().to_string())?,
        None => Baseline::default(),
    };
    let compared = compare(records.first(), &new, &baseline, &today(SystemTime::now()));
    output::print(&match args.message_format {
        MessageFormat::Json => compared::json(&compared),
        MessageFormat::Markdown => compared::markdown(&compared),
        MessageFormat::Text => compared::terminal(&compared, args.color.style()),
    });
    Ok(gate(&args.fail_on, &compared))
}

/// A gate fails on what it was told to, and never passes on a report that shows nothing.
fn gate(fail_on: &[FailOn], compared: &Compared) -> Ended {
    let fails = |wanted: &FailOn| match wanted {
        FailOn::New => !compared.appeared.is_empty() || !compared.other_leaks.is_empty(),
        FailOn::Any => {
            let lists = [&compared.appeared, &compared.remaining];
            lists.iter().any(|found| !found.is_empty()) || !compared.other_leaks.is_empty()
        }
        FailOn::Less => compared.coverage.iter().any(|row| row.less),
    };
    let in_doubt = matches!(compared.new.verdict, Outcome::Inconclusive | Outcome::BaselineClean)
        || !compared.doubts.is_empty();
    match () {
        () if fail_on.iter().any(fails) => {
            let repro = compared.appeared.iter().find_map(|found| found.reproduce_with.clone());
            let ended = Ended::new(ExitCode::Leaked, "the gate fails");
            ended.next(repro.unwrap_or_else(|| "look at what stands above".into()))
        }
        () if !fail_on.is_empty() && in_doubt => {
            Ended::new(ExitCode::Inconclusive, "the report would not be clean without its findings")
                .next("drive it again, once what stands above is mended")
        }
        () if fail_on.is_empty() => Ended::new(ExitCode::Clean, "compared; no gate was asked for")
            .next("--fail-on new makes a gate of it"),
        () => Ended::new(ExitCode::Clean, "the gate passes"),
    }
}
