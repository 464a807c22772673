//! Started tasks.

use std::sync::Arc;

use super::simulation::{Simulation, TaskId};

/// A started task. Dropping the handle lets the task live on.
#[derive(Debug)]
pub struct Task(pub(super) TaskPlace);

#[derive(Debug)]
pub(super) enum TaskPlace {
    Live(tokio::task::JoinHandle<()>),
    Simulated(Arc<Simulation>, TaskId),
}

impl Task {
    /// Drops the task's future at its next switch point.
    pub fn abort(&self) {
        match &self.0 {
            TaskPlace::Live(handle) => handle.abort(),
            TaskPlace::Simulated(simulation, id) => simulation.abort(*id),
        }
    }

    /// Ties the task to this value: dropped, it aborts the task.
    pub fn abort_on_drop(self) -> AbortOnDrop {
        AbortOnDrop(self)
    }
}

/// Aborts its task when dropped, as a server drops the handler of a client that went.
#[derive(Debug)]
pub struct AbortOnDrop(Task);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
