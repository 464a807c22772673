//! M08 Residual state on a reused worker, connection or object.
//!
//! As in Puma with Rails (CVE-2022-23634), where a response that is not closed skips the reset
//! of what is kept for the current request.

use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Whether a run takes a worker as the last one left it.
pub(crate) fn trusts_the_last_one(shared: &Shared) -> bool {
    shared.defects.is(Mechanism::M08)
}

/// Whether a run that fails leaves its notes behind.
pub(crate) fn skips_the_reset(shared: &Shared, context: &UserExecutionContext) -> bool {
    shared.defects.hits(Mechanism::M08, context)
}
