//! The client of the scripted upstream: the model and the tools, behind pooled connections.
//!
//! A connection carries one question after the other, and its replies come in the order of the
//! questions. So a call that is dropped between the two owes a reply, and its connection must not
//! be used again.

use std::sync::Arc;

use super::defects::{m01_stale_reply, m02_id_reuse, m21_batch};
use super::question::{CALL_LIMIT, Question};
use super::shared::{Shared, UpstreamConnection};
use partywall_core::mechanism::Mechanism;
use partywall_world::Dropped;

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
    question.report(shared);
    line.connection.replies.push_back(question.answer());
    let wait = shared.world.sleep(question.turns);
    shared.world.time_limit(context.user_id(), CALL_LIMIT, wait).await?;
    Ok(line.connection.replies.pop_front().unwrap_or_default())
}

/// A connection in use: back in the pool once its reply was read, and closed otherwise.
struct Line {
    shared: Arc<Shared>,
    connection: UpstreamConnection,
    keep_unread: bool,
}

impl Line {
    fn take(shared: &Arc<Shared>, question: &Question) -> Self {
        let connection = shared.upstream.take().unwrap_or_default();
        let keep_unread = m01_stale_reply::keeps_unread(shared, &question.context);
        Self { shared: Arc::clone(shared), connection, keep_unread }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.connection.replies.is_empty() || self.keep_unread {
            self.shared.upstream.give_back(std::mem::take(&mut self.connection));
        }
    }
}
