//! The run–thread registry while events flow: a run is registered, its name is claimed by another,
//! it is finished and forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::kernel::lock;
use super::super::kernel::runs::RunRegistry;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::{Actor, Stage};
use super::super::sync::Mutex;
use super::post::{KernelRegistry, Post, User};

pub(super) const TAKEN_NAME: ModelSpec = ModelSpec {
    name: "run-name-taken",
    about: "alice and bob register a run of one name; whose it is sends an event to whoever the \
            registry names",
    asserts: &[Property::Own, Property::Unique],
    expected: Expected::Clean,
    bound: Bound::Complete,
    interesting: &[("alice", "register"), ("bob", "register"), ("alice", "look up")],
    controls: &[Control {
        name: "a taken name is overwritten",
        violates: Property::Own,
        pinned: 4,
        body: taken_name::<Overwrites>,
    }],
    pinned: Pinned::both(19),
    body: taken_name::<KernelRuns>,
};

pub(super) const FINISHED: ModelSpec = ModelSpec {
    name: "run-finished",
    about: "a run is cancelled while it completes and its events flow, and other runs push it out \
            of the registry's memory",
    asserts: &[Property::Own, Property::Unique],
    interesting: &[("alice", "look up"), ("cancel", "finish"), ("alice", "finish")],
    controls: &[Control {
        name: "the last end counts",
        violates: Property::Unique,
        pinned: 25,
        body: finished::<Overwrites>,
    }],
    pinned: Pinned::both(1_232),
    body: finished::<KernelRuns>,
    ..TAKEN_NAME
};

type Run = &'static str;
type Answer = &'static str;
type KernelRuns = RunRegistry<Run, User, Answer>;

/// What the models need of a run registry.
trait Runs: 'static {
    fn new() -> Self;
    fn register(&self, run: Run, owner: User) -> bool;
    fn finish(&self, run: Run, answer: Answer);
    fn get(&self, run: Run) -> Option<(User, Option<Answer>)>;
}

fn taken_name<R: Runs>(stage: &Arc<Stage>) {
    let post = Post::<KernelRegistry>::new(stage);
    let runs = Arc::new(R::new());
    let users = ["alice", "bob"];
    for user in users {
        post.connect(&stage.stagehand(), user, user);
        let (post, runs) = (Arc::clone(&post), Arc::clone(&runs));
        stage.spawn(user, move |actor| {
            if !runs.register("run 1", user) {
                actor.did("register", "run 1 is refused: the name is taken");
                return;
            }
            actor.did("register", format!("writes run 1 → {user}"));
            send(actor, runs.as_ref(), &post, "run 1", 1);
        });
    }
    stage.finally(move |stage| {
        post.settle();
        let registered = stage.tape().steps.iter().filter(|step| step.did == "look up").count();
        stage.demand(registered == 1, Property::Unique, || {
            format!("run 1 was registered by {registered} users")
        });
    });
}

fn finished<R: Runs>(stage: &Arc<Stage>) {
    let post = Post::<KernelRegistry>::new(stage);
    let runs = Arc::new(R::new());
    for user in ["alice", "bob"] {
        post.connect(&stage.stagehand(), user, user);
    }
    runs.register("run 1", "alice");
    runs.register("run 2", "bob");
    runs.register("run 3", "bob");
    let [own, cancel, other] = std::array::from_fn(|_| Arc::clone(&runs));
    let events = Arc::clone(&post);
    stage.spawn("alice", move |actor| {
        send(actor, own.as_ref(), &events, "run 1", 1);
        own.finish("run 1", "completed");
        actor.did("finish", "run 1 as completed");
    });
    stage.spawn("cancel", move |actor| {
        cancel.finish("run 1", "cancelled");
        actor.did("finish", "run 1 as cancelled");
        let first = read(actor, cancel.as_ref(), "run 1");
        let second = read(actor, cancel.as_ref(), "run 1");
        actor.demand(second.is_none() || first == second, Property::Unique, || {
            format!("run 1 came to {first:?} first, and then to {second:?}")
        });
    });
    stage.spawn("bob", move |actor| {
        for run in ["run 2", "run 3"] {
            other.finish(run, "completed");
            actor.did("finish", format!("{run} as completed; two answers are remembered"));
        }
    });
    stage.finally(move |_| post.settle());
}

/// Sends an event of the run's user over the bridge of start-up, which asks the registry whose it
/// is.
fn send(actor: &Actor, runs: &impl Runs, post: &Post<KernelRegistry>, run: Run, number: u32) {
    let Some((owner, _)) = runs.get(run) else {
        actor.did("look up", format!("{run} belongs to nobody"));
        return;
    };
    actor.did("look up", format!("reads {run} → {owner}"));
    post.emit(actor, actor.name, number, owner);
}

fn read(actor: &Actor, runs: &impl Runs, run: Run) -> Option<Answer> {
    let answer = runs.get(run).and_then(|(_, answer)| answer);
    actor.did("read", format!("{run} came to {}", answer.unwrap_or("nothing that is known")));
    answer
}

impl Runs for KernelRuns {
    fn new() -> Self {
        Self::new(2)
    }

    fn register(&self, run: Run, owner: User) -> bool {
        self.register(run, owner)
    }

    fn finish(&self, run: Run, answer: Answer) {
        self.finish(&run, answer);
    }

    fn get(&self, run: Run) -> Option<(User, Option<Answer>)> {
        self.get(&run).map(|run| (run.owner, run.answer))
    }
}

/// Broken: writes what it is told, whatever was there.
struct Overwrites(Mutex<BTreeMap<Run, (User, Option<Answer>)>>);

impl Runs for Overwrites {
    fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn register(&self, run: Run, owner: User) -> bool {
        lock(&self.0).insert(run, (owner, None));
        true
    }

    fn finish(&self, run: Run, answer: Answer) {
        if let Some((_, came_to)) = lock(&self.0).get_mut(run) {
            *came_to = Some(answer);
        }
    }

    fn get(&self, run: Run) -> Option<(User, Option<Answer>)> {
        lock(&self.0).get(run).copied()
    }
}
