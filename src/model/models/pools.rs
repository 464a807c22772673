//! The pool: a thing has one user at a time, however often it goes round.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as Unseen, PoisonError};

use super::super::kernel::pool::Pool;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;

pub(super) const ONE_OWNER: ModelSpec = ModelSpec {
    name: "pool-one-owner",
    about: "three runs take a thing, use it and give it back, and there are two things",
    asserts: &[Property::Unique],
    expected: Expected::Clean,
    bound: Bound::Complete,
    interesting: &[("run 1", "take"), ("run 2", "take"), ("run 1", "give back"), ("run 3", "take")],
    controls: &[Control {
        name: "given back twice",
        violates: Property::Unique,
        pinned: 1,
        body: |stage| go_round(stage, 2),
    }],
    pinned: Pinned::both(1),
    body: |stage| go_round(stage, 1),
};

fn go_round(stage: &Arc<Stage>, times: u32) {
    let pool = Arc::new(Pool::new(4));
    let in_use = Arc::new(Unseen::new(BTreeSet::new()));
    for thing in 1..=2_u32 {
        pool.give_back(thing);
    }
    for run in ["run 1", "run 2", "run 3"] {
        let (pool, in_use) = (Arc::clone(&pool), Arc::clone(&in_use));
        stage.spawn(run, move |actor| {
            let Some(thing) = pool.take() else { return };
            actor.did("take", format!("thing {thing}"));
            let alone = in_use.lock().unwrap_or_else(PoisonError::into_inner).insert(thing);
            actor.demand(alone, Property::Unique, || format!("{run} has what another uses"));
            // Used until here; from now on it may be another's.
            in_use.lock().unwrap_or_else(PoisonError::into_inner).remove(&thing);
            for _ in 0..times {
                pool.give_back(thing);
            }
            actor.did("give back", format!("thing {thing}"));
            // Whoever gave it back once must not find it in the pool beside itself.
            let again = (pool.take(), pool.take());
            let twice = again.0.is_some() && again.0 == again.1;
            actor.demand(!twice, Property::Unique, || format!("{run} takes one thing twice"));
            for thing in [again.0, again.1].into_iter().flatten() {
                pool.give_back(thing);
            }
        });
    }
}
