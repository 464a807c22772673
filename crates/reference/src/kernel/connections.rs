//! The connection registry: user → live connections. Shared by necessity.

use std::collections::BTreeMap;

use super::lock;
use super::sync::Mutex;

/// Where a connection's messages go.
pub(crate) trait Sink {
    /// What is delivered.
    type Message;

    /// Takes a message without waiting; false if the connection cannot take it, which ends it.
    fn deliver(&self, message: &Self::Message) -> bool;
}

/// The live connections of every user.
///
/// A connection is removed by its own id, never by its user: the late teardown of an old connection
/// must not take the new one with it. Delivery happens under the lock, so that nothing is delivered
/// after [`disconnect`](Self::disconnect) has returned.
#[derive(Debug)]
pub(crate) struct ConnectionRegistry<K, S> {
    live: Mutex<Live<K, S>>,
}

#[derive(Debug)]
struct Live<K, S> {
    next: u64,
    open: bool,
    of: BTreeMap<K, Vec<(u64, S)>>,
}

impl<K: Ord + Clone, S: Sink> ConnectionRegistry<K, S> {
    pub(crate) fn new() -> Self {
        Self { live: Mutex::new(Live { next: 1, open: true, of: BTreeMap::new() }) }
    }

    /// Adds a connection of that user; its id is unique in the process. None once shut down.
    pub(crate) fn connect(&self, user: &K, sink: S) -> Option<u64> {
        let mut live = lock(&self.live);
        if !live.open {
            return None;
        }
        let id = live.next;
        live.next += 1;
        live.of.entry(user.clone()).or_default().push((id, sink));
        Some(id)
    }

    /// Removes that connection of that user; nothing is delivered to it from here on.
    pub(crate) fn disconnect(&self, user: &K, id: u64) {
        let mut live = lock(&self.live);
        if let Some(connections) = live.of.get_mut(user) {
            connections.retain(|(other, _)| *other != id);
            if connections.is_empty() {
                live.of.remove(user);
            }
        }
    }

    /// Delivers to every live connection of the user; tells how many took it.
    pub(crate) fn emit(&self, user: &K, message: &S::Message) -> usize {
        let mut live = lock(&self.live);
        let Some(connections) = live.of.get_mut(user) else { return 0 };
        // One that cannot keep up is dropped here, which its task sees as the end of its channel.
        connections.retain(|(_, sink)| sink.deliver(message));
        connections.len()
    }

    /// Removes every connection of that user, and gives what led to them.
    pub(crate) fn forget(&self, user: &K) -> Vec<S> {
        let forgotten = lock(&self.live).of.remove(user);
        forgotten.into_iter().flatten().map(|(_, sink)| sink).collect()
    }

    /// The users who have a live connection, in order.
    pub(crate) fn users(&self) -> Vec<K> {
        lock(&self.live).of.keys().cloned().collect()
    }

    /// Drops every connection and takes no new one.
    pub(crate) fn shut_down(&self) {
        let mut live = lock(&self.live);
        live.open = false;
        live.of.clear();
    }
}
