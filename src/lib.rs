//! Finds where one user's data reaches another.
//!
//! A party wall is the wall that two homes share. partywall drives many simulated users against a
//! multi-user agent back end and checks that no response and no WebSocket event crosses a user
//! boundary, before and after the migration away from a process-wide factory.
//!
//! [`explore`] and [`assert_isolated`] do the same with your own async code inside `cargo test`:
//! [`handler`] makes a back end of one async function, and whatever implements
//! [`Backend`](world::backend::Backend) will do.

pub mod audit;
pub mod campaign;
pub mod cli;
#[doc(hidden)]
pub mod fuzzing;
pub mod model;
pub mod oracle;
pub mod own_code;
pub mod reference;
pub mod report;
pub mod scenario;
pub mod swarm;
pub mod trial;
pub mod upstream;
pub mod world;

pub use own_code::{Config, Isolation, assert_isolated, explore};
pub use swarm::transport::{Chat, handler};
pub use world::World;
