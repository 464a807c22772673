//! The emitter pool: an emitter is taken, given back, and taken by another run.

use std::sync::Arc;

use super::super::kernel::emitters::{EmitterPool, PooledEmitter};
use super::super::kernel::lock;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;
use super::super::sync::Mutex;
use super::post::User;

pub(super) const POOL: ModelSpec = ModelSpec {
    name: "emitter-pool",
    about: "two runs of alice and one of bob take an emitter, number two events, and give it back",
    asserts: &[Property::Fresh],
    expected: Expected::Clean,
    bound: Bound::Complete,
    // While a third run holds another, an emitter goes from one run of alice to the next.
    interesting: &[
        ("run 3", "take"),
        ("run 1", "take"),
        ("run 1", "give back"),
        ("run 2", "take"),
        ("run 3", "give back"),
    ],
    controls: &[Control {
        name: "a pool that does not reset",
        violates: Property::Fresh,
        pinned: 1,
        body: take_and_give_back::<NeverResets>,
    }],
    pinned: Pinned::both(539),
    body: take_and_give_back::<EmitterPool<User, Run>>,
};

type Run = &'static str;

/// What the model needs of a pool.
trait Pool: 'static {
    type Emitter;
    fn new() -> Self;
    fn take(&self, user: User, run: Run) -> Self::Emitter;
    fn give_back(&self, user: User, emitter: Self::Emitter);
    /// Whose run the emitter speaks for, and the number of its next event.
    fn number(emitter: &mut Self::Emitter) -> (Option<Run>, u64);
}

fn take_and_give_back<P: Pool>(stage: &Arc<Stage>) {
    let pool = Arc::new(P::new());
    for (run, user) in [("run 1", "alice"), ("run 2", "alice"), ("run 3", "bob")] {
        let pool = Arc::clone(&pool);
        stage.spawn(run, move |actor| {
            let mut emitter = pool.take(user, run);
            actor.did("take", format!("an emitter of {user}"));
            for expected in 1..=2 {
                let (speaks_for, number) = P::number(&mut emitter);
                actor.did("number", format!("event {number} of {}", speaks_for.unwrap_or("none")));
                actor.demand(
                    (speaks_for, number) == (Some(run), expected),
                    Property::Fresh,
                    || {
                        format!(
                            "{run}'s event {expected} leaves as event {number} of {}",
                            speaks_for.unwrap_or("no run")
                        )
                    },
                );
            }
            pool.give_back(user, emitter);
            actor.did("give back", format!("the emitter to {user}'s"));
        });
    }
}

impl Pool for EmitterPool<User, Run> {
    type Emitter = PooledEmitter<Run>;

    fn new() -> Self {
        Self::new(1)
    }

    fn take(&self, user: User, run: Run) -> Self::Emitter {
        self.take(&user, run)
    }

    fn give_back(&self, user: User, emitter: Self::Emitter) {
        self.give_back(&user, emitter);
    }

    fn number(emitter: &mut Self::Emitter) -> (Option<Run>, u64) {
        let number = emitter.next_sequence();
        (emitter.run().copied(), number)
    }
}

/// Broken: an emitter goes on where the run before left off.
struct NeverResets(Mutex<Vec<(User, Run, u64)>>);

impl Pool for NeverResets {
    type Emitter = (User, Run, u64);

    fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn take(&self, user: User, run: Run) -> Self::Emitter {
        let mut idle = lock(&self.0);
        let place = idle.iter().position(|(of, ..)| *of == user);
        place.map_or((user, run, 0), |place| idle.remove(place))
    }

    fn give_back(&self, _: User, emitter: Self::Emitter) {
        lock(&self.0).push(emitter);
    }

    fn number((_, run, sequence): &mut Self::Emitter) -> (Option<Run>, u64) {
        *sequence += 1;
        (Some(run), *sequence)
    }
}
