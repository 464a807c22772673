//! What a process says of itself while it serves, as a system under migration logs deprecations.

use std::fmt;

use partywall_core::call_site::CallSite;

/// Something that the migration is to take away was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning<'w> {
    /// A call site asked for the process-wide factory.
    LegacyUse(CallSite),
    /// An agent of that class was built for one user with the settings of another.
    ForeignSettings(&'w str),
}

impl fmt::Display for Warning<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LegacyUse(site) => write!(out, "deprecated factory used by {}", site.name()),
            Self::ForeignSettings(agent) => {
                write!(out, "agent {agent} built with another user's settings")
            }
        }
    }
}

/// Who is told.
pub type Warn = fn(Warning<'_>);
