//! What is explored: something that makes a fresh back end for each trial.

use std::fmt;

use super::repro::Target;
use crate::reference::call_sites::Migration;
use crate::reference::defects::Defect;
use crate::reference::service::Service;
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

/// The reference back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The call sites that are migrated.
    pub migration: Migration,
    /// The defect that is switched on, if any.
    pub defect: Option<Defect>,
}

impl Reference {
    /// No call site is migrated: the fault in full.
    pub const LEGACY: Self = Self { migration: Migration::NONE, defect: None };
    /// Every call site is migrated: the cure in full.
    pub const PER_REQUEST: Self = Self { migration: Migration::ALL, defect: None };

    /// The cured form with that defect switched on.
    pub fn with_defect(defect: Defect) -> Self {
        Self { migration: Migration::ALL, defect: Some(defect) }
    }
}

impl From<Migration> for Reference {
    fn from(migration: Migration) -> Self {
        Self { migration, defect: None }
    }
}

impl Subject for Reference {
    fn back_end(&self, world: &World) -> Box<dyn Backend> {
        let service = Service::with_defect(world.clone(), self.migration, self.defect);
        Box::new(InProcess::new(service))
    }

    fn target(&self) -> Target {
        Target::Reference {
            migrated: self.migration.to_string(),
            defect: self.defect.map(|defect| defect.to_string()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "reference back end, migrated {}", self.migration)?;
        match self.defect {
            Some(defect) => write!(out, ", with defect {defect}"),
            None => Ok(()),
        }
    }
}
