//! Deterministic stand-ins for the model and the tools: they take as long as the client chose and
//! echo what they were asked, so that whose answer it is can be seen in it.

use super::answers;
use super::defects::{m07_process_setting, m11_ambient_context, m22_outbound_identity};
use super::question::Question;
use super::upstream;
use super::work::Work;
use partywall_world::Dropped;

/// Asks the model under one user's settings.
#[derive(Clone, Debug)]
pub struct LlmManager {
    settings: String,
}

impl LlmManager {
    /// The manager of somebody with those settings.
    pub fn new(settings: impl Into<String>) -> Self {
        Self { settings: settings.into() }
    }

    /// The settings that it asks under.
    pub(crate) fn settings(&self) -> &str {
        &self.settings
    }

    /// The model's answer, after that many turns, unless the call's time is up before.
    pub(crate) async fn complete(
        &self,
        work: &Work,
        agent: &str,
        turns: u32,
    ) -> Result<String, Dropped> {
        let about = format!("{agent} weighs «{}»", work.chat.message);
        let question = question(work, "model", &self.settings, about, turns);
        let mut question = Question { earlier: work.notes(), ..question };
        m07_process_setting::apply(&work.shared, &mut question);
        m22_outbound_identity::apply(&work.shared, &mut question);
        answers::answer(&work.shared, &question).await
    }

    /// The tool's result under the same settings, after that many turns, unless the call's time is up
    /// before. Tools act, so they are never answered from a cache.
    pub(crate) async fn use_tool(
        &self,
        work: &Work,
        tool: &str,
        turns: u32,
    ) -> Result<String, Dropped> {
        let about = format!("{tool} found «{}»", work.chat.message);
        let mut question = question(work, "tool", &self.settings, about, turns);
        m11_ambient_context::apply(&work.shared, &mut question);
        upstream::ask(&work.shared, &question).await
    }
}

/// A question of the run's user, who has said nothing before.
fn question(
    work: &Work,
    service: &'static str,
    settings: &str,
    about: String,
    turns: u32,
) -> Question {
    Question {
        context: work.context.clone(),
        service,
        credential: work.context.user_id().clone(),
        settings: settings.to_owned(),
        about,
        earlier: String::new(),
        turns,
    }
}
