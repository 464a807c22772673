//! A place where a known number of tasks arrive, and where any task can wait for all of them.

use tokio::sync::watch;

use partywall_world::World;

#[derive(Clone, Debug)]
pub(super) struct Latch {
    width: usize,
    arrived: watch::Sender<usize>,
}

impl Latch {
    pub(super) fn new(width: usize) -> Self {
        Self { width, arrived: watch::Sender::new(0) }
    }

    pub(super) fn arrive(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
    }

    /// Waits until all have arrived.
    pub(super) async fn wait(&self, world: &World) {
        world.turn().await;
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.arrived.subscribe().wait_for(|arrived| *arrived >= self.width).await;
    }
}

/// Arrives when dropped, however its holder ended: others must not wait for one that is gone.
#[derive(Debug)]
pub(super) struct Arrival(Option<Latch>);

impl Arrival {
    pub(super) fn at(latch: &Latch) -> Self {
        Self(Some(latch.clone()))
    }

    pub(super) fn now(&mut self) {
        if let Some(latch) = self.0.take() {
            latch.arrive();
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.now();
    }
}
