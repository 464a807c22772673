//! A whole request through every part of the kernel, in the order in which the service uses them,
//! while the process shuts down.

use std::sync::Arc;
use std::task::Waker;

use super::super::kernel::conversations::ConversationStore;
use super::super::kernel::emitters::EmitterPool;
use super::super::kernel::gate::Gate;
use super::super::kernel::id_source::IdSource;
use super::super::kernel::limits::UserLimits;
use super::super::kernel::runs::RunRegistry;
use super::super::kernel::singleton::{SettingsSlot, Singleton};
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::{Actor, Stage};
use super::factory::{BETWEEN, Factory, tab_of};
use super::post::{KernelRegistry, Post, User};

pub(super) const WHOLE: ModelSpec = ModelSpec {
    name: "whole-request",
    about: "a request of alice and one of bob go through every part of the kernel while the \
            process shuts down",
    asserts: &[
        Property::Own,
        Property::NotAfterClose,
        Property::NotLost,
        Property::Once,
        Property::Progress,
        Property::Permits,
        Property::Unique,
        Property::Fresh,
        Property::Gated,
    ],
    expected: Expected::Clean,
    bound: Bound::Preemptions { usual: 2, thorough: 3 },
    interesting: BETWEEN,
    controls: &[Control {
        name: "the requests share one factory",
        violates: Property::Own,
        pinned: 313,
        body: |stage| whole(stage, Factory::ProcessWide),
    }],
    pinned: Pinned { usual: 1_108, thorough: 14_772 },
    body: |stage| whole(stage, Factory::PerRequest),
};

/// What the requests share: as `Process` does, with numbers for runs.
struct Process {
    post: Arc<Post<KernelRegistry>>,
    ids: IdSource,
    gate: Gate,
    runs: RunRegistry<u64, User, &'static str>,
    conversations: ConversationStore<User, u64>,
    emitters: EmitterPool<User, u64>,
    limits: UserLimits<User>,
    singleton: Singleton<SettingsSlot<User>>,
}

fn whole(stage: &Arc<Stage>, factory: Factory) {
    let process = Arc::new(Process {
        post: Post::new(stage),
        ids: IdSource::new(),
        gate: Gate::new(),
        runs: RunRegistry::new(2),
        conversations: ConversationStore::new(2),
        emitters: EmitterPool::new(1),
        limits: UserLimits::new(1),
        singleton: Singleton::new(),
    });
    let users: [User; 2] = ["alice", "bob"];
    for user in users {
        process.post.connect(&stage.stagehand(), user, tab_of(user));
    }
    for user in users {
        let process = Arc::clone(&process);
        stage.spawn(user, move |actor| request(actor, &process, factory));
    }
    let closing = Arc::clone(&process);
    stage.spawn("shutdown", move |actor| {
        closing.gate.close();
        actor.did("close", "the gate");
        closing.post.shut_down(actor);
    });
    stage.finally(move |stage| {
        process.post.settle();
        let left = process.gate.in_flight();
        stage.demand(left == 0, Property::Gated, || format!("{left} runs are in flight for ever"));
        for user in users {
            let free = process.limits.acquire(&user, &mut None, Waker::noop());
            stage.demand(free, Property::Permits, || format!("{user}'s seat was not returned"));
        }
    });
}

fn request(actor: &Actor, process: &Process, factory: Factory) {
    let own = actor.name;
    let run = process.ids.next();
    if !process.gate.enter() {
        actor.did("enter", format!("run {run} is refused"));
        return;
    }
    actor.did("enter", format!("run {run} is let in"));
    let new = process.runs.register(run, own);
    actor.did("register", format!("writes run {run} → {own}"));
    actor.demand(new, Property::Unique, || format!("run {run} of {own} was there before"));
    process.conversations.append(own, run);
    let settings = factory.of_request(&process.singleton);
    settings.configure(own);
    actor.did("configure", format!("writes {own}'s bridge"));
    converse(actor, process, run, &settings);
    process.runs.finish(&run, "completed");
    actor.did("finish", format!("run {run}"));
    let owner = process.runs.get(&run).map(|run| run.owner);
    actor.demand(owner == Some(own), Property::Unique, || format!("run {run} is {owner:?}'s"));
    process.gate.leave();
    actor.did("leave", format!("run {run} has ended"));
}

/// The supervisor's part: a seat, an agent, two events.
fn converse(actor: &Actor, process: &Process, run: u64, settings: &SettingsSlot<User>) {
    let own = actor.name;
    let mut emitter = process.emitters.take(&own, run);
    let seated = process.limits.acquire(&own, &mut None, Waker::noop());
    actor.did("take a seat", if seated { "got it" } else { "it is taken" });
    let bridge = settings.read().unwrap_or("nobody");
    actor.did("read", format!("gets {bridge}'s bridge"));
    for expected in 1..=2 {
        let number = emitter.next_sequence();
        actor.demand(
            (emitter.run(), number) == (Some(&run), u64::from(expected)),
            Property::Fresh,
            || format!("event {expected} of run {run} leaves as event {number}"),
        );
        process.post.emit(actor, own, expected, bridge);
    }
    process.limits.release(&own);
    process.emitters.give_back(&own, emitter);
}
