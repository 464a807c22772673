//! What `replay` and `shrink` share: what a repro is driven against.

use super::scenario;
use crate::campaign::budget::Stop;
use crate::campaign::error::CampaignError;
use crate::campaign::launched::Launched;
use crate::campaign::repro::Repro;
use crate::scenario::{Target, environment_in};
use crate::swarm::Allowance;
use crate::trial::target::Reference;

/// Reaches or starts the server of the repro, or another where one is given.
pub(super) fn reach(
    repro: &Repro,
    target: &Target,
    url: Option<&str>,
    stop: &Stop,
) -> Result<Launched, CampaignError> {
    let mut target = scenario::target(target.clone(), url, &[])?;
    if let (Target::Server { target }, Some(_)) = (&mut target, url) {
        target.websocket = None;
    }
    // Who the users are still comes from the environment.
    let (mut given, _) = scenario::given_for(&environment_in(&repro.to_file()), &target)?;
    scenario::check_secrets(&given, &repro.plan)?;
    let caps = repro.plan.protocol.caps;
    given.allowance = Allowance::new(caps.requests, caps.runs_per_second);
    let log = std::env::temp_dir().join(format!("partywall-replay-{}.log", std::process::id()));
    Launched::start(&target, &scenario::this_program()?, &given, &log, stop)
}

/// The reference back end that an explored repro is of; a server instead of it is refused.
pub(super) fn explored(target: &Target, url: Option<&str>) -> Result<Reference, CampaignError> {
    if url.is_some() {
        return Err(CampaignError::usage(
            "--target is for repros of the wire; this one is of an explored trial",
        ));
    }
    match target {
        Target::Reference(reference) => Ok(*reference),
        Target::Code { name } => Err(CampaignError::of_code(name)),
        Target::Server { .. } => Err(CampaignError::usage(
            "an explored repro is of the reference back end; this one is not",
        )),
    }
}
