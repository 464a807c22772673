//! `partywall run`: a running server over real connections.

use super::common::{CameTo, CampaignArgs, scenario};
use super::progress::Shown;
use crate::campaign::error::CampaignError;
use crate::campaign::repro::Target;
use crate::campaign::series::Series;
use crate::campaign::wire::{Rounds, drive_rounds};
use crate::reference::auth::token_of;
use crate::swarm::transport::TargetUrl;
use crate::trial::canary::CampaignKey;
use crate::trial::measure::Partition;
use crate::trial::verdict::ExitCode;

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server, on this machine: http://127.0.0.1:PORT
    #[arg(long, env = "PARTYWALL_TARGET", value_name = "URL")]
    target: String,
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
    #[command(flatten)]
    campaign: CampaignArgs,
}

pub(super) fn exec(args: Args) -> Result<ExitCode, CampaignError> {
    let scenario = scenario(&args.scenario)?;
    let url = TargetUrl::parse(&args.target)
        .map_err(|error| CampaignError::usage(format!("--target: {error}")))?;
    let mut begun = args.campaign.begin("run")?;
    let mut workload = scenario.wire;
    if let Some(users) = args.users {
        workload = workload.with_users(users);
    }
    if let Some(runs) = args.runs {
        workload = workload.with_runs(runs);
    }
    let users = workload.plan(args.campaign.seed, 0).users;
    begun.secrets = users.iter().map(|user| token_of(&user.name)).collect();
    let target = Target::Url { url: url.to_string() };
    let rounds = args.rounds.unwrap_or(scenario.wire_rounds);
    let seed = args.campaign.seed;
    let mut rounds = Rounds::new(&workload, &url, target, seed, rounds, &begun.folder, &begun.stop);
    rounds.partition = args.partition;
    rounds.series = Series::on_shared_server(CampaignKey::from_seed(seed));
    let level = drive_rounds(&rounds, &Shown::new())?.level;
    let came_to = CameTo { outcome: level.verdict.into(), reasons: level.reasons.clone() };
    let mut record = begun.record(came_to);
    record.backend = Some(format!("the server at {url}"));
    record.levels = vec![level];
    record.partition = args.partition;
    begun.finish(record, &args.campaign.report)
}
