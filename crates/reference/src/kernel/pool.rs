//! A pool of things that are used by one at a time and then by the next.

use super::lock;
use super::sync::Mutex;

/// Idle things; the one that was given back last is taken first.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    most: usize,
    idle: Mutex<Vec<T>>,
}

impl<T> Pool<T> {
    /// A pool that keeps at most that many idle things.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, idle: Mutex::new(Vec::new()) }
    }

    /// An idle thing, which is the taker's alone from here on; none if there is none.
    pub(crate) fn take(&self) -> Option<T> {
        lock(&self.idle).pop()
    }

    /// Takes a thing back; one too many is dropped.
    pub(crate) fn give_back(&self, thing: T) {
        let mut idle = lock(&self.idle);
        if idle.len() < self.most {
            idle.push(thing);
        }
    }
}
