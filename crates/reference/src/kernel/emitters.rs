//! The emitter pool: senders of (user, run), reused between runs of one user.

use std::collections::BTreeMap;

use super::lock;
use super::sync::Mutex;

/// The part of an emitter that must be new for each run: whose it is, and how far it has counted.
#[derive(Debug)]
pub(crate) struct PooledEmitter<R> {
    run: Option<R>,
    sequence: u64,
}

impl<R> PooledEmitter<R> {
    /// The run that it speaks for; none while it is in the pool.
    pub(crate) fn run(&self) -> Option<&R> {
        self.run.as_ref()
    }

    /// The number of the next event of the run, from 1.
    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

/// Idle emitters, by user.
#[derive(Debug)]
pub(crate) struct EmitterPool<K, R> {
    most: usize,
    idle: Mutex<BTreeMap<K, Vec<PooledEmitter<R>>>>,
}

impl<K: Ord + Clone, R> EmitterPool<K, R> {
    /// A pool that keeps at most that many idle emitters of a user.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, idle: Mutex::new(BTreeMap::new()) }
    }

    /// An emitter for that run, reset: it starts to count anew.
    pub(crate) fn take(&self, user: &K, run: R) -> PooledEmitter<R> {
        let idle = lock(&self.idle).get_mut(user).and_then(Vec::pop);
        let mut emitter = idle.unwrap_or(PooledEmitter { run: None, sequence: 0 });
        emitter.run = Some(run);
        emitter.sequence = 0;
        emitter
    }

    /// Takes the emitter back; it no longer speaks for its run.
    pub(crate) fn give_back(&self, user: &K, mut emitter: PooledEmitter<R>) {
        emitter.run = None;
        let mut idle = lock(&self.idle);
        let of_user = idle.entry(user.clone()).or_default();
        if of_user.len() < self.most {
            of_user.push(emitter);
        }
    }
}
