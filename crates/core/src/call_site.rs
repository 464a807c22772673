//! Which call sites of the factory there are, and which of them are migrated.

use std::fmt;
use std::str::FromStr;

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
