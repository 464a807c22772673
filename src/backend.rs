//! What a service of your own implements to be explored.
//!
//! Start with [`handler`](crate::handler) if your code is one async function. Implement [`Backend`] if
//! the code under test has connections of its own: its documentation lists the JSON that simulated
//! users send and expect.
//!
//! `examples/own_backend.rs` is a complete one.

#[doc(inline)]
pub use partywall_core::{
    ids::{ConnectionId, RunId, UserName},
    plan::UserPlan,
    raw::Raw,
};
#[doc(inline)]
pub use partywall_world::{
    backend::{
        Answer, Answering, Backend, Body, Call, Cursor, Incoming, Method, Opening, Pieces, Refusal,
        Session, Socket,
    },
    box_future::BoxFuture,
    channel::{Receiver, Sender},
};
