//! Campaigns in the simulated world: one trial, many trials, how hard they looked, and what they found.

pub mod alone;
pub(crate) mod as_list;
pub(crate) mod collector;
pub(crate) mod confidence;
pub(crate) mod coverage;
pub mod diagnosis;
pub mod exhaustive;
pub(crate) mod exploration;
pub mod explore_trial;
pub(crate) mod finding_files;
pub mod interleaving;
pub(crate) mod judged_trial;
pub(crate) mod level;
pub(crate) mod level_sums;
pub mod recorded;
pub mod regressions;
pub mod replay;
pub(crate) mod run_ends;
pub mod search;
pub mod subject;
pub mod sweep;
pub(crate) mod timeline;
pub mod trials;
pub(crate) mod unfinished;

pub use exploration::{Exploration, Explored};
pub use trials::explore;
