//! What subcommands share that drive a server of somebody's own: its scenario file, what is read
//! from the environment for it, what may be driven.

use std::path::Path;

use crate::campaign::error::{CampaignError, read_text};
use crate::scenario::{ServerScenario, ServerTarget};
use crate::swarm::Servers;
use crate::swarm::transport::TargetUrl;

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

/// What stands for `{{ env.NAME }}`, for those names.
pub(super) fn given(names: &[String]) -> Result<Servers, CampaignError> {
    let mut servers = Servers::default();
    for name in names {
        let value = std::env::var(name).map_err(|_| {
            CampaignError::usage(format!(
                "the scenario asks for the environment variable {name}, which is not set"
            ))
        })?;
        servers.environment.insert(name.clone(), value);
    }
    Ok(servers)
}
