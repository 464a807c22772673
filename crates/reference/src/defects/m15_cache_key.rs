//! M15 Cache key without identity.
//!
//! As in the GPTCache server, one cache whose key is the prompt.

use crate::question::Question;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// The answer that was kept for that text, whoever asked.
pub(crate) fn find(shared: &Shared, question: &Question) -> Option<String> {
    let hit = shared.defects.hits(Mechanism::M15, &question.context);
    hit.then(|| shared.defects.texts.get(&question.about)).flatten()
}

/// Keeps the answer under the text of the question.
pub(crate) fn keep(shared: &Shared, question: &Question, answer: &str) {
    if shared.defects.is(Mechanism::M15) {
        shared.defects.texts.put(question.about.clone(), answer.to_owned());
    }
}
