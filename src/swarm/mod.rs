//! The simulated users: written once, driven in the simulated world and over real connections.

pub mod transport;
mod user;

pub use transport::{Servers, first_requests, read_page};
pub use user::{Allowance, Given, Played, Unrecorded, users};
