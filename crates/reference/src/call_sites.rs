//! The call sites of the factory. Each migrates alone, so an incomplete migration is a real state.
//!
//! The migrated form of a site uses the factory that it is given (or makes one for the request), the
//! legacy form asks for the process-wide one.

use std::sync::Arc;

use super::context::UserExecutionContext;
use super::factory::{
    AgentInstanceFactory, configure_agent_instance_factory, create_agent_instance_factory,
    get_agent_instance_factory,
};
use super::process::Process;
use super::warning::Warning;
pub use partywall_core::call_site::{CallSite, Migration};

type Factory = Arc<AgentInstanceFactory>;

/// Legacy: configures the process-wide factory. Migrated: nothing is process-wide.
pub(crate) fn startup(process: &Process) {
    if is_legacy(process, CallSite::Startup) {
        configure_agent_instance_factory(process);
    }
}

/// The factory of a request: an HTTP request, or a chat message on a socket.
pub(crate) fn for_request(
    process: &Process,
    site: CallSite,
    context: &UserExecutionContext,
) -> Factory {
    match is_legacy(process, site) {
        true => get_agent_instance_factory(process),
        false => create_agent_instance_factory(process, context),
    }
}

/// The factory that is passed on within a request: what the supervisor keeps, what execution
/// engines are built with, and what sub-agents are created from.
pub(crate) fn passed_on(process: &Process, site: CallSite, given: &Factory) -> Factory {
    match is_legacy(process, site) {
        true => get_agent_instance_factory(process),
        false => Arc::clone(given),
    }
}

/// Whether the site is not migrated; it says so where it is used.
fn is_legacy(process: &Process, site: CallSite) -> bool {
    let is_legacy = !process.migration.includes(site);
    if is_legacy {
        process.shared.warn(Warning::LegacyUse(site));
    }
    is_legacy
}
