//! Campaigns over real connections: the server, its rounds, and the leaking plans driven again.

pub(crate) mod blind_spots;
pub mod drive;
pub(crate) mod further;
pub mod launched;
pub(crate) mod learnt;
pub mod open_files;
pub(crate) mod rates;
pub mod redrive;
pub(crate) mod round;
pub mod rounds;
pub mod series;
pub(crate) mod server_process;
pub mod shrink;
pub mod undriven;
pub mod user_list;
pub(crate) mod watch;

pub use rounds::{Driven, Rounds, drive_rounds};
