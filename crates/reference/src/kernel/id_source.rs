//! The id source: a counter, so that no two runs of a process have one name.

use super::sync::{AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct IdSource {
    next: AtomicU64,
}

impl IdSource {
    pub(crate) fn new() -> Self {
        Self { next: AtomicU64::new(1) }
    }

    /// A number that no other call returns.
    pub(crate) fn next(&self) -> u64 {
        // Only uniqueness is asked of it, which relaxed read-modify-write gives.
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}
