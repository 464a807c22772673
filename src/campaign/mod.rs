//! x
pub mod explore_trial;
