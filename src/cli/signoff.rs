//! `partywall signoff`: before and after the migration.

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use sha2::{Digest, Sha256};

use super::audit::read_audit;
use super::common::{CameTo, CampaignArgs, scenario};
use super::progress::Shown;
use super::report;
use super::saved::SavedArgs;
use super::server;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::signoff::{SignOff, SignedOff, WIRE_REPLAYS};
use crate::campaign::signoff_server::ServerSignOff;
use crate::reference::call_sites::Migration;
use crate::scenario::{ServerScenario, built_in_names};
use crate::trial::audit::AuditRecord;
use crate::trial::measure::Subject;
use crate::trial::migration::MigrationRecord;
use crate::trial::raw::to_hex;
use crate::trial::verdict::{ExitCode, Outcome, Reason, ReasonCode};

/// The arguments of `signoff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Built-in scenarios to drive [default: all], or the scenario file of one server with its
    /// tables `[before]` and `[after]`
    #[arg(value_name = "SCENARIO", env = "PARTYWALL_SCENARIOS", value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Call sites migrated before: none, all, or SITE,…
    #[arg(long, env = "PARTYWALL_BEFORE", value_name = "SITES", default_value = "none")]
    before: Migration,
    /// Call sites migrated after: none, all, or SITE,…
    #[arg(long, env = "PARTYWALL_AFTER", value_name = "SITES", default_value = "all")]
    after: Migration,
    /// Explored trials of each scenario and side [default: the scenario's]
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Rounds on the wire of each scenario and side [default: the scenario's]
    #[arg(long, env = "PARTYWALL_ROUNDS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// An audit in JSON, to stand in the report
    #[arg(long, env = "PARTYWALL_AUDIT", value_name = "FILE")]
    audit: Option<PathBuf>,
    /// What `partywall migration` came to: its run folder or report.json
    #[arg(long, env = "PARTYWALL_MIGRATION", value_name = "FOLDER")]
    migration: Option<PathBuf>,
    /// Fail where the audit has call sites left in application code
    #[arg(long, env = "PARTYWALL_REQUIRE_MIGRATED", value_parser = BoolishValueParser::new(), requires = "audit")]
    require_migrated: bool,
    /// A host besides this machine that may be driven
    #[arg(long, env = "PARTYWALL_ALLOW_HOST", value_name = "HOST", value_delimiter = ',')]
    allow_host: Vec<String>,
    #[command(flatten)]
    saved: SavedArgs,
    #[command(flatten)]
    campaign: CampaignArgs,
}

pub(super) fn exec(args: Args) -> Result<ExitCode, CampaignError> {
    if let [file] = args.scenarios.as_slice()
        && server::is_file(file)
    {
        return sign_off_server(&args, &server::read(file)?);
    }
    let names = if args.scenarios.is_empty() {
        built_in_names().map(String::from).collect()
    } else {
        args.scenarios
    };
    let scenarios = names.iter().map(|name| scenario(name)).collect::<Result<Vec<_>, _>>()?;
    let program = std::env::current_exe().map_err(|error| {
        CampaignError::new(Kind::Internal, format!("this program does not know its path: {error}"))
    })?;
    let audit = args.audit.as_deref().map(read_audit).transpose()?;
    let migration = args.migration.as_deref().map(matrix).transpose()?;
    let saved = args.saved.load()?;
    let begun = args.campaign.begin("signoff")?;
    let mut signoff =
        SignOff::new(&scenarios, args.campaign.seed, &program, &begun.folder, &begun.stop);
    signoff.before = args.before;
    signoff.after = args.after;
    signoff.trials = args.trials;
    signoff.rounds = args.rounds;
    signoff.saved = &saved;
    let came_to = signoff.run(&Shown::new())?;
    args.saved.save(&came_to.repros)?;
    let SignedOff {
        outcome,
        reasons,
        before,
        after,
        cross_checks,
        saved_repros,
        models,
        comparison,
        ..
    } = came_to;
    let came_to = CameTo { outcome, reasons };
    let required = audit.as_ref().filter(|_| args.require_migrated);
    let mut record = begun.record(required.into_iter().fold(came_to, require_migrated));
    record.audit = audit;
    record.migration = migration;
    record.before = Some(before);
    record.after = Some(after);
    record.cross_checks = cross_checks;
    record.saved_repros = saved_repros;
    record.models = models;
    record.comparison = comparison;
    record.subjects = this_program(&program);
    begun.finish(record, &args.campaign.report)
}

/// Signs off a server of somebody's own, by its scenario file.
fn sign_off_server(args: &Args, scenario: &ServerScenario) -> Result<ExitCode, CampaignError> {
    let side = |own: &Option<_>, name: &str| {
        let missing = || {
            CampaignError::usage(format!(
                "the scenario has no table `[{name}]`: sign-off needs both"
            ))
        };
        server::target(own.clone().ok_or_else(missing)?, None, &args.allow_host)
    };
    let (before, after) = (side(&scenario.before, "before")?, side(&scenario.after, "after")?);
    let (scenario, given) = server::given(scenario, &after)?;
    let mut begun = args.campaign.begin_within("signoff", scenario.seconds)?;
    begun.secrets = given.secrets();
    let signoff = ServerSignOff {
        work: &scenario.work,
        before: &before,
        after: &after,
        given: &given,
        seed: args.campaign.seed,
        rounds: args.rounds.unwrap_or_else(|| rounds_within(&scenario)),
        requests: scenario.requests,
        folder: &begun.folder,
        stop: &begun.stop,
    };
    let came_to = signoff.run(&Shown::new())?;
    args.saved.save(&came_to.repros)?;
    let SignedOff { outcome, reasons, before, after, cross_checks, comparison, .. } = came_to;
    let mut record = begun.record(CameTo { outcome, reasons });
    record.before = Some(before);
    record.after = Some(after);
    record.cross_checks = cross_checks;
    record.comparison = comparison;
    begun.finish(record, &args.campaign.report)
}

/// The rounds of one side that leave enough of the scenario's requests for the other one, and for
/// driving what leaks again on both.
fn rounds_within(scenario: &ServerScenario) -> u64 {
    let round = scenario.round_requests.max(1) * (2 + 2 * WIRE_REPLAYS);
    let most = scenario.requests.map_or(u64::MAX, |requests| requests / round);
    scenario.rounds.min(most.max(1))
}

/// The matrix of a report that `migration` wrote.
fn matrix(path: &Path) -> Result<MigrationRecord, CampaignError> {
    let path = report::file_of(path);
    report::read(&path)?.migration.ok_or_else(|| {
        let shown = path.display().to_string();
        let remedy = "name a run folder of `partywall migration`";
        CampaignError::usage(format!("`{}` has no states in it; {remedy}", shown.escape_debug()))
    })
}

/// What is left in the source counts as much as what was seen: only a leak or an interruption
/// weighs more.
fn require_migrated(came_to: CameTo, audit: &AuditRecord) -> CameTo {
    let CameTo { outcome, mut reasons } = came_to;
    let left = audit.remaining().count();
    if left == 0 {
        return CameTo { outcome, reasons };
    }
    let text = format!("{left} call sites remain in application code, and none was to");
    reasons.insert(0, Reason::new(ReasonCode::CallSitesRemain, text));
    let outcome = if outcome == Outcome::StillLeaks { outcome } else { Outcome::NotMigrated };
    CameTo { outcome, reasons }
}

/// What was tested: the reference back end is in this program.
fn this_program(program: &Path) -> Vec<Subject> {
    let digest = |bytes: Vec<u8>| to_hex(&Sha256::digest(bytes));
    let name = || format!("partywall-{}", env!("CARGO_PKG_VERSION"));
    let subject = |sha256| Subject { name: name(), sha256 };
    std::fs::read(program).ok().map(digest).map(subject).into_iter().collect()
}
