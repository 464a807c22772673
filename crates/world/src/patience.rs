//! How long somebody waits for what may not come.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::live::{self, Timer};
use super::simulation;
use super::world::{Place, World};

/// Whether nothing else could have come when patience was out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtRest(pub bool);

/// Ready once patience is out; tells whether nothing else could have come.
#[derive(Debug)]
#[must_use = "a wait does nothing unless awaited"]
pub struct Wait(Kind);

#[derive(Debug)]
enum Kind {
    /// It is out so long after it was asked for the first time.
    Live(live::Patience),
    /// It is out when no task can go on.
    Simulated(simulation::Patience),
}

impl World {
    /// Waits until patience is out, and tells whether nothing else could have come.
    ///
    /// In the simulated world that is when no task can go on: time passes for nobody else, so a
    /// user who waits in vain is told so without a clock.
    pub fn patience(&self, limit: Duration) -> Wait {
        self.patience_by(limit, Timer::default())
    }

    /// The same, by a timer that served a wait before.
    pub fn patience_by(&self, limit: Duration, timer: Timer) -> Wait {
        Wait(match &self.place {
            Place::Live(_) => Kind::Live(live::Patience::new(limit, timer)),
            Place::Simulated(simulation) => {
                Kind::Simulated(simulation::Patience::new(Arc::clone(simulation)))
            }
        })
    }
}

impl Wait {
    /// Whether patience is out by the clock. Whoever never has to wait, since more has come already,
    /// would else not be told: the runtime makes such a one pause before they come to ask.
    pub async fn is_out(&mut self) -> Option<AtRest> {
        let Kind::Live(patience) = &mut self.0 else { return None };
        let looked =
            std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *patience).poll(context)));
        looked.await.is_ready().then_some(AtRest(false))
    }

    /// The timer, for another wait.
    pub fn into_timer(self) -> Timer {
        match self.0 {
            Kind::Live(patience) => patience.into_timer(),
            Kind::Simulated(_) => Timer::default(),
        }
    }
}

impl Future for Wait {
    type Output = AtRest;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AtRest> {
        match &mut self.0 {
            Kind::Live(patience) => Pin::new(patience).poll(context).map(|()| AtRest(false)),
            Kind::Simulated(patience) => Pin::new(patience).poll(context).map(|()| AtRest(true)),
        }
    }
}
