//! What is process-wide in the modelled system, as a value: two trials share nothing.

use std::sync::Arc;

use super::factory::AgentInstanceFactory;
use super::kernel::singleton::Singleton;
use super::shared::Shared;
use partywall_core::call_site::Migration;

/// One server process of the modelled system.
#[derive(Debug)]
pub struct Process {
    pub(crate) shared: Arc<Shared>,
    pub(crate) migration: Migration,
    /// The process-wide factory: what the migration takes away, call site by call site.
    pub(crate) singleton: Singleton<AgentInstanceFactory>,
}

impl Process {
    /// Takes no new run, ends every connection, and tells how many runs are still in flight.
    pub fn shut_down(&self) -> u64 {
        self.shared.gate.close();
        self.shared.connections.shut_down();
        self.shared.gate.in_flight()
    }
}
