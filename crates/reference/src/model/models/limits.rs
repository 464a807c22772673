//! Per-user limits: runs that wait for a seat, take one, give it back, or are cancelled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

use super::super::kernel::limits::UserLimits;
use super::super::kernel::lock;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::{Actor, Stage};
use super::super::sync::Mutex;
use super::post::User;

pub(super) const CANCEL: ModelSpec = ModelSpec {
    name: "limit-cancel",
    about: "one seat: a run has it and gives it back, one is cancelled while it waits, and one \
            waits until it is its turn",
    asserts: &[Property::Progress, Property::Permits],
    expected: Expected::Clean,
    bound: Bound::Complete,
    // The seat is offered to the one that is just being cancelled.
    interesting: &[
        ("cancelled", "queue"),
        ("waiting", "queue"),
        ("holder", "release"),
        ("cancelled", "cancel"),
        ("waiting", "acquire"),
    ],
    controls: &[
        Control {
            name: "a wake-up is not passed on",
            violates: Property::Progress,
            pinned: 162,
            body: |stage| cancel::<KeepsWakeUps>(stage, Cancel::LeavesQueue),
        },
        Control {
            name: "the seat is not released on cancel",
            violates: Property::Permits,
            pinned: 1,
            body: |stage| cancel::<KernelLimits>(stage, Cancel::KeepsSeat),
        },
        Control {
            name: "the place in the queue is not given up on cancel",
            violates: Property::Progress,
            pinned: 60,
            body: |stage| cancel::<KernelLimits>(stage, Cancel::StaysInQueue),
        },
    ],
    pinned: Pinned::both(431),
    body: |stage| cancel::<KernelLimits>(stage, Cancel::LeavesQueue),
};

pub(super) const TWO_SEATS: ModelSpec = ModelSpec {
    name: "limit-two-seats",
    about: "two seats, both taken: they come free while two runs wait, in either order",
    bound: Bound::Preemptions { usual: 2, thorough: 3 },
    interesting: &[
        ("waiting 1", "queue"),
        ("waiting 2", "queue"),
        ("holder 1", "release"),
        ("holder 2", "release"),
        ("waiting 1", "acquire"),
        ("waiting 2", "acquire"),
    ],
    controls: &[Control {
        name: "a wake-up is not passed on",
        violates: Property::Progress,
        pinned: 85,
        body: two_seats::<KeepsWakeUps>,
    }],
    pinned: Pinned { usual: 9_220, thorough: 45_963 },
    body: two_seats::<KernelLimits>,
    ..CANCEL
};

type KernelLimits = UserLimits<User>;

/// What the models need of the limits.
trait Limits: Send + Sync + 'static {
    fn new(seats: u32) -> Self;
    fn acquire(&self, ticket: &mut Option<u64>, waker: &Waker) -> bool;
    fn release(&self);
    fn leave_queue(&self, ticket: u64);
}

/// What a cancelled run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancel {
    LeavesQueue,
    StaysInQueue,
    KeepsSeat,
}

/// The limits, and how many seats are out by the model's own account.
struct Room<L> {
    limits: L,
    seats: u32,
    out: AtomicU32,
}

impl<L: Limits> Room<L> {
    fn new(seats: u32) -> Arc<Self> {
        Arc::new(Self { limits: L::new(seats), seats, out: AtomicU32::new(0) })
    }

    fn acquire(&self, actor: &Actor, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        if !self.limits.acquire(ticket, waker) {
            actor.did("queue", "no seat is free, or others wait before");
            return false;
        }
        let out = self.out.fetch_add(1, Ordering::Relaxed) + 1;
        actor.did("acquire", format!("takes a seat: {out} of {} are out", self.seats));
        actor.demand(out <= self.seats, Property::Permits, || {
            format!("{out} seats are out of {}", self.seats)
        });
        true
    }

    fn release(&self, actor: &Actor) {
        self.limits.release();
        self.out.fetch_sub(1, Ordering::Relaxed);
        actor.did("release", "gives the seat back");
    }

    /// Waits for a seat, as a task does that is polled when it is woken. With more than one waker,
    /// each poll brings the next and keeps the last, as a future does that moves to another task.
    fn wait<const WAKERS: usize>(&self, actor: &Actor) {
        let bells: [Arc<Bell>; WAKERS] = std::array::from_fn(|_| Arc::default());
        let mut ticket = None;
        let mut polls = 0;
        loop {
            let bell = &bells[polls.min(WAKERS - 1)];
            if self.acquire(actor, &mut ticket, &Waker::from(Arc::clone(bell))) {
                return;
            }
            // Loom lets each bell ring once for no reason, as a task may be polled for none.
            bell.0.wait();
            polls += 1;
        }
    }

    /// When all threads have ended, every seat can be taken.
    fn settle(&self, stage: &Stage) {
        let free = (0..self.seats).filter(|_| self.limits.acquire(&mut None, Waker::noop()));
        let free = free.count();
        stage.demand(free == self.seats as usize, Property::Permits, || {
            format!("only {free} of {} seats were returned", self.seats)
        });
    }
}

/// Wakes a waiting thread. The standard `Arc` around it: loom's would make every clone of the
/// waker a switch point.
#[derive(Debug, Default)]
struct Bell(loom::sync::Notify);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

fn cancel<L: Limits>(stage: &Arc<Stage>, how: Cancel) {
    let room = Room::<L>::new(1);
    room.acquire(&stage.stagehand(), &mut None, Waker::noop());
    let [holder, cancelled, waiting] = std::array::from_fn(|_| Arc::clone(&room));
    stage.spawn("holder", move |actor| holder.release(actor));
    stage.spawn("waiting", move |actor| {
        waiting.wait::<2>(actor);
        waiting.release(actor);
    });
    stage.spawn("cancelled", move |actor| {
        let mut ticket = None;
        let seated = cancelled.acquire(actor, &mut ticket, Waker::noop());
        match ticket {
            _ if seated && how == Cancel::KeepsSeat => actor.did("cancel", "keeps the seat"),
            _ if seated => cancelled.release(actor),
            Some(ticket) if how != Cancel::StaysInQueue => {
                cancelled.limits.leave_queue(ticket);
                actor.did("cancel", "leaves the queue");
            }
            _ => actor.did("cancel", "stays in the queue"),
        }
    });
    stage.finally(move |stage| room.settle(stage));
}

fn two_seats<L: Limits>(stage: &Arc<Stage>) {
    let room = Room::<L>::new(2);
    for holder in ["holder 1", "holder 2"] {
        room.acquire(&stage.stagehand(), &mut None, Waker::noop());
        let room = Arc::clone(&room);
        stage.spawn(holder, move |actor| room.release(actor));
    }
    for waiting in ["waiting 1", "waiting 2"] {
        let room = Arc::clone(&room);
        // They keep their seats: a release of theirs would wake whoever was forgotten.
        stage.spawn(waiting, move |actor| room.wait::<1>(actor));
    }
    stage.finally(move |stage| {
        room.limits.release();
        room.limits.release();
        room.settle(stage);
    });
}

impl Limits for KernelLimits {
    fn new(seats: u32) -> Self {
        Self::new(seats)
    }

    fn acquire(&self, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        self.acquire(&"alice", ticket, waker)
    }

    fn release(&self) {
        self.release(&"alice");
    }

    fn leave_queue(&self, ticket: u64) {
        self.leave_queue(&"alice", ticket);
    }
}

/// Broken: a seat that comes free wakes the first in the queue and leaves the rest to it, also when
/// that one leaves instead, or when more than one seat has come free.
struct KeepsWakeUps(Mutex<Seats>);

struct Seats {
    free: u32,
    next_ticket: u64,
    queue: VecDeque<(u64, Waker)>,
}

impl Limits for KeepsWakeUps {
    fn new(seats: u32) -> Self {
        Self(Mutex::new(Seats { free: seats, next_ticket: 1, queue: VecDeque::new() }))
    }

    fn acquire(&self, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        let mut seats = lock(&self.0);
        let place = ticket.and_then(|own| seats.queue.iter().position(|(other, _)| *other == own));
        if seats.free > 0 && place.unwrap_or(seats.queue.len()) == 0 {
            seats.free -= 1;
            if place.is_some() {
                seats.queue.pop_front();
            }
            return true;
        }
        match place {
            Some(place) => seats.queue[place].1.clone_from(waker),
            None => {
                let own = seats.next_ticket;
                seats.next_ticket += 1;
                seats.queue.push_back((own, waker.clone()));
                *ticket = Some(own);
            }
        }
        false
    }

    fn release(&self) {
        let mut seats = lock(&self.0);
        seats.free += 1;
        if let Some((_, waker)) = seats.queue.front() {
            waker.wake_by_ref();
        }
    }

    fn leave_queue(&self, ticket: u64) {
        lock(&self.0).queue.retain(|(other, _)| *other != ticket);
    }
}
