//! One simulated user: follows their plan, speaks as a [`Protocol`] says, and records everything
//! that they do and see. What carries it to the back end is a transport's matter.

mod account;
mod allowance;
mod connect;
mod controls;
mod dry;
mod exchange;
mod faults;
mod given;
mod incoming;
mod latch;
mod meeting;
mod receiving;
mod run_end;
mod runs;
mod setup;
mod steps;
mod values;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use partywall_core::canary::Mint;
use partywall_core::history::What;
use partywall_core::ids::{ConnectionId, TaskName, UserName};
use partywall_core::plan::{Plan, Step, UserPlan};
use partywall_core::protocol::Protocol;
use partywall_core::raw::Raw;
use partywall_core::reader::Reader;
use partywall_world::backend::{Backend, Session, Socket};
use partywall_world::{Timer, World};

pub use allowance::Allowance;
pub use dry::first_requests;
use exchange::Exchange;
pub use exchange::Unrecorded;
use latch::{Arrival, Latch};
use meeting::Meeting;
use runs::Runs;

/// A user to whom messages come without a pause looks at the clock after at most so many.
const MOST_TOGETHER: u32 = 64;

/// What simulated users are given besides their plan; nothing in the simulated world.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What stands for `{{ env.NAME }}`: secrets, told to nobody but the server.
    pub environment: BTreeMap<String, String>,
    /// What stands for `{{ user.secret }}`, by user: secrets too.
    pub user_secrets: BTreeMap<UserName, String>,
    /// The server's model and tools, where partywall plays them.
    pub upstream: Option<Played>,
    /// What else the server may call a user to them: templates.
    pub accounts: Vec<String>,
    /// How much may be asked of the server.
    pub allowance: Allowance,
    /// What was received of answers and not recorded yet.
    pub unrecorded: Unrecorded,
    /// Whether the server is up; none where it is never restarted.
    pub up: Option<watch::Receiver<bool>>,
}

/// A server's model and tools, as far as its users know of them.
#[derive(Clone, Debug)]
pub struct Played {
    /// What stands for `{{ upstream.url }}`.
    pub url: String,
    /// How their log names a credential.
    pub credential_of: fn(&str) -> UserName,
}

/// How long simulated users wait. In the simulated world, where waiting in vain is known without a
/// clock, none of it matters.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// With a run, a connection, a barrier.
    run: Duration,
    /// With a point in the middle of a run, whose events may go elsewhere.
    mid_run: Duration,
    /// Between two looks at the state of a run that does not go on.
    look_again: Duration,
    /// After everybody has finished, for what may still come.
    linger: Duration,
}

impl Patience {
    fn of(protocol: &Protocol) -> Self {
        Self {
            run: Duration::from_millis(protocol.patience.into()),
            mid_run: Duration::from_millis(400),
            look_again: Duration::from_millis(250),
            linger: Duration::from_millis(150),
        }
    }
}

/// The users of a plan, each as a task name and what to run under it. All of them must run for any
/// of them to end: they wait for each other at barriers and at the end, so that nobody stops
/// listening while others still work.
pub fn users(
    world: &World,
    backend: &dyn Backend,
    given: Given,
    plan: &Arc<Plan>,
) -> Vec<(TaskName, BoxFuture<'static, ()>)> {
    let meeting = Arc::new(Meeting::new(plan, given));
    let user = |place: usize| {
        let user = User::new(world, backend, plan, place, &meeting);
        let future: BoxFuture<'static, ()> = Box::pin(user.live());
        (TaskName::new(&plan.users[place].name), future)
    };
    (0..plan.users.len()).map(user).collect()
}

struct OpenSocket {
    name: ConnectionId,
    carrier: Carrier,
}

/// What events come on.
enum Carrier {
    Websocket(Box<dyn Socket>),
    /// The answer to the request of that name.
    Streamed,
}

/// Thousands of users take turns, so what each message touches stands first and close together: where
/// the compiler puts it, it is all over the memory. They are dropped in this order, too: connections
/// before what others wait for.
#[repr(C)]
struct User {
    world: World,
    name: UserName,
    reader: Arc<Reader>,
    protocol: Arc<Protocol>,
    meeting: Arc<Meeting>,
    /// The event connection that is sent on, and its tab.
    socket: Option<OpenSocket>,
    runs: Runs,
    greeted: bool,
    tab: u8,
    /// How many answers to `ping` have come.
    pongs: u32,
    /// Those that stand beside it.
    parked: Vec<(u8, OpenSocket)>,
    exchanges: Vec<Exchange>,
    timer: Timer,
    plan: Arc<Plan>,
    place: usize,
    mint: Mint,
    session: Box<dyn Session>,
    patience: Patience,
    at_barrier: Arrival,
    finished: Arrival,
    at_end: Arrival,
    cookies: BTreeMap<String, String>,
    captures: BTreeMap<String, String>,
    /// What answered the last step of the set-up: status, header lines and body.
    answer_of_step: Option<(u16, Raw, Raw)>,
    /// The credentials that were told of.
    accounts: BTreeSet<UserName>,
    sockets_opened: u32,
    calls_made: u32,
}

impl User {
    fn new(
        world: &World,
        backend: &dyn Backend,
        plan: &Arc<Plan>,
        place: usize,
        meeting: &Arc<Meeting>,
    ) -> Self {
        let who = &plan.users[place];
        let waits = who.steps.contains(&Step::Barrier);
        // Who does not wait is not counted in the barrier's width.
        let at_barrier = Arrival::at(&if waits { meeting.barrier.clone() } else { Latch::new(0) });
        Self {
            world: world.clone(),
            session: backend.session_of(world, who),
            reader: Arc::clone(&meeting.reader),
            protocol: Arc::clone(&plan.protocol),
            mint: Mint::new(plan.campaign),
            name: who.name.clone(),
            plan: Arc::clone(plan),
            place,
            patience: Patience::of(&plan.protocol),
            timer: Timer::default(),
            at_barrier,
            finished: Arrival::at(&meeting.finish),
            at_end: Arrival::at(&meeting.done[place]),
            meeting: Arc::clone(meeting),
            socket: None,
            tab: 0,
            parked: Vec::new(),
            exchanges: Vec::new(),
            cookies: BTreeMap::new(),
            captures: BTreeMap::new(),
            answer_of_step: None,
            accounts: BTreeSet::new(),
            runs: Runs::default(),
            greeted: false,
            pongs: 0,
            sockets_opened: 0,
            calls_made: 0,
        }
    }

    fn given(&self) -> &Given {
        &self.meeting.given
    }

    fn who(&self) -> &UserPlan {
        &self.plan.users[self.place]
    }

    fn observe(&self, on: Option<&ConnectionId>, what: What) {
        self.world.observe(&self.name, on, what);
    }

    fn next_call(&mut self) -> ConnectionId {
        self.calls_made += 1;
        ConnectionId::new(format!("{}/http{}", self.name, self.calls_made))
    }
}
