//! `partywall run`: a running server over real connections.

use clap::builder::BoolishValueParser;

use super::common::{Begun, CampaignArgs, HostArgs, left_out_by_nonce, not_tried_by};
use super::ending::Ended;
use super::output;
use super::progress::Shown;
use super::scenario::{self, ScenarioArg};
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::failed_start::FailedStart;
use crate::campaign::launched::Launched;
use crate::campaign::round_keys::RoundKeys;
use crate::campaign::wire::{Driven, Rounds, drive_rounds};
use crate::reference::auth::token_of;
use crate::scenario::Workload;
use crate::trial::measure::Partition;
use crate::trial::record::Level;
use crate::trial::verdict::ExitCode;

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: ScenarioArg,
    /// The server, instead of where the scenario says it is or how it is started:
    /// http://127.0.0.1:PORT
    #[arg(
        long,
        env = "PARTYWALL_TARGET",
        value_name = "URL",
        required_unless_present_any = ["file"]
    )]
    target: Option<String>,
    /// Start the server by this command instead of as [target] says: words between spaces, or a JSON
    /// array of strings; {{ port }} stands for its port
    #[arg(
        long,
        env = "PARTYWALL_COMMAND",
        value_name = "COMMAND",
        conflicts_with = "target",
        requires = "file"
    )]
    command: Option<String>,
    /// What is driven of the scenario instead of [target]: before, after, or the name of a [[state]]
    #[arg(long, env = "PARTYWALL_STATE", hide_short_help = true, value_name = "NAME")]
    state: Option<String>,
    /// Simulated users, a bystander included [default: the scenario's]
    #[arg(long, env = "PARTYWALL_USERS", value_name = "N", value_parser = clap::value_parser!(u32).range(2..=5000))]
    users: Option<u32>,
    /// Runs of each user, one after the other [default: the scenario's]
    #[arg(long, env = "PARTYWALL_RUNS", hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: Option<u16>,
    /// Rounds in which all users start together [default: the scenario's]
    #[arg(long, env = "PARTYWALL_ROUNDS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Drive all rounds, also after the first with a finding and where answers are lost
    #[arg(long, env = "PARTYWALL_NO_FAIL_FAST", value_parser = BoolishValueParser::new())]
    no_fail_fast: bool,
    /// Drive only that part of the rounds, all of them, for `merge`: slice:M/N
    #[arg(long, env = "PARTYWALL_PARTITION", hide_short_help = true, value_name = "SLICE")]
    partition: Option<Partition>,
    /// Number that tells this campaign from others against the same server [default: drawn]. The
    /// same seed and nonce send the same words, which a server that lives on may remember
    #[arg(long, env = "PARTYWALL_NONCE", hide_short_help = true, value_name = "N", conflicts_with = "partition", value_parser = clap::value_parser!(u32).range(1..))]
    nonce: Option<u32>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Print the first user's exact requests, and send nothing
    #[arg(long, env = "PARTYWALL_DRY_RUN", value_parser = BoolishValueParser::new(), requires = "file")]
    dry_run: bool,
    #[command(flatten)]
    campaign: CampaignArgs,
}

pub(super) fn exec(args: Args) -> Result<Ended, CampaignError> {
    let args = &args;
    let name = args.scenario.name();
    let scenario = match args.target.is_some() || args.command.is_some() {
        true => scenario::read_for_target(name)?,
        false => scenario::read(name)?,
    };
    let mut target = scenario::in_state(&scenario, args.state.as_deref())?;
    if let Some(command) = &args.command {
        let words = scenario::words(command)
            .map_err(|problem| CampaignError::usage(format!("--command: {problem}")))?;
        target = scenario::started_by(target, words)?;
    }
    let target = scenario::target(target, args.target.as_deref(), &args.hosts.allow_host)?;
    if target.server().is_some_and(|own| own.command.is_empty() && own.urls.is_empty()) {
        return Err(CampaignError::usage(
            "the scenario has targets for sign-off or migration only; name one by --state, or give \
             one by --target",
        ));
    }
    if args.dry_run {
        // No secret is asked for: none is shown.
        let (_, names) = scenario::given_for(&[], &target)?;
        let work = scenario::with_names(&scenario, names)?.sized_wire(args.users, args.runs);
        output::print(&scenario::dry_run(&target, &work, args.campaign.seed)?);
        let sent = Ended::new(ExitCode::Clean, "nothing was sent");
        return Ok(sent.next("the same command without --dry-run"));
    }
    let (scenario, given) = scenario::given(&scenario, &target)?;
    let workload = scenario.sized_wire(args.users, args.runs);
    let seed = args.campaign.seed;
    let mut begun = args.campaign.begin_within("run", scenario.limits.seconds)?;
    begun.secrets = given.secrets();
    begun.sources = scenario::sources([(name, &scenario)]);
    if workload.server.is_none() {
        let users = workload.plan(seed, 0).users;
        begun.secrets.extend(users.iter().map(|user| token_of(&user.name)));
    }
    let log = begun.folder.file("server.log");
    let program = scenario::this_program()?;
    let words = target.to_string();
    let count = args.rounds.unwrap_or(scenario.wire_rounds);
    let launched = match Launched::start(&target, &program, &given, &log, &begun.stop) {
        Ok(launched) => launched,
        // Who asks for the end does not wait for a server to be ready.
        Err(error) if error.kind() == Kind::Target || begun.stop.reason().is_some() => {
            output::complain(&format!("error: {error}"));
            let failed = FailedStart {
                workload: &workload,
                side: "",
                backend: &words,
                rounds: count,
                partition: None,
                stop: &begun.stop,
            };
            let Driven { level, .. } = failed.because_of(&error);
            return tell(args, &begun, level, words, &workload);
        }
        Err(error) => return Err(error),
    };
    let (servers, keys) = (launched.servers(), RoundKeys::against(&target, seed, args.nonce));
    let mut rounds =
        Rounds::new(&workload, servers, target, seed, count, &begun.folder, &begun.stop);
    rounds.partition = args.partition;
    // A part that stopped early would leave a gap.
    rounds.fail_fast = !args.no_fail_fast && args.partition.is_none();
    rounds.keys = keys;
    rounds.launched = Some(&launched);
    rounds.requests = scenario.limits.requests;
    let Driven { level, .. } = drive_rounds(&rounds, &Shown::new())?;
    drop(launched);
    tell(args, &begun, level, words, &workload)
}

fn tell(
    args: &Args,
    begun: &Begun,
    level: Level,
    backend: String,
    work: &Workload,
) -> Result<Ended, CampaignError> {
    let mut record = begun.record_of(backend, vec![level]);
    record.not_tried = not_tried_by(work);
    record.not_tried.extend(left_out_by_nonce(args.nonce));
    record.partition = args.partition;
    begun.finish(record, &args.campaign.report)
}
