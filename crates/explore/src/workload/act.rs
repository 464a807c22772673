//! The ingredients of the [mix](super::mix), each one way with a run.

/// One user's unusual, or usual, way with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A run, and its end.
    Plain,
    /// A run with the words that others use at the same time.
    Equal,
    /// A run in no particular conversation, with no settings.
    NoThread,
    /// A run that asks for an agent that there is not.
    Fails,
    /// A request that its client goes away from, and a run after it.
    Abandons,
    /// A run that is stopped.
    Stops,
    /// A run that waits for its user's approval.
    Approves,
    /// Two runs in one conversation at a time.
    TwoTurns,
    /// A run whose connection is lost, and comes back with a cursor: the right one or another.
    Resumes,
    /// A connection that is replaced by the next while it is open.
    Reconnects,
    /// A run whose connection vanishes, and a plain one after it.
    Vanishes,
    /// What is no message of the protocol, and a run after it.
    Malformed,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Plain,
        Self::Equal,
        Self::NoThread,
        Self::Fails,
        Self::Abandons,
        Self::Stops,
        Self::Approves,
        Self::TwoTurns,
        Self::Resumes,
        Self::Reconnects,
        Self::Vanishes,
        Self::Malformed,
    ];

    /// What it is called in scenario files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Equal => "equal",
            Self::NoThread => "no-thread",
            Self::Fails => "fails",
            Self::Abandons => "abandons",
            Self::Stops => "stops",
            Self::Approves => "approves",
            Self::TwoTurns => "two-turns",
            Self::Resumes => "resumes",
            Self::Reconnects => "reconnects",
            Self::Vanishes => "vanishes",
            Self::Malformed => "malformed",
        }
    }
}
