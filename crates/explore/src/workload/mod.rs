//! The work of the simulated users, and the plans that are made from it.

mod faults;
mod generate;
mod mix;
pub mod names;
mod spec;
mod strikes;
mod user_plan;

pub use faults::{Faults, Learnt, Point};
pub use generate::{CARRIERS, user_name};
pub use mix::Act;
pub use names::are_users;
pub use spec::{Ids, Range, ServerWork, Sizes, Workload};
