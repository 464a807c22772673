//! The live world: tokio's tasks and clock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Nobody waits longer; more could not be added to every clock.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

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

/// The future without tokio's cooperative budget: a user who is flooded with messages must still
/// notice that it is ready.
pub fn unconstrained<F: Future>(future: F) -> impl Future<Output = F::Output> {
    tokio::task::unconstrained(future)
}

/// A timer that serves one wait after the other: most waits end long before their patience is out,
/// and to set a timer up and tear it down for each would cost more than to wait.
#[derive(Debug, Default)]
pub struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// When it rings, and for whom: while that is to come, and no later than it must, there is nothing
    /// to set up, and the timer itself, which stands elsewhere in memory, need not be looked at.
    rings: Option<(Instant, Waker)>,
}

/// Ready so long after it was asked for the first time.
#[derive(Debug)]
pub(super) struct Patience {
    limit: Duration,
    out: Option<Instant>,
    timer: Timer,
}

impl Patience {
    pub(super) fn new(limit: Duration, timer: Timer) -> Self {
        Self { limit, out: None, timer }
    }

    pub(super) fn into_timer(self) -> Timer {
        self.timer
    }
}

impl Future for Patience {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { limit, out, timer: Timer { sleep, rings } } = &mut *self;
        let out = match out {
            Some(out) => *out,
            None => {
                let now = Instant::now();
                let out = *out.insert(now + (*limit).min(LONGEST));
                if let Some((at, waker)) = rings
                    && (now < *at && *at <= out)
                    && waker.will_wake(context.waker())
                {
                    return Poll::Pending;
                }
                out
            }
        };
        // What is told of the timer holds only until it is touched.
        let told = rings.take().filter(|(_, waker)| waker.will_wake(context.waker()));
        let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(out)));
        if sleep.deadline() > out {
            sleep.as_mut().reset(out);
        }
        // It may have rung for an earlier wait.
        while Pin::new(&mut unconstrained(sleep.as_mut())).poll(context).is_ready() {
            if sleep.deadline() >= out {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(out);
        }
        let waker = told.map_or_else(|| context.waker().clone(), |(_, waker)| waker);
        *rings = Some((sleep.deadline(), waker));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::super::patience::AtRest;
    use super::super::world::World;
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

    /// Who is never without a message is told too.
    #[tokio::test]
    async fn patience_that_is_out_is_known_without_waiting_for_it() {
        let world = World::live(None);
        let mut patience = world.patience(Duration::from_millis(20));
        let began = Instant::now();
        let mut looks = 0_u32;
        while patience.is_out().await.is_none() {
            looks += 1;
            assert!(began.elapsed() < Duration::from_secs(60), "it is never out");
            // The driver of the timer gets its turn, as it does in a flood.
            tokio::task::yield_now().await;
        }
        assert!(looks > 0 && began.elapsed() >= Duration::from_millis(20));
    }

    /// A timer that has rung for a short wait does not ring again by itself.
    #[tokio::test]
    async fn a_wait_behind_one_that_was_out_at_once_is_out_too() {
        let [soon, later] = [50, 80].map(Duration::from_millis);
        let world = World::live(None);
        let timer = cut_short(&world, soon, Timer::default()).await;
        assert!(timer.rings.is_some());
        let mut patience = world.patience_by(Duration::ZERO, timer);
        (&mut patience).await;
        let timer = patience.into_timer();
        assert!(timer.rings.is_none(), "it has rung");
        // Whatever woke this task meanwhile is used up.
        tokio::task::yield_now().await;
        let mut patience = world.patience_by(later, timer);
        tokio::select! {
            _ = &mut patience => {}
            () = tokio::time::sleep(later * 1000) => panic!("it never rings"),
        }
    }

    /// The timer goes from one task to another.
    #[tokio::test]
    async fn who_waits_is_woken_whoever_had_the_timer_before() {
        let [soon, later] = [50, 80].map(Duration::from_millis);
        let world = World::live(None);
        let timer = cut_short(&world, soon, Timer::default()).await;
        let waiting = tokio::spawn(async move { world.patience_by(later, timer).await });
        let waited = tokio::time::timeout(later * 1000, waiting).await;
        assert_eq!(waited.expect("it rings").expect("it ends"), AtRest(false));
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
