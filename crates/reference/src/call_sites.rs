//! The call sites of the factory. Each migrates alone, so an incomplete migration is a real state.
//!
//! Every site is one function here: the migrated form uses the factory that it is given (or makes
//! one for the request), the legacy form asks for the process-wide one.

use std::sync::Arc;

use super::context::UserExecutionContext;
use super::factory::{
    AgentInstanceFactory, configure_agent_instance_factory, create_agent_instance_factory,
    get_agent_instance_factory,
};
use super::process::Process;
use super::warning::Warning;
pub use partywall_core::call_site::{CallSite, Migration, UnknownCallSite};

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
