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
        let mut question = Question {
            context: work.context.clone(),
            service: "model",
            credential: work.context.user_id().clone(),
            settings: self.settings.clone(),
            about: format!("{agent} weighs «{}»", work.chat.message),
            earlier: work.notes(),
            turns,
        };
        m07_process_setting::apply(&work.shared, &mut question);
        m22_outbound_identity::apply(&work.shared, &mut question);
        answers::answer(&work.shared, &question).await
    }
}

/// Runs tools.
#[derive(Clone, Debug, Default)]
pub struct ToolDispatcher;

impl ToolDispatcher {
    /// The tool's result, after that many turns, unless the call's time is up before. Tools act, so
    /// they are never answered from a cache.
    pub(crate) async fn execute(
        &self,
        work: &Work,
        tool: &str,
        settings: &str,
        turns: u32,
    ) -> Result<String, Dropped> {
        let mut question = Question {
            context: work.context.clone(),
            service: "tool",
            credential: work.context.user_id().clone(),
            settings: settings.to_owned(),
            about: format!("{tool} found «{}»", work.chat.message),
            earlier: String::new(),
            turns,
        };
        m11_ambient_context::apply(&work.shared, &mut question);
        upstream::ask(&work.shared, &question).await
    }
}
