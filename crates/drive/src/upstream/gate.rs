//! Puts replies in order: calls wait until enough of them are there, and then go one by one.
//!
//! So it can also tell whether the target asks for several users at once: of calls that wait for
//! company, it counts those that got it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::directive::shuffled;
use partywall_core::target::{Options, Order};

/// Held by a call while its reply goes out; the next one begins when it is dropped.
pub(super) type Pass = oneshot::Sender<()>;

/// Where calls wait for each other.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    seed: u64,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    order: Order,
    hold: Duration,
    group: u64,
    calls: Vec<oneshot::Sender<Pass>>,
    company: Company,
}

/// Groups of calls that were held for company.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// Those that got it: so many calls were under way at once.
    pub met: u64,
    /// Those whose hold was over before.
    pub alone: u64,
}

impl Gate {
    pub(super) fn new(options: &Options) -> Self {
        let Options { order, seed, hold, .. } = *options;
        let (group, calls, company) = (0, Vec::new(), Company::default());
        let waiting = Waiting { order, hold, group, calls, company };
        Self { seed, waiting: Arc::new(Mutex::new(waiting)) }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on calls go in that order, and are held so long at most. Gives what held before, and
    /// begins to count anew.
    pub(super) fn set(&self, order: Order, hold: Duration) -> (Order, Duration) {
        let mut waiting = self.waiting();
        waiting.company = Company::default();
        let before = (waiting.order, waiting.hold);
        (waiting.order, waiting.hold) = (order, hold);
        before
    }

    /// The groups that were held, since the order was set.
    pub(super) fn company(&self) -> Company {
        self.waiting().company
    }

    /// Waits for this call's turn. A call that never gets enough company goes when the hold is over.
    pub(super) async fn enter(&self) -> Option<Pass> {
        let (sender, turn) = oneshot::channel();
        let (group, size, width, hold) = {
            let mut waiting = self.waiting();
            let width = match waiting.order {
                Order::Arrival => return None,
                Order::Held(width) | Order::Reversed(width) | Order::Shuffled(width) => width,
            };
            waiting.calls.push(sender);
            (waiting.group, waiting.calls.len(), usize::from(width), waiting.hold)
        };
        if size >= width {
            self.release(group, true);
        } else if size == 1 {
            let gate = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(hold).await;
                gate.release(group, false);
            });
        }
        turn.await.ok()
    }

    /// Lets that group go, unless it has gone already.
    fn release(&self, group: u64, met: bool) {
        let (calls, order, hold) = {
            let mut waiting = self.waiting();
            if waiting.group != group {
                return;
            }
            waiting.group += 1;
            waiting.company.met += u64::from(met);
            waiting.company.alone += u64::from(!met);
            (std::mem::take(&mut waiting.calls), waiting.order, waiting.hold)
        };
        let order = match order {
            Order::Shuffled(_) => shuffled(self.seed, group, calls.len()),
            Order::Reversed(_) => (0..calls.len()).rev().collect(),
            Order::Arrival | Order::Held(_) => (0..calls.len()).collect(),
        };
        let mut calls: Vec<_> = calls.into_iter().map(Some).collect();
        tokio::spawn(async move {
            for place in order {
                let Some(call) = calls[place].take() else { continue };
                let (pass, gone) = oneshot::channel();
                if call.send(pass).is_ok() {
                    // A reply that nobody reads must not hold up the others for ever.
                    let _ = tokio::time::timeout(hold, gone).await;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In which order calls that came as 0, 1, 2, … get their turn.
    fn order(order: Order, seed: u64, calls: usize) -> Vec<usize> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            // Time does not run out while the calls are there.
            let hold = Duration::from_secs(60);
            let gate = Gate::new(&Options { order, seed, hold, ..Options::default() });
            let turns = Arc::new(Mutex::new(Vec::new()));
            let call = |number| {
                let (gate, turns) = (gate.clone(), Arc::clone(&turns));
                tokio::spawn(async move {
                    let pass = gate.enter().await;
                    turns.lock().expect("nobody panics").push(number);
                    // Whoever is next has to wait for this one, however long it takes.
                    tokio::task::yield_now().await;
                    drop(pass);
                })
            };
            for task in (0..calls).map(call).collect::<Vec<_>>() {
                task.await.expect("it ends");
            }
            turns.lock().expect("nobody panics").clone()
        })
    }

    #[test]
    fn replies_come_in_the_order_that_was_chosen() {
        assert_eq!(order(Order::Arrival, 1, 4), [0, 1, 2, 3]);
        assert_eq!(order(Order::Held(4), 1, 4), [0, 1, 2, 3]);
        assert_eq!(order(Order::Reversed(4), 1, 4), [3, 2, 1, 0]);
        let shuffled = |seed| order(Order::Shuffled(8), seed, 8);
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
    }

    #[test]
    fn calls_that_are_under_way_at_once_are_told_from_those_one_after_the_other() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let gate = Gate::new(&Options::default());
            let before = gate.set(Order::Held(2), Duration::from_millis(1));
            // Each is over before the next begins.
            for _ in 0..2 {
                drop(gate.enter().await);
            }
            assert_eq!(gate.company(), Company { met: 0, alone: 2 });
            // Time does not run out while both are there.
            gate.set(Order::Held(2), Duration::from_secs(60));
            let call = || async { drop(gate.enter().await) };
            tokio::join!(call(), call());
            assert_eq!(gate.company(), Company { met: 1, alone: 0 });
            gate.set(before.0, before.1);
            assert!(gate.enter().await.is_none(), "nothing is held");
        });
    }
}
