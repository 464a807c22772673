//! Puts replies in order: calls wait until enough of them are there, and then go one by one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::directive::shuffled;
use partywall_core::target::{Options, Order};

/// Held by a call while its reply goes out; the next one begins when it is dropped.
pub(super) type Pass = oneshot::Sender<()>;

/// Where calls wait for each other.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    order: Order,
    seed: u64,
    hold: Duration,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    group: u64,
    calls: Vec<oneshot::Sender<Pass>>,
}

impl Gate {
    pub(super) fn new(options: &Options) -> Self {
        let Options { order, seed, hold, .. } = *options;
        Self { order, seed, hold, waiting: Arc::default() }
    }

    /// Waits for this call's turn. A call that never gets enough company goes when the hold is over.
    pub(super) async fn enter(&self) -> Option<Pass> {
        let width = match self.order {
            Order::Arrival => return None,
            Order::Held(width) | Order::Reversed(width) | Order::Shuffled(width) => {
                usize::from(width)
            }
        };
        let (sender, turn) = oneshot::channel();
        let (group, size) = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.calls.push(sender);
            (waiting.group, waiting.calls.len())
        };
        if size >= width {
            self.release(group);
        } else if size == 1 {
            let gate = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(gate.hold).await;
                gate.release(group);
            });
        }
        turn.await.ok()
    }

    /// Lets that group go, unless it has gone already.
    fn release(&self, group: u64) {
        let calls = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.group != group {
                return;
            }
            waiting.group += 1;
            std::mem::take(&mut waiting.calls)
        };
        let order = match self.order {
            Order::Shuffled(_) => shuffled(self.seed, group, calls.len()),
            Order::Reversed(_) => (0..calls.len()).rev().collect(),
            Order::Arrival | Order::Held(_) => (0..calls.len()).collect(),
        };
        let mut calls: Vec<_> = calls.into_iter().map(Some).collect();
        let hold = self.hold;
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
}
