//! The simulated users: written once, driven in the simulated world and on the wire.

mod client;
mod latch;
mod progress;
mod run_end;
mod speech;
pub mod transport;
mod user;
mod user_controls;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::trial::dialect::Dialect;
use crate::trial::ids::TaskName;
use crate::trial::plan::Plan;
use crate::world::World;
use crate::world::backend::{Backend, Incoming, Socket};

pub use client::{Allowance, Servers, Unrecorded, clients, first_requests, read_page};
use latch::Latch;

/// A user to whom messages come without a pause looks at the clock after at most so many.
const MOST_TOGETHER: u32 = 64;

/// How long simulated users wait. In the simulated world, where waiting in vain is known without a
/// clock, none of it matters.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Patience {
    /// With a run, a connection, a barrier.
    pub run: Duration,
    /// With a point in the middle of a run, whose events may go elsewhere.
    pub mid_run: Duration,
    /// Between two looks at the state of a run that does not go on.
    pub look_again: Duration,
    /// After everybody has finished, for what may still come.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            run: Duration::from_secs(10),
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
    plan: &Arc<Plan>,
    patience: Patience,
) -> Vec<(TaskName, BoxFuture<'static, ()>)> {
    let barrier = Latch::new(plan.barrier_width());
    let finish = Latch::new(plan.users.len());
    let done: Arc<[Latch]> = plan.users.iter().map(|_| Latch::new(1)).collect();
    // All read the same one: a thousand copies would fill the processor's cache.
    let dialect = Arc::new(Dialect::reference());
    let user = |place: usize| {
        let who = &plan.users[place];
        let session = backend.session_of(world, who);
        let (barrier, finish, done) = (barrier.clone(), finish.clone(), Arc::clone(&done));
        let dialect = Arc::clone(&dialect);
        let meeting = user::Meeting { barrier, finish, done, dialect };
        let user =
            user::User::new(world.clone(), Arc::clone(plan), place, session, meeting, patience);
        let future: BoxFuture<'static, ()> = Box::pin(user.live());
        (TaskName::new(&who.name), future)
    };
    (0..plan.users.len()).map(user).collect()
}

/// What comes next on a socket; never ready where there is none. It is one future without others in
/// it where the socket can do without: there are millions of messages, and a future around a future
/// copies each of them once more.
struct Receiving<'s> {
    socket: Option<&'s mut (dyn Socket + 's)>,
    /// The socket's own future, where only that knows.
    own: Option<BoxFuture<'s, Incoming>>,
}

impl<'s> Receiving<'s> {
    fn on(socket: Option<&'s mut (dyn Socket + 's)>) -> Self {
        Self { socket, own: None }
    }
}

impl Future for Receiving<'_> {
    type Output = Incoming;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Incoming> {
        if let Some(socket) = &mut self.socket {
            if let Some(incoming) = socket.poll_receive(context) {
                return incoming;
            }
            self.own = self.socket.take().map(|socket| socket.receive());
        }
        match &mut self.own {
            Some(own) => own.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

/// Sends, but waits no longer than that for the other side to take it.
async fn send_in_time(
    world: &World,
    socket: &mut dyn Socket,
    text: String,
    limit: Duration,
) -> Result<(), String> {
    tokio::select! {
        biased;
        sent = socket.send(text) => sent,
        _ = world.patience(limit) => Err("the message was not taken in time".into()),
    }
}
