//! The call sites of the factory. Each migrates alone, so an incomplete migration is a real state.
//!
//! Every site is one function here: the migrated form uses the factory that it is given (or makes
//! one for the request), the legacy form asks for the process-wide one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::context::UserExecutionContext;
use super::factory::{
    AgentInstanceFactory, configure_agent_instance_factory, create_agent_instance_factory,
    get_agent_instance_factory,
};
use super::process::Process;
use super::warning::Warning;

/// Where the modelled system uses the factory. Exhaustive on purpose: a new site that is not
/// handled everywhere does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallSite {
    /// Configures the process-wide instance once, without any user.
    Startup,
    /// Hands the factory to HTTP routes as a dependency.
    RequestDependency,
    /// Configures it for the socket's user before starting the run.
    WebsocketRoute,
    /// Takes the factory in its constructor and keeps it for the whole run.
    SupervisorAgent,
    /// Takes the factory to build execution engines.
    ExecutionEngineFactory,
    /// Creates the sub-agents from the factory, after awaits.
    UserExecutionEngine,
}

impl CallSite {
    /// All of them, in the order in which a request passes them.
    pub const ALL: [Self; 6] = [
        Self::Startup,
        Self::RequestDependency,
        Self::WebsocketRoute,
        Self::SupervisorAgent,
        Self::ExecutionEngineFactory,
        Self::UserExecutionEngine,
    ];

    /// The name, as `--migrated` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::RequestDependency => "request_dependency",
            Self::WebsocketRoute => "websocket_route",
            Self::SupervisorAgent => "supervisor_agent",
            Self::ExecutionEngineFactory => "execution_engine_factory",
            Self::UserExecutionEngine => "user_execution_engine",
        }
    }
}

/// Which call sites are migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Migration(u8);

impl Migration {
    /// No call site is migrated: the legacy form.
    pub const NONE: Self = Self(0);
    /// Every call site is migrated: the per-request form.
    pub const ALL: Self = Self(0b11_1111);

    /// Exactly those call sites are migrated.
    pub fn of(sites: impl IntoIterator<Item = CallSite>) -> Self {
        Self(sites.into_iter().fold(0, |bits, site| bits | 1 << site as u8))
    }

    /// Whether that call site is migrated.
    pub fn includes(self, site: CallSite) -> bool {
        self.0 & 1 << site as u8 != 0
    }
}

impl fmt::Display for Migration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => out.write_str("none"),
            Self::ALL => out.write_str("all"),
            some => {
                let sites = CallSite::ALL.into_iter().filter(|&site| some.includes(site));
                out.write_str(&sites.map(CallSite::name).collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// Why a list of call sites cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCallSite(String);

impl fmt::Display for UnknownCallSite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = CallSite::ALL.map(CallSite::name).join(", ");
        write!(
            out,
            "there is no call site `{}`; give `none`, `all`, or some of {known}, with commas \
             between",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for UnknownCallSite {}

impl FromStr for Migration {
    type Err = UnknownCallSite;

    fn from_str(text: &str) -> Result<Self, UnknownCallSite> {
        match text {
            "none" => return Ok(Self::NONE),
            "all" => return Ok(Self::ALL),
            _ => {}
        }
        let site = |name: &str| {
            let known = CallSite::ALL.into_iter().find(|site| site.name() == name.trim());
            known.ok_or_else(|| UnknownCallSite(name.trim().to_owned()))
        };
        text.split(',').map(site).collect::<Result<Vec<_>, _>>().map(Self::of)
    }
}

type Factory = Arc<AgentInstanceFactory>;

/// Legacy: configures the process-wide factory. Migrated: nothing is process-wide.
pub(crate) fn startup(process: &Process) {
    if !process.migration.includes(CallSite::Startup) {
        (process.shared.warn)(Warning::LegacyUse(CallSite::Startup));
        configure_agent_instance_factory(process);
    }
}

/// The factory of an HTTP request.
pub(crate) fn request_dependency(process: &Process, context: &UserExecutionContext) -> Factory {
    for_request(process, CallSite::RequestDependency, context)
}

/// The factory of a chat message on a socket.
pub(crate) fn websocket_route(process: &Process, context: &UserExecutionContext) -> Factory {
    for_request(process, CallSite::WebsocketRoute, context)
}

/// The factory that the supervisor keeps.
pub(crate) fn supervisor_agent(process: &Process, given: &Factory) -> Factory {
    given_or_process_wide(process, CallSite::SupervisorAgent, given)
}

/// The factory that execution engines are built with.
pub(crate) fn execution_engine_factory(process: &Process, given: &Factory) -> Factory {
    given_or_process_wide(process, CallSite::ExecutionEngineFactory, given)
}

/// The factory that sub-agents are created from.
pub(crate) fn user_execution_engine(process: &Process, given: &Factory) -> Factory {
    given_or_process_wide(process, CallSite::UserExecutionEngine, given)
}

fn for_request(process: &Process, site: CallSite, context: &UserExecutionContext) -> Factory {
    if process.migration.includes(site) {
        create_agent_instance_factory(process, context)
    } else {
        (process.shared.warn)(Warning::LegacyUse(site));
        get_agent_instance_factory(process)
    }
}

fn given_or_process_wide(process: &Process, site: CallSite, given: &Factory) -> Factory {
    if process.migration.includes(site) {
        Arc::clone(given)
    } else {
        (process.shared.warn)(Warning::LegacyUse(site));
        get_agent_instance_factory(process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_call_sites_reads_back() {
        for bits in 0..=Migration::ALL.0 {
            let migration = Migration(bits);
            assert_eq!(migration.to_string().parse(), Ok(migration));
        }
    }

    #[test]
    fn an_unknown_call_site_is_named_with_the_known_ones() {
        let error = "startup,websocket".parse::<Migration>().expect_err("unknown").to_string();
        assert!(error.contains("`websocket`") && error.contains("websocket_route"), "{error}");
    }
}
