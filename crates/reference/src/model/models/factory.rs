//! Configure, then use: the fault (one factory for everybody) and its cure (one a request).

use std::sync::Arc;
use std::task::Waker;

use super::super::kernel::limits::UserLimits;
use super::super::kernel::singleton::{SettingsSlot, Singleton};
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::{Actor, Stage};
use super::post::{KernelRegistry, Post, User};

const ASSERTS: &[Property] = &[Property::Own, Property::NotLost, Property::Once];

/// B configures between A's write and A's read.
pub(super) const BETWEEN: &[(&str, &str)] =
    &[("alice", "configure"), ("bob", "configure"), ("alice", "read")];

pub(super) const LEGACY_2: ModelSpec = ModelSpec {
    name: "legacy-2-users",
    about: "two users configure the process-wide factory, then use it",
    asserts: ASSERTS,
    expected: Expected::Refuted(Property::Own),
    bound: Bound::Complete,
    interesting: BETWEEN,
    controls: &[],
    pinned: Pinned::both(14),
    body: |stage| chat(stage, &["alice", "bob"], Factory::ProcessWide),
};

pub(super) const LEGACY_3: ModelSpec = ModelSpec {
    name: "legacy-3-users",
    about: "three users configure the process-wide factory, then use it",
    interesting: &[("bob", "configure"), ("carol", "configure"), ("bob", "read")],
    pinned: Pinned::both(14),
    body: |stage| chat(stage, &["alice", "bob", "carol"], Factory::ProcessWide),
    ..LEGACY_2
};

pub(super) const PER_REQUEST_2: ModelSpec = ModelSpec {
    name: "per-request-2-users",
    about: "two users each configure a factory of their own, then use it",
    asserts: ASSERTS,
    expected: Expected::Clean,
    bound: Bound::Complete,
    interesting: BETWEEN,
    controls: &[Control {
        name: "the requests share one factory",
        violates: Property::Own,
        pinned: 14,
        body: |stage| chat(stage, &["alice", "bob"], Factory::ProcessWide),
    }],
    pinned: Pinned::both(31),
    body: |stage| chat(stage, &["alice", "bob"], Factory::PerRequest),
};

pub(super) const PER_REQUEST_3: ModelSpec = ModelSpec {
    name: "per-request-3-users",
    about: "three users each configure a factory of their own, then use it",
    controls: &[Control {
        name: "the requests share one factory",
        violates: Property::Own,
        pinned: 14,
        body: |stage| chat(stage, &["alice", "bob", "carol"], Factory::ProcessWide),
    }],
    pinned: Pinned::both(8_844),
    body: |stage| chat(stage, &["alice", "bob", "carol"], Factory::PerRequest),
    ..PER_REQUEST_2
};

/// Where a request gets its factory.
#[derive(Clone, Copy, Debug)]
pub(super) enum Factory {
    ProcessWide,
    PerRequest,
}

impl Factory {
    /// The settings of the factory that a request uses: here, the user whose bridge it is.
    pub(super) fn of_request(
        self,
        singleton: &Singleton<SettingsSlot<User>>,
    ) -> Arc<SettingsSlot<User>> {
        match self {
            Self::ProcessWide => singleton.get_or_make(SettingsSlot::new),
            Self::PerRequest => Arc::new(SettingsSlot::new()),
        }
    }
}

/// What that user's connection is called.
pub(super) fn tab_of(user: User) -> &'static str {
    match user {
        "alice" => "alice's tab",
        "bob" => "bob's tab",
        _ => "carol's tab",
    }
}

/// What the requests share.
struct Process {
    post: Arc<Post<KernelRegistry>>,
    limits: UserLimits<User>,
    singleton: Singleton<SettingsSlot<User>>,
}

fn chat(stage: &Arc<Stage>, users: &'static [User], factory: Factory) {
    let post = Post::new(stage);
    let process = Arc::new(Process {
        post: Arc::clone(&post),
        limits: UserLimits::new(1),
        singleton: Singleton::new(),
    });
    // Start-up makes the singleton and configures it for nobody.
    process.singleton.get_or_make(SettingsSlot::new);
    for user in users {
        post.connect(&stage.stagehand(), user, tab_of(user));
    }
    for user in users {
        let process = Arc::clone(&process);
        stage.spawn(user, move |actor| request(actor, &process, factory));
    }
    stage.finally(move |stage| {
        post.settle();
        for user in users {
            let free = process.limits.acquire(user, &mut None, Waker::noop());
            stage.demand(free, Property::Permits, || format!("{user}'s seat was not returned"));
        }
    });
}

/// One request, as the route and the supervisor treat it.
fn request(actor: &Actor, process: &Process, factory: Factory) {
    let own = actor.name;
    let settings = factory.of_request(&process.singleton);
    let whose = match factory {
        Factory::ProcessWide => "the shared",
        Factory::PerRequest => "the request's",
    };
    settings.configure(own);
    actor.did("configure", format!("writes {own}'s bridge into {whose} factory"));
    // The wait between configuring and using. Everybody goes through the limits' lock, which is what
    // makes loom interleave requests here that share no factory.
    let seated = process.limits.acquire(&own, &mut None, Waker::noop());
    actor.did("take a seat", if seated { "got it" } else { "it is taken" });
    let bridge = settings.read().unwrap_or("nobody");
    actor.did("read", format!("gets {bridge}'s bridge from {whose} factory"));
    process.post.emit(actor, own, 1, bridge);
    process.limits.release(&own);
}
