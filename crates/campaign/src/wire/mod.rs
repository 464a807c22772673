//! Campaigns over real connections: the server, its rounds, and the leaking plans driven again.

pub(crate) mod blind_spots;
pub mod drive;
pub mod drive_rounds;
pub(crate) mod extra_rounds;
pub mod failed_start;
pub mod launched;
pub mod open_files;
pub(crate) mod rates;
pub mod reproduce;
pub(crate) mod round;
pub mod round_keys;
pub mod rounds;
mod run_delay;
pub(crate) mod run_profile;
mod said_alone;
pub(crate) mod server_process;
pub mod shrink;
pub mod user_list;
pub(crate) mod watch;

pub use drive_rounds::drive_rounds;
pub use rounds::{Driven, Rounds};
