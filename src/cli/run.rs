//! `partywall run`: a running server over real connections.

use clap::builder::BoolishValueParser;

use super::common::{Begun, CameTo, CampaignArgs, not_tried, not_tried_by, scenario};
use super::output;
use super::progress::Shown;
use super::server;
use crate::campaign::error::CampaignError;
use crate::campaign::launched::Launched;
use crate::campaign::series::Series;
use crate::campaign::undriven::Undriven;
use crate::campaign::wire::{Driven, Rounds, drive_rounds};
use crate::reference::auth::token_of;
use crate::scenario::{ServerScenario, Target, Workload};
use crate::swarm::Servers;
use crate::trial::canary::CampaignKey;
use crate::trial::measure::Partition;
use crate::trial::record::Level;
use crate::trial::verdict::ExitCode;

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The scenario file, with a table `[target]`; without one, a server that speaks the protocol
    /// of `partywall serve` is driven
    #[arg(value_name = "SCENARIO")]
    file: Option<String>,
    /// The server, on this machine: http://127.0.0.1:PORT
    #[arg(
        long,
        env = "PARTYWALL_TARGET",
        value_name = "URL",
        required_unless_present_any = ["file"]
    )]
    target: Option<String>,
    /// The built-in scenario
    #[arg(long, env = "PARTYWALL_SCENARIO", default_value = "reference-golden-path")]
    scenario: String,
    /// Simulated users, a bystander included [default: the scenario's]
    #[arg(long, env = "PARTYWALL_USERS", value_name = "N", value_parser = clap::value_parser!(u32).range(2..=5000))]
    users: Option<u32>,
    /// Runs of each user, one after the other [default: the scenario's]
    #[arg(long, env = "PARTYWALL_RUNS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: Option<u16>,
    /// Rounds in which all users start together [default: the scenario's]
    #[arg(long, env = "PARTYWALL_ROUNDS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Drive only that part of the rounds, for `merge`: slice:M/N
    #[arg(long, env = "PARTYWALL_PARTITION", value_name = "SLICE")]
    partition: Option<Partition>,
    /// A host besides this machine that may be driven
    #[arg(long, env = "PARTYWALL_ALLOW_HOST", value_name = "HOST", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// Print the first user's exact requests, and send nothing
    #[arg(long, env = "PARTYWALL_DRY_RUN", value_parser = BoolishValueParser::new(), requires = "file")]
    dry_run: bool,
    #[command(flatten)]
    campaign: CampaignArgs,
}

pub(super) fn exec(args: Args) -> Result<ExitCode, CampaignError> {
    match &args.file {
        Some(file) if server::is_file(file) => {
            let scenario = server::read(file)?;
            run_server(&args, &scenario)
        }
        Some(name) => Err(CampaignError::usage(format!(
            "`{}` is no scenario file; built-in scenarios go by --scenario",
            name.escape_debug()
        ))),
        None => run_reference(&args),
    }
}

fn sized(args: &Args, mut workload: Workload) -> Workload {
    if let Some(users) = args.users {
        workload = workload.with_users(users);
    }
    if let Some(runs) = args.runs {
        workload = workload.with_runs(runs);
    }
    workload
}

fn run_reference(args: &Args) -> Result<ExitCode, CampaignError> {
    let scenario = scenario(&args.scenario)?;
    let nowhere = Target::from(crate::scenario::Server::default());
    let target = server::target(nowhere, args.target.as_deref(), &args.allow_host)?;
    let mut begun = args.campaign.begin("run")?;
    let workload = sized(args, scenario.wire);
    let users = workload.plan(args.campaign.seed, 0).users;
    begun.secrets = users.iter().map(|user| token_of(&user.name)).collect();
    let words = target.to_string();
    let count = args.rounds.unwrap_or(scenario.wire_rounds);
    let seed = args.campaign.seed;
    let log = begun.folder.file("server.log");
    let launched = Launched::start(&target, &Servers::default(), &log, &begun.stop)?;
    let servers = launched.servers();
    let mut rounds =
        Rounds::new(&workload, servers, target, seed, count, &begun.folder, &begun.stop);
    rounds.partition = args.partition;
    rounds.series = Series::on_shared_server(CampaignKey::from_seed(seed));
    let Driven { level, .. } = drive_rounds(&rounds, &Shown::new())?;
    tell(args, &begun, level, words, not_tried())
}

fn run_server(args: &Args, scenario: &ServerScenario) -> Result<ExitCode, CampaignError> {
    let target = server::target(scenario.target.clone(), args.target.as_deref(), &args.allow_host)?;
    if target.server().is_some_and(|own| own.command.is_empty() && own.urls.is_empty()) {
        return Err(CampaignError::usage(
            "the scenario has targets for sign-off or migration only; give one by --target",
        ));
    }
    if args.dry_run {
        // No secret is asked for: none is shown.
        let (_, names) = server::given_for(&[], &target)?;
        let work = sized(args, server::with_names(scenario, names)?.work);
        output::print(&server::dry_run(&target, &work, args.campaign.seed)?);
        return Ok(ExitCode::Clean);
    }
    let (scenario, given) = server::given(scenario, &target)?;
    let workload = sized(args, scenario.work.clone());
    let mut begun = args.campaign.begin_within("run", scenario.seconds)?;
    begun.secrets = given.secrets();
    let log = begun.folder.file("server.log");
    let words = target.to_string();
    let count = args.rounds.unwrap_or(scenario.rounds);
    let launched = match Launched::start(&target, &given, &log, &begun.stop) {
        Ok(launched) => launched,
        // Who asks for the end does not wait for a server to be ready.
        Err(error) if begun.stop.reason().is_some() => {
            let undriven = Undriven {
                workload: &workload,
                side: "",
                backend: &words,
                rounds: count,
                partition: None,
                stop: &begun.stop,
            };
            let Driven { level, .. } = undriven.because_of(&error);
            return tell(args, &begun, level, words, not_tried_by(&workload));
        }
        Err(error) => return Err(error),
    };
    let servers = launched.servers();
    let seed = args.campaign.seed;
    let mut rounds =
        Rounds::new(&workload, servers, target, seed, count, &begun.folder, &begun.stop);
    rounds.partition = args.partition;
    rounds.series = Series::on_shared_server(CampaignKey::from_seed(seed));
    rounds.launched = Some(&launched);
    rounds.requests = scenario.requests;
    let Driven { level, .. } = drive_rounds(&rounds, &Shown::new())?;
    drop(launched);
    tell(args, &begun, level, words, not_tried_by(&workload))
}

fn tell(
    args: &Args,
    begun: &Begun,
    level: Level,
    backend: String,
    not_tried: Vec<String>,
) -> Result<ExitCode, CampaignError> {
    let came_to = CameTo { outcome: level.verdict.into(), reasons: level.reasons.clone() };
    let mut record = begun.record(came_to);
    record.backend = Some(backend);
    record.levels = vec![level];
    record.not_tried = not_tried;
    record.partition = args.partition;
    begun.finish(record, &args.campaign.report)
}
