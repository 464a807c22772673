//! `partywall replay`: a repro, driven again.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use hmac_sha256::Hash;

use super::common::end_on_interrupt;
use super::ending::Ended;
use super::output::{self, Colour};
use super::reach::{explored, reach};
use crate::campaign::budget::Stop;
use crate::campaign::error::{CampaignError, read_text};
use crate::campaign::interleaving::interleave;
use crate::campaign::replay::{Replayed, replay_explored};
use crate::campaign::repro::Repro;
use crate::campaign::reproduce::replay_on_wire;
use crate::campaign::round_keys::RoundKeys;
use crate::reference::call_sites::Migration;
use crate::report::interleaving;
use crate::scenario::Target;
use crate::swarm::transport::ReferenceSubject;
use crate::trial::history::History;
use crate::trial::raw::to_hex;
use crate::trial::record::LevelName;
use crate::trial::target::Reference;
use crate::trial::verdict::ExitCode;

/// The arguments of `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The repro file
    file: PathBuf,
    /// How often
    #[arg(long, env = "PARTYWALL_TIMES", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// Show the interleaving step by step, a column for each user
    #[arg(long, env = "PARTYWALL_TRACE", value_parser = BoolishValueParser::new())]
    trace: bool,
    /// When to use colour
    #[arg(long, env = "PARTYWALL_COLOR", value_name = "WHEN", value_enum, default_value_t)]
    color: Colour,
    /// Drive the reference back end with these call sites migrated instead
    #[arg(long, env = "PARTYWALL_MIGRATED", value_name = "SITES", conflicts_with = "target")]
    migrated: Option<Migration>,
    /// Wire: drive this server instead
    #[arg(long, env = "PARTYWALL_TARGET", value_name = "URL")]
    target: Option<String>,
}

/// What the replays came to together.
#[derive(Debug, Default)]
struct Tally {
    same: u64,
    gone: u64,
    other: Vec<String>,
    histories: Vec<String>,
    /// Why it was not driven as often as was asked for.
    cut: Option<&'static str>,
    interrupted: bool,
    /// Whether other words were sent than the repro says, of the same length.
    fresh_words: bool,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let repro = Repro::from_named_file(&args.file, &read_text(&args.file)?)?;
    let tally = match repro.level {
        LevelName::Wire if args.trace => {
            return Err(CampaignError::usage(
                "--trace is for explored repros: on the wire nobody sees the steps",
            ));
        }
        LevelName::Wire => replay_wire(args, &repro)?,
        _ => replay_explore(args, &repro)?,
    };
    output::print(&text_of(&repro, args, &tally));
    let file = args.file.display();
    Ok(match tally {
        Tally { interrupted: true, .. } => Ended::interrupted(),
        Tally { same: 1.., .. } if repro.level == LevelName::Wire => {
            Ended::new(ExitCode::Leaked, "reproduced").next(format!("partywall shrink {file}"))
        }
        Tally { same: 1.., .. } => Ended::new(ExitCode::Leaked, "reproduced")
            .next(format!("partywall replay {file} --trace")),
        Tally { other, gone, .. } if !other.is_empty() || gone == 0 => {
            Ended::new(ExitCode::Inconclusive, "inconclusive")
                .next("drive the scenario of the repro again")
        }
        _ => Ended::new(ExitCode::Clean, "gone"),
    })
}

impl Tally {
    fn add(&mut self, replayed: Replayed) {
        match replayed {
            Replayed::Same => self.same += 1,
            Replayed::Gone => self.gone += 1,
            other => self.other.push(other.to_string()),
        }
    }
}

fn replay_explore(args: &Args, repro: &Repro) -> Result<Tally, CampaignError> {
    let reference = explored(&target(args, repro), args.target.as_deref())?;
    if args.trace {
        let interleaving = interleave(repro, &ReferenceSubject(reference), &Stop::default())?;
        output::print(&format!("{}\n", interleaving::render(&interleaving, args.color.style())));
    }
    let mut tally = Tally::default();
    for _ in 0..args.times {
        let (replayed, history) =
            replay_explored(repro, &ReferenceSubject(reference), &Stop::default())?;
        tally.add(replayed);
        let digest = digest(&history);
        if !tally.histories.contains(&digest) {
            tally.histories.push(digest);
        }
    }
    Ok(tally)
}

/// What is driven: the repro's target, or the reference back end with other call sites.
fn target(args: &Args, repro: &Repro) -> Target {
    let Some(migration) = args.migrated else { return repro.target.clone() };
    let defect = match &repro.target {
        Target::Reference(own) => own.defect,
        Target::Code { .. } | Target::Server { .. } => None,
    };
    Reference { migration, defect }.into()
}

fn digest(history: &History) -> String {
    to_hex(&Hash::hash(history.body().as_bytes()))
}

fn replay_wire(args: &Args, repro: &Repro) -> Result<Tally, CampaignError> {
    let stop = Stop::default();
    end_on_interrupt(&stop)?;
    let mut tally = Tally::default();
    let reached = match reach(repro, &target(args, repro), args.target.as_deref(), &stop) {
        Ok(reached) => reached,
        Err(_) if stop.reason().is_some() => return Ok(Tally { interrupted: true, ..tally }),
        Err(error) => return Err(error),
    };
    let keys = RoundKeys::again(repro.plan.campaign, reached.is_fresh());
    tally.fresh_words = repro.plan.campaign.nonce() > 0 && !reached.is_fresh();
    for time in 0..args.times {
        let again = if time == 0 { Ok(reached.servers()) } else { reached.again() };
        let servers = match again {
            Ok(servers) => servers,
            Err(_) if stop.reason().is_some() => {
                tally.interrupted = true;
                break;
            }
            // How often it showed before is told all the same.
            Err(error) => {
                tally.other.push(error.to_string());
                tally.cut = Some("the server does not start anew");
                break;
            }
        };
        let (replayed, _) = replay_on_wire(repro, &servers, &keys, &stop)?;
        if servers.allowance.is_spent() && replayed != Replayed::Same {
            tally.cut = Some("the scenario allows no more requests");
            break;
        }
        if stop.reason().is_some() && replayed != Replayed::Same {
            tally.interrupted = true;
            break;
        }
        tally.add(replayed);
    }
    Ok(tally)
}

/// What a repro says may have come from a server: control characters are shown, not sent.
fn text_of(repro: &Repro, args: &Args, tally: &Tally) -> String {
    let mut lines = vec![format!("{} {}: {}", repro.oracle, repro.fingerprint, repro.summary)];
    lines.extend(repro.story.iter().map(|step| format!("  - {step}")));
    lines.push(String::new());
    let verdict = if tally.same > 0 {
        "REPRODUCED"
    } else if tally.other.is_empty() && tally.gone > 0 {
        "GONE"
    } else {
        "INCONCLUSIVE"
    };
    lines.push(format!(
        "{verdict}: same {} of {} times, gone {}{}",
        tally.same,
        tally.same + tally.gone + tally.other.len() as u64,
        tally.gone,
        match tally.other.first() {
            Some(first) => format!(", {} otherwise (first: {first})", tally.other.len()),
            None => String::new(),
        }
    ));
    if tally.interrupted || tally.cut.is_some() {
        let why = tally.cut.unwrap_or("interrupted");
        lines.push(format!("of {} times that were asked for: {why}", args.times));
    }
    if tally.fresh_words {
        let why = "the server may remember the words of the repro, so other words of the same \
                   length were sent";
        lines.push(why.into());
    }
    match tally.histories.as_slice() {
        [] => {}
        [one] => lines.push(format!("every history has the same bytes: sha256 {one}")),
        many => lines.push(format!(
            "{} different histories came of one schedule: the back end is nondeterministic",
            many.len()
        )),
    }
    let escape = |line: &String| -> String {
        line.chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect()
    };
    lines.iter().map(escape).collect::<Vec<_>>().join("\n") + "\n"
}
