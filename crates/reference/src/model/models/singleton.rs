//! First use of the singleton by several threads at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::kernel::lock;
use super::super::kernel::singleton::Singleton;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;
use super::super::sync::Mutex;

pub(super) const FIRST_USE: ModelSpec = ModelSpec {
    name: "singleton-first-use",
    about: "three threads use the singleton twice, and nobody has made it",
    asserts: &[Property::Unique],
    expected: Expected::Clean,
    bound: Bound::Complete,
    interesting: &[("user 1", "get"), ("user 2", "get"), ("user 1", "get"), ("user 3", "get")],
    controls: &[Control {
        name: "check, then make",
        violates: Property::Unique,
        pinned: 126,
        body: checks_then_makes,
    }],
    pinned: Pinned::both(539),
    body: makes_once,
};

/// The value, which says who made it.
struct MadeBy(&'static str);

/// First use of what gives the value, or makes it so.
fn first_use(
    stage: &Arc<Stage>,
    get_or_make: impl Fn(&dyn Fn() -> MadeBy) -> Arc<MadeBy> + 'static,
) {
    let get_or_make = Arc::new(get_or_make);
    let made = Arc::new(AtomicU32::new(0));
    for user in ["user 1", "user 2", "user 3"] {
        let (get_or_make, made) = (Arc::clone(&get_or_make), Arc::clone(&made));
        stage.spawn(user, move |actor| {
            let get = || {
                let value = get_or_make(&|| {
                    made.fetch_add(1, Ordering::Relaxed);
                    MadeBy(user)
                });
                actor.did("get", format!("the one that {} made", value.0));
                value
            };
            let (first, second) = (get(), get());
            actor.demand(Arc::ptr_eq(&first, &second), Property::Unique, || {
                format!("{user} got two: the one that {} made, then that of {}", first.0, second.0)
            });
        });
    }
    stage.finally(move |stage| {
        let made = made.load(Ordering::Relaxed);
        stage.demand(made == 1, Property::Unique, || format!("it was made {made} times"));
    });
}

fn makes_once(stage: &Arc<Stage>) {
    let slot = Singleton::new();
    first_use(stage, move |make| slot.get_or_make(make));
}

/// Broken: looks under the lock whether there is one, and makes it when the lock is free again.
fn checks_then_makes(stage: &Arc<Stage>) {
    let slot: Mutex<Option<Arc<MadeBy>>> = Mutex::new(None);
    first_use(stage, move |make| {
        let there = lock(&slot).clone();
        there.unwrap_or_else(|| {
            let made = Arc::new(make());
            *lock(&slot) = Some(Arc::clone(&made));
            made
        })
    });
}
