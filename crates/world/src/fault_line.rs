//! Fault lines: what production may drop, and where a trial drops it.
//!
//! Only what production drops may be dropped: the handler of a client that went, a future under a
//! time limit, an event connection. Each time such a future is left pending a fault point is
//! passed, and the plan says at which of them the fault strikes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::simulation::Simulation;
use super::world::{Place, World};
use partywall_core::ids::UserName;
use partywall_core::plan::FaultKind;

/// Something that may break, by the plan; in the live world it breaks by itself.
#[derive(Debug)]
pub struct FaultLine {
    simulation: Option<Arc<Simulation>>,
    user: UserName,
    kind: FaultKind,
    struck: bool,
}

/// The future was dropped, by a fault or by its time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("it was dropped before it was done")
    }
}

impl std::error::Error for Dropped {}

impl World {
    /// A place where a fault of that kind may strike the user's work.
    pub fn fault_line(&self, user: &UserName, kind: FaultKind) -> FaultLine {
        let simulation = match &self.place {
            Place::Live(_) => None,
            Place::Simulated(simulation) => Some(Arc::clone(simulation)),
        };
        FaultLine { simulation, user: user.clone(), kind, struck: false }
    }

    /// The future under a time limit. In the simulated world time passes only where the plan says
    /// so, with a [`FaultKind::TimeOut`] for that user.
    ///
    /// # Errors
    ///
    /// [`Dropped`] when the time is up; the future is gone by then.
    pub async fn time_limit<F: Future>(
        &self,
        user: &UserName,
        limit: Duration,
        future: F,
    ) -> Result<F::Output, Dropped> {
        match &self.place {
            Place::Live(_) => tokio::time::timeout(limit, future).await.map_err(|_| Dropped),
            Place::Simulated(_) => self.fault_line(user, FaultKind::TimeOut).guard(future).await,
        }
    }
}

impl FaultLine {
    /// Runs the future unless a fault strikes; each time that it is pending, a fault point is
    /// passed. A line that was struck stays broken.
    ///
    /// # Errors
    ///
    /// [`Dropped`] where a fault struck; the future is gone by then.
    pub async fn guard<F: Future>(&mut self, future: F) -> Result<F::Output, Dropped> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.struck {
                return Poll::Ready(Err(Dropped));
            }
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            let simulation = self.simulation.as_ref();
            if simulation.is_some_and(|simulation| simulation.pass(&self.user, self.kind)) {
                self.struck = true;
                // By default the task goes on at once, so that it breaks exactly here.
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }
}
