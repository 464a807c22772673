//! M22 Outbound call with another user's identity.
//!
//! As in AsyncHttpClient (CVE-2024-53990), whose shared cookie store overrides the cookies of a
//! request.

use super::Ambient;
use crate::question::Question;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Asks with the identity that the shared client has kept since its first call.
pub(crate) fn apply(shared: &Shared, question: &mut Question) {
    let defects = &shared.defects;
    if !defects.is(Mechanism::M22) {
        return;
    }
    let kept = defects.ambient.read().unwrap_or_else(|| {
        let own = Ambient::of(&question.context, &question.settings);
        defects.ambient.configure(own.clone());
        own
    });
    if defects.hits(Mechanism::M22, &question.context) {
        question.credential = kept.user;
        question.settings = kept.settings;
    }
}
