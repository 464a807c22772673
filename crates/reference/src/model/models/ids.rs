//! Ids from several threads.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as Unseen, PoisonError};

use super::super::kernel::id_source::IdSource;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;
use super::super::sync::{AtomicU64, Ordering};

pub(super) const SOURCE: ModelSpec = ModelSpec {
    name: "id-source",
    about: "three threads take two ids each",
    asserts: &[Property::Unique],
    expected: Expected::Clean,
    bound: Bound::Complete,
    interesting: &[("user 1", "next"), ("user 2", "next"), ("user 1", "next"), ("user 3", "next")],
    controls: &[Control {
        name: "read, then written back",
        violates: Property::Unique,
        pinned: 1,
        body: reads_then_writes,
    }],
    pinned: Pinned::both(539),
    body: source,
};

fn take(stage: &Arc<Stage>, next: impl Fn() -> u64 + 'static) {
    let next = Arc::new(next);
    let seen = Arc::new(Unseen::new(BTreeSet::new()));
    for user in ["user 1", "user 2", "user 3"] {
        let (next, seen) = (Arc::clone(&next), Arc::clone(&seen));
        stage.spawn(user, move |actor| {
            for _ in 0..2 {
                let id = next();
                actor.did("next", format!("gets {id}"));
                let new = seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                actor.demand(new, Property::Unique, || format!("{user} got {id}, as another did"));
            }
        });
    }
}

fn source(stage: &Arc<Stage>) {
    let ids = IdSource::new();
    take(stage, move || ids.next());
}

/// Broken: the next number is read and written in two steps.
fn reads_then_writes(stage: &Arc<Stage>) {
    let next = AtomicU64::new(1);
    take(stage, move || {
        let id = next.load(Ordering::SeqCst);
        next.store(id + 1, Ordering::SeqCst);
        id
    });
}
