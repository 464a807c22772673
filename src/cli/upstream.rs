//! `partywall upstream`: the stub that plays a target's model and tools, on its own.

use std::time::Duration;

use super::common::{no_port, on_interrupt};
use super::ending::Ended;
use super::output;
use crate::campaign::error::{CampaignError, Kind};
use crate::trial::verdict::ExitCode;
use crate::upstream::{Options, Order, Upstream};

/// The arguments of `upstream`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The port on the loopback address; 0 takes a free one
    #[arg(long, env = "PARTYWALL_PORT", value_name = "N", default_value_t = 0)]
    port: u16,
    /// What delays and faults are drawn with
    #[arg(long, env = "PARTYWALL_SEED", value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Until a reply begins, such as 20ms, or 10ms..200ms drawn for each text
    #[arg(long, env = "PARTYWALL_DELAY", value_name = "TIME", default_value = "0ms", value_parser = span)]
    delay: (Duration, Duration),
    /// Between two pieces of a streamed reply
    #[arg(long, env = "PARTYWALL_GAP", value_name = "TIME", default_value = "1ms", value_parser = humantime::parse_duration)]
    gap: Duration,
    /// In how many pieces a reply is streamed, at least
    #[arg(long, env = "PARTYWALL_CHUNKS", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    chunks: u16,
    /// The order of replies: arrival, or held:N, reversed:N, shuffled:N of N calls
    #[arg(long, env = "PARTYWALL_ORDER", value_name = "ORDER", default_value = "arrival")]
    order: Order,
    /// How long a call waits at most for others to be put in order with
    #[arg(long, env = "PARTYWALL_HOLD", value_name = "TIME", default_value = "250ms", value_parser = humantime::parse_duration)]
    hold: Duration,
    /// How many calls of a hundred fail: an error, or a cut somewhere
    #[arg(long, env = "PARTYWALL_FAIL", value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    fail: u8,
}

/// One length of time, or two with `..` between them.
fn span(text: &str) -> Result<(Duration, Duration), String> {
    let read = |text: &str| {
        humantime::parse_duration(text.trim()).map_err(|error| format!("{error}; such as 20ms"))
    };
    match text.split_once("..") {
        None => read(text).map(|one| (one, one)),
        Some((least, most)) => {
            let (least, most) = (read(least)?, read(most)?);
            let ordered = least <= most;
            ordered.then_some((least, most)).ok_or_else(|| "the first is the longer one".into())
        }
    }
}

pub(super) fn exec(args: Args) -> Result<Ended, CampaignError> {
    let Args { port, seed, delay, gap, chunks, order, hold, fail } = args;
    let mut options = Options::default();
    (options.port, options.seed, options.delay, options.gap) = (port, seed, delay, gap);
    (options.chunks, options.order, options.hold) = (chunks, order, hold);
    options.fail_percent = fail;
    let (end, ended) = std::sync::mpsc::channel();
    // Before the port is said: whoever reads it may end the stub at once.
    let stop = move || {
        let _ = end.send(());
    };
    on_interrupt(stop)?;
    let upstream = Upstream::start(options).map_err(|error| no_port(port, &error))?;
    upstream.listen(|call| {
        // A call is plain data with string keys: it serialises.
        if let Ok(line) = serde_json::to_string(call) {
            output::print(&format!("{line}\n"));
        }
    });
    output::print(&format!(
        "{{\"port\":{},\"url\":\"{}\",\"openai_base_url\":\"{}\"}}\n",
        upstream.port(),
        upstream.url(),
        upstream.openai_url()
    ));
    ended.recv().map_err(|_| CampaignError::new(Kind::Internal, "nobody listens for the end"))?;
    Ok(Ended::new(ExitCode::Clean, "stopped"))
}
