//! What subcommands share that drive a scenario: the scenario by name or file, what is read from the
//! environment for it, what may be driven.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::places::source_of_file;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::user_list::users_of;
use crate::campaign::wire::drive::user_runtime;
use crate::scenario::{
    Scenario, ScenarioError, Target, UsersFrom, Workload, built_in, built_in_names, environment_in,
};
use crate::swarm::transport::TargetUrl;
use crate::swarm::{Allowance, Servers, first_requests};
use crate::trial::ids::UserName;
use crate::trial::measure::Source;
use crate::trial::plan::{Plan, UserPlan};
use crate::trial::template;
use crate::world::World;

/// One scenario.
#[derive(Debug, clap::Args)]
pub(super) struct ScenarioArg {
    /// The scenario: a file, or one that this program carries
    #[arg(value_name = "SCENARIO")]
    file: Option<String>,
    /// The same as SCENARIO
    #[arg(
        long,
        env = "PARTYWALL_SCENARIO",
        hide_short_help = true,
        value_name = "SCENARIO",
        default_value = "reference-golden-path"
    )]
    scenario: String,
}

impl ScenarioArg {
    pub(super) fn name(&self) -> &str {
        self.file.as_deref().unwrap_or(&self.scenario)
    }
}

/// Whether that names a scenario file rather than a built-in scenario.
pub(super) fn is_file(name: &str) -> bool {
    name.ends_with(".toml") || Path::new(name).is_file()
}

/// The scenario of that file, or the built-in one of that name.
pub(super) fn read(name: &str) -> Result<Scenario, CampaignError> {
    read_by(name, Scenario::parse)
}

/// The same where the command line says what is driven: the file needs no `[target]`.
pub(super) fn read_for_target(name: &str) -> Result<Scenario, CampaignError> {
    read_by(name, Scenario::parse_for_target)
}

fn read_by(
    name: &str,
    parse: impl Fn(&str) -> Result<Scenario, ScenarioError>,
) -> Result<Scenario, CampaignError> {
    if !is_file(name) {
        return built_in(name).map_err(CampaignError::in_scenario);
    }
    let text = std::fs::read_to_string(name).map_err(|error| {
        let remedy = "name a scenario file; `partywall init` writes one";
        CampaignError::usage(format!("cannot read `{}`: {error}; {remedy}", name.escape_debug()))
    })?;
    parse(&text).map_err(|error| CampaignError::usage(format!("{}: {error}", name.escape_debug())))
}

/// Where those of the named scenarios are that are files.
pub(super) fn sources<'n>(
    named: impl IntoIterator<Item = (&'n str, &'n Scenario)>,
) -> Vec<(String, Source)> {
    let files = named.into_iter().filter(|(name, _)| is_file(name));
    let source = |(name, scenario): (&str, &Scenario)| {
        let text = std::fs::read_to_string(name).ok()?;
        Some((scenario.name.clone(), source_of_file(name, &text)))
    };
    files.filter_map(source).collect()
}

/// The words of a command: a JSON array of strings, or words between spaces.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text)
            .map_err(|error| format!("not a JSON array of strings: {error}"))?,
        // A place such as `{{ port }}` stays one word.
        false => text
            .replace("{{ ", "{{")
            .replace(" }}", "}}")
            .split_whitespace()
            .map(String::from)
            .collect(),
    };
    let ported = |word: &String| template::names(word).is_ok_and(|all| all.contains(&"port"));
    match words.iter().any(ported) {
        true => Ok(words),
        false => Err("the server must be told its port: put `{{ port }}` into the command".into()),
    }
}

/// The scenarios of those names; the usual built-in ones where none is named.
pub(super) fn read_all(names: &[String]) -> Result<Vec<Scenario>, CampaignError> {
    match names {
        [] => built_in_names().map(read).collect(),
        names => names.iter().map(|name| read(name)).collect(),
    }
}

/// What the scenario calls by that name: `before`, `after`, or one of its states; its target where
/// none is named.
pub(super) fn in_state(scenario: &Scenario, name: Option<&str>) -> Result<Target, CampaignError> {
    let Some(name) = name else { return Ok(scenario.target.clone()) };
    let state = scenario.states.iter().find(|state| state.name == name);
    let own = match name {
        "before" => scenario.before.as_ref(),
        "after" => scenario.after.as_ref(),
        _ => None,
    };
    own.or(state.map(|state| &state.target)).cloned().ok_or_else(|| {
        let states = scenario.states.iter().map(|state| state.name.as_str());
        let sides = [("before", &scenario.before), ("after", &scenario.after)];
        let sides = sides.into_iter().filter_map(|(name, side)| side.as_ref().map(|_| name));
        let there: Vec<&str> = sides.chain(states).collect();
        let there = match there.as_slice() {
            [] => "it has no `[before]`, no `[after]` and no `[[state]]`".to_owned(),
            there => format!("there are {}", there.join(", ")),
        };
        CampaignError::usage(format!(
            "--state: the scenario has no `{}`; {there}",
            name.escape_debug()
        ))
    })
}

/// The target started by that command instead of where it is or how else it is started.
pub(super) fn started_by(target: Target, command: Vec<String>) -> Result<Target, CampaignError> {
    let Some(mut server) = target.server().cloned() else {
        return Err(CampaignError::usage(
            "--command starts a server that a scenario file describes; name such a file",
        ));
    };
    server.urls.retain(|url| url.contains("{{"));
    server.command = command;
    Ok(server.into())
}

/// The target with the hosts of the command line, and at its URL where one is given instead of where
/// it is or how it is started.
pub(super) fn target(
    mut target: Target,
    url: Option<&str>,
    hosts: &[String],
) -> Result<Target, CampaignError> {
    if let Target::Server { target } = &mut target {
        target.hosts.extend_from_slice(hosts);
    }
    let Some(url) = url else { return Ok(target) };
    let mut server = target.server().cloned().unwrap_or_default();
    if server.hosts.is_empty() {
        server.hosts = hosts.to_vec();
    }
    TargetUrl::parse_allowing(url, &server.hosts)
        .map_err(|error| CampaignError::usage(format!("--target: {error}")))?;
    (server.urls, server.command) = (vec![url.to_owned()], Vec::new());
    Ok(server.into())
}

/// Where this program is, which is the reference back end as well.
pub(super) fn this_program() -> Result<PathBuf, CampaignError> {
    std::env::current_exe().map_err(|error| {
        CampaignError::new(Kind::Internal, format!("this program does not know its path: {error}"))
    })
}

/// What users are given besides their plan, and the scenario with the users that its file or command
/// names.
pub(super) fn given(
    scenario: &Scenario,
    target: &Target,
) -> Result<(Scenario, Servers), CampaignError> {
    let (mut given, names) = given_for(&scenario.environment(), target)?;
    given.allowance = Allowance::new(scenario.limits.requests, scenario.limits.runs_per_second);
    let scenario = with_names(scenario, names)?;
    check_secrets(&given, &scenario.wire.plan(0, 0))?;
    Ok((scenario, given))
}

/// Refuses secrets that could not be kept out of what is written down.
pub(super) fn check_secrets(given: &Servers, plan: &Plan) -> Result<(), CampaignError> {
    given.check_secrets(plan).map_err(CampaignError::usage)
}

/// The scenario with those users, if there are any.
pub(super) fn with_names(
    scenario: &Scenario,
    names: Vec<UserName>,
) -> Result<Scenario, CampaignError> {
    let scenario = scenario.clone();
    if names.is_empty() && users_from(&scenario.target).is_none() {
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
    target: &Target,
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
    let list = users_from(target).map(users_of).transpose()?.unwrap_or_default();
    servers.user_secrets = list.secrets;
    Ok((servers, list.names))
}

fn users_from(target: &Target) -> Option<&UsersFrom> {
    target.server().and_then(|own| own.users.as_ref())
}

/// What would be started and what the first user would send, with places instead of secrets.
pub(super) fn dry_run(
    target: &Target,
    work: &Workload,
    seed: u64,
) -> Result<String, CampaignError> {
    let plan = Arc::new(work.round(seed, 0));
    let is_started = target.is_started();
    let target = target.server().cloned().unwrap_or_default();
    let written = serde_json::to_string(&(&plan.protocol, &target)).unwrap_or_default();
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
    let parse =
        |url: &String| TargetUrl::parse_allowing(url, &target.hosts).map_err(CampaignError::usage);
    servers.websocket = target.websocket.as_ref().map(parse).transpose()?;
    servers.urls = match is_started {
        true => vec![TargetUrl::loopback(0)],
        false => target.urls.iter().map(parse).collect::<Result<_, _>>()?,
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
