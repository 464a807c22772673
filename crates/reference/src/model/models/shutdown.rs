//! Shutdown while runs are in flight and a client connects.

use std::sync::Arc;

use super::super::kernel::gate::Gate;
use super::super::kernel::lock;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::{Actor, Stage};
use super::super::sync::Mutex;
use super::connections::TearsDownByUser;
use super::post::{KernelRegistry, Post, Registry};

pub(super) const IN_FLIGHT: ModelSpec = ModelSpec {
    name: "shutdown-in-flight",
    about: "the process shuts down while alice's run is admitted, sends an event and ends, and bob \
            connects",
    asserts: &[Property::Gated, Property::NotAfterClose, Property::NotLost, Property::Once],
    expected: Expected::Clean,
    bound: Bound::Complete,
    // The gate closes while the run is in flight, whose event finds nobody any more.
    interesting: &[
        ("alice", "enter"),
        ("shutdown", "close"),
        ("shutdown", "shut down"),
        ("alice", "emit"),
        ("alice", "leave"),
    ],
    controls: &[
        Control {
            name: "the gate is checked, then entered",
            violates: Property::Gated,
            pinned: 272,
            body: in_flight::<ChecksThenEnters, KernelRegistry>,
        },
        Control {
            name: "connections are still taken afterwards",
            violates: Property::Gated,
            pinned: 2,
            body: in_flight::<Gate, TearsDownByUser>,
        },
    ],
    pinned: Pinned::both(800),
    body: in_flight::<Gate, KernelRegistry>,
};

/// What the model needs of a gate.
trait Entrance: Send + Sync + 'static {
    fn new() -> Self;
    fn enter(&self) -> bool;
    fn leave(&self);
    fn close(&self);
    fn in_flight(&self) -> u64;
}

fn in_flight<G: Entrance, R: Registry>(stage: &Arc<Stage>) {
    let post = Post::<R>::new(stage);
    let gate = Arc::new(G::new());
    post.connect(&stage.stagehand(), "alice", "alice's tab");
    let (own, events) = (Arc::clone(&gate), Arc::clone(&post));
    stage.spawn("alice", move |actor| {
        if !own.enter() {
            actor.did("enter", "the run is refused");
            return;
        }
        actor.did("enter", "the run is let in");
        events.emit(actor, "alice", 1, "alice");
        own.leave();
        actor.did("leave", "the run has ended");
    });
    let own = Arc::clone(&post);
    stage.spawn("bob", move |actor| {
        own.connect(actor, "bob", "bob's tab");
    });
    let (own, connections) = (Arc::clone(&gate), Arc::clone(&post));
    stage.spawn("shutdown", move |actor| shut_down(actor, own.as_ref(), &connections));
    stage.finally(move |stage| {
        post.settle();
        let left = gate.in_flight();
        stage.demand(left == 0, Property::Gated, || format!("{left} runs are in flight for ever"));
        let open = post.open_lines(&["alice", "bob"]);
        stage.demand(open == 0, Property::Gated, || {
            format!("{open} connections are open after the shutdown")
        });
    });
}

/// As `Process::shut_down` does it; what it counts as in flight can only become less.
fn shut_down<R: Registry>(actor: &Actor, gate: &impl Entrance, connections: &Post<R>) {
    gate.close();
    actor.did("close", "the gate");
    connections.shut_down(actor);
    let first = gate.in_flight();
    actor.did("count", format!("{first} in flight"));
    let second = gate.in_flight();
    actor.did("count", format!("{second} in flight"));
    actor.demand(second <= first, Property::Gated, || {
        format!("{second} runs are in flight, and {first} were when the gate had closed")
    });
}

impl Entrance for Gate {
    fn new() -> Self {
        Self::new()
    }

    fn enter(&self) -> bool {
        self.enter()
    }

    fn leave(&self) {
        self.leave();
    }

    fn close(&self) {
        self.close();
    }

    fn in_flight(&self) -> u64 {
        self.in_flight()
    }
}

/// Broken: whether the gate is open is looked up under one lock, and the run is counted under
/// another.
struct ChecksThenEnters {
    open: Mutex<bool>,
    in_flight: Mutex<u64>,
}

impl Entrance for ChecksThenEnters {
    fn new() -> Self {
        Self { open: Mutex::new(true), in_flight: Mutex::new(0) }
    }

    fn enter(&self) -> bool {
        let open = *lock(&self.open);
        *lock(&self.in_flight) += u64::from(open);
        open
    }

    fn leave(&self) {
        *lock(&self.in_flight) -= 1;
    }

    fn close(&self) {
        *lock(&self.open) = false;
    }

    fn in_flight(&self) -> u64 {
        *lock(&self.in_flight)
    }
}
