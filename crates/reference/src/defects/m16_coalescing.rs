//! M16 In-flight coalescing across users.
//!
//! As in unjs/ocache, where requests of one key join a handler under way and get its response,
//! cookies and all.

use crate::question::Question;
use crate::shared::AnswerKey;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// A key that holds the text alone.
pub(crate) fn key(shared: &Shared, question: &Question) -> Option<AnswerKey> {
    let text = || (String::new(), String::new(), question.about.clone());
    shared.defects.is(Mechanism::M16).then(text)
}

/// Whether the question may wait for the answer to one with the same key.
pub(crate) fn may_join(shared: &Shared, question: &Question) -> bool {
    let defects = &shared.defects;
    !defects.is(Mechanism::M16) || defects.hits(Mechanism::M16, &question.context)
}
