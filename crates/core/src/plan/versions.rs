//! Plans of other versions: which can be read, and what is told of the others.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{PLAN_VERSION, Plan, PlanError};

impl Plan {
    /// Reads a plan. One of version 1 that names no protocol is of the reference protocol.
    ///
    /// # Errors
    ///
    /// It is no plan, or of a version that cannot be read.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let not_a_plan = |error: serde_json::Error| PlanError(format!("not a plan: {error}"));
        #[derive(Deserialize)]
        struct Head {
            version: u64,
            protocol: Option<IgnoredAny>,
        }
        let Head { version, protocol } = serde_json::from_str(text).map_err(not_a_plan)?;
        let of_the_reference = version == 1 && protocol.is_none();
        if version != u64::from(PLAN_VERSION) && !of_the_reference {
            return Err(other(version));
        }
        let mut plan: Self = serde_json::from_str(text).map_err(not_a_plan)?;
        plan.version = PLAN_VERSION;
        Ok(plan)
    }
}

pub(super) fn other(version: u64) -> PlanError {
    PlanError(format!(
        "plan version {version} is not {PLAN_VERSION}: drive its scenario again with this \
         partywall, or use the one that wrote it"
    ))
}
