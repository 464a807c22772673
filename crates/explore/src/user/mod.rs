//! One simulated user: follows their plan, speaks as a [`Protocol`](partywall_core::protocol::Protocol) says, and records everything
//! that they do and see. What carries it to the back end is a transport's matter.

mod account;
mod allowance;
mod connect;
mod controls;
mod credentials;
mod dry;
mod exchange;
mod faults;
mod given;
mod identities;
mod incoming;
mod latch;
mod meeting;
mod open_socket;
mod receiving;
mod run_end;
mod runs;
mod setup;
mod simulated_user;
mod steps;
mod values;
mod waits;

use std::sync::Arc;

use partywall_world::box_future::BoxFuture;

use meeting::Meeting;
use partywall_core::ids::TaskName;
use partywall_core::plan::Plan;
use partywall_world::World;
use partywall_world::backend::Backend;
use simulated_user::User;

pub use allowance::Allowance;
pub use dry::first_requests;
pub use exchange::Unrecorded;
pub use given::{Given, Played};
pub use identities::Identities;

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
    if world.is_simulated() {
        // Those who never come to the barrier count as if they had, so that it opens that much too
        // early. A right one would bring each seed to other schedules than those in the reports.
        (plan.barrier_width()..plan.users.len()).for_each(|_| meeting.barrier.arrive());
    }
    let user = |place: usize| {
        let user = User::new(world, backend, plan, place, &meeting);
        let future: BoxFuture<'static, ()> = Box::pin(user.live());
        (TaskName::new(&plan.users[place].name), future)
    };
    (0..plan.users.len()).map(user).collect()
}
