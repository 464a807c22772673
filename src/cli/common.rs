//! What several subcommands share: the flags of a campaign, its run folder, its report.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use clap::{Args, ValueEnum};

use super::output::{self, Colour};
use crate::campaign::budget::Stop;
use crate::campaign::error::CampaignError;
use crate::campaign::store::RunFolder;
use crate::report::{json, markdown, terminal};
use crate::scenario::{Scenario, built_in};
use crate::trial::record::{Record, Rule, SCHEMA_VERSION};
use crate::trial::verdict::{ExitCode, Outcome, Reason};

/// The flags of everything that drives a back end.
#[derive(Debug, Args)]
pub(super) struct CampaignArgs {
    /// Where every plan and every schedule comes from
    #[arg(long, env = "PARTYWALL_SEED", value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Stop after that many seconds; the verdict is then inconclusive at best
    #[arg(long, env = "PARTYWALL_TIME_LIMIT", value_name = "SECONDS")]
    time_limit: Option<u64>,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// Where the report goes and how it is shown.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The run folder is made under DIR/runs/NAME
    #[arg(long, env = "PARTYWALL_REPORT_DIR", value_name = "DIR", default_value = "reports")]
    report_dir: PathBuf,
    /// The name of the run folder's series [default: the subcommand]
    #[arg(long, env = "PARTYWALL_NAME", value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    pub(super) shown: ShownArgs,
}

/// How a report is shown and what an inconclusive one exits with.
#[derive(Debug, Args)]
pub(super) struct ShownArgs {
    /// When to use colour
    #[arg(long, env = "PARTYWALL_COLOR", value_name = "WHEN", value_enum, default_value_t)]
    color: Colour,
    /// What an inconclusive verdict exits with: 5, or 0
    #[arg(long, env = "PARTYWALL_INCONCLUSIVE", value_name = "HOW", value_enum, default_value_t)]
    inconclusive: Inconclusive,
}

/// What an inconclusive verdict exits with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Inconclusive {
    /// Exit with 5
    #[default]
    Fail,
    /// Exit with 0; the verdict stays inconclusive
    Warn,
}

/// A campaign that has begun: its folder is there, and Ctrl-C ends it with a report.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) folder: RunFolder,
    pub(super) stop: Stop,
    command: &'static str,
    name: String,
    seed: u64,
    started: SystemTime,
    clock: Instant,
}

/// What a campaign came to, for the record.
#[derive(Debug)]
pub(super) struct CameTo {
    pub(super) outcome: Outcome,
    pub(super) reasons: Vec<Reason>,
}

#[derive(serde::Serialize)]
struct CampaignFile<'c> {
    partywall: &'c str,
    command: &'c str,
    arguments: Vec<String>,
    seed: String,
    started_at: String,
}

impl CampaignArgs {
    /// Makes the run folder and puts the seed on disk before anything runs.
    pub(super) fn begin(&self, command: &'static str) -> Result<Begun, CampaignError> {
        let started = SystemTime::now();
        let name = self.report.name.clone().unwrap_or_else(|| command.to_owned());
        let folder = RunFolder::create(&self.report.report_dir, &name, started)?;
        let limit = self.time_limit.map(Duration::from_secs);
        let stop = Stop::at(limit.and_then(|limit| Instant::now().checked_add(limit)));
        let begun =
            Begun { folder, stop, command, name, seed: self.seed, started, clock: Instant::now() };
        let file = CampaignFile {
            partywall: env!("CARGO_PKG_VERSION"),
            command,
            arguments: std::env::args().skip(1).collect(),
            seed: self.seed.to_string(),
            started_at: humantime::format_rfc3339_seconds(started).to_string(),
        };
        let text = serde_json::to_string_pretty(&file).expect("plain data serialises") + "\n";
        begun.folder.write("campaign.json", &text)?;
        end_on_interrupt(&begun.stop)?;
        Ok(begun)
    }
}

/// The first Ctrl-C ends the campaign with a report; the second ends the process.
fn end_on_interrupt(stop: &Stop) -> Result<(), CampaignError> {
    let stop = stop.clone();
    let handler = move || {
        if stop.reason() == Some(crate::trial::verdict::ReasonCode::Interrupted) {
            std::process::exit(i32::from(ExitCode::Interrupted as u8));
        }
        stop.interrupt();
    };
    ctrlc::set_handler(handler)
        .map_err(|error| CampaignError::usage(format!("cannot listen for Ctrl-C: {error}")))
}

impl Begun {
    /// A record with what every report has.
    pub(super) fn record(&self, came_to: CameTo) -> Record {
        let CameTo { outcome, reasons } = came_to;
        Record {
            schema_version: SCHEMA_VERSION,
            partywall: env!("CARGO_PKG_VERSION").into(),
            command: self.command.into(),
            name: self.name.clone(),
            started_at: humantime::format_rfc3339_seconds(self.started).to_string(),
            seconds: (self.clock.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            seed: self.seed,
            folder: Some(self.folder.path().display().to_string()),
            backend: None,
            verdict: outcome,
            exit_code: ExitCode::of(outcome, &reasons),
            reasons,
            before: None,
            after: None,
            cross_checks: Vec::new(),
            models: Vec::new(),
            comparison: Vec::new(),
            levels: Vec::new(),
            not_tried: not_tried(),
            rules: rules(),
        }
    }

    /// Writes the reports, shows the terminal one, and gives the exit code.
    pub(super) fn finish(
        &self,
        record: Record,
        args: &ReportArgs,
    ) -> Result<ExitCode, CampaignError> {
        self.folder.write("report.json", &json::render(&record))?;
        self.folder.write("report.md", &markdown::render(&record))?;
        Ok(show(&record, &args.shown))
    }
}

/// Shows the terminal report and gives the exit code.
pub(super) fn show(record: &Record, args: &ShownArgs) -> ExitCode {
    let style = terminal::Style { colour: args.color.wanted(), ..terminal::Style::default() };
    output::print(&terminal::render(record, style));
    let inconclusive =
        matches!(record.exit_code, ExitCode::Inconclusive | ExitCode::NothingExercised);
    match args.inconclusive {
        Inconclusive::Warn if inconclusive => ExitCode::Clean,
        _ => record.exit_code,
    }
}

/// What each oracle looks for.
pub(super) fn rules() -> Vec<Rule> {
    crate::oracle::all().map(crate::oracle::Oracle::help).to_vec()
}

/// What a reader of a clean verdict should know was not tried.
pub(super) fn not_tried() -> Vec<String> {
    [
        "threads that interleave inside one step: an explored step is atomic",
        "cancelled requests, client time-outs and replayed cursors; only cut connections",
        "whose identity came with which upstream call: model and tools are stubs here",
        "several server processes, restarts, proxies and caches in front of them",
    ]
    .map(String::from)
    .to_vec()
}

/// The built-in scenario of that name.
pub(super) fn scenario(name: &str) -> Result<Scenario, CampaignError> {
    built_in(name).map_err(|error| CampaignError::usage(error.to_string()))
}
