//! How a process starts.

use std::sync::Arc;

use super::call_sites::startup;
use super::defects::Defect;
use super::kernel::singleton::Singleton;
use super::process::Process;
use super::shared::Shared;
use super::warning::{Warn, to_nobody};
use partywall_core::call_site::Migration;
use partywall_world::World;

impl Process {
    /// A process whose given call sites are migrated. Start-up has run.
    pub fn start(world: World, migration: Migration) -> Arc<Self> {
        Self::with_defect(world, migration, None)
    }

    /// The same with that defect switched on.
    pub fn with_defect(world: World, migration: Migration, defect: Option<Defect>) -> Arc<Self> {
        Self::that_warns(world, migration, defect, to_nobody)
    }

    /// The same; it says what it does that the migration is to take away.
    pub fn that_warns(
        world: World,
        migration: Migration,
        defect: Option<Defect>,
        warn: Warn,
    ) -> Arc<Self> {
        let shared = Shared::new(world, defect, warn);
        let process =
            Arc::new(Self { shared: Arc::new(shared), migration, singleton: Singleton::new() });
        startup(&process);
        process
    }
}
