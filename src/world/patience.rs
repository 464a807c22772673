//! How long somebody waits for what may not come.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::simulation;
use super::{AtRest, Place, World, unconstrained};

/// Nobody waits longer; more could not be added to every clock.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// A timer of the live world that serves one wait after the other: most waits end long before their
/// patience is out, and to set a timer up and tear it down for each would cost more than to wait.
#[derive(Debug, Default)]
pub struct Timer(Option<Pin<Box<Sleep>>>);

/// Ready once patience is out; tells whether nothing else could have come.
#[derive(Debug)]
#[must_use = "a wait does nothing unless awaited"]
pub struct Wait(Kind);

#[derive(Debug)]
enum Kind {
    /// It is out so long after it was asked for the first time.
    Live { limit: Duration, out: Option<Instant>, timer: Timer },
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
            Place::Live(_) => Kind::Live { limit, out: None, timer },
            Place::Simulated(simulation) => {
                Kind::Simulated(simulation::Patience::new(Arc::clone(simulation)))
            }
        })
    }
}

impl Wait {
    /// The timer, for another wait.
    pub fn into_timer(self) -> Timer {
        match self.0 {
            Kind::Live { timer, .. } => timer,
            Kind::Simulated(_) => Timer::default(),
        }
    }
}

impl Future for Wait {
    type Output = AtRest;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AtRest> {
        let (limit, out, timer) = match &mut self.0 {
            Kind::Live { limit, out, timer } => (*limit, out, timer),
            Kind::Simulated(patience) => {
                return Pin::new(patience).poll(context).map(|()| AtRest(true));
            }
        };
        let out = *out.get_or_insert_with(|| Instant::now() + limit.min(LONGEST));
        let timer = timer.0.get_or_insert_with(|| Box::pin(sleep_until(out)));
        if timer.deadline() > out {
            timer.as_mut().reset(out);
        }
        loop {
            ready!(Pin::new(&mut unconstrained(timer.as_mut())).poll(context));
            if timer.deadline() >= out {
                return Poll::Ready(AtRest(false));
            }
            // It rang for an earlier wait.
            timer.as_mut().reset(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits that something else ends before patience is out, and gives the timer back.
    async fn cut_short(world: &World, limit: Duration, timer: Timer) -> Timer {
        let mut patience = world.patience_by(limit, timer);
        tokio::select! {
            biased;
            _ = &mut patience => panic!("patience is out at once"),
            () = std::future::ready(()) => {}
        }
        patience.into_timer()
    }

    #[tokio::test]
    async fn each_wait_by_one_timer_takes_as_long_as_its_own_patience() {
        let [short, hour] = [20, 3_600_000].map(Duration::from_millis);
        let world = World::live(None);
        let mut timer = Timer::default();
        // It was set to ring later, and to ring earlier, and has rung.
        for before in [Some(hour), Some(short / 4), None, Some(Duration::MAX)] {
            if let Some(before) = before {
                timer = cut_short(&world, before, timer).await;
            }
            let began = Instant::now();
            let mut patience = world.patience_by(short, timer);
            tokio::select! {
                at_rest = &mut patience => assert_eq!(at_rest, AtRest(false)),
                () = tokio::time::sleep(hour / 60) => panic!("patience is not out after a minute"),
            }
            assert!(began.elapsed() >= short, "{:?} after {before:?}", began.elapsed());
            timer = patience.into_timer();
        }
    }
}
