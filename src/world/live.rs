//! The live world: tokio's tasks and clock.

use std::future::Future;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Live {
    started: Instant,
}

impl Live {
    pub(super) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    #[expect(clippy::unused_self, reason = "spawning needs a live world, even if no field of it")]
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        tokio::spawn(task)
    }
}
