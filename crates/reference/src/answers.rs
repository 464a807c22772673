//! Answers that need not be asked for again: a semantic cache, and calls that join one under way.
//!
//! Both go by whose question it is and under which settings, not by its text alone.

use std::sync::Arc;

use super::defects::{m15_cache_key, m16_coalescing};
use super::question::Question;
use super::shared::{AnswerKey, Shared, Waiters};
use super::upstream::ask;
use partywall_world::Dropped;
use partywall_world::channel::Receiver;

/// The key with the identity in it.
fn key_of(question: &Question) -> AnswerKey {
    let Question { credential, settings, about, earlier, .. } = question;
    (credential.to_string(), settings.clone(), format!("{about}{earlier}"))
}

/// The answer: from the cache, from the same question under way, or from upstream.
///
/// # Errors
///
/// [`Dropped`] when it takes too long.
pub(crate) async fn answer(shared: &Arc<Shared>, question: &Question) -> Result<String, Dropped> {
    let key = key_of(question);
    if let Some(known) = m15_cache_key::find(shared, question).or_else(|| shared.cache.get(&key)) {
        return Ok(known);
    }
    let key_under_way = m16_coalescing::key(shared, question).unwrap_or_else(|| key.clone());
    let answer = match Turn::of(shared, question, key_under_way) {
        Turn::Follow(mut answers) => match answers.receive().await {
            Some(answer) => answer,
            // Who asked has gone: their call went with them.
            None => ask(shared, question).await?,
        },
        Turn::Lead(leading) => leading.done(ask(shared, question).await?),
        Turn::Alone => ask(shared, question).await?,
    };
    shared.cache.put(key, answer.clone());
    m15_cache_key::keep(shared, question, &answer);
    Ok(answer)
}

enum Turn {
    Lead(Leading),
    Follow(Receiver<String>),
    Alone,
}

impl Turn {
    fn of(shared: &Arc<Shared>, question: &Question, key: AnswerKey) -> Self {
        let joins = m16_coalescing::may_join(shared, question);
        let own_key = key.clone();
        shared.under_way.change(
            key,
            || None,
            |waiting: &mut Option<Waiters>| match waiting {
                None => {
                    *waiting = Some(Vec::new());
                    Self::Lead(Leading { shared: Arc::clone(shared), key: Some(own_key) })
                }
                Some(waiting) if joins => {
                    let (sender, answers) = shared.world.channel(1);
                    waiting.push(sender);
                    Self::Follow(answers)
                }
                Some(_) => Self::Alone,
            },
        )
    }
}

/// The one that asks for all who wait; dropped, it leaves them to ask for themselves.
struct Leading {
    shared: Arc<Shared>,
    /// None once it is done.
    key: Option<AnswerKey>,
}

impl Leading {
    fn done(mut self, answer: String) -> String {
        let waiting = self.key.take().and_then(|key| self.shared.under_way.take(&key));
        for waiting in waiting.flatten().into_iter().flatten() {
            // Who waited may have gone meanwhile.
            let _ = waiting.send(answer.clone());
        }
        answer
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.shared.under_way.take(&key);
        }
    }
}
