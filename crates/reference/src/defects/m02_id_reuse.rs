//! M02 Correlation id re-used while the old reply is outstanding.
//!
//! As in the Cassandra python-driver, where the stream id of a timed-out request went back to
//! the free list while its reply was still to come.

use std::sync::Arc;

use crate::context::UserExecutionContext;
use crate::question::{CALL_LIMIT, Question};
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;
use partywall_world::Dropped;

/// Asks over one connection that all calls share, each under the lowest free id.
pub(crate) async fn ask(shared: &Arc<Shared>, question: &Question) -> Result<String, Dropped> {
    let (sender, mut replies) = shared.world.channel(4);
    let mailboxes = &shared.defects.mailboxes;
    let mut id = 0;
    while !mailboxes.change(
        id,
        || None,
        |owner| {
            let is_free = owner.is_none();
            if is_free {
                *owner = Some(sender.clone());
            }
            is_free
        },
    ) {
        id += 1;
    }
    let mut call =
        Call { shared: Arc::clone(shared), context: question.context.clone(), id, done: false };
    question.report(shared);
    let (upstream, reply, turns) = (Arc::clone(shared), question.answer(), question.turns);
    shared.world.spawn(format!("upstream/{}", question.context.run_id()), async move {
        upstream.world.sleep(turns).await;
        upstream.defects.mailboxes.edit(&id, |owner| {
            // Whoever owns the id by now gets the reply; with it the id is free.
            if let Some(owner) = owner.take() {
                let _ = owner.send(reply);
            }
        });
    });
    let reply = replies.receive();
    let reply = shared.world.time_limit(question.context.user_id(), CALL_LIMIT, reply).await?;
    call.done = true;
    Ok(reply.unwrap_or_default())
}

struct Call {
    shared: Arc<Shared>,
    context: UserExecutionContext,
    id: u64,
    done: bool,
}

impl Drop for Call {
    fn drop(&mut self) {
        // The id of a call that is given up is freed at once, though its reply is still to come.
        if !self.done && self.shared.defects.hits(Mechanism::M02, &self.context) {
            self.shared.defects.mailboxes.edit(&self.id, |owner| *owner = None);
        }
    }
}
