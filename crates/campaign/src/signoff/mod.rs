//! Sign-off: the same plans before and after the migration.

pub(crate) mod conclusion;
pub(crate) mod cross_check;
pub mod models;
pub(crate) mod reached;
pub mod sign_off;

pub use conclusion::SignedOff;
pub use sign_off::{Compared, SignOff};
