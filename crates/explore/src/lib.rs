//! Everything that exploring takes: the simulated user, the work that plans are made from, searches in
//! the simulated world, shrinking, replay and saved repros, and [`assert_isolated`] over them for
//! code in its own tests.

pub mod exploration;
pub mod in_process;
pub mod own_code;
pub mod shrink;
pub mod store;
pub mod user;
pub mod workload;

pub use in_process::{Chat, Handler, handler};
pub use own_code::{Config, Isolation, MakeBackend, assert_isolated, explore};
