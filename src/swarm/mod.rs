//! What carries the simulated users' messages over real connections.

pub mod transport;

pub use partywall_explore::user::{Allowance, Given, Played, Unrecorded, users};
pub use transport::{Servers, first_requests, read_page};
