//! Finds where one user's data reaches another.
//!
//! A party wall is the wall that two homes share. partywall drives many simulated users against a
//! multi-user agent back end and checks that no response and no WebSocket event crosses a user
//! boundary, before and after the migration away from a process-wide factory.

pub mod campaign;
pub mod cli;
#[doc(hidden)]
pub mod fuzzing;
pub mod model;
pub mod oracle;
pub mod reference;
pub mod report;
pub mod scenario;
pub mod swarm;
pub mod trial;
pub mod world;
