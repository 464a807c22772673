//! How a process starts.

use std::sync::Arc;

use super::call_sites::startup;
use super::defects::Defect;
use super::kernel::singleton::Singleton;
use super::process::Process;
use super::shared::Shared;
use super::warning::Warn;
use partywall_core::call_site::Migration;
use partywall_world::World;

impl Process {
    /// A process whose given call sites are migrated, with that defect switched on. Start-up has
    /// run. Whoever is to be told is told of what it does that the migration is to take away.
    pub fn start(
        world: World,
        migration: Migration,
        defect: Option<Defect>,
        warn: Option<Warn>,
    ) -> Arc<Self> {
        let shared = Arc::new(Shared::new(world, defect, warn));
        let process = Arc::new(Self { shared, migration, singleton: Singleton::new() });
        startup(&process);
        process
    }
}
