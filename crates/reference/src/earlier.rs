//! Conversations: what a run adds to one, and what the model is told of it.

use std::sync::Arc;

use super::context::UserExecutionContext;
use super::defects::{m06_app_memory, m14_scope_key};
use super::event::SaidMessage;
use super::shared::Shared;

/// The last thing that the user wrote in this conversation before this run.
pub(crate) fn said_before(shared: &Arc<Shared>, context: &UserExecutionContext) -> Option<String> {
    if let Some(memory) = m06_app_memory::recall(shared, context) {
        return Some(memory);
    }
    let key = m14_scope_key::read_key(shared, context.conversation());
    let messages = shared.conversations.read(&key)?;
    let earlier =
        messages.iter().rev().find(|said| said.role == "user" && said.run_id != *context.run_id());
    earlier.map(|said| said.text.clone())
}

/// Adds what was said to the run's conversation.
pub(crate) fn remember(
    shared: &Arc<Shared>,
    context: &UserExecutionContext,
    role: &'static str,
    text: &str,
) {
    let said = SaidMessage { run_id: context.run_id().clone(), role, text: text.to_owned() };
    m06_app_memory::note(shared, &said);
    m14_scope_key::also(shared, context, &said);
    shared.conversations.append(context.conversation(), said);
}
