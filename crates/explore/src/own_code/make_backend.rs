//! What makes one's own back end, as something that can be explored.

use std::fmt;
use std::marker::PhantomData;

use crate::exploration::subject::Subject;
use partywall_core::target::Target;
use partywall_world::World;
use partywall_world::backend::Backend;

/// Something that makes a fresh back end for each trial: `|| back_end`, or `|world: &World| back_end`
/// where the back end needs its world from the start.
pub trait MakeBackend<How>: Sync {
    /// A back end that shares nothing with those of other trials.
    fn make(&self, world: &World) -> Box<dyn Backend>;
}

impl<F, B> MakeBackend<((), B)> for F
where
    F: Fn() -> B + Sync,
    B: Backend + 'static,
{
    fn make(&self, _world: &World) -> Box<dyn Backend> {
        Box::new(self())
    }
}

impl<F, B> MakeBackend<(World, B)> for F
where
    F: Fn(&World) -> B + Sync,
    B: Backend + 'static,
{
    fn make(&self, world: &World) -> Box<dyn Backend> {
        Box::new(self(world))
    }
}

pub(super) struct Code<'c, How, M> {
    name: &'c str,
    make: &'c M,
    how: PhantomData<fn() -> How>,
}

impl<'c, How, M> Code<'c, How, M> {
    pub(super) fn new(name: &'c str, make: &'c M) -> Self {
        Self { name, make, how: PhantomData }
    }
}

impl<How, M> fmt::Debug for Code<'_, How, M> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Code({})", self.name)
    }
}

impl<How, M: MakeBackend<How>> Subject for Code<'_, How, M> {
    fn back_end(&self, world: &World) -> Box<dyn Backend> {
        self.make.make(world)
    }

    fn target(&self) -> Target {
        Target::Code { name: self.name.to_owned() }
    }
}
