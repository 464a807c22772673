//! Two reports beside each other: which findings are new, gone, or still there, and whether less
//! was tried.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{FindingKind, Fingerprint, OracleId};
use super::record::LevelName;
use super::verdict::{Outcome, Reason};

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Compared {
    /// The earlier report; none where only a baseline is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Compare>,
    /// The later report.
    pub new: Compare,
    /// Found now, not before, and not in the baseline.
    pub appeared: Vec<ComparedFinding>,
    /// Found now and before, and not in the baseline.
    pub remaining: Vec<ComparedFinding>,
    /// In the baseline, with its reason, which still holds.
    pub known: Vec<ComparedFinding>,
    /// Found before and not now, where the same was tried.
    pub gone: Vec<ComparedFinding>,
    /// Found before; now its scenario was not tried at that level.
    pub not_tried: Vec<ComparedFinding>,
    /// In the baseline, and not found now: the entry can be taken out.
    pub unneeded: Vec<String>,
    /// How much was tried, then and now.
    pub coverage: Vec<CoverageChange>,
    /// Leaks of the later report that are no findings of a level, so that no baseline accepts them:
    /// call sites that remain, a migrated state or a model that leaks, a repro that still shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_leaks: Vec<Reason>,
    /// Why the later report would not be clean without its findings, such as a missed control. A gate
    /// does not pass with any of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Reason>,
}

/// One of the reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Compare {
    /// The run folder, or what the command was called.
    pub name: String,
    /// When it was made.
    pub started_at: String,
    /// What it came to.
    pub verdict: Outcome,
}

/// A finding of one of the reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ComparedFinding {
    /// What stays the same when it is found again.
    pub fingerprint: Fingerprint,
    /// Who found it.
    pub oracle: OracleId,
    /// What kind of wrong it is.
    pub kind: FindingKind,
    /// The level.
    pub level: LevelName,
    /// The scenario.
    pub scenario: String,
    /// One sentence.
    pub summary: String,
    /// What the baseline says of it, or why its entry does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The line that reproduces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproduce_with: Option<String>,
}

/// How much of one figure was reached, then and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct CoverageChange {
    /// The level.
    pub level: LevelName,
    /// The scenario.
    pub scenario: String,
    /// What is compared.
    pub figure: String,
    /// Whether the values are shares, from 0 to 1.
    #[serde(default)]
    pub is_share: bool,
    /// Then.
    pub old: f64,
    /// Now.
    pub new: f64,
    /// Whether now is clearly less: below nine tenths.
    pub less: bool,
}
