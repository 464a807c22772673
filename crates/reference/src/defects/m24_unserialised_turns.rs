//! M24 Unserialised turns on one key.
//!
//! As in Mastra, where two streams of one thread both recall it and then both persist it.

use crate::context::UserExecutionContext;
use crate::event::SaidMessage;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;

/// Reads the whole conversation at the start of the run, and writes nothing yet.
pub(crate) fn reads_the_record(
    shared: &Shared,
    context: &UserExecutionContext,
    message: &str,
) -> bool {
    if !shared.defects.hits(Mechanism::M24, context) {
        return false;
    }
    let mut record = shared.conversations.read(&context.conversation()).unwrap_or_default();
    record.push(said(context, "user", message));
    shared.defects.records.put(context.run_id().clone(), record);
    true
}

/// Writes it back whole at the end, whatever was added meanwhile.
pub(crate) fn writes_back(shared: &Shared, context: &UserExecutionContext, answer: &str) -> bool {
    let Some(mut record) = shared.defects.records.take(context.run_id()) else { return false };
    record.push(said(context, "agent", answer));
    shared.conversations.replace(context.conversation(), record);
    true
}

fn said(context: &UserExecutionContext, role: &'static str, text: &str) -> SaidMessage {
    SaidMessage { run_id: context.run_id().clone(), role, text: text.to_owned() }
}
