//! The row of a model in the report.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One model of the kernel that the server's threads share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ModelRow {
    /// Its name.
    pub name: String,
    /// What it is about, in one line.
    pub about: String,
    /// Whether it must be refuted: a model of the legacy form is.
    pub must_leak: bool,
    /// Whether it was refuted.
    pub leaked: bool,
    /// How many interleavings were searched.
    pub interleavings: u64,
    /// The bound on preemptions; none where the search was complete, or ended with a refutation.
    pub preemption_bound: Option<u64>,
    /// How many broken variants were searched.
    pub controls_planted: u64,
    /// How many of them were refuted, as they must be.
    pub controls_caught: u64,
    /// Whether the interesting state was reached.
    pub reached: bool,
    /// Whether all of it is as it must be.
    pub as_expected: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The counterexample, a column a thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<String>,
    /// The exact line that tells the counterexample again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproduce_with: Option<String>,
}
