//! The conversation store: two turns of one thread, and a thread of the same name of another user.

use std::sync::Arc;

use super::super::kernel::conversations::ConversationStore;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;
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
        body: |stage| append(stage, writes_back),
    }],
    pinned: Pinned::both(539),
    body: |stage| append(stage, Store::append),
};

type Store = ConversationStore<Key, Message>;
type Key = (User, &'static str);
type Message = (&'static str, u32);

fn append(stage: &Arc<Stage>, append: fn(&Store, Key, Message)) {
    let store = Arc::new(Store::new(5));
    for (run, user) in [("run 1", "alice"), ("run 2", "alice"), ("run 3", "bob")] {
        let store = Arc::clone(&store);
        stage.spawn(run, move |actor| {
            for number in 1..=2 {
                append(&store, (user, "t1"), (run, number));
                actor.did("append", format!("message {number} to {user}'s t1"));
            }
        });
    }
    stage.finally(move |stage| {
        let read = |user| store.read(&(user, "t1")).unwrap_or_default();
        account(stage, "alice", &read("alice"), &["run 1", "run 2"]);
        account(stage, "bob", &read("bob"), &["run 3"]);
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
fn writes_back(store: &Store, key: Key, message: Message) {
    let mut messages = store.read(&key).unwrap_or_default();
    messages.push(message);
    store.replace(key, messages);
}
