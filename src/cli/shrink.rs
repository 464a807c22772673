//! `partywall shrink`: a repro, made as small as it goes.

use std::path::PathBuf;
use std::time::Duration;

use super::common::end_on_interrupt;
use super::ending::Ended;
use super::output;
use super::reach::{explored, reach};
use crate::campaign::budget::Stop;
use crate::campaign::error::{CampaignError, read_text, write_whole};
use crate::campaign::repro::{Repro, replay_line};
use crate::campaign::shrink::shrink_repro;
use crate::campaign::wire::shrink::{ShrinkBudget, Small, shrink_wire_repro};
use crate::swarm::transport::ReferenceSubject;
use crate::trial::record::LevelName;
use crate::trial::verdict::ExitCode;

/// The arguments of `shrink`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The repro file
    file: PathBuf,
    /// Where the small one goes [default: FILE with the extension `small.json`]
    #[arg(long, env = "PARTYWALL_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Wire: drive this server instead
    #[arg(long, env = "PARTYWALL_TARGET", value_name = "URL")]
    target: Option<String>,
    /// Wire: how often the whole plan and the smallest one are driven, for their rates
    #[arg(long, env = "PARTYWALL_TIMES", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// Wire: how long smaller plans are tried
    #[arg(long, env = "PARTYWALL_TIME_LIMIT", value_name = "SECONDS", default_value_t = ShrinkBudget::ALONE.time.as_secs())]
    time_limit: u64,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let repro = Repro::from_named_file(&args.file, &read_text(&args.file)?)?;
    match repro.level {
        LevelName::Wire => shrink_wire(args, &repro),
        _ => shrink_explored(args, &repro),
    }
}

fn shrink_explored(args: &Args, repro: &Repro) -> Result<Ended, CampaignError> {
    let reference = explored(&repro.target, args.target.as_deref())?;
    let Some(small) = shrink_repro(repro, &ReferenceSubject(reference), &Stop::default())? else {
        return Ok(gone());
    };
    keep(args, repro, &small, [String::new(), String::new()])
}

fn shrink_wire(args: &Args, repro: &Repro) -> Result<Ended, CampaignError> {
    let stop = Stop::default();
    end_on_interrupt(&stop)?;
    let reached = match reach(repro, &repro.target, args.target.as_deref(), &stop) {
        Ok(reached) => reached,
        Err(_) if stop.reason().is_some() => return Ok(Ended::interrupted()),
        Err(error) => return Err(error),
    };
    let budget = ShrinkBudget { time: Duration::from_secs(args.time_limit), ..ShrinkBudget::ALONE };
    let small = shrink_wire_repro(repro, &reached, budget, args.times, &stop)?;
    let Some(Small { repro: small, rate, whole, .. }) = small else {
        return Ok(if stop.reason().is_some() { Ended::interrupted() } else { gone() });
    };
    let told = [whole, rate].map(|rate| format!(", shows in {} of {} drives", rate.hit, rate.of));
    let kept = keep(args, repro, &small, told)?;
    Ok(if stop.reason().is_some() { Ended::interrupted() } else { kept })
}

fn gone() -> Ended {
    output::print("GONE: the back end does not show this finding any more; nothing to shrink\n");
    Ended::new(ExitCode::Clean, "gone")
}

fn keep(
    args: &Args,
    repro: &Repro,
    small: &Repro,
    told: [String; 2],
) -> Result<Ended, CampaignError> {
    let path = args.output.clone().unwrap_or_else(|| args.file.with_extension("small.json"));
    write_whole(&path, &small.to_file())?;
    let [before, after] = told;
    output::print(&format!(
        "before: {}{before}\nafter:  {}{after}\nReproduce with: {}\n",
        repro.size(),
        small.size(),
        replay_line(&path)
    ));
    Ok(Ended::new(ExitCode::Leaked, "made small").next(replay_line(&path)))
}
