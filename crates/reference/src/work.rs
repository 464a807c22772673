//! What one run holds while it works: its emitter, a worker, and a buffer, each from a pool.

use std::sync::Arc;

use super::bridge::UserWebSocketEmitter;
use super::context::UserExecutionContext;
use super::defects::{m08_residual_state, m09_two_owners};
use super::event::Chat;
use super::shared::{Shared, WorkerNotes};
use partywall_core::history::Note;

/// What one run works with.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) shared: Arc<Shared>,
    pub(crate) context: UserExecutionContext,
    pub(crate) chat: Chat,
    pub(crate) emitter: UserWebSocketEmitter,
    pub(crate) worker: WorkerInUse,
    pub(crate) buffer: Buffer,
}

impl Work {
    pub(crate) fn new(shared: &Arc<Shared>, context: &UserExecutionContext, chat: &Chat) -> Self {
        let emitter = UserWebSocketEmitter::take(shared, context);
        let mut worker = WorkerInUse::take(shared, context);
        worker.notes.lines.extend(super::earlier::said_before(shared, context));
        worker.notes.lines.push(chat.message.clone());
        Self {
            shared: Arc::clone(shared),
            context: context.clone(),
            chat: chat.clone(),
            emitter,
            worker,
            buffer: Buffer::take(shared, context),
        }
    }

    /// The run came to its end as it should: whoever skips this must still leave nothing behind.
    pub(crate) fn succeeded(&mut self) {
        self.worker.succeeded = true;
        self.buffer.succeeded = true;
    }

    /// What the model is told of what was said before: all of the worker's notes but the last, which
    /// is what this run was asked.
    pub(crate) fn notes(&self) -> String {
        let before = self.worker.notes.lines.split_last().map_or(&[][..], |(_, before)| before);
        let quoted = before.iter().map(|note| format!("«{note}»"));
        quoted.collect::<Vec<_>>().join(", ")
    }
}

/// A worker with its notes, taken by one run at a time.
#[derive(Debug)]
pub(crate) struct WorkerInUse {
    shared: Arc<Shared>,
    context: UserExecutionContext,
    notes: WorkerNotes,
    succeeded: bool,
}

impl WorkerInUse {
    fn take(shared: &Arc<Shared>, context: &UserExecutionContext) -> Self {
        let mut notes = shared.workers.take().unwrap_or_default();
        if !m08_residual_state::trusts_the_last_one(shared) {
            notes.lines.clear();
        }
        let of = notes.of.replace(context.user_id().clone());
        if let Some(of) = of.filter(|of| of != context.user_id() && !notes.lines.is_empty()) {
            // The worker still has the notes of another user.
            let (user, run) = (context.user_id().clone(), context.run_id().clone());
            shared.report(|| Note::Held { what: "a worker".into(), user, run, of });
        }
        Self { shared: Arc::clone(shared), context: context.clone(), notes, succeeded: false }
    }
}

impl Drop for WorkerInUse {
    fn drop(&mut self) {
        let mut notes = std::mem::take(&mut self.notes);
        if self.succeeded || !m08_residual_state::skips_the_reset(&self.shared, &self.context) {
            notes.lines.clear();
        }
        self.shared.workers.give_back(notes);
    }
}

/// Where a run keeps its answer until it is sent: a pooled buffer, one run's at a time.
#[derive(Debug)]
pub(crate) struct Buffer {
    shared: Arc<Shared>,
    context: UserExecutionContext,
    number: u64,
    succeeded: bool,
}

impl Buffer {
    fn take(shared: &Arc<Shared>, context: &UserExecutionContext) -> Self {
        let number = shared.idle_buffers.take().unwrap_or_else(|| shared.buffer_ids.next());
        Self { shared: Arc::clone(shared), context: context.clone(), number, succeeded: false }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn write(&self, text: &str) {
        self.shared.buffers.put(self.number, text.to_owned());
    }

    pub(crate) fn read(&self) -> String {
        self.shared.buffers.get(&self.number).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.shared.idle_buffers.give_back(self.number);
        if !self.succeeded && m09_two_owners::releases_twice(&self.shared, &self.context) {
            self.shared.idle_buffers.give_back(self.number);
        }
    }
}
