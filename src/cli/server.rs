//! What subcommands share that drive a server of somebody's own: its scenario file, what is read
//! from the environment for it, what may be driven.

use std::path::Path;
use std::sync::Arc;

use crate::campaign::error::{CampaignError, read_text};
use crate::campaign::user_list::users_of;
use crate::campaign::wire::user_runtime;
use crate::scenario::{ServerScenario, ServerTarget, Workload, environment_in};
use crate::swarm::transport::TargetUrl;
use crate::swarm::{Allowance, Servers, first_requests};
use crate::trial::ids::UserName;
use crate::trial::plan::{Plan, UserPlan};
use crate::world::World;

/// Whether that names a scenario file rather than a built-in scenario.
pub(super) fn is_file(name: &str) -> bool {
    name.ends_with(".toml") || Path::new(name).is_file()
}

/// Reads and checks a scenario file of a server of somebody's own.
pub(super) fn read(name: &str) -> Result<ServerScenario, CampaignError> {
    let text = read_text(&Path::new(name).to_path_buf())?;
    if !ServerScenario::is_one(&text) && toml::from_str::<toml::Table>(&text).is_ok() {
        return Err(CampaignError::usage(format!(
            "`{}` has no table `[target]`: scenarios of the reference back end go by name",
            name.escape_debug()
        )));
    }
    ServerScenario::parse(&text)
        .map_err(|error| CampaignError::usage(format!("{}: {error}", name.escape_debug())))
}

/// The target with the URL and the hosts of the command line.
pub(super) fn target(
    mut target: ServerTarget,
    url: Option<&str>,
    hosts: &[String],
) -> Result<ServerTarget, CampaignError> {
    target.hosts.extend_from_slice(hosts);
    if let Some(url) = url {
        TargetUrl::parse_allowing(url, &target.hosts)
            .map_err(|error| CampaignError::usage(format!("--target: {error}")))?;
        target.urls = vec![url.to_owned()];
        target.command = Vec::new();
    }
    Ok(target)
}

/// The target at that URL instead of where it is or how it is started.
pub(super) fn at(target: &ServerTarget, url: &TargetUrl) -> ServerTarget {
    let mut target = target.clone();
    (target.urls, target.command, target.websocket) = (vec![url.to_string()], Vec::new(), None);
    target
}

/// What users are given besides their plan, and the scenario with the users that its file or command
/// names.
pub(super) fn given(
    scenario: &ServerScenario,
    target: &ServerTarget,
) -> Result<(ServerScenario, Servers), CampaignError> {
    let (mut given, names) = given_for(&scenario.environment(), target)?;
    given.allowance = Allowance::new(scenario.requests, scenario.runs_per_second);
    let scenario = with_names(scenario, names)?;
    check_secrets(&given, &scenario.work.plan(0, 0))?;
    Ok((scenario, given))
}

/// Refuses secrets that could not be kept out of what is written down.
pub(super) fn check_secrets(given: &Servers, plan: &Plan) -> Result<(), CampaignError> {
    given.check_secrets(plan).map_err(CampaignError::usage)
}

/// The scenario with those users, if there are any.
pub(super) fn with_names(
    scenario: &ServerScenario,
    names: Vec<UserName>,
) -> Result<ServerScenario, CampaignError> {
    let scenario = scenario.clone();
    if names.is_empty() && scenario.target.users.is_none() {
        return Ok(scenario);
    }
    scenario.with_names(names).map_err(|problem| {
        CampaignError::usage(format!("the list of users in `[identity]`: {problem}"))
    })
}

/// What stands for `{{ env.NAME }}` for those names and for `{{ user.secret }}`, and the names of the
/// target's users where it has a list of them.
pub(super) fn given_for(
    environment: &[String],
    target: &ServerTarget,
) -> Result<(Servers, Vec<UserName>), CampaignError> {
    let mut servers = Servers::default();
    for name in environment {
        let value = std::env::var(name).map_err(|_| {
            CampaignError::usage(format!(
                "the scenario asks for the environment variable {name}, which is not set"
            ))
        })?;
        servers.environment.insert(name.clone(), value);
    }
    let list = target.users.as_ref().map(users_of).transpose()?.unwrap_or_default();
    servers.user_secrets = list.secrets;
    Ok((servers, list.names))
}

/// What would be started and what the first user would send, with places instead of secrets.
pub(super) fn dry_run(
    target: &ServerTarget,
    work: &Workload,
    seed: u64,
) -> Result<String, CampaignError> {
    let plan = Arc::new(work.round(seed, 0));
    let written = serde_json::to_string(&(&plan.protocol, target)).unwrap_or_default();
    let mut servers = Servers::default();
    for name in environment_in(&written) {
        let place = format!("env.{name}");
        servers.environment.insert(name, place);
    }
    let secret = |user: &UserPlan| (user.name.clone(), "user.secret".to_owned());
    servers.user_secrets = plan.users.iter().map(secret).collect();
    let mut text = String::new();
    if !target.command.is_empty() {
        text.push_str(&format!("# command\n{}\n", target.command.join(" ")));
        for (name, value) in &target.env {
            text.push_str(&format!("{name}={value}\n"));
        }
        text.push('\n');
    }
    // A started server's port is not known yet, as is that of its upstream.
    let parse = |url: &String| {
        TargetUrl::parse_allowing(url, &target.hosts)
            .map_err(|error| CampaignError::usage(error.to_string()))
    };
    servers.websocket = target.websocket.as_ref().map(parse).transpose()?;
    servers.urls = match target.command.is_empty() {
        true => target.urls.iter().map(parse).collect::<Result<_, _>>()?,
        false => vec![TargetUrl::loopback(0)],
    };
    let runtime = user_runtime()?;
    let _inside = runtime.enter();
    let requests = first_requests(&World::live(None), &Arc::new(servers), &plan);
    let requests = requests.map_err(CampaignError::usage)?;
    let who = plan.users.first().map(|user| user.name.to_string()).unwrap_or_default();
    text.push_str(&format!(
        "# what {} sends; nothing is sent now\n\n{requests}",
        who.escape_debug()
    ));
    Ok(text)
}
