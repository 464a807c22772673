//! What a model is: a value in the registry.

use std::fmt;
use std::sync::Arc;

use super::stage::Stage;

/// One model: threads that use a part of the kernel, and what must hold however they interleave.
#[derive(Clone, Copy, Debug)]
pub struct ModelSpec {
    /// Its name, by which it is asked for.
    pub name: &'static str,
    /// What its threads do, in one line.
    pub about: &'static str,
    /// What it asserts.
    pub asserts: &'static [Property],
    /// What its search must come to.
    pub expected: Expected,
    /// How much is searched.
    pub bound: Bound,
    /// The interesting state, as moments that must have followed each other in this order at least
    /// once: a search that never came there proves nothing.
    pub interesting: &'static [Moment],
    /// Broken variants that must be refuted, so that the model is known to bite.
    pub controls: &'static [Control],
    /// How many interleavings its search explores.
    pub pinned: Pinned,
    pub(super) body: Body,
}

/// One execution: prepares the stage, starts the threads, joins them and looks at what they did.
pub(super) type Body = fn(&Arc<Stage>);

/// A step that is waited for: the thread, and what it did.
pub type Moment = (&'static str, &'static str);

/// A broken variant of a kernel part, or of its use.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// What is broken about it.
    pub name: &'static str,
    /// What it must be caught violating: being refuted for another reason does not count.
    pub violates: Property,
    /// The execution that refutes it.
    pub pinned: u64,
    pub(super) body: Body,
}

/// What a search must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every interleaving keeps what the model asserts.
    Clean,
    /// Some interleaving does not, in this way: the model is of the fault.
    Refuted(Property),
}

/// How much of a model is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Every interleaving.
    Complete,
    /// Every interleaving with at most that many preemptions.
    Preemptions {
        /// In the ordinary search.
        usual: usize,
        /// In the thorough one.
        thorough: usize,
    },
}

/// How hard to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thoroughness {
    /// What CI does.
    #[default]
    Usual,
    /// What a release does.
    Thorough,
}

/// The number of interleavings of a search that is as it was.
///
/// Of a refuted model, the number up to and including the one that refutes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Of the ordinary search.
    pub usual: u64,
    /// Of the thorough one.
    pub thorough: u64,
}

/// What a model can assert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// No event reaches a sink of another user.
    Own,
    /// No event is delivered after the close of its connection returned.
    NotAfterClose,
    /// No event is lost while its connection stayed open.
    NotLost,
    /// Each event is delivered at most once to a connection.
    Once,
    /// No deadlock, and no wake-up that never comes.
    Progress,
    /// Every permit is returned, and no more are out than there are.
    Permits,
    /// What there must be one of, there is one of: an id, a run's name, the singleton.
    Unique,
    /// A reused emitter speaks for its own run only, and counts from one.
    Fresh,
    /// Nothing starts after the gate closed, and what is in flight is counted.
    Gated,
    /// The kernel does not panic.
    NoPanic,
}

impl Bound {
    /// The most preemptions of that search; none where it is complete.
    pub fn preemptions(self, thoroughness: Thoroughness) -> Option<usize> {
        match (self, thoroughness) {
            (Self::Complete, _) => None,
            (Self::Preemptions { usual, .. }, Thoroughness::Usual) => Some(usual),
            (Self::Preemptions { thorough, .. }, Thoroughness::Thorough) => Some(thorough),
        }
    }
}

impl Pinned {
    pub(super) const fn both(interleavings: u64) -> Self {
        Self { usual: interleavings, thorough: interleavings }
    }

    /// The number of that search.
    pub fn of(self, thoroughness: Thoroughness) -> u64 {
        match thoroughness {
            Thoroughness::Usual => self.usual,
            Thoroughness::Thorough => self.thorough,
        }
    }
}

impl Property {
    /// The property in words.
    pub fn statement(self) -> &'static str {
        match self {
            Self::Own => "no event reaches a connection of another user",
            Self::NotAfterClose => "no event is delivered after close returned",
            Self::NotLost => "no event is lost while its connection stayed open",
            Self::Once => "each event is delivered once",
            Self::Progress => "no deadlock and no lost wake-up",
            Self::Permits => "every permit is returned, and never too many are out",
            Self::Unique => "what there must be one of, there is one of",
            Self::Fresh => "a reused emitter speaks for its own run only, and counts from one",
            Self::Gated => "nothing starts after the gate closed; what is in flight is counted",
            Self::NoPanic => "the kernel does not panic",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.statement())
    }
}
