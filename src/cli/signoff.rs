//! `partywall signoff`: before and after the migration.

use sha2::{Digest, Sha256};

use super::common::{Begun, CameTo, CampaignArgs, not_tried_by, scenario};
use super::progress::Shown;
use super::saved::SavedArgs;
use super::server;
use super::source::SourceArgs;
use crate::campaign::error::CampaignError;
use crate::campaign::signoff::{SignOff, SignedOff, WIRE_REPLAYS};
use crate::campaign::signoff_server::ServerSignOff;
use crate::reference::call_sites::Migration;
use crate::scenario::{ServerScenario, built_in_names};
use crate::trial::measure::{Partition, Subject};
use crate::trial::raw::to_hex;
use crate::trial::record::Record;
use crate::trial::verdict::ExitCode;

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
    /// Only that part of the trials: slice:M/N; `partywall merge` puts the parts together
    #[arg(long, env = "PARTYWALL_PARTITION", value_name = "slice:M/N")]
    partition: Option<Partition>,
    #[command(flatten)]
    source: SourceArgs,
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
        args.scenarios.clone()
    };
    let scenarios = names.iter().map(|name| scenario(name)).collect::<Result<Vec<_>, _>>()?;
    let source = args.source.read()?;
    let saved = args.saved.load()?;
    let begun = args.campaign.begin("signoff")?;
    let mut signoff = SignOff::new(&scenarios, args.campaign.seed, &begun.folder, &begun.stop);
    signoff.before = args.before;
    signoff.after = args.after;
    signoff.trials = args.trials;
    signoff.rounds = args.rounds;
    signoff.partition = args.partition;
    signoff.saved = &saved;
    let came_to = signoff.run(&Shown::new())?;
    let repros = came_to.repros.clone();
    let mut record = signed_off_record(&begun, came_to);
    source.stands_in(&mut record);
    record.partition = args.partition;
    record.subjects = this_program();
    args.saved.save_beside(&repros, || begun.finish(record, &args.campaign.report))
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
    let source = args.source.read()?;
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
        partition: args.partition,
        requests: scenario.requests,
        folder: &begun.folder,
        stop: &begun.stop,
    };
    let came_to = signoff.run(&Shown::new())?;
    let repros = came_to.repros.clone();
    let mut record = signed_off_record(&begun, came_to);
    source.stands_in(&mut record);
    record.partition = args.partition;
    record.not_tried = not_tried_by(&scenario.work);
    args.saved.save_beside(&repros, || begun.finish(record, &args.campaign.report))
}

/// The record of a sign-off.
pub(super) fn signed_off_record(begun: &Begun, signed_off: SignedOff) -> Record {
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
    } = signed_off;
    let mut record = begun.record(CameTo { outcome, reasons });
    record.before = Some(before);
    record.after = Some(after);
    record.cross_checks = cross_checks;
    record.saved_repros = saved_repros;
    record.models = models;
    record.comparison = comparison;
    record
}

/// The rounds of one side that leave enough of the scenario's requests for the other one, and for
/// driving what leaks again on both.
fn rounds_within(scenario: &ServerScenario) -> u64 {
    let round = scenario.round_requests.max(1) * (2 + 2 * WIRE_REPLAYS);
    let most = scenario.requests.map_or(u64::MAX, |requests| requests / round);
    scenario.rounds.min(most.max(1))
}

/// What was tested: the reference back end is in this program.
fn this_program() -> Vec<Subject> {
    let digest = |bytes: Vec<u8>| to_hex(&Sha256::digest(bytes));
    let name = || format!("partywall-{}", env!("CARGO_PKG_VERSION"));
    let subject = |sha256| Subject { name: name(), sha256 };
    let bytes = std::env::current_exe().and_then(std::fs::read);
    bytes.ok().map(digest).map(subject).into_iter().collect()
}
