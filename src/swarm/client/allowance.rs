//! How much may be asked of a server: so many runs a second by all users together, and so many
//! requests in all.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is told where a request is not sent.
pub(super) const SPENT: &str = "the limit of requests is reached: this one was not sent";

/// What may be asked of a server by all users and in all rounds together; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Allowance {
    requests: Option<Arc<Requests>>,
    rate: Option<Arc<Rate>>,
}

#[derive(Debug)]
struct Requests {
    left: AtomicU64,
    refused: AtomicBool,
}

#[derive(Debug)]
struct Rate {
    between: Duration,
    next: Mutex<Option<Instant>>,
}

impl Allowance {
    /// At most that many requests and messages in all, and runs in a second.
    pub fn new(requests: Option<u64>, runs_per_second: Option<u32>) -> Self {
        let requests = requests
            .map(|left| Requests { left: AtomicU64::new(left), refused: AtomicBool::new(false) });
        let between = runs_per_second.map(|rate| Duration::from_secs(1) / rate.max(1));
        let rate = between.map(|between| Rate { between, next: Mutex::new(None) });
        Self { requests: requests.map(Arc::new), rate: rate.map(Arc::new) }
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

    /// Whether something was not sent since there was nothing left.
    pub fn is_spent(&self) -> bool {
        let refused = |requests: &Arc<Requests>| requests.refused.load(Ordering::Relaxed);
        self.requests.as_ref().is_some_and(refused)
    }

    /// How long the next run has to wait for its turn.
    pub(super) fn turn(&self) -> Duration {
        let Some(rate) = &self.rate else { return Duration::ZERO };
        let now = Instant::now();
        let mut next = rate.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.unwrap_or(now).max(now);
        *next = Some(turn + rate.between);
        turn - now
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
        let allowance = Allowance::new(None, Some(10));
        let turns: Vec<Duration> = (0..20).map(|_| allowance.turn()).collect();
        // The clock goes on meanwhile, so a turn is at most that far off, and never earlier.
        let last = *turns.last().expect("twenty");
        assert!(turns[0] == Duration::ZERO && turns.is_sorted());
        assert!(last <= Duration::from_millis(1_900) && last > Duration::from_millis(1_000));
        assert_eq!(Allowance::default().turn(), Duration::ZERO);
    }
}
