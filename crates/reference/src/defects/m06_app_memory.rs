//! M06 App-lifetime object accumulates user state.
//!
//! As in LangChain applications whose `ConversationBufferMemory` is made at module level.

use crate::context::UserExecutionContext;
use crate::event::SaidMessage;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Adds what a user said to the memory that lives as long as the process.
pub(crate) fn note(shared: &Shared, said: &SaidMessage) {
    if shared.defects.is(Mechanism::M06) && said.role == "user" {
        shared.defects.memory.append((), said.clone());
    }
}

/// What was said last, by whomever.
pub(crate) fn recall(shared: &Shared, context: &UserExecutionContext) -> Option<String> {
    let hit = shared.defects.hits(Mechanism::M06, context);
    let said = hit.then(|| shared.defects.memory.read(&())).flatten()?;
    let earlier = said.iter().rev().find(|said| said.run_id != *context.run_id());
    earlier.map(|said| said.text.clone())
}
