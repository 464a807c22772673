//! The migration matrix: the states between legacy and migrated, driven with the same plans, so that
//! it is known which sites leak, and in which order to migrate them. Of the reference back end all
//! states are driven, in the simulated world; of somebody's own system those that a scenario lists,
//! on the wire.

mod conclusion;
mod every_state;
mod evidence;
mod follows;
mod leak_rows;
mod listed;
mod sites;

pub use conclusion::conclude;
pub use every_state::Matrix;
pub use listed::ListedStates;
