//! How much may be asked of a server: so many runs a second by all users together, and so many
//! requests in all.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use partywall_core::failure::{Cause, Failure};

/// What is told where a request is not sent.
pub(super) fn spent() -> Failure {
    Cause::Spent.because("the limit of requests is reached: this one was not sent")
}

/// What may be asked of a server by all users and in all rounds together; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Allowance {
    requests: Option<Arc<Requests>>,
    /// Between two runs, in microseconds; 0 where they need not wait.
    between: u64,
}

#[derive(Debug)]
struct Requests {
    left: AtomicU64,
    refused: AtomicBool,
}

/// The turns of one round's runs: a world's clock begins with its round.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    /// Between two of them, in microseconds.
    between: u64,
    next: Arc<Mutex<u64>>,
}

impl Turns {
    /// How many milliseconds the next run has to wait for its turn, at that time of the round in
    /// milliseconds.
    pub(super) fn wait(&self, now: u64) -> u32 {
        if self.between == 0 {
            return 0;
        }
        let now = now.saturating_mul(1_000);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = now.max(*next);
        *next = turn + self.between;
        u32::try_from((turn - now).div_ceil(1_000)).unwrap_or(u32::MAX)
    }
}

impl Allowance {
    /// At most that many requests and messages in all, and runs in a second.
    pub fn new(requests: Option<u64>, runs_per_second: Option<u32>) -> Self {
        let requests = requests
            .map(|left| Requests { left: AtomicU64::new(left), refused: AtomicBool::new(false) });
        let between = runs_per_second.map_or(0, |rate| 1_000_000 / u64::from(rate.max(1)));
        Self { requests: requests.map(Arc::new), between }
    }

    /// Takes one request; whether it may be sent.
    pub(super) fn take(&self) -> bool {
        let Some(requests) = &self.requests else { return true };
        let less = |left: u64| left.checked_sub(1);
        let taken = requests.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        if !taken {
            requests.refused.store(true, Ordering::Relaxed);
        }
        taken
    }

    /// How many requests are left; none where there is no limit.
    pub fn left(&self) -> Option<u64> {
        self.requests.as_ref().map(|requests| requests.left.load(Ordering::Relaxed))
    }

    /// Whether something was not sent since there was nothing left.
    pub fn is_spent(&self) -> bool {
        let refused = |requests: &Arc<Requests>| requests.refused.load(Ordering::Relaxed);
        self.requests.as_ref().is_some_and(refused)
    }

    /// The turns of the next round; the first is not at once, since the last round's last run may
    /// have been.
    pub(super) fn turns(&self) -> Turns {
        Turns { between: self.between, next: Arc::new(Mutex::new(self.between)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_given_than_there_is() {
        let allowance = Allowance::new(Some(2), None);
        let shared = allowance.clone();
        assert!(allowance.take() && shared.take() && !allowance.is_spent());
        assert!(!shared.take() && allowance.is_spent());
        assert!(Allowance::default().take());
    }

    #[test]
    fn turns_are_as_far_apart_as_the_rate_says() {
        let turns = Allowance::new(None, Some(10)).turns();
        let waits: Vec<u32> = (0..5).map(|_| turns.wait(0)).collect();
        assert_eq!(waits, [100, 200, 300, 400, 500]);
        // Who comes late does not make up for it.
        assert_eq!((turns.wait(550), turns.wait(2_000), turns.wait(2_000)), (50, 0, 100));
        assert_eq!(Allowance::default().turns().wait(0), 0);
    }
}
