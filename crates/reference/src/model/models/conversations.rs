//! The conversation store: two turns of one thread, and a thread of the same name of another user.

use std::sync::Arc;

use super::super::kernel::conversations::ConversationStore;
use super::super::kernel::lock;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;
use super::super::sync::Mutex;
use super::post::User;

pub(super) const APPEND: ModelSpec = ModelSpec {
    name: "conversation-append",
    about: "two runs add to one thread of alice, and one of bob to his thread of the same name",
    asserts: &[Property::Own, Property::NotLost, Property::Once],
    expected: Expected::Clean,
    bound: Bound::Complete,
    interesting: &[("run 1", "append"), ("run 2", "append"), ("run 1", "append")],
    controls: &[Control {
        name: "read, then written back",
        violates: Property::NotLost,
        pinned: 2,
        body: append::<WritesBack>,
    }],
    pinned: Pinned::both(539),
    body: append::<KernelStore>,
};

type KernelStore = ConversationStore<Key, Message>;
type Key = (User, &'static str);
type Message = (&'static str, u32);

trait Store: Send + Sync + 'static {
    fn new() -> Self;
    fn append(&self, key: Key, message: Message);
    fn read(&self, key: &Key) -> Vec<Message>;
}

impl Store for KernelStore {
    fn new() -> Self {
        Self::new(5)
    }

    fn append(&self, key: Key, message: Message) {
        self.append(key, message);
    }

    fn read(&self, key: &Key) -> Vec<Message> {
        if self.any(|other| other == key) { self.read(key).unwrap_or_default() } else { Vec::new() }
    }
}

fn append<S: Store>(stage: &Arc<Stage>) {
    let store = Arc::new(S::new());
    for (run, user) in [("run 1", "alice"), ("run 2", "alice"), ("run 3", "bob")] {
        let store = Arc::clone(&store);
        stage.spawn(run, move |actor| {
            for number in 1..=2 {
                store.append((user, "t1"), (run, number));
                actor.did("append", format!("message {number} to {user}'s t1"));
            }
        });
    }
    stage.finally(move |stage| {
        account(stage, "alice", &store.read(&("alice", "t1")), &["run 1", "run 2"]);
        account(stage, "bob", &store.read(&("bob", "t1")), &["run 3"]);
    });
}

/// The thread holds both messages of each of its runs, in order, and no other.
fn account(stage: &Stage, user: User, messages: &[Message], runs: &[&str]) {
    let foreign = messages.iter().find(|(run, _)| !runs.contains(run));
    stage.demand(foreign.is_none(), Property::Own, || {
        format!("{user}'s t1 holds a message of {foreign:?}")
    });
    for run in runs {
        let of_run = messages.iter().filter(|(by, _)| by == run);
        let numbers: Vec<u32> = of_run.map(|(_, number)| *number).collect();
        stage.demand(numbers == [1, 2], Property::NotLost, || {
            format!("{user}'s t1 holds the messages {numbers:?} of {run} instead of 1 and 2")
        });
    }
}

/// Broken: reads the messages under the lock, and writes them back under the lock again.
struct WritesBack(Mutex<Vec<(Key, Message)>>);

impl Store for WritesBack {
    fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn append(&self, key: Key, message: Message) {
        let mut messages = lock(&self.0).clone();
        messages.push((key, message));
        *lock(&self.0) = messages;
    }

    fn read(&self, key: &Key) -> Vec<Message> {
        let messages = lock(&self.0);
        messages.iter().filter(|(of, _)| of == key).map(|(_, message)| *message).collect()
    }
}
