//! The client of the scripted upstream: the model and the tools, behind pooled connections.
//!
//! A connection carries one question after the other, and its replies come in the order of the
//! questions. So a call that is dropped between the two owes a reply, and its connection must not
//! be used again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::context::UserExecutionContext;
use super::defects::{m01_stale_reply, m02_id_reuse, m21_batch};
use super::process::Shared;
use partywall_core::history::Note;
use partywall_core::ids::UserName;
use partywall_core::mechanism::Mechanism;
use partywall_world::Dropped;

/// How long a call of the model or of a tool may take.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(30);

/// A question to the model or to a tool, with the identity that it is asked under.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// For which run.
    pub(crate) context: UserExecutionContext,
    /// `model` or `tool`.
    pub(crate) service: &'static str,
    /// Whose account pays for it.
    pub(crate) credential: UserName,
    /// The settings of that account.
    pub(crate) settings: String,
    /// What is asked.
    pub(crate) about: String,
    /// What was said before, as far as the model is told; empty for nothing.
    pub(crate) earlier: String,
    /// How long the answer takes, in turns.
    pub(crate) turns: u32,
}

impl Question {
    /// What the scripted upstream answers: it echoes all that it was told.
    pub(crate) fn answer(&self) -> String {
        let Self { about, earlier, settings, .. } = self;
        match earlier.as_str() {
            "" => format!("{about} under settings «{settings}»"),
            earlier => format!("{about} after {earlier} under settings «{settings}»"),
        }
    }

    /// Reports that the upstream was asked, as the upstream's own log has it.
    pub(crate) fn report(&self, shared: &Shared) {
        if shared.world.is_recorded() {
            shared.world.report(Note::Upstream {
                service: self.service.into(),
                credential: self.credential.clone(),
                run: self.context.run_id().clone(),
                text: self.answer(),
            });
        }
    }
}

/// Asks, and waits for the answer.
///
/// # Errors
///
/// [`Dropped`] when it takes too long.
pub(crate) async fn ask(shared: &Arc<Shared>, question: &Question) -> Result<String, Dropped> {
    let context = &question.context;
    if shared.defects.is(Mechanism::M02) {
        return m02_id_reuse::ask(shared, question).await;
    }
    if shared.defects.is(Mechanism::M21) {
        return m21_batch::ask(shared, question).await;
    }
    let mut line = Line::take(shared, question);
    line.send(question);
    let wait = shared.world.sleep(question.turns);
    shared.world.time_limit(context.user_id(), CALL_LIMIT, wait).await?;
    Ok(line.read())
}

/// A connection to the upstream, with the replies that it still has to deliver.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    replies: VecDeque<String>,
}

/// A connection in use: back in the pool once its reply was read, and closed otherwise.
struct Line {
    shared: Arc<Shared>,
    connection: Connection,
    keep_unread: bool,
}

impl Line {
    fn take(shared: &Arc<Shared>, question: &Question) -> Self {
        let connection = shared.upstream.take().unwrap_or_default();
        let keep_unread = m01_stale_reply::keeps_unread(shared, &question.context);
        Self { shared: Arc::clone(shared), connection, keep_unread }
    }

    fn send(&mut self, question: &Question) {
        question.report(&self.shared);
        self.connection.replies.push_back(question.answer());
    }

    fn read(&mut self) -> String {
        self.connection.replies.pop_front().unwrap_or_default()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.connection.replies.is_empty() || self.keep_unread {
            self.shared.upstream.give_back(std::mem::take(&mut self.connection));
        }
    }
}
