//! `partywall audit`: what still uses a deprecated accessor in a source tree.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use clap::builder::BoolishValueParser;

use super::ending::Ended;
use super::output::{self, Colour};
use super::places::in_repository;
use super::{audit_fix, audit_settings};
use crate::audit::glob::Glob;
use crate::audit::symbols::Symbol;
use crate::audit::{Options, baseline};
use crate::campaign::error::CampaignError;
use crate::report::{audit_github, audit_json, audit_sarif, audit_scenario, audit_table};
use crate::trial::audit::{AuditRecord, Scope, Use};
use crate::trial::fix::FixedCall;
use crate::trial::verdict::ExitCode;

/// How long it may take before progress is shown, and how often it is.
const INTERVAL: Duration = Duration::from_secs(1);

const LEGACY: &str = "get_agent_instance_factory";
const REPLACEMENT: &str = "create_agent_instance_factory";

const AFTER_HELP: &str = "\
It finds calls (plain, by attribute, through an alias), imports, aliases,
strings that name it for patching, references without a call, the definition,
and mentions, in Python, TypeScript and JavaScript; files with syntax errors
too. A call site is at high risk if its object is configured, or kept over an
await, in an async function, or stored on self, a class or a module.

What is rewritten is printed as a diff that git apply takes, and what stays on
standard error, with the reason.

Singletons are suspects, not verdicts: ARCHITECTURE.md has how many of them
were right in released applications.

Exit codes: 0, 1 for what was asked to fail (of what a rewrite leaves),
2 usage or a file that could not be written, 4 no source file, 5 a gate where
files could not be searched.";

/// The arguments of `audit`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// The folder or file to search
    pub(super) path: PathBuf,
    /// The deprecated accessor [default: get_agent_instance_factory]
    #[arg(long, env = "PARTYWALL_SYMBOL", value_name = "NAME")]
    pub(super) symbol: Option<String>,
    /// What takes its place [default: create_agent_instance_factory]
    #[arg(long, env = "PARTYWALL_REPLACEMENT", value_name = "NAME")]
    pub(super) replacement: Option<String>,
    /// Several of them: a TOML file with [[symbol]] name, replacement
    #[arg(long, hide_short_help = true, env = "PARTYWALL_SYMBOLS", value_name = "FILE", conflicts_with_all = ["symbol", "replacement"])]
    pub(super) symbols: Option<PathBuf>,
    /// Look for what else all users may share
    #[arg(long, env = "PARTYWALL_FIND_SINGLETONS", value_parser = BoolishValueParser::new())]
    pub(super) find_singletons: bool,
    /// Paths that hold tests [default: tests/, test_*.py, *.spec.* …]
    #[arg(
        long,
        hide_short_help = true,
        env = "PARTYWALL_TEST_PATTERN",
        value_name = "GLOB",
        value_delimiter = ','
    )]
    pub(super) test_pattern: Vec<String>,
    /// Paths that are not searched
    #[arg(long, env = "PARTYWALL_EXCLUDE", value_name = "GLOB", value_delimiter = ',')]
    pub(super) exclude: Vec<String>,
    /// Search what programs made, too: dist/, build/, *.min.*, files that say so
    #[arg(long, hide_short_help = true, env = "PARTYWALL_INCLUDE_GENERATED", value_parser = BoolishValueParser::new())]
    pub(super) include_generated: bool,
    /// How to print it [default: table]
    #[arg(long, env = "PARTYWALL_FORMAT", value_name = "FORMAT", value_enum)]
    pub(super) format: Option<Format>,
    /// An earlier audit in JSON, to compare with
    #[arg(long, env = "PARTYWALL_BASELINE", value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// What exits with 1 [default: nothing]
    #[arg(long, env = "PARTYWALL_FAIL_ON", value_name = "WHAT", value_enum)]
    pub(super) fail_on: Option<FailOn>,
    /// The code that the gate looks at, and that is rewritten [default: app]
    #[arg(long, env = "PARTYWALL_SCOPE", value_name = "SCOPE", value_enum)]
    pub(super) scope: Option<ScopeName>,
    /// Rewrite calls to the replacement where a context is in scope; shown as a diff
    #[arg(long, env = "PARTYWALL_FIX", value_parser = BoolishValueParser::new())]
    pub(super) fix: bool,
    /// Write the rewritten files, instead of showing a diff
    #[arg(long, env = "PARTYWALL_WRITE", value_parser = BoolishValueParser::new())]
    pub(super) write: bool,
    /// Names of variables and types that hold a user's context [default: user_context,
    /// userContext, UserContext]
    #[arg(long, env = "PARTYWALL_CONTEXT", value_name = "NAME", value_delimiter = ',')]
    pub(super) context: Vec<String>,
    /// Settings [default: partywall-audit.toml, or [tool.partywall-audit] of pyproject.toml]
    #[arg(long, hide_short_help = true, env = "PARTYWALL_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// When to use colour
    #[arg(long, env = "PARTYWALL_COLOR", value_name = "WHEN", value_enum, default_value_t)]
    color: Colour,
}

/// How an audit is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Table,
    /// For scripts, and as a baseline
    Json,
    /// For code scanning
    Sarif,
    /// As annotations on GitHub
    Github,
    /// The suspects as a starter of a scenario for `partywall migration`
    Toml,
}

/// What makes an audit fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Nothing
    #[default]
    Nothing,
    /// A use that the baseline does not have
    New,
    /// A call site that is left
    Any,
}

/// Which code a gate looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ScopeName {
    /// Application code
    #[default]
    App,
    /// Tests
    Tests,
    /// Both
    All,
}

impl ScopeName {
    pub(super) fn scope(self) -> Scope {
        match self {
            Self::App => Scope::App,
            Self::Tests => Scope::Tests,
            Self::All => Scope::All,
        }
    }
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let args = &audit_settings::with_settings(args)?;
    let fail_on = args.fail_on.unwrap_or_default();
    if args.write && !args.fix {
        return Err(CampaignError::usage("--write writes what --fix rewrites; add --fix"));
    }
    if fail_on == FailOn::New && args.baseline.is_none() {
        let text = "--fail-on new needs --baseline FILE: the JSON of an earlier audit";
        return Err(CampaignError::usage(text));
    }
    let mut options = Options::new(symbols(args)?);
    let globs = |patterns: &[String]| patterns.iter().map(|pattern| Glob::new(pattern)).collect();
    options.excluded = globs(&args.exclude);
    options.tests = globs(&args.test_pattern);
    options.find_singletons = args.find_singletons || args.format == Some(Format::Toml);
    options.generated = args.include_generated;
    let then = args.baseline.as_deref().map(read_audit).transpose()?;
    let shown = Shown::new();
    let found = crate::audit::audit(&args.path, &options, &|done, of| shown.advance(done, of));
    shown.end();
    let mut audit = found.map_err(|error| CampaignError::usage(error.to_string()))?;
    if let (Some(then), Some(path)) = (&then, &args.baseline) {
        audit.compared = Some(baseline::compare(&audit, then, &path.display().to_string()));
    }
    let scope = args.scope.unwrap_or_default().scope();
    let format = args.format.unwrap_or_default();
    if args.fix {
        if !matches!(format, Format::Table | Format::Json) {
            let text = "--fix prints a diff, or JSON with --format json; leave out other formats";
            return Err(CampaignError::usage(text));
        }
        let how = audit_fix::How {
            path: &args.path,
            contexts: &args.context,
            scope,
            write: args.write,
            json: format == Format::Json,
            style: args.color.style(),
        };
        let fixed = audit_fix::exec(&options, &audit, &how)?;
        let is_gone = |found: &Use| {
            let is_it = |call: &FixedCall| call.symbol == found.symbol && call.place == found.place;
            fixed.calls().any(is_it)
        };
        let ended = ended(fail_on, scope, &audit, &is_gone);
        return Ok(match args.write || fixed.files.is_empty() {
            true => ended,
            false => ended.next("apply the diff, which counts as applied here, with git apply"),
        });
    }
    if matches!(format, Format::Sarif | Format::Github) {
        // Both name files of the repository.
        audit.root = in_repository(Path::new(&audit.root));
    }
    output::print(&match format {
        Format::Table => audit_table::render(&audit, args.color.style()),
        Format::Json => audit_json::render(&audit),
        Format::Sarif => audit_sarif::render(&audit),
        Format::Github => audit_github::render(&audit),
        Format::Toml => audit_scenario::render(&audit),
    });
    Ok(ended(fail_on, scope, &audit, &|_| false))
}

/// The end of an audit, with the uses that a rewrite took away.
fn ended(
    fail_on: FailOn,
    scope: Scope,
    audit: &AuditRecord,
    is_gone: &dyn Fn(&Use) -> bool,
) -> Ended {
    let fails = match fail_on {
        FailOn::Nothing => false,
        FailOn::New => audit.new_in(scope).any(|found| !is_gone(found)),
        FailOn::Any => audit.remaining_in(scope).any(|found| !is_gone(found)),
    };
    let unread = audit.files.skipped.len();
    let left = audit.remaining_in(scope).filter(|found| !is_gone(found)).count();
    if fails {
        let what = match fail_on {
            FailOn::New => "uses were added that the baseline does not have",
            _ => "call sites remain",
        };
        Ended::new(ExitCode::Leaked, what).next("migrate what stands above, the risky ones first")
    } else if audit.files.found == 0 {
        Ended::new(ExitCode::NothingExercised, "no source file was found: nothing was audited")
            .next("give the folder of the sources, in Python, TypeScript or JavaScript")
    } else if fail_on != FailOn::Nothing && unread > 0 {
        let what = format!("files that could not be searched, and may hold call sites: {unread}");
        Ended::new(ExitCode::Inconclusive, what).next(
            "mend what stands under \"Could not be searched\", or leave it out with --exclude",
        )
    } else if left > 0 {
        let what = format!("audited; call sites that remain: {left}");
        Ended::new(ExitCode::Clean, what).next("--fail-on any or new makes a gate of it")
    } else {
        Ended::new(ExitCode::Clean, "audited; no call site remains")
    }
}

fn symbols(args: &Args) -> Result<Vec<Symbol>, CampaignError> {
    let usage = |error: crate::audit::AuditError| CampaignError::usage(error.to_string());
    let Some(path) = &args.symbols else {
        let name = args.symbol.as_deref().unwrap_or(LEGACY);
        let cure = (args.symbol.is_none() || name == LEGACY).then_some(REPLACEMENT);
        let replacement = args.replacement.as_deref().or(cure);
        return Ok(vec![Symbol::new(name, replacement).map_err(usage)?]);
    };
    let text = read(path)?;
    Symbol::of_file(&text).map_err(|error| {
        CampaignError::usage(format!("{}: {error}", path.display().to_string().escape_debug()))
    })
}

/// Reads what `audit --format json` printed.
pub(super) fn read_audit(path: &Path) -> Result<AuditRecord, CampaignError> {
    audit_json::read(&read(path)?).map_err(|error| {
        CampaignError::usage(format!(
            "{}: {error}; give what `partywall audit --format json` printed",
            path.display().to_string().escape_debug()
        ))
    })
}

fn read(path: &Path) -> Result<String, CampaignError> {
    std::fs::read_to_string(path).map_err(|error| {
        CampaignError::usage(format!(
            "cannot read {}: {error}; name a file that is there",
            path.display().to_string().escape_debug()
        ))
    })
}

/// A line on standard error that tells how far it is: on a terminal it is written over, elsewhere
/// it comes seldom.
#[derive(Debug)]
struct Shown {
    bars: bool,
    last: Mutex<(Instant, bool)>,
}

impl Shown {
    fn new() -> Self {
        let last = Mutex::new((Instant::now(), false));
        Self { bars: std::io::stderr().is_terminal(), last }
    }

    fn advance(&self, done: u64, of: u64) {
        let Ok(mut last) = self.last.try_lock() else { return };
        let interval = if self.bars { INTERVAL / 5 } else { INTERVAL * 5 };
        if last.0.elapsed() < interval {
            return;
        }
        *last = (Instant::now(), true);
        if self.bars {
            eprint!("\raudit: {done} of {of} files ");
        } else {
            output::complain(&format!("audit: {done} of {of} files"));
        }
    }

    fn end(&self) {
        if self.bars && self.last.lock().is_ok_and(|last| last.1) {
            eprint!("\r\x1b[K");
        }
    }
}
