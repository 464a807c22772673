//! Finds where one user's data reaches another.
//!
//! A party wall is the wall that two homes share. partywall drives many simulated users against a
//! multi-user agent back end and checks that no response and no WebSocket event crosses a user
//! boundary, before and after the migration away from a process-wide factory.
//!
//! [`explore`] and [`assert_isolated`] do the same with your own async code inside `cargo test`:
//! [`handler`] makes a back end of one async function, and whatever implements
//! [`Backend`](world::backend::Backend) will do.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod fuzzing;

/// The simulated users, and what carries their messages.
#[cfg(feature = "cli")]
pub mod swarm {
    pub use partywall_drive::transport::{self, Servers, first_requests, read_page};
    pub use partywall_explore::user::{Allowance, Given, Played, Unrecorded, users};
}

#[cfg(feature = "cli")]
pub use {
    partywall_audit as audit, partywall_campaign as campaign,
    partywall_drive::{scenario, upstream},
    partywall_reference as reference,
    partywall_reference::model,
    partywall_report as report,
};
pub use {
    partywall_core as trial, partywall_explore::own_code, partywall_oracles as oracle,
    partywall_world as world,
};

pub use partywall_explore::{Chat, Config, Isolation, assert_isolated, explore, handler};
pub use world::World;
