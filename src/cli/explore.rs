//! `partywall explore`: simulated users in the simulated world.

use clap::builder::BoolishValueParser;

use super::common::{CameTo, CampaignArgs, scenario};
use super::progress::Shown;
use crate::campaign::error::CampaignError;
use crate::campaign::exhaustive::exhaust;
use crate::campaign::explore::{Exploration, explore};
use crate::reference::call_sites::Migration;
use crate::trial::verdict::ExitCode;

/// The arguments of `explore`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Call sites of the reference back end that are migrated: none, all, or SITE,…
    #[arg(long, env = "PARTYWALL_MIGRATED", value_name = "SITES", default_value = "none")]
    migrated: Migration,
    /// The built-in scenario
    #[arg(long, env = "PARTYWALL_SCENARIO", default_value = "reference-golden-path")]
    scenario: String,
    /// How schedules are chosen
    #[arg(long, env = "PARTYWALL_STRATEGY", value_name = "NAME", value_enum, default_value_t)]
    strategy: StrategyName,
    /// Exhaustive: the most deviations from the default policy
    #[arg(long, env = "PARTYWALL_DELAYS", value_name = "N", default_value_t = 3)]
    delays: usize,
    /// Random: how many trials [default: the scenario's]
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
    #[command(flatten)]
    campaign: CampaignArgs,
}

/// How schedules are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum StrategyName {
    /// A seeded random walk, a new plan each trial
    #[default]
    Random,
    /// Every schedule of the smallest plan, by number of deviations
    Exhaustive,
}

pub(super) fn exec(args: Args) -> Result<ExitCode, CampaignError> {
    let scenario = scenario(&args.scenario)?;
    let begun = args.campaign.begin("explore")?;
    let mut workload = scenario.explore;
    if let Some(users) = args.users {
        workload = workload.with_users(users);
    }
    if args.strategy == StrategyName::Exhaustive {
        workload = workload.smallest();
    }
    let trials = args.trials.unwrap_or(scenario.explore_trials);
    let mut exploration = Exploration::new(
        &workload,
        args.migrated,
        args.campaign.seed,
        trials,
        &begun.folder,
        &begun.stop,
    );
    exploration.enough = (!args.no_fail_fast).then_some(args.max_findings);
    let level = match args.strategy {
        StrategyName::Random => explore(&exploration, &Shown::new())?.level,
        StrategyName::Exhaustive => {
            exhaust(&exploration, args.delays, &Shown::new())?.explored.level
        }
    };
    let came_to = CameTo { outcome: level.verdict.into(), reasons: level.reasons.clone() };
    let mut record = begun.record(came_to);
    record.backend = Some(format!("reference back end, migrated {}", args.migrated));
    record.levels = vec![level];
    begun.finish(record, &args.campaign.report)
}
