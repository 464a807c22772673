//! What `replay` and `shrink` share: the server that a repro of the wire is driven against.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use super::server;
use crate::campaign::budget::Stop;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::launched::Launched;
use crate::campaign::repro::{Repro, Target};
use crate::campaign::subject::Reference;
use crate::campaign::target_process::TargetProcess;
use crate::scenario::{ServerTarget, environment_in};
use crate::swarm::Servers;
use crate::swarm::transport::TargetUrl;

/// A server that is there; what was started ends when this is dropped.
pub(super) struct Reached {
    servers: Arc<Servers>,
    _process: Option<TargetProcess>,
    launched: RefCell<Option<Launched>>,
    /// How it is started anew, where each drive has a process of its own.
    fresh: Option<(ServerTarget, Servers)>,
    log: PathBuf,
    stop: Stop,
}

impl Reached {
    pub(super) fn servers(&self) -> &Arc<Servers> {
        &self.servers
    }

    pub(super) fn is_fresh_each_time(&self) -> bool {
        self.fresh.is_some()
    }

    /// Starts it anew where each drive has a process of its own.
    pub(super) fn again(&self) -> Result<Arc<Servers>, CampaignError> {
        let Some((target, given)) = &self.fresh else { return Ok(Arc::clone(&self.servers)) };
        // The old one goes first: it may hold what the new one needs.
        self.launched.borrow_mut().take();
        let launched = Launched::start(target, given, &self.log, &self.stop)?;
        let servers = Arc::clone(launched.servers());
        *self.launched.borrow_mut() = Some(launched);
        Ok(servers)
    }
}

/// Reaches or starts the server of the repro, or another where one is given.
pub(super) fn reach(
    repro: &Repro,
    url: Option<&str>,
    reference: Option<Reference>,
    stop: &Stop,
) -> Result<Reached, CampaignError> {
    let own = match &repro.target {
        Target::Server { target } => Some(&**target),
        _ => None,
    };
    let hosts = own.map(|own| own.hosts.clone()).unwrap_or_default();
    let given = url.map(|url| TargetUrl::parse_allowing(url, &hosts)).transpose();
    let given = given.map_err(|error| CampaignError::usage(format!("--target: {error}")))?;
    let log = std::env::temp_dir().join(format!("partywall-replay-{}.log", std::process::id()));
    let mut reached = Reached {
        servers: Servers::at(TargetUrl::loopback(0)),
        _process: None,
        launched: RefCell::new(None),
        fresh: None,
        log,
        stop: stop.clone(),
    };
    match (given, reference, &repro.target) {
        (Some(url), ..) => {
            // Who the users are still comes from the environment.
            let mut servers = server::given(&environment_of(repro))?;
            servers.urls = vec![url];
            reached.servers = Arc::new(servers);
        }
        (None, None, Target::Server { target }) => {
            let given = server::given(&environment_of(repro))?;
            let launched = Launched::start(target, &given, &reached.log, stop)?;
            reached.servers = Arc::clone(launched.servers());
            reached.launched = RefCell::new(Some(launched));
            let fresh = target.fresh_process && !target.command.is_empty();
            reached.fresh = fresh.then(|| ((**target).clone(), given));
        }
        (None, Some(reference), _) => {
            let program = std::env::current_exe().map_err(|error| {
                let text = format!("this program does not know its path: {error}");
                CampaignError::new(Kind::Internal, text)
            })?;
            let process = TargetProcess::start(&program, reference, reached.log.clone())?;
            reached.servers = process.servers();
            reached._process = Some(process);
        }
        (None, None, Target::Url { url }) => {
            let url = TargetUrl::parse(url)
                .map_err(|error| CampaignError::usage(format!("in `target`: {error}")))?;
            reached.servers = Servers::at(url);
        }
        (None, None, Target::Code { name }) => return Err(of_code(name)),
        (None, None, Target::Reference { .. }) => {
            return Err(CampaignError::new(Kind::Internal, "a reference target has call sites"));
        }
    }
    Ok(reached)
}

pub(super) fn of_code(name: &str) -> CampaignError {
    CampaignError::usage(format!(
        "this repro is of code in a test, `{}`; run that test, which replays its saved repros first",
        name.escape_debug()
    ))
}

/// What the templates of a repro's plan and target ask of the environment.
fn environment_of(repro: &Repro) -> Vec<String> {
    environment_in(&repro.to_file())
}
