//! What is explored: something that makes a fresh back end for each trial.

use std::fmt;

use partywall_core::target::Target;
use partywall_world::World;
use partywall_world::backend::Backend;

/// Makes a fresh back end for each trial, so that a trial starts from nothing and two trials share
/// nothing.
pub trait Subject: Sync + fmt::Debug {
    /// A back end in that world.
    fn back_end(&self, world: &World) -> Box<dyn Backend>;

    /// What repros say that they are of.
    fn target(&self) -> Target;
}
