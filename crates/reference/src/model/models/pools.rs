//! The pool: a thing has one user at a time, however often it goes round.

use std::sync::Arc;

use super::super::kernel::pool::Pool;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;
use super::super::sync::{AtomicU64, Ordering};

pub(super) const ONE_OWNER: ModelSpec = ModelSpec {
    name: "pool-one-owner",
    about: "three runs take a thing, use it and give it back, and there are two things",
    asserts: &[Property::Unique],
    expected: Expected::Clean,
    bound: Bound::Complete,
    // A thing goes from one run to the next.
    interesting: &[("run 1", "take"), ("run 2", "take"), ("run 1", "give back"), ("run 3", "take")],
    controls: &[Control {
        name: "given back twice",
        violates: Property::Unique,
        pinned: 16,
        body: |stage| go_round(stage, 2),
    }],
    pinned: Pinned::both(419),
    body: |stage| go_round(stage, 1),
};

fn go_round(stage: &Arc<Stage>, times: u32) {
    let pool = Arc::new(Pool::new(4));
    for name in ["thing 1", "thing 2"] {
        // How many use it now.
        pool.give_back((name, Arc::new(AtomicU64::new(0))));
    }
    for run in ["run 1", "run 2", "run 3"] {
        let pool = Arc::clone(&pool);
        stage.spawn(run, move |actor| {
            let Some((name, users)) = pool.take() else { return };
            actor.did("take", name);
            let others = users.fetch_add(1, Ordering::Relaxed);
            actor.demand(others == 0, Property::Unique, || format!("{run} uses another's {name}"));
            users.fetch_sub(1, Ordering::Relaxed);
            for _ in 0..times {
                pool.give_back((name, Arc::clone(&users)));
            }
            actor.did("give back", name);
        });
    }
}
