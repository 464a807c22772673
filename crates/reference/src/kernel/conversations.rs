//! The conversation store: what was said in each thread of each user.

use std::collections::{BTreeMap, VecDeque};

use super::lock;
use super::sync::Mutex;

/// The messages of every conversation, by a key that holds the user and the thread apart.
#[derive(Debug)]
pub(crate) struct ConversationStore<K, M> {
    most: usize,
    messages: Mutex<BTreeMap<K, VecDeque<M>>>,
}

impl<K: Ord, M: Clone> ConversationStore<K, M> {
    /// A store that keeps at most that many messages of a conversation, the newest.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, messages: Mutex::new(BTreeMap::new()) }
    }

    /// Adds a message.
    pub(crate) fn append(&self, key: K, message: M) {
        let mut messages = lock(&self.messages);
        let conversation = messages.entry(key).or_default();
        if conversation.len() == self.most {
            conversation.pop_front();
        }
        conversation.push_back(message);
    }

    /// Replaces all messages of a conversation.
    pub(crate) fn replace(&self, key: K, messages: Vec<M>) {
        lock(&self.messages).insert(key, messages.into());
    }

    /// The messages of that conversation; none if there is no such conversation.
    pub(crate) fn read(&self, key: &K) -> Option<Vec<M>> {
        lock(&self.messages).get(key).map(|conversation| conversation.iter().cloned().collect())
    }

    /// Whether any conversation's key satisfies the predicate.
    pub(crate) fn any(&self, predicate: impl Fn(&K) -> bool) -> bool {
        lock(&self.messages).keys().any(predicate)
    }
}
