//! `partywall selftest`: every mechanism switched on in turn, and none.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::builder::BoolishValueParser;

use super::output;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::selftest::driven::{Budget, drive};
use crate::campaign::selftest::explored::{Quiet, Search, search, stay_quiet};
use crate::campaign::selftest::matrix::{Wire, expected};
use crate::campaign::selftest::table::{complaints, render};
use crate::campaign::selftest::{MIX, mix, own_work};
use crate::campaign::store::RunFolder;
use crate::campaign::subject::Reference;
use crate::reference::defects::Defect;
use crate::scenario::{built_in, built_in_names};
use crate::trial::mechanism::Mechanism;
use crate::trial::verdict::ExitCode;

/// The arguments of `selftest`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seeds with which each mechanism is looked for
    #[arg(long, env = "PARTYWALL_SEEDS", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// The most trials with each seed
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// Overlapping trials of each work without a defect
    #[arg(long, env = "PARTYWALL_QUIET_TRIALS", value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    quiet_trials: u64,
    /// Only these mechanisms [default: all]
    #[arg(long, env = "PARTYWALL_ONLY", value_name = "CODE,…", value_delimiter = ',')]
    only: Vec<Mechanism>,
    /// For how many of a hundred requests each defect is switched on
    #[arg(long, env = "PARTYWALL_SHARE", value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    share: u32,
    /// Look for each under the work that provokes it most, instead of the mix
    #[arg(long, env = "PARTYWALL_OWN_WORK", value_parser = BoolishValueParser::new())]
    own_work: bool,
    /// Also drive each that is found there over real connections, for a minute at most
    #[arg(long, env = "PARTYWALL_WIRE", value_parser = BoolishValueParser::new())]
    wire: bool,
    /// 5,000 overlapping trials of each work without a defect, and the wire
    #[arg(long, env = "PARTYWALL_THOROUGH", value_parser = BoolishValueParser::new())]
    thorough: bool,
    /// Where the table goes as well
    #[arg(long, env = "PARTYWALL_WRITE", value_name = "FILE")]
    write: Option<PathBuf>,
}

pub(super) fn exec(args: &Args) -> Result<ExitCode, CampaignError> {
    let searches = searches(args)?;
    let quiet = if args.only.is_empty() { quiet(args)? } else { Vec::new() };
    let table = render(&searches, &quiet);
    output::print(&table);
    if let Some(path) = &args.write {
        std::fs::write(path, &table).map_err(|error| {
            CampaignError::usage(format!("cannot write {}: {error}", path.display()))
        })?;
    }
    let mut complaints = complaints(&searches, &quiet, by_oracle(args));
    if args.wire || args.thorough {
        complaints.extend(wire(args)?);
    }
    for complaint in &complaints {
        output::print(&format!("NOT AS EXPECTED: {complaint}\n"));
    }
    Ok(if complaints.is_empty() { ExitCode::Clean } else { ExitCode::Inconclusive })
}

/// Whether each oracle is looked for that is expected to find the mechanism. A share of the requests
/// or another work may not show it to all of them, and with few seeds one may not have had its turn.
fn by_oracle(args: &Args) -> bool {
    args.share == 100 && !args.own_work && args.seeds >= 20
}

fn chosen(args: &Args) -> Vec<Mechanism> {
    if args.only.is_empty() { Mechanism::ALL.to_vec() } else { args.only.clone() }
}

fn broken(error: impl std::fmt::Display) -> CampaignError {
    CampaignError::new(Kind::Internal, error.to_string())
}

/// Looks for each mechanism, two at a time.
fn searches(args: &Args) -> Result<Vec<(Mechanism, Search)>, CampaignError> {
    let mechanisms = chosen(args);
    let half = mechanisms.len().div_ceil(2);
    let part = |part: &[Mechanism]| -> Result<Vec<_>, CampaignError> {
        let one = |&mechanism: &Mechanism| {
            let subject = Reference::with_defect(Defect::rare(mechanism, args.share));
            let work = if args.own_work { own_work(mechanism) } else { mix() };
            let work = work.map_err(broken)?;
            let wanted = if by_oracle(args) { expected(mechanism).explore } else { &[] };
            let found = search(&work, &subject, args.seeds, args.trials, wanted).map_err(broken)?;
            Ok((mechanism, found))
        };
        part.iter().map(one).collect()
    };
    std::thread::scope(|scope| {
        let (first, second) = mechanisms.split_at(half);
        let other = scope.spawn(|| part(second));
        let mut all = part(first)?;
        all.extend(other.join().map_err(|_| broken("a worker of the self-test panicked"))??);
        Ok(all)
    })
}

fn quiet(args: &Args) -> Result<Vec<(String, Quiet)>, CampaignError> {
    let overlapping = if args.thorough { 5_000 } else { args.quiet_trials };
    let names: Vec<&str> = built_in_names().chain([MIX]).collect();
    let one = |name: &&str| {
        let work = built_in(name).map_err(broken)?.explore;
        let quiet = stay_quiet(&work, &Reference::PER_REQUEST, 1, overlapping).map_err(broken)?;
        Ok(((*name).to_owned(), quiet))
    };
    names.iter().map(one).collect()
}

/// Drives each mechanism over real connections; gives what is not as expected.
fn wire(args: &Args) -> Result<Vec<String>, CampaignError> {
    let work = built_in(MIX).map_err(broken)?.wire;
    let program = std::env::current_exe().map_err(broken)?;
    let home = std::env::temp_dir().join(format!("partywall-selftest-{}", std::process::id()));
    let folder = RunFolder::create(&home, "selftest", SystemTime::now())?;
    let budget = Budget { rounds: 60, limit: Duration::from_secs(60) };
    let mut complaints = Vec::new();
    for mechanism in chosen(args) {
        if let (Wire::Late(why) | Wire::Missed(why), false) =
            (expected(mechanism).wire, args.thorough)
        {
            output::print(&format!("wire {mechanism}: only with --thorough; {why}\n"));
            continue;
        }
        let subject = Reference::with_defect(Defect::rare(mechanism, args.share));
        let drive = drive(&work, subject, 1, budget, &program, &folder)?;
        let by = drive.oracles.iter().map(|oracle| oracle.code()).collect::<Vec<_>>().join(" ");
        output::print(&match drive.found_at {
            Some(round) => {
                format!(
                    "wire {mechanism}: found in round {round}, {:.1} s, by {by}\n",
                    drive.seconds
                )
            }
            None => format!(
                "wire {mechanism}: not found in {} rounds, {:.1} s\n",
                drive.rounds, drive.seconds
            ),
        });
        if drive.found_at.is_none() && expected(mechanism).wire == Wire::Found {
            complaints.push(format!("{mechanism} on the wire"));
        }
    }
    let clean = Budget { rounds: 8, limit: Duration::from_secs(60) };
    let drive = drive(&work, Reference::PER_REQUEST, 1, clean, &program, &folder)?;
    output::print(&format!(
        "wire without a defect: {} rounds, {:.1} s\n",
        drive.rounds, drive.seconds
    ));
    complaints
        .extend(drive.summaries.into_iter().map(|found| format!("clean on the wire: {found}")));
    // The logs of servers that did as they were told are of no use.
    let _ = std::fs::remove_dir_all(&home);
    Ok(complaints)
}
