//! One trial, many trials, and what they come to: coverage, confidence, controls, verdicts.

pub mod migration;
pub mod selftest;
pub mod share;
pub mod signoff;
pub mod wire;

pub use partywall_explore::exploration as explore;
pub use partywall_explore::{shrink, store};

pub use explore::{
    alone, exhaustive, explore_trial, interleaving, recorded, regressions, replay, search, subject,
};
pub use share::{baseline, compare, merge};
pub use signoff::models;
pub use store::{budget, error, repro};
pub use wire::{failed_start, launched, open_files, reproduce, round_keys, user_list};
