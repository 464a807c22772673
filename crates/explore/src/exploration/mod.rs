//! Campaigns in the simulated world: one trial, many trials, how hard they looked, and what they found.

pub mod alone;
pub(crate) mod as_list;
pub mod at_once;
pub(crate) mod collector;
pub mod confidence;
pub(crate) mod coverage;
pub mod diagnosis;
pub mod exhaustive;
mod expected_places;
pub mod explore_trial;
pub(crate) mod finding_files;
mod finished_level;
pub mod interleaving;
pub mod judged_trial;
pub mod level;
pub mod level_sums;
mod merged_level;
pub mod overlap;
pub mod parameters;
pub mod recorded;
pub mod regressions;
pub mod replay;
mod replies;
pub mod run_ends;
pub mod search;
pub mod subject;
pub(crate) mod sweep;
pub mod timeline;
pub mod trials;
pub(crate) mod unfinished;

pub use parameters::{Exploration, Explored};
pub use trials::explore;
