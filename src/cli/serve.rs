//! `partywall serve`: the reference back end as a real server.

use std::io::Read;
use std::time::Duration;

use clap::builder::BoolishValueParser;

use super::common::{no_port, on_interrupt};
use super::ending::Ended;
use super::output;
use crate::campaign::error::{CampaignError, Kind};
use crate::reference::call_sites::Migration;
use crate::reference::defects::Defect;
use crate::reference::server;
use crate::reference::service::Service;
use crate::reference::warning::Warn;
use crate::trial::verdict::ExitCode;
use crate::world::World;

/// How long runs and connections that are under way at the end may take to finish.
const GRACE: Duration = Duration::from_secs(2);

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Call sites that are migrated: none, all, or SITE,…
    #[arg(long, env = "PARTYWALL_MIGRATED", value_name = "SITES", default_value = "all")]
    migrated: Migration,
    /// A built-in defect: M01 to M24, or such as M05@2% for a share of the requests
    #[arg(long, env = "PARTYWALL_DEFECT", value_name = "CODE")]
    defect: Option<Defect>,
    /// Say on standard error which call site uses the process-wide factory, and when an agent is
    /// built with another user's settings
    #[arg(long, env = "PARTYWALL_WARN", value_parser = BoolishValueParser::new())]
    warn: bool,
    /// The port on the loopback address; 0 takes a free one
    #[arg(long, env = "PARTYWALL_PORT", value_name = "N", default_value_t = 7878)]
    port: u16,
    /// End when standard input ends, so that no server outlives who started it
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

pub(super) fn exec(args: Args) -> Result<Ended, CampaignError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CampaignError::new(Kind::Internal, format!("no runtime: {error}")))?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> Result<Ended, CampaignError> {
    let listening = server::listen(args.port).await;
    let listener = listening.map_err(|error| no_port(args.port, &error))?;
    let port = listener.local_addr().map_or(args.port, |address| address.port());
    // Before the port is said: whoever reads it may end the server at once.
    let (end, ended) = tokio::sync::oneshot::channel();
    end_with(end, args.until_stdin_closes)?;
    output::print(&format!(
        "{{\"port\":{port},\"url\":\"http://127.0.0.1:{port}\",\"migrated\":\"{}\"}}\n",
        args.migrated
    ));
    let world = World::live(None);
    let warn: Warn = |warning| output::complain(&format!("warning: {warning}"));
    let service = Service::new(world, args.migrated, args.defect, args.warn.then_some(warn));
    let (ending, over) = tokio::sync::oneshot::channel();
    let shutdown = async move {
        // The sender lives as long as the process does.
        let _ = ended.await;
        let _ = ending.send(());
    };
    // A client that keeps its connection must not keep the server.
    let grace = async {
        let _ = over.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server::serve(listener, service, shutdown) => served.map_err(|error| {
            CampaignError::new(Kind::Target, format!("the server on port {port} broke: {error}"))
        })?,
        () = grace => {}
    }
    Ok(Ended::new(ExitCode::Clean, "stopped"))
}

/// Ends the server on Ctrl-C, or when its standard input ends.
fn end_with(
    end: tokio::sync::oneshot::Sender<()>,
    until_stdin_closes: bool,
) -> Result<(), CampaignError> {
    let end = std::sync::Mutex::new(Some(end));
    let signal = move || {
        let taken = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match taken {
            Some(end) => drop(end.send(())),
            None => std::process::exit(i32::from(ExitCode::Interrupted as u8)),
        }
    };
    if until_stdin_closes {
        // Ctrl-C reaches the whole group: the one who started this server decides when it ends.
        on_interrupt(|| {})?;
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = std::io::stdin().lock().read_to_end(&mut rest);
            signal();
            // Whoever started it is gone: connections still open must not keep it alive.
            std::process::exit(0);
        });
        return Ok(());
    }
    on_interrupt(signal)
}
