//! How the trials of a level were chosen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the trials of a level were chosen. Reports and files have it as the text that it is shown by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum SearchMethod {
    /// A seeded random walk with a new plan for each trial: trials are drawn independently.
    RandomWalk,
    /// Probabilistic concurrency testing.
    Pct {
        /// The depth of the bugs that the stated odds are of.
        depth: u32,
    },
    /// Random walks, some of them towards phases that have not met.
    GuidedWalk,
    /// The schedules of one plan, by number of deviations.
    Exhaustive,
    /// A fault at each point at which something may be dropped, one at a time.
    FaultSweep,
    /// Strict replays of repros that were saved.
    SavedRepros,
    /// Rounds in which all users start together.
    BarrierRounds,
    /// A recorded history, judged again.
    JudgedAgain,
    /// Thread interleavings of the kernel, by loom.
    ThreadInterleavings,
}

/// Those without a number in their text.
const PLAIN: [(SearchMethod, &str); 8] = [
    (SearchMethod::RandomWalk, "random walk"),
    (SearchMethod::GuidedWalk, "guided walk"),
    (SearchMethod::Exhaustive, "exhaustive"),
    (SearchMethod::FaultSweep, "fault sweep"),
    (SearchMethod::SavedRepros, "saved repros"),
    (SearchMethod::BarrierRounds, "barrier rounds"),
    (SearchMethod::JudgedAgain, "judged again"),
    (SearchMethod::ThreadInterleavings, "thread interleavings by loom"),
];
const PCT: &str = "PCT of depth ";

impl SearchMethod {
    /// Whether most of its schedules let task after task run, so that only some overlap is asked of it.
    pub fn is_systematic(self) -> bool {
        matches!(self, Self::Pct { .. } | Self::Exhaustive | Self::FaultSweep)
    }
}

impl fmt::Display for SearchMethod {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pct { depth } => write!(out, "{PCT}{depth}"),
            plain => {
                let text = PLAIN.iter().find(|(own, _)| own == plain);
                out.pad(text.map_or("", |(_, text)| text))
            }
        }
    }
}

impl From<SearchMethod> for String {
    fn from(method: SearchMethod) -> Self {
        method.to_string()
    }
}

impl FromStr for SearchMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pct = || Some(Self::Pct { depth: text.strip_prefix(PCT)?.parse().ok()? });
        let plain = PLAIN.iter().find(|(_, own)| *own == text).map(|(method, _)| *method);
        plain.or_else(pct).ok_or_else(|| format!("there is no method `{}`", text.escape_debug()))
    }
}

impl TryFrom<String> for SearchMethod {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_reads_back_from_its_text() {
        let all = PLAIN.iter().map(|(method, _)| *method).chain([SearchMethod::Pct { depth: 3 }]);
        for method in all {
            let text = method.to_string();
            assert!(!text.is_empty(), "{method:?}");
            assert_eq!(text.parse(), Ok(method), "{text}");
        }
        assert!("every schedule".parse::<SearchMethod>().is_err());
    }
}
