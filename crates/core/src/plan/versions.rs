//! Plans of other versions: which can be read, and what is told of the others.

use serde_json::Value;

use super::{PLAN_VERSION, Plan, PlanError};
use crate::protocol::written::REFERENCE;

impl Plan {
    /// Reads a plan. One of version 1 that names no protocol is of the reference protocol.
    ///
    /// # Errors
    ///
    /// It is no plan, or of a version that cannot be read.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let not_a_plan = |error: serde_json::Error| PlanError(format!("not a plan: {error}"));
        let mut written: Value = serde_json::from_str(text).map_err(not_a_plan)?;
        if written["version"] == 1 && written.get("protocol").is_none() {
            written["version"] = PLAN_VERSION.into();
            written["protocol"] = REFERENCE.into();
        }
        if let Some(version) = written["version"].as_u64()
            && version != u64::from(PLAN_VERSION)
        {
            return Err(other(version));
        }
        serde_json::from_value(written).map_err(not_a_plan)
    }
}

pub(super) fn other(version: u64) -> PlanError {
    PlanError(format!(
        "plan version {version} is not {PLAN_VERSION}: drive its scenario again with this \
         partywall, or use the one that wrote it"
    ))
}
