//! The mechanisms: 24 ways in which one user's data reached another in released software.

mod facts;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A known way to leak. Exhaustive on purpose: a new one without a defect, a row in the detection
/// matrix and a place in the diagnosis does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each member's name and story are data, in `facts`")]
pub enum Mechanism {
    M01,
    M02,
    M03,
    M04,
    M05,
    M06,
    M07,
    M08,
    M09,
    M10,
    M11,
    M12,
    M13,
    M14,
    M15,
    M16,
    M17,
    M18,
    M19,
    M20,
    M21,
    M22,
    M23,
    M24,
}

/// An ingredient of the work, without which some mechanism is never provoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Workload {
    /// Identical clients that start together, with identical ids, answered in another order.
    W1,
    /// Nested overlap: one starts, another starts or attaches, the first goes on.
    W2,
    /// Requests cancelled, cut or timed out at any point.
    W3,
    /// A scripted upstream whose latency is chosen for each request.
    W4,
    /// Reconnects that overlap, and cursors of every kind.
    W5,
    /// Another user on the same connection, and users one after the other.
    W6,
    /// Requests that fail, followed at once by another user's.
    W7,
    /// A slow reader while others burst.
    W8,
    /// Tiny pools.
    W9,
    /// The same request by different users.
    W10,
    /// Scope fields that are left out or equal.
    W11,
    /// Control actions while others are active.
    W12,
    /// Parallel turns in one conversation.
    W13,
    /// An idle bystander who is connected.
    W14,
    /// Many creations in one tick.
    W15,
    /// Detached work that outlives its answer.
    W16,
}

/// What is known of a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is called.
    pub name: &'static str,
    /// What goes wrong, in one line.
    pub story: &'static str,
    /// What must happen for it to go wrong.
    pub trigger: &'static str,
    /// What a client sees of it.
    pub shows: &'static str,
    /// The ingredients that provoke it.
    pub workloads: &'static [Workload],
    /// The oracles that can see it, by code.
    pub oracles: &'static [&'static str],
    /// Released software that had it, by repository and issue, or advisory.
    pub cases: &'static [&'static str],
}

impl Mechanism {
    /// All of them, in order.
    pub const ALL: [Self; 24] = [
        Self::M01,
        Self::M02,
        Self::M03,
        Self::M04,
        Self::M05,
        Self::M06,
        Self::M07,
        Self::M08,
        Self::M09,
        Self::M10,
        Self::M11,
        Self::M12,
        Self::M13,
        Self::M14,
        Self::M15,
        Self::M16,
        Self::M17,
        Self::M18,
        Self::M19,
        Self::M20,
        Self::M21,
        Self::M22,
        Self::M23,
        Self::M24,
    ];

    /// What is known of it.
    pub fn facts(self) -> &'static Facts {
        &facts::FACTS[self as usize]
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "M{:02}", *self as usize + 1)
    }
}

/// There is no such mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMechanism(String);

impl fmt::Display for UnknownMechanism {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "there is no mechanism `{}`; there are M01 to M24", self.0.escape_debug())
    }
}

impl std::error::Error for UnknownMechanism {}

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(text: &str) -> Result<Self, UnknownMechanism> {
        let code = text.trim().to_ascii_uppercase();
        let known = Self::ALL.into_iter().find(|known| known.to_string() == code);
        known.ok_or_else(|| UnknownMechanism(text.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_reads_back_and_tells_its_story() {
        for mechanism in Mechanism::ALL {
            assert_eq!(mechanism.to_string().parse(), Ok(mechanism));
            let Facts { name, story, trigger, shows, workloads, oracles, cases } =
                *mechanism.facts();
            assert!([name, story, trigger, shows].iter().all(|text| !text.is_empty()));
            assert!(!workloads.is_empty() && !oracles.is_empty() && !cases.is_empty());
        }
        assert!("M25".parse::<Mechanism>().is_err());
    }
}
