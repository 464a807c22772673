//! M09 Two owners of one pooled object.
//!
//! As in Jetty 9.4.27 (CVE-2019-17638), where an error path releases a buffer that is released
//! again.

use crate::context::UserExecutionContext;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Whether a run that fails gives its buffer back a second time.
pub(crate) fn releases_twice(shared: &Shared, context: &UserExecutionContext) -> bool {
    shared.defects.hits(Mechanism::M09, context)
}
