//! What `replay` and `shrink` share: the server that a repro of the wire is driven against.

use std::sync::Arc;

use super::server;
use crate::campaign::budget::Stop;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::launched::{self, Launched};
use crate::campaign::repro::{Repro, Target};
use crate::campaign::subject::Reference;
use crate::campaign::target_process::TargetProcess;
use crate::scenario::environment_in;
use crate::swarm::transport::TargetUrl;
use crate::swarm::{Allowance, Servers};

/// A server that is there; what was started ends when this is dropped.
#[derive(Debug)]
pub(super) struct Reached {
    servers: Arc<Servers>,
    _process: Option<TargetProcess>,
    launched: Option<Launched>,
}

impl Reached {
    pub(super) fn servers(&self) -> &Arc<Servers> {
        &self.servers
    }

    /// The server of somebody's own, where it is one.
    pub(super) fn launched(&self) -> Option<&Launched> {
        self.launched.as_ref()
    }

    /// Starts it anew where each drive has a process of its own.
    pub(super) fn again(&self) -> Result<Arc<Servers>, CampaignError> {
        match self.launched.as_ref().filter(|own| own.is_fresh()) {
            Some(launched) => launched.afresh(),
            None => Ok(Arc::clone(&self.servers)),
        }
    }

    fn at(servers: Arc<Servers>) -> Self {
        Self { servers, _process: None, launched: None }
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
    match (given, reference, &repro.target) {
        (url, None, Target::Server { target }) => {
            let target = match url {
                None => (**target).clone(),
                Some(url) => server::at(target, &url),
            };
            // Who the users are still comes from the environment.
            let (mut given, _) = server::given_for(&environment_of(repro), &target)?;
            server::check_secrets(&given, &repro.plan)?;
            let caps = repro.plan.protocol.caps;
            given.allowance = Allowance::new(caps.requests, caps.runs_per_second);
            let launched = Launched::start(&target, &given, &log, stop)?;
            let servers = launched.servers();
            Ok(Reached { launched: Some(launched), ..Reached::at(servers) })
        }
        (Some(url), ..) => launched::reach(url).map(Reached::at),
        (None, Some(reference), _) => {
            let program = std::env::current_exe().map_err(|error| {
                let text = format!("this program does not know its path: {error}");
                CampaignError::new(Kind::Internal, text)
            })?;
            let process = TargetProcess::start(&program, reference, log)?;
            let servers = process.servers();
            Ok(Reached { _process: Some(process), ..Reached::at(servers) })
        }
        (None, None, Target::Url { url }) => {
            let url = TargetUrl::parse(url)
                .map_err(|error| CampaignError::usage(format!("in `target`: {error}")))?;
            launched::reach(url).map(Reached::at)
        }
        (None, None, Target::Code { name }) => Err(of_code(name)),
        (None, None, Target::Reference { .. }) => {
            Err(CampaignError::new(Kind::Internal, "a reference target has call sites"))
        }
    }
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
