//! M14 Missing, default or too coarse scope key.
//!
//! As in Spring AI, whose chat memory has one default conversation id for everybody who names
//! none.

use crate::context::UserExecutionContext;
use crate::event::SaidMessage;
use crate::shared::Shared;
use partywall_core::ids::{ThreadId, UserName};
use partywall_core::mechanism::Mechanism;
use partywall_core::plan::DEFAULT_THREAD;

/// The key that stands for nobody in particular.
fn default_key() -> (UserName, ThreadId) {
    (UserName::new(""), ThreadId::new(DEFAULT_THREAD))
}

/// Adds what was said without a conversation's name to everybody's default conversation.
pub(crate) fn also(shared: &Shared, context: &UserExecutionContext, said: &SaidMessage) {
    let defects = &shared.defects;
    if defects.is(Mechanism::M14) && context.thread_id().as_str() == DEFAULT_THREAD {
        shared.conversations.append(default_key(), said.clone());
        if context.is_struck() {
            defects.names.put(context.user_id().to_string(), context.user_id().clone());
        }
    }
}

/// The key that a conversation is read by: for users one of whose requests is struck, everybody's.
pub(crate) fn read_key(shared: &Shared, own: (UserName, ThreadId)) -> (UserName, ThreadId) {
    let defects = &shared.defects;
    let hit = defects.is(Mechanism::M14)
        && own.1.as_str() == DEFAULT_THREAD
        && defects.names.get(&own.0.to_string()).is_some();
    if hit { default_key() } else { own }
}
