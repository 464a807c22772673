//! The work of the simulated users, and the plans that are made from it.

mod act;
mod faults;
mod generate;
mod mix;
pub mod names;
mod range;
mod spec;
mod strikes;
mod user_plan;

pub use act::Act;
pub use faults::{Faults, Learnt, Point};
pub use generate::CARRIERS;
pub use names::{are_users, user_name};
pub use range::Range;
pub use spec::{Ids, ServerWork, Sizes, Workload};
