//! Sign-off: the same plans before and after the migration.

pub(crate) mod conclusion;
pub(crate) mod cross_check;
mod doubts;
pub(crate) mod effort;
pub mod models;
pub mod sign_off;

pub use conclusion::SignedOff;
pub use sign_off::{Compared, SignOff};
