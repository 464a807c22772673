//! A bounded table: what the process remembers by key. Caches, logs and controls are tables.

use std::collections::{BTreeMap, VecDeque};

use super::lock;
use super::sync::Mutex;

/// Values by key; where there are too many, the oldest key is forgotten.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    most: usize,
    entries: Mutex<Entries<K, V>>,
}

#[derive(Debug)]
struct Entries<K, V> {
    values: BTreeMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// A table that keeps at most that many keys, the newest.
    pub(crate) fn new(most: usize) -> Self {
        let entries = Entries { values: BTreeMap::new(), order: VecDeque::new() };
        Self { most, entries: Mutex::new(entries) }
    }

    /// The value of that key.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        lock(&self.entries).values.get(key).cloned()
    }

    /// Sets the value of that key; gives the one that it replaces.
    pub(crate) fn put(&self, key: K, value: V) -> Option<V> {
        let mut entries = lock(&self.entries);
        entries.enter(&key, self.most);
        entries.values.insert(key, value)
    }

    /// Takes the value of that key out.
    pub(crate) fn take(&self, key: &K) -> Option<V> {
        let mut entries = lock(&self.entries);
        entries.order.retain(|other| other != key);
        entries.values.remove(key)
    }

    /// Changes the value of that key in one go; one that is missing is made first.
    pub(crate) fn change<R>(
        &self,
        key: K,
        make: impl FnOnce() -> V,
        change: impl FnOnce(&mut V) -> R,
    ) -> R {
        let mut entries = lock(&self.entries);
        entries.enter(&key, self.most);
        change(entries.values.entry(key).or_insert_with(make))
    }

    /// Changes the value of that key in one go, if there is one.
    pub(crate) fn edit<R>(&self, key: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        lock(&self.entries).values.get_mut(key).map(change)
    }

    /// Every value, in the order of the keys.
    pub(crate) fn values(&self) -> Vec<V> {
        lock(&self.entries).values.values().cloned().collect()
    }
}

impl<K: Ord + Clone, V> Entries<K, V> {
    /// Makes room for a key that is new, which from here on is the newest.
    fn enter(&mut self, key: &K, most: usize) {
        if self.values.contains_key(key) {
            return;
        }
        while self.order.len() >= most.max(1)
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
        self.order.push_back(key.clone());
    }
}
