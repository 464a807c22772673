//! `partywall explore`: simulated users in the simulated world.

use clap::builder::BoolishValueParser;

use super::common::CampaignArgs;
use super::ending::Ended;
use super::progress::Shown;
use super::saved::SavedArgs;
use super::scenario::{self, ScenarioArg};
use crate::campaign::error::CampaignError;
use crate::campaign::explore::{Exploration, Explored, explore};
use crate::campaign::regressions::replay_first;
use crate::campaign::search::Search;
use crate::campaign::share::part::write_level;
use crate::reference::call_sites::Migration;
use crate::reference::defects::Defect;
use crate::scenario::Target;
use crate::swarm::transport::ReferenceSubject;
use crate::trial::measure::Partition;
use crate::trial::plan::FaultKind;
use crate::trial::record::Level;
use crate::trial::target::Reference;

/// The arguments of `explore`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: ScenarioArg,
    /// Call sites of the reference back end that are migrated: none, all, or SITE,… [default: the
    /// scenario's, with a defect all]
    #[arg(long, env = "PARTYWALL_MIGRATED", value_name = "SITES")]
    migrated: Option<Migration>,
    /// A built-in defect: M01 to M24, or such as M05@2% for a share of the requests
    #[arg(long, env = "PARTYWALL_DEFECT", value_name = "CODE")]
    defect: Option<Defect>,
    /// How schedules are chosen
    #[arg(long, env = "PARTYWALL_STRATEGY", value_name = "NAME", value_enum, default_value_t)]
    strategy: StrategyName,
    /// Exhaustive: the most deviations from the default policy, or none for all there are
    #[arg(long, env = "PARTYWALL_DELAYS", value_name = "N", default_value = "3", value_parser = delays)]
    delays: Delays,
    /// Pct: the depth of the bugs that the stated odds are of
    #[arg(long, env = "PARTYWALL_DEPTH", value_name = "D", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    depth: u32,
    /// Sweep: what goes wrong, again and again at the next point
    #[arg(
        long,
        env = "PARTYWALL_FAULTS",
        value_name = "KIND,…",
        value_enum,
        value_delimiter = ',',
        default_value = "cancel,time-out,vanish"
    )]
    faults: Vec<Kind>,
    /// Sweep: how many plans
    #[arg(long, env = "PARTYWALL_PLANS", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    plans: u64,
    /// Random, pct, guided: how many trials [default: the scenario's]
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Simulated users of each trial, a bystander included [default: the scenario's range]
    #[arg(long, env = "PARTYWALL_USERS", value_name = "N", value_parser = clap::value_parser!(u32).range(2..=5000))]
    users: Option<u32>,
    /// Stop after that many distinct findings
    #[arg(long, env = "PARTYWALL_MAX_FINDINGS", value_name = "N", default_value_t = 10)]
    max_findings: u64,
    /// Go on to the end of the budget however many findings there are
    #[arg(long, env = "PARTYWALL_NO_FAIL_FAST", value_parser = BoolishValueParser::new())]
    no_fail_fast: bool,
    /// Drive only that part of the trials, all of them, for `merge`: slice:M/N
    #[arg(long, env = "PARTYWALL_PARTITION", hide_short_help = true, value_name = "SLICE")]
    partition: Option<Partition>,
    #[command(flatten)]
    saved: SavedArgs,
    #[command(flatten)]
    campaign: CampaignArgs,
}

/// How schedules are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum StrategyName {
    /// A seeded random walk, a new plan each trial
    #[default]
    Random,
    /// Probabilistic concurrency testing: random priorities, and `--depth` − 1 changes of them
    Pct,
    /// A random walk, and once it hits nothing new, towards phases that have not met
    Guided,
    /// Every schedule of the smallest plan, by number of deviations
    Exhaustive,
    /// A fault at every point of a plan at which production may drop something, one at a time
    Sweep,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// The client of an HTTP request goes away
    Cancel,
    /// A time limit within the back end passes
    TimeOut,
    /// The event connection breaks
    Vanish,
}

impl From<Kind> for FaultKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Cancel => Self::Cancel,
            Kind::TimeOut => Self::TimeOut,
            Kind::Vanish => Self::Vanish,
        }
    }
}

/// The bound of an exhaustive search; none for no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Delays(Option<usize>);

fn delays(text: &str) -> Result<Delays, String> {
    match text {
        "none" => Ok(Delays(None)),
        number => {
            let number = number.parse().map_err(|_| "write a number, or `none`".to_owned())?;
            Ok(Delays(Some(number)))
        }
    }
}

impl Args {
    fn search(&self) -> Search {
        match self.strategy {
            StrategyName::Random => Search::Random,
            StrategyName::Pct => Search::Pct { depth: self.depth },
            StrategyName::Guided => Search::Guided,
            StrategyName::Exhaustive => Search::Exhaustive { delays: self.delays.0 },
            StrategyName::Sweep => Search::Sweep {
                kinds: self.faults.iter().copied().map(FaultKind::from).collect(),
                plans: self.plans,
            },
        }
    }
}

pub(super) fn exec(args: Args) -> Result<Ended, CampaignError> {
    let scenario = scenario::read(args.scenario.name())?;
    let mut workload = scenario.to_explore().map_err(CampaignError::in_scenario)?.clone();
    if args.partition.is_some() && args.strategy != StrategyName::Random {
        // The trials of the others depend on each other.
        return Err(CampaignError::usage(
            "--partition shares out independent trials: use it with --strategy random",
        ));
    }
    let saved = match args.partition {
        // They are no part of the trials that are shared out.
        Some(_) => Vec::new(),
        None => args.saved.load()?,
    };
    let mut begun = args.campaign.begin("explore")?;
    begun.sources = scenario::sources([(args.scenario.name(), &scenario)]);
    if let Some(users) = args.users {
        workload = workload.with_users(users);
    }
    workload = match args.strategy {
        StrategyName::Exhaustive => workload.smallest(),
        StrategyName::Sweep => workload.for_sweep(),
        _ => workload,
    };
    let trials = args.trials.unwrap_or(scenario.explore_trials);
    let reference = reference(&args, &scenario.target);
    let subject = ReferenceSubject(reference);
    let mut exploration = Exploration::new(
        &workload,
        &subject,
        args.campaign.seed,
        trials,
        &begun.folder,
        &begun.stop,
    );
    exploration.enough = (!args.no_fail_fast).then_some(args.max_findings);
    if args.partition.is_some() {
        // A part that stopped early would leave a gap.
        exploration.enough = None;
        exploration.partition = args.partition;
    }
    let shown = Shown::new();
    let first = replay_first(&saved, &subject, &begun.stop, &shown)?;
    exploration.search = args.search();
    let Explored { level, repros, sums } = explore(&exploration, &shown)?;
    if let (Some(partition), Some(sums)) = (args.partition, &sums) {
        write_level(sums, partition, args.campaign.seed, &begun.folder)?;
    }
    let levels: Vec<Level> = first.level.into_iter().chain([level]).collect();
    let mut record = begun.record_of(reference.to_string(), levels);
    record.saved_repros = first.rows;
    record.partition = args.partition;
    args.saved.save_beside(&repros, || begun.finish(record, &args.campaign.report))
}

/// The reference back end as the scenario has it, with the switches of the command line.
fn reference(args: &Args, target: &Target) -> Reference {
    let own = match target {
        Target::Reference(own) => *own,
        Target::Code { .. } | Target::Server { .. } => Reference::LEGACY,
    };
    let otherwise = if args.defect.is_some() { Migration::ALL } else { own.migration };
    Reference { migration: args.migrated.unwrap_or(otherwise), defect: args.defect.or(own.defect) }
}
