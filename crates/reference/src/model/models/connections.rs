//! Connect, disconnect and reconnect against emission, and two tabs of one user (mechanism M18).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Unseen, PoisonError};

use super::super::kernel::connections::Sink;
use super::super::kernel::lock;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;
use super::super::sync::Mutex;
use super::post::{Event, Inbox, KernelRegistry, Post, Registry, User};

const ASSERTS: &[Property] =
    &[Property::Own, Property::NotAfterClose, Property::NotLost, Property::Once];

pub(super) const RECONNECT: ModelSpec = ModelSpec {
    name: "reconnect",
    about: "alice opens a new connection and closes the old one, while one event each goes to \
            alice and to bob",
    asserts: ASSERTS,
    expected: Expected::Clean,
    bound: Bound::Complete,
    // The event finds both connections.
    interesting: &[("alice", "connect"), ("to alice", "deliver"), ("alice", "disconnect")],
    controls: &[AFTER_UNLOCK, BY_USER],
    pinned: Pinned::both(92),
    body: |stage| reconnect::<KernelRegistry>(stage, 1),
};

const AFTER_UNLOCK: Control = Control {
    name: "delivery after the lock is released",
    violates: Property::NotAfterClose,
    pinned: 7,
    body: |stage| reconnect::<DeliversAfterUnlock>(stage, 1),
};

const BY_USER: Control = Control {
    name: "teardown by user instead of by id",
    violates: Property::NotLost,
    pinned: 1,
    body: |stage| reconnect::<TearsDownByUser>(stage, 1),
};

pub(super) const RECONNECT_BUSY: ModelSpec = ModelSpec {
    name: "reconnect-busy",
    about: "the same with two events each",
    interesting: &[
        ("to alice", "deliver"),
        ("alice", "connect"),
        ("to bob", "deliver"),
        ("alice", "disconnect"),
        ("to alice", "deliver"),
    ],
    controls: &[
        Control {
            pinned: 15,
            body: |stage| reconnect::<DeliversAfterUnlock>(stage, 2),
            ..AFTER_UNLOCK
        },
        Control { pinned: 1, body: |stage| reconnect::<TearsDownByUser>(stage, 2), ..BY_USER },
    ],
    pinned: Pinned::both(608),
    body: |stage| reconnect::<KernelRegistry>(stage, 2),
    ..RECONNECT
};

pub(super) const LATE_TEARDOWN: ModelSpec = ModelSpec {
    name: "late-teardown",
    about: "the old connection's task closes it late, while alice's new one comes, goes and comes \
            again, and events go to alice and to bob",
    bound: Bound::Preemptions { usual: 2, thorough: 3 },
    interesting: &[("new", "connect"), ("old", "disconnect"), ("to alice", "deliver")],
    controls: &[
        Control { pinned: 36, body: late_teardown::<DeliversAfterUnlock>, ..AFTER_UNLOCK },
        Control { pinned: 241, body: late_teardown::<TearsDownByUser>, ..BY_USER },
    ],
    pinned: Pinned { usual: 1_637, thorough: 9_383 },
    body: late_teardown::<KernelRegistry>,
    ..RECONNECT
};

pub(super) const TWO_TABS: ModelSpec = ModelSpec {
    name: "two-tabs",
    about: "two tabs of alice come and go while two events go to her",
    interesting: &[
        ("tab 1", "connect"),
        ("tab 2", "connect"),
        ("to alice", "deliver"),
        ("tab 1", "disconnect"),
        ("to alice", "deliver"),
    ],
    controls: &[
        Control { pinned: 3, body: two_tabs::<DeliversAfterUnlock>, ..AFTER_UNLOCK },
        Control {
            name: "sent again when the connections changed",
            violates: Property::Once,
            pinned: 19,
            body: two_tabs::<SendsAgain>,
        },
        Control { pinned: 22, body: two_tabs::<TearsDownByUser>, ..BY_USER },
    ],
    pinned: Pinned::both(572),
    body: two_tabs::<KernelRegistry>,
    ..RECONNECT
};

fn reconnect<R: Registry>(stage: &Arc<Stage>, events: u32) {
    let post = Post::<R>::new(stage);
    let old = post.connect(&stage.stagehand(), "alice", "alice's old tab");
    post.connect(&stage.stagehand(), "bob", "bob's tab");
    let own = Arc::clone(&post);
    stage.spawn("alice", move |actor| {
        own.connect(actor, "alice", "alice's new tab");
        if let Some(old) = old {
            own.disconnect(actor, "alice", old);
        }
    });
    send(stage, &post, "to alice", "alice", events);
    send(stage, &post, "to bob", "bob", events);
    stage.finally(move |_| post.settle());
}

fn late_teardown<R: Registry>(stage: &Arc<Stage>) {
    let post = Post::<R>::new(stage);
    let old = post.connect(&stage.stagehand(), "alice", "alice's old tab");
    post.connect(&stage.stagehand(), "bob", "bob's tab");
    let [late, new] = std::array::from_fn(|_| Arc::clone(&post));
    stage.spawn("old", move |actor| {
        if let Some(old) = old {
            late.disconnect(actor, "alice", old);
        }
    });
    stage.spawn("new", move |actor| {
        if let Some(id) = new.connect(actor, "alice", "alice's new tab") {
            new.disconnect(actor, "alice", id);
        }
        new.connect(actor, "alice", "alice's newest tab");
    });
    send(stage, &post, "to alice", "alice", 2);
    send(stage, &post, "to bob", "bob", 2);
    stage.finally(move |_| post.settle());
}

fn two_tabs<R: Registry>(stage: &Arc<Stage>) {
    let post = Post::<R>::new(stage);
    for (thread, tab) in [("tab 1", "alice's tab 1"), ("tab 2", "alice's tab 2")] {
        let post = Arc::clone(&post);
        stage.spawn(thread, move |actor| {
            if let Some(id) = post.connect(actor, "alice", tab) {
                post.disconnect(actor, "alice", id);
            }
        });
    }
    send(stage, &post, "to alice", "alice", 2);
    stage.finally(move |_| post.settle());
}

/// Starts a thread that sends so many events to that user.
fn send<R: Registry>(
    stage: &Arc<Stage>,
    post: &Arc<Post<R>>,
    thread: &'static str,
    to: User,
    events: u32,
) {
    let post = Arc::clone(post);
    stage.spawn(thread, move |actor| {
        for number in 1..=events {
            post.emit(actor, to, number, to);
        }
    });
}

type Tabs = Vec<(u64, Arc<Inbox>)>;

/// Broken: copies the list of connections and delivers when the lock is free again.
struct DeliversAfterUnlock {
    stage: Arc<Stage>,
    next: AtomicU64,
    live: Mutex<BTreeMap<User, Tabs>>,
}

impl Registry for DeliversAfterUnlock {
    fn new(stage: &Arc<Stage>) -> Self {
        let live = Mutex::new(BTreeMap::new());
        Self { stage: Arc::clone(stage), next: AtomicU64::new(1), live }
    }

    fn connect(&self, user: User, inbox: Arc<Inbox>) -> Option<u64> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.live).entry(user).or_default().push((id, inbox));
        Some(id)
    }

    fn disconnect(&self, user: User, id: u64) {
        if let Some(tabs) = lock(&self.live).get_mut(user) {
            tabs.retain(|(other, _)| *other != id);
        }
    }

    fn emit(&self, user: User, event: &Event) -> usize {
        let tabs = lock(&self.live).get(user).cloned().unwrap_or_default();
        self.stage.record(event.by, "copy", format!("the list of {user}'s connections"));
        tabs.iter().filter(|(_, inbox)| inbox.deliver(event)).count()
    }

    fn shut_down(&self) {
        lock(&self.live).clear();
    }
}

/// Broken: sends again where the connections changed meanwhile, so that no new one is missed.
struct SendsAgain {
    kernel: KernelRegistry,
    changes: Mutex<u64>,
}

impl Registry for SendsAgain {
    fn new(stage: &Arc<Stage>) -> Self {
        Self { kernel: Registry::new(stage), changes: Mutex::new(0) }
    }

    fn connect(&self, user: User, inbox: Arc<Inbox>) -> Option<u64> {
        *lock(&self.changes) += 1;
        Registry::connect(&self.kernel, user, inbox)
    }

    fn disconnect(&self, user: User, id: u64) {
        Registry::disconnect(&self.kernel, user, id);
    }

    fn emit(&self, user: User, event: &Event) -> usize {
        let before = *lock(&self.changes);
        let took = Registry::emit(&self.kernel, user, event);
        let changed = *lock(&self.changes) != before;
        if changed { Registry::emit(&self.kernel, user, event) } else { took }
    }

    fn shut_down(&self) {
        Registry::shut_down(&self.kernel);
    }
}

/// Broken: the kernel's registry, used as if a user had one connection. A teardown takes whatever
/// the user has, and a shutdown goes by the connections that it knows of.
pub(super) struct TearsDownByUser {
    kernel: KernelRegistry,
    known: Unseen<Vec<(User, u64)>>,
}

impl TearsDownByUser {
    fn known_of(&self, user: User) -> Vec<u64> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().filter(|(of, _)| *of == user).map(|(_, id)| *id).collect()
    }
}

impl Registry for TearsDownByUser {
    fn new(stage: &Arc<Stage>) -> Self {
        Self { kernel: Registry::new(stage), known: Unseen::default() }
    }

    fn connect(&self, user: User, inbox: Arc<Inbox>) -> Option<u64> {
        let id = Registry::connect(&self.kernel, user, inbox)?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).push((user, id));
        Some(id)
    }

    fn disconnect(&self, user: User, _: u64) {
        for id in self.known_of(user) {
            Registry::disconnect(&self.kernel, user, id);
        }
    }

    fn emit(&self, user: User, event: &Event) -> usize {
        Registry::emit(&self.kernel, user, event)
    }

    fn shut_down(&self) {
        for user in ["alice", "bob"] {
            self.disconnect(user, 0);
        }
    }
}
