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
        body: |stage| take(stage, ReadsThenWrites(AtomicU64::new(1))),
    }],
    pinned: Pinned::both(539),
    body: |stage| take(stage, IdSource::new()),
};

/// What the model needs of an id source.
trait Ids: 'static {
    fn next(&self) -> u64;
}

fn take(stage: &Arc<Stage>, ids: impl Ids) {
    let ids = Arc::new(ids);
    let seen = Arc::new(Unseen::new(BTreeSet::new()));
    for user in ["user 1", "user 2", "user 3"] {
        let (ids, seen) = (Arc::clone(&ids), Arc::clone(&seen));
        stage.spawn(user, move |actor| {
            for _ in 0..2 {
                let id = ids.next();
                actor.did("next", format!("gets {id}"));
                let new = seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                actor.demand(new, Property::Unique, || format!("{user} got {id}, as another did"));
            }
        });
    }
}

impl Ids for IdSource {
    fn next(&self) -> u64 {
        self.next()
    }
}

/// Broken: the next number is read and written in two steps.
struct ReadsThenWrites(AtomicU64);

impl Ids for ReadsThenWrites {
    fn next(&self) -> u64 {
        let id = self.0.load(Ordering::SeqCst);
        self.0.store(id + 1, Ordering::SeqCst);
        id
    }
}
