//! Finds where one user's data reaches another.
//!
//! A party wall is the wall that two homes share. partywall drives many simulated users against a
//! multi-user agent back end and checks that no response and no WebSocket event crosses a user
//! boundary, before and after the migration away from a process-wide factory.
//!
//! [`explore`] and [`assert_isolated`] do the same with your own async code inside `cargo test`:
//! [`handler`] makes a back end of one async function, and whatever implements
//! [`Backend`](world::backend::Backend) will do.

pub mod cli;
#[doc(hidden)]
pub mod fuzzing;

/// The simulated users, and what carries their messages.
pub mod swarm {
    pub use partywall_drive::transport::{self, Servers, first_requests, read_page};
    pub use partywall_explore::user::{Allowance, Given, Played, Unrecorded, users};
}

pub use partywall_audit as audit;
pub use partywall_campaign as campaign;
pub use partywall_core as trial;
pub use partywall_drive::{scenario, upstream};
pub use partywall_explore::own_code;
pub use partywall_oracles as oracle;
pub use partywall_reference as reference;
pub use partywall_reference::model;
pub use partywall_report as report;
pub use partywall_world as world;

pub use partywall_explore::{Chat, Config, Isolation, assert_isolated, explore, handler};
pub use world::World;
