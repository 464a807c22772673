//! What several subcommands share: the flags of a campaign, its run folder, its report.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use clap::{Args, ValueEnum};

use super::ending::{Ended, left_unexercised};
use super::formats::Format;
use super::output::{self, Colour};
use super::places::in_repository;
use crate::campaign::budget::Stop;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::migration::conclude;
use crate::campaign::store::RunFolder;
use crate::report::{github, redacted, terminal};
use crate::scenario::{Workload, source_of};
use crate::trial::measure::{Source, Subject};
use crate::trial::migration::MigrationRecord;
use crate::trial::record::{Level, LevelName, Record, Rule, SCHEMA_VERSION};
use crate::trial::verdict::{ExitCode, Outcome, Reason, ReasonCode, Verdict};

/// The highest nonce of the first state of several: the others have the next ones.
pub(super) const MOST_NONCE: i64 = 4_000_000_000;

/// The flags of everything that drives a back end.
#[derive(Debug, Args)]
pub(super) struct CampaignArgs {
    /// Where every plan and every schedule comes from
    #[arg(long, env = "PARTYWALL_SEED", value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Stop after that many seconds; the verdict is then inconclusive at best
    #[arg(long, env = "PARTYWALL_TIME_LIMIT", value_name = "SECONDS")]
    time_limit: Option<u64>,
    /// End with a report when standard input ends, so that nothing outlives who started this program
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// The hosts that may be driven.
#[derive(Debug, Args)]
pub(super) struct HostArgs {
    /// A host besides this machine that may be driven
    #[arg(
        long,
        env = "PARTYWALL_ALLOW_HOST",
        hide_short_help = true,
        value_name = "HOST",
        value_delimiter = ','
    )]
    pub(super) allow_host: Vec<String>,
}

/// Where the report goes and how it is shown.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The run folder is made under DIR/runs/NAME
    #[arg(
        long,
        env = "PARTYWALL_REPORT_DIR",
        hide_short_help = true,
        value_name = "DIR",
        default_value = "reports"
    )]
    report_dir: PathBuf,
    /// The name of the run folder's series [default: the subcommand]
    #[arg(long, env = "PARTYWALL_NAME", hide_short_help = true, value_name = "NAME")]
    name: Option<String>,
    /// Write these forms too; report.json and report.md always are
    #[arg(long, env = "PARTYWALL_REPORT", value_name = "FORM", value_enum, value_delimiter = ',')]
    report: Vec<Format>,
    /// The tested build, for the attestation: NAME@sha256:HEX
    #[arg(
        long,
        env = "PARTYWALL_SUBJECT",
        hide_short_help = true,
        value_name = "BUILD",
        value_delimiter = ','
    )]
    subject: Vec<Subject>,
    #[command(flatten)]
    pub(super) shown: ShownArgs,
}

/// How a report is shown and what an inconclusive one exits with.
#[derive(Debug, Args)]
pub(super) struct ShownArgs {
    /// When to use colour
    #[arg(
        long,
        env = "PARTYWALL_COLOR",
        hide_short_help = true,
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
    color: Colour,
    /// What an inconclusive verdict exits with: 5, or 0
    #[arg(long, env = "PARTYWALL_INCONCLUSIVE", value_name = "HOW", value_enum, default_value_t)]
    inconclusive: Inconclusive,
    /// Annotations for the CI service that reads the log [default: github on GitHub Actions]
    #[arg(
        long,
        env = "PARTYWALL_ANNOTATIONS",
        hide_short_help = true,
        value_name = "FOR",
        value_enum
    )]
    annotations: Option<Annotations>,
}

/// For whom annotations are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Annotations {
    /// GitHub Actions; the step summary is written too
    Github,
    /// Nobody
    None,
}

impl ShownArgs {
    /// Whether the doubt of that record passes as a warning. Never where nothing was exercised.
    pub(super) fn lets_pass(&self, record: &Record) -> bool {
        self.inconclusive == Inconclusive::Warn
            && record.exit_code == ExitCode::Inconclusive
            && !left_unexercised(record)
    }

    fn annotates(&self) -> bool {
        match self.annotations {
            Some(wanted) => wanted == Annotations::Github,
            None => std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
        }
    }
}

/// What an inconclusive verdict exits with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Inconclusive {
    /// Exit with 5
    #[default]
    Fail,
    /// Exit with 0, unless nothing was exercised; the verdict stays inconclusive
    Warn,
}

/// A campaign that has begun: its folder is there, and Ctrl-C ends it with a report.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) folder: RunFolder,
    pub(super) stop: Stop,
    /// What was given for driving and is shown to nobody.
    pub(super) secrets: Vec<String>,
    /// Where the scenario files are that are driven, by the names of their scenarios.
    pub(super) sources: Vec<(String, Source)>,
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

impl CameTo {
    /// What several levels come to together: a leak's reasons before all others.
    pub(super) fn all_of(levels: &[Level]) -> Self {
        let verdict = Verdict::all_of(levels.iter().map(|level| level.verdict));
        let says = |level: &&Level| level.verdict == verdict;
        let reasons = levels.iter().filter(says).flat_map(|level| level.reasons.clone());
        Self { outcome: verdict.into(), reasons: reasons.collect() }
    }
}

#[derive(serde::Serialize)]
struct CampaignFile<'c> {
    partywall: &'c str,
    command: &'c str,
    arguments: Vec<String>,
    seed: String,
    started_at: String,
    /// The process, by which whoever started it knows its folder.
    process: u32,
}

impl CampaignArgs {
    /// Makes the run folder and puts the seed on disk before anything runs.
    pub(super) fn begin(&self, command: &'static str) -> Result<Begun, CampaignError> {
        self.begin_within(command, None)
    }

    /// The same with the scenario's own limit of seconds.
    pub(super) fn begin_within(
        &self,
        command: &'static str,
        seconds: Option<u64>,
    ) -> Result<Begun, CampaignError> {
        let limit = [self.time_limit, seconds].into_iter().flatten().min();
        let begun = self.report.begin(command, self.seed, limit)?;
        if self.until_stdin_closes {
            let stop = begun.stop.clone();
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
                stop.interrupt();
            });
        }
        Ok(begun)
    }
}

impl ReportArgs {
    /// Makes the run folder and puts what was asked for on disk before anything runs.
    pub(super) fn begin(
        &self,
        command: &'static str,
        seed: u64,
        time_limit: Option<u64>,
    ) -> Result<Begun, CampaignError> {
        let started = SystemTime::now();
        let name = self.name.clone().unwrap_or_else(|| command.to_owned());
        let folder = RunFolder::create(&self.report_dir, &name, started)?;
        let limit = time_limit.map(Duration::from_secs);
        let stop = Stop::at(limit.and_then(|limit| Instant::now().checked_add(limit)));
        let clock = Instant::now();
        let (secrets, sources) = (Vec::new(), Vec::new());
        let begun = Begun { folder, stop, secrets, sources, command, name, seed, started, clock };
        let file = CampaignFile {
            partywall: env!("CARGO_PKG_VERSION"),
            command,
            arguments: std::env::args().skip(1).collect(),
            seed: seed.to_string(),
            started_at: humantime::format_rfc3339_seconds(started).to_string(),
            process: std::process::id(),
        };
        let text = serde_json::to_string_pretty(&file).expect("plain data serialises") + "\n";
        begun.folder.write("campaign.json", &text)?;
        end_on_interrupt(&begun.stop)?;
        Ok(begun)
    }
}

/// The day, `YYYY-MM-DD`, in UTC.
pub(super) fn today(now: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(now).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// The first Ctrl-C ends the campaign with a report; the second ends the process.
pub(super) fn end_on_interrupt(stop: &Stop) -> Result<(), CampaignError> {
    let stop = stop.clone();
    let handler = move || {
        if stop.reason() == Some(ReasonCode::Interrupted) {
            std::process::exit(i32::from(ExitCode::Interrupted as u8));
        }
        stop.interrupt();
    };
    on_interrupt(handler)
}

/// What Ctrl-C does from now on.
pub(super) fn on_interrupt(handler: impl FnMut() + Send + 'static) -> Result<(), CampaignError> {
    ctrlc::set_handler(handler)
        .map_err(|error| CampaignError::usage(format!("cannot listen for Ctrl-C: {error}")))
}

/// What is told where a port cannot be listened on.
pub(super) fn no_port(port: u16, error: &std::io::Error) -> CampaignError {
    CampaignError::usage(format!(
        "cannot listen on port {port}: {error}; give another with --port, or 0 for a free one"
    ))
}

impl Begun {
    /// States whose parts are put together here.
    pub(super) fn is_of(&mut self, command: &'static str, seed: u64) {
        (self.command, self.seed) = (command, seed);
    }

    /// A record with what every report has.
    pub(super) fn record(&self, came_to: CameTo) -> Record {
        Record {
            name: self.name.clone(),
            seconds: (self.clock.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            seed: self.seed,
            folder: Some(self.folder.path().display().to_string()),
            ..record(self.command, self.started, came_to)
        }
    }

    /// A record of that back end at those levels.
    pub(super) fn record_of(&self, backend: String, levels: Vec<Level>) -> Record {
        let came_to = CameTo::all_of(&levels);
        Record { backend: Some(backend), levels, ..self.record(came_to) }
    }

    /// A record of that back end in the states of a migration.
    pub(super) fn record_in_states(&self, backend: String, states: MigrationRecord) -> Record {
        let (outcome, reasons) = conclude(&states, self.stop.reason());
        let record = self.record(CameTo { outcome, reasons });
        let carried = states.scenarios.first();
        let source = carried.and_then(|own| source_of(&own.scenario, LevelName::Explore));
        Record { backend: Some(backend), migration: Some(states), source, ..record }
    }

    /// Writes the reports, shows the terminal one, and gives the exit code.
    pub(super) fn finish(
        &self,
        mut record: Record,
        args: &ReportArgs,
    ) -> Result<Ended, CampaignError> {
        if !args.subject.is_empty() {
            record.subjects.clone_from(&args.subject);
        }
        locate(&mut record, &self.sources);
        let record = redacted::redacted(record, &self.secrets).map_err(|error| {
            CampaignError::new(Kind::Internal, format!("taking secrets out of the report: {error}"))
        })?;
        let mut formats = vec![Format::Json, Format::Markdown];
        formats.extend(&args.report);
        if self.command == "signoff" {
            formats.extend(Format::of_sign_off());
        }
        formats.sort();
        formats.dedup();
        let mut broken = None;
        for format in formats {
            match format.render(&record, args.shown.lets_pass(&record)) {
                // A full disk does not keep anybody from being told what was seen.
                Some(text) => broken = broken.or(self.folder.write(format.file(), &text).err()),
                None => output::complain(
                    "no attestation: name the tested build by --subject NAME@sha256:HEX",
                ),
            }
        }
        stands(show(&record, &args.shown), broken)
    }
}

/// What a record of that subcommand has, whatever was driven.
pub(super) fn record(command: &str, started: SystemTime, came_to: CameTo) -> Record {
    let CameTo { outcome, reasons } = came_to;
    Record {
        schema_version: SCHEMA_VERSION,
        partywall: env!("CARGO_PKG_VERSION").into(),
        command: command.into(),
        name: command.into(),
        started_at: humantime::format_rfc3339_seconds(started).to_string(),
        seconds: 0.0,
        seed: 0,
        folder: None,
        backend: None,
        verdict: outcome,
        exit_code: ExitCode::of(outcome, &reasons),
        reasons,
        before: None,
        after: None,
        cross_checks: Vec::new(),
        saved_repros: Vec::new(),
        models: Vec::new(),
        comparison: Vec::new(),
        levels: Vec::new(),
        source: None,
        subjects: Vec::new(),
        partition: None,
        migration: None,
        detection: None,
        audit: None,
        not_tried: not_tried(),
        rules: rules(),
    }
}

/// Says where the scenarios, given as files or carried, say what was driven.
pub(super) fn locate(record: &mut Record, files: &[(String, Source)]) {
    for level in record.all_levels_mut() {
        if level.source.is_none() {
            let given = files.iter().find(|(name, _)| *name == level.scenario);
            let given = given.map(|(_, source)| source.clone());
            level.source = given.or_else(|| source_of(&level.scenario, level.level));
        }
    }
    let of_level = record.all_levels().find_map(|(_, level)| level.source.clone());
    let given = files.first().map(|(_, source)| source.clone()).or(of_level);
    record.source = given.or_else(|| record.source.take());
    if let Some(audit) = &mut record.audit {
        audit.root = in_repository(Path::new(&audit.root));
    }
}

/// What a command ends with that could not write all: a leak, or that error.
pub(super) fn stands(ended: Ended, broken: Option<CampaignError>) -> Result<Ended, CampaignError> {
    match broken {
        Some(error) if ended.code() == ExitCode::Leaked => {
            output::complain(&format!("error: {error}"));
            Ok(ended)
        }
        Some(error) => Err(error),
        None => Ok(ended),
    }
}

/// Shows the terminal report, and gives how the command ends.
pub(super) fn show(record: &Record, args: &ShownArgs) -> Ended {
    show_report(record, args);
    let code = if args.lets_pass(record) { ExitCode::Clean } else { record.exit_code };
    Ended::of(record, code)
}

/// Shows the terminal report.
pub(super) fn show_report(record: &Record, args: &ShownArgs) {
    let text = terminal::render(record, args.color.style());
    if args.annotates() {
        output::print(&github::guarded(&text, &unguessable()));
        output::print(&github::annotations(record));
        append_summary(record);
    } else {
        output::print(&text);
    }
}

/// A token that nobody who sends us text can know.
fn unguessable() -> String {
    use std::hash::{BuildHasher, RandomState};
    // Its keys are drawn from the system.
    let draw = || RandomState::new().hash_one(Instant::now());
    format!("{:016x}{:016x}", draw(), draw())
}

/// Adds the report to the step summary, where the CI service names a file for it.
fn append_summary(record: &Record) {
    use std::io::Write;
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return;
    };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(github::step_summary(record).as_bytes()));
    if let Err(error) = written {
        output::complain(&format!("the step summary cannot be written: {error}"));
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
        "on the wire: cancelled requests, client time-outs, replayed cursors; only cut connections",
        "on the wire, whose identity came with which upstream call, unless the scenario has a table \
         `[upstream]`",
        "on the wire, whether each stream is what its user would get alone: that takes a fresh \
         process for each",
        "proxies and caches in front of a server; several processes and restarts, unless the scenario \
         asks for them",
    ]
    .map(String::from)
    .to_vec()
}

/// The same for that work on the wire, which says what it does where its scenario describes a server.
pub(super) fn not_tried_by(work: &Workload) -> Vec<String> {
    let Some(server) = &work.server else { return not_tried() };
    let left_out = server.faults.left_out(work.vanish_percent);
    let general = not_tried().into_iter();
    let mut all: Vec<String> =
        general.filter(|text| !text.starts_with("on the wire: cancelled requests")).collect();
    if !left_out.is_empty() {
        all.insert(0, format!("what `[workload]` does not ask for: {}", left_out.join(", ")));
    }
    all
}

/// What a fixed nonce leaves out: the same words may have been sent before.
pub(super) fn left_out_by_nonce(nonce: Option<u32>) -> Option<String> {
    let nonce = nonce?;
    Some(format!(
        "words that are new to the server: whatever it keeps of an earlier campaign with this seed and \
         `--nonce {nonce}` it may answer from, and what it made for that campaign is not known"
    ))
}
