//! The state of one simulated user; what they do is in the other files, each an `impl User`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::exchange::Exchange;
use super::given::Given;
use super::latch::{Arrival, Latch};
use super::meeting::Meeting;
use super::open_socket::OpenSocket;
use super::runs::Runs;
use partywall_core::canary::Mint;
use partywall_core::history::What;
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::plan::{Plan, Step, UserPlan};
use partywall_core::protocol::Protocol;
use partywall_core::raw::Raw;
use partywall_core::reader::Reader;
use partywall_world::backend::{Backend, Session};
use partywall_world::{Timer, World};

/// How long simulated users wait. In the simulated world, where waiting in vain is known without a
/// clock, none of it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// With a run, a connection, a barrier.
    pub(super) run: Duration,
    /// With a point in the middle of a run, whose events may go elsewhere.
    pub(super) mid_run: Duration,
    /// Between two looks at the state of a run that does not go on.
    pub(super) look_again: Duration,
    /// After everybody has finished, for what may still come.
    pub(super) linger: Duration,
}

impl Patience {
    pub(super) fn of(protocol: &Protocol) -> Self {
        Self {
            run: Duration::from_millis(protocol.patience.into()),
            mid_run: Duration::from_millis(400),
            look_again: Duration::from_millis(250),
            linger: Duration::from_millis(150),
        }
    }
}

/// Thousands of users take turns, so what each message touches stands first and close together: where
/// the compiler puts it, it is all over the memory. They are dropped in this order, too: connections
/// before what others wait for.
#[repr(C)]
pub(super) struct User {
    pub(super) world: World,
    pub(super) name: UserName,
    pub(super) reader: Arc<Reader>,
    pub(super) protocol: Arc<Protocol>,
    pub(super) meeting: Arc<Meeting>,
    /// The event connection that is sent on, and its tab.
    pub(super) socket: Option<OpenSocket>,
    pub(super) runs: Runs,
    pub(super) greeted: bool,
    pub(super) is_ungreeted: bool,
    pub(super) tab: u8,
    /// How many answers to `ping` have come.
    pub(super) pongs: u32,
    /// Those that stand beside it.
    pub(super) parked: Vec<(u8, OpenSocket)>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) timer: Timer,
    pub(super) plan: Arc<Plan>,
    pub(super) place: usize,
    pub(super) mint: Mint,
    pub(super) session: Box<dyn Session>,
    pub(super) patience: Patience,
    pub(super) at_barrier: Arrival,
    pub(super) finished: Arrival,
    pub(super) at_end: Arrival,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) captures: BTreeMap<String, String>,
    /// What answered the last step of the set-up: status, header lines and body.
    pub(super) answer_of_step: Option<(u16, Raw, Raw)>,
    /// The credentials that were told of.
    pub(super) accounts: BTreeSet<UserName>,
    pub(super) sockets_opened: u32,
    pub(super) calls_made: u32,
}

impl User {
    pub(super) fn new(
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
            mint: plan.mint(),
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
            is_ungreeted: false,
            pongs: 0,
            sockets_opened: 0,
            calls_made: 0,
        }
    }

    pub(super) fn given(&self) -> &Given {
        &self.meeting.given
    }

    pub(super) fn who(&self) -> &UserPlan {
        &self.plan.users[self.place]
    }

    pub(super) fn observe(&self, on: Option<&ConnectionId>, what: What) {
        self.world.observe(&self.name, on, what);
    }

    pub(super) fn next_call(&mut self) -> ConnectionId {
        self.calls_made += 1;
        ConnectionId::new(format!("{}/http{}", self.name, self.calls_made))
    }
}
