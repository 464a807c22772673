//! `partywall migration`: the states between legacy and migrated, and what leaks in them.

use std::path::PathBuf;

use super::audit::read_audit;
use super::common::{CampaignArgs, HostArgs, MOST_NONCE, left_out_by_nonce};
use super::ending::Ended;
use super::progress::Shown;
use super::scenario;
use crate::campaign::error::CampaignError;
use crate::campaign::migration::{ListedStates, Matrix};
use crate::scenario::{MigrationState, Scenario, Workload};

/// How often each scenario is tried in each of the 64 states of the reference back end.
const TRIALS: u64 = 100;

/// What its exit codes mean.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 the migrated state is clean, and a legacy one leaks; 1 the migrated
one leaks; 2 usage; 3 internal error; 4 no run completed in any state;
5 inconclusive, also where no legacy state leaks; 130 interrupted.";

/// The arguments of `migration`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenarios of the reference back end to drive in all its states [default: two that this program
    /// carries], or one scenario with tables `[[state]]`
    #[arg(value_name = "SCENARIO", env = "PARTYWALL_SCENARIOS", value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Trials of each built-in scenario in each of the 64 states [default: 100]
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Scenario file: simulated users, a bystander included [default: the scenario's]
    #[arg(long, env = "PARTYWALL_USERS", value_name = "N", value_parser = clap::value_parser!(u32).range(2..=5000))]
    users: Option<u32>,
    /// Scenario file: runs of each user, one after the other [default: the scenario's]
    #[arg(long, env = "PARTYWALL_RUNS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: Option<u16>,
    /// Scenario file: rounds in each state [default: the scenario's]
    #[arg(long, env = "PARTYWALL_ROUNDS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Scenario file: number that tells this campaign from others against the same servers [default:
    /// drawn]: that of the first state; each other one has the next. The same seed and nonce send the
    /// same words, which a server that lives on may remember
    #[arg(long, env = "PARTYWALL_NONCE", hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_NONCE))]
    nonce: Option<u32>,
    /// Scenario file: an audit in JSON; its call sites are those that the states name
    #[arg(long, env = "PARTYWALL_AUDIT", value_name = "FILE")]
    audit: Option<PathBuf>,
    #[command(flatten)]
    hosts: HostArgs,
    #[command(flatten)]
    campaign: CampaignArgs,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let scenarios = scenario::read_all(&args.scenarios)?;
    if let [scenario] = scenarios.as_slice()
        && (scenario.explore.is_none() || !scenario.states.is_empty())
    {
        return listed_states(args, scenario);
    }
    let of_files = [
        ("--users", args.users.is_some()),
        ("--runs", args.runs.is_some()),
        ("--rounds", args.rounds.is_some()),
        ("--nonce", args.nonce.is_some()),
        ("--audit", args.audit.is_some()),
    ];
    if let Some((flag, _)) = of_files.into_iter().find(|(_, is_given)| *is_given) {
        let text = format!("{flag} needs a scenario file with `[[state]]`s; see --trials");
        return Err(CampaignError::usage(text));
    }
    let works = scenarios.iter().map(|own| own.to_explore().cloned());
    let works: Vec<Workload> =
        works.collect::<Result<_, _>>().map_err(CampaignError::in_scenario)?;
    let mut begun = args.campaign.begin("migration")?;
    let names = args.scenarios.iter().map(String::as_str);
    begun.sources = scenario::sources(names.zip(&scenarios));
    let trials = args.trials.unwrap_or(TRIALS);
    let matrix = Matrix::new(&works, args.campaign.seed, trials, &begun.stop);
    let matrix = matrix.run(&Shown::new())?;
    let backend = "reference back end, every subset of its call sites migrated".into();
    let record = begun.record_in_states(backend, matrix);
    begun.finish(record, &args.campaign.report)
}

/// The states that the scenario lists, on the wire.
fn listed_states(args: &Args, scenario: &Scenario) -> Result<Ended, CampaignError> {
    if args.trials.is_some() {
        return Err(CampaignError::usage("states of a scenario file are driven in --rounds N"));
    }
    if scenario.states.is_empty() {
        let text = "the scenario lists no `[[state]]`: give each a `name`, `legacy = [\"SITE\", …]` \
                    and a `command` or `url`";
        return Err(CampaignError::usage(text));
    }
    let with_hosts = |state: &MigrationState| {
        let target = scenario::target(state.target.clone(), None, &args.hosts.allow_host)?;
        let mut state = state.clone();
        state.target = target;
        Ok(state)
    };
    let states: Vec<MigrationState> =
        scenario.states.iter().map(with_hosts).collect::<Result<_, CampaignError>>()?;
    let audit = args.audit.as_deref().map(read_audit).transpose()?;
    let (scenario, given) = scenario::given(scenario, &scenario.target)?;
    let mut begun = args.campaign.begin_within("migration", scenario.limits.seconds)?;
    begun.secrets = given.secrets();
    let name = args.scenarios.first().map(String::as_str);
    begun.sources = scenario::sources(name.map(|name| (name, &scenario)));
    let work = scenario.sized_wire(args.users, args.runs);
    let listed = ListedStates {
        work: &work,
        states: &states,
        evidence: &scenario.evidence,
        given: &given,
        audit: audit.as_ref(),
        seed: args.campaign.seed,
        rounds: args.rounds.unwrap_or(scenario.wire_rounds),
        nonce: args.nonce,
        program: &scenario::this_program()?,
        folder: &begun.folder,
        stop: &begun.stop,
    };
    let matrix = listed.run(&Shown::new())?;
    let backend = format!("{}, {} listed states", scenario.name, states.len());
    let mut record = begun.record_in_states(backend, matrix);
    record.audit = audit;
    record.not_tried.extend(left_out_by_nonce(args.nonce));
    begun.finish(record, &args.campaign.report)
}
