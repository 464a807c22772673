//! What is explored: something that makes a fresh back end for each trial.

use std::fmt;

use crate::reference::service::Service;
pub use crate::scenario::Reference;
use crate::scenario::Target;
use crate::swarm::transport::InProcess;
use crate::world::World;
use crate::world::backend::Backend;

/// Makes a fresh back end for each trial, so that a trial starts from nothing and two trials share
/// nothing.
pub trait Subject: Sync + fmt::Debug {
    /// A back end in that world.
    fn back_end(&self, world: &World) -> Box<dyn Backend>;

    /// What repros say that they are of.
    fn target(&self) -> Target;
}

impl Subject for Reference {
    fn back_end(&self, world: &World) -> Box<dyn Backend> {
        let service = Service::with_defect(world.clone(), self.migration, self.defect);
        Box::new(InProcess::new(service))
    }

    fn target(&self) -> Target {
        (*self).into()
    }
}
