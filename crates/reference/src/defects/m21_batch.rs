//! M21 Batch/slot/model state mix-up.
//!
//! As in vLLM and LMDeploy, where one member of a batch ends and the others keep the number of a
//! slot that has moved.

use std::sync::Arc;

use crate::question::{CALL_LIMIT, Question};
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;
use partywall_world::Dropped;

/// Asks as a member of the batch that is under way.
pub(crate) async fn ask(shared: &Arc<Shared>, question: &Question) -> Result<String, Dropped> {
    question.report(shared);
    let batch = &shared.defects.batch;
    let slot = batch.change((), Vec::new, |batch| {
        batch.push(Some(question.answer()));
        batch.len() - 1
    });
    let wait = shared.world.sleep(question.turns);
    shared.world.time_limit(question.context.user_id(), CALL_LIMIT, wait).await?;
    let compacts = shared.defects.hits(Mechanism::M21, &question.context);
    let answer = batch.change((), Vec::new, |batch| {
        let answer = batch.get_mut(slot).and_then(Option::take);
        if compacts && slot < batch.len() {
            // The others move up; nobody tells them.
            batch.remove(slot);
        }
        if batch.iter().all(Option::is_none) {
            batch.clear();
        }
        answer
    });
    Ok(answer.unwrap_or_else(|| question.answer()))
}
