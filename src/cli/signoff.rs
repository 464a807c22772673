//! `partywall signoff`: before and after the migration.

use std::path::Path;

use clap::builder::BoolishValueParser;
use hmac_sha256::Hash;

use super::common::{
    Begun, CameTo, CampaignArgs, HostArgs, MOST_NONCE, left_out_by_nonce, not_tried, not_tried_by,
};
use super::ending::Ended;
use super::progress::Shown;
use super::saved::SavedArgs;
use super::scenario;
use super::source::SourceArgs;
use crate::campaign::error::CampaignError;
use crate::campaign::signoff::{Compared, SignOff, SignedOff};
use crate::reference::call_sites::Migration;
use crate::scenario::{Scenario, Target};
use crate::trial::measure::{Partition, Subject};
use crate::trial::raw::to_hex;
use crate::trial::record::Record;
use crate::trial::target::Reference;

/// The arguments of `signoff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenarios to drive: files, each of a server with its tables `[before]` and `[after]`, or those
    /// that this program carries [default: two of the reference back end]
    #[arg(value_name = "SCENARIO", env = "PARTYWALL_SCENARIOS", value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Reference back end: call sites migrated before: none, all, or SITE,… [default: the scenario's,
    /// else none]
    #[arg(long, env = "PARTYWALL_BEFORE", value_name = "SITES")]
    before: Option<Migration>,
    /// Reference back end: call sites migrated after: none, all, or SITE,… [default: the scenario's,
    /// else all]
    #[arg(long, env = "PARTYWALL_AFTER", value_name = "SITES")]
    after: Option<Migration>,
    /// Explored trials of each scenario and side [default: the scenario's]
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Rounds on the wire of each scenario and side [default: the scenario's]
    #[arg(long, env = "PARTYWALL_ROUNDS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Drive all rounds of `before`, also after the first with a finding and where answers are lost
    #[arg(long, env = "PARTYWALL_NO_FAIL_FAST", value_parser = BoolishValueParser::new())]
    no_fail_fast: bool,
    /// Only that part of the trials: slice:M/N; `partywall merge` puts the parts together
    #[arg(long, env = "PARTYWALL_PARTITION", hide_short_help = true, value_name = "slice:M/N")]
    partition: Option<Partition>,
    /// Number that tells this campaign from others against the same servers [default: drawn]: that of
    /// `before`; `after` has the next. The same seed and nonce send the same words, which a server
    /// that lives on may remember
    #[arg(long, env = "PARTYWALL_NONCE", hide_short_help = true, value_name = "N", conflicts_with = "partition", value_parser = clap::value_parser!(u32).range(1..=MOST_NONCE))]
    nonce: Option<u32>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    hosts: HostArgs,
    #[command(flatten)]
    saved: SavedArgs,
    #[command(flatten)]
    campaign: CampaignArgs,
}

pub(super) fn exec(args: Args) -> Result<Ended, CampaignError> {
    let scenarios = scenario::read_all(&args.scenarios)?;
    let compared = |scenario: &Scenario| compared(&args, scenario);
    let scenarios: Vec<Compared> = scenarios.iter().map(compared).collect::<Result<_, _>>()?;
    let is_reference = |own: &Compared| matches!(own.after, Target::Reference(_));
    let of_reference = scenarios.iter().any(is_reference);
    let source = args.source.read()?;
    let saved = if of_reference { args.saved.load()? } else { Vec::new() };
    let seconds = scenarios.iter().filter_map(|own| own.scenario.limits.seconds).min();
    let mut begun = args.campaign.begin_within("signoff", seconds)?;
    begun.secrets = scenarios.iter().flat_map(|own| own.given.secrets()).collect();
    let named = args.scenarios.iter().zip(&scenarios);
    begun.sources = scenario::sources(named.map(|(name, own)| (name.as_str(), &own.scenario)));
    let program = scenario::this_program()?;
    let mut signoff =
        SignOff::new(&scenarios, args.campaign.seed, &program, &begun.folder, &begun.stop);
    signoff.trials = args.trials;
    signoff.rounds = args.rounds;
    signoff.fail_fast = !args.no_fail_fast;
    signoff.partition = args.partition;
    signoff.nonce = args.nonce;
    signoff.saved = &saved;
    let came_to = signoff.run(&Shown::new())?;
    let repros = came_to.repros.clone();
    let mut record = signed_off_record(&begun, came_to);
    source.stands_in(&mut record);
    record.partition = args.partition;
    record.not_tried = left_out(&scenarios);
    record.not_tried.extend(left_out_by_nonce(args.nonce));
    if of_reference {
        record.subjects = tested(&program);
    }
    args.saved.save_beside(&repros, || begun.finish(record, &args.campaign.report))
}

/// The scenario with both its sides, the switches of the command line included.
fn compared(args: &Args, scenario: &Scenario) -> Result<Compared, CampaignError> {
    let side = |own: &Option<Target>, name: &str, switch: Option<Migration>| {
        let missing = || {
            CampaignError::usage(format!(
                "the scenario has no table `[{name}]`: sign-off needs both"
            ))
        };
        match (own.clone().ok_or_else(missing)?, switch) {
            (Target::Reference(own), Some(migration)) => Ok(Reference { migration, ..own }.into()),
            (_, Some(_)) => Err(CampaignError::usage(format!(
                "--{name} is for the reference back end; say in the table `[{name}]` of `{}` what \
                 is driven",
                scenario.name
            ))),
            (own, None) => scenario::target(own, None, &args.hosts.allow_host),
        }
    };
    let before = side(&scenario.before, "before", args.before)?;
    let after = side(&scenario.after, "after", args.after)?;
    let (scenario, given) = scenario::given(scenario, &after)?;
    Ok(Compared { scenario, before, after, given })
}

/// What was not tried, and which levels a target does not have.
fn left_out(scenarios: &[Compared]) -> Vec<String> {
    let mut all = match scenarios {
        [own] => not_tried_by(&own.scenario.wire),
        _ => not_tried(),
    };
    let only_driven = scenarios.iter().filter(|own| own.scenario.explore.is_none());
    let names: Vec<&str> = only_driven.map(|own| own.scenario.name.as_str()).collect();
    if !names.is_empty() {
        let names = names.join(", ");
        all.push(format!(
            "{names}: the simulated world and the models, since a server is driven on the wire only"
        ));
    }
    all
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

/// What was tested: the reference back end is in this program.
fn tested(program: &Path) -> Vec<Subject> {
    let digest = |bytes: Vec<u8>| to_hex(&Hash::hash(&bytes));
    let name = || format!("partywall-{}", env!("CARGO_PKG_VERSION"));
    let subject = |sha256| Subject { name: name(), sha256 };
    let bytes = std::fs::read(program);
    bytes.ok().map(digest).map(subject).into_iter().collect()
}
