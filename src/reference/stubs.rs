//! Deterministic stand-ins for the model and the tools: they take as long as the client chose and
//! echo what they were asked, so that whose answer it is can be seen in it.

use crate::world::World;

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

    /// The model's answer, after that many turns.
    pub(crate) async fn complete(
        &self,
        world: &World,
        agent: &str,
        prompt: &str,
        turns: u32,
    ) -> String {
        world.sleep(turns).await;
        format!("{agent} weighs «{prompt}» under settings «{}»", self.settings)
    }
}

/// Runs tools.
#[derive(Clone, Debug, Default)]
pub struct ToolDispatcher;

impl ToolDispatcher {
    /// The tool's result, after that many turns.
    pub(crate) async fn execute(
        &self,
        world: &World,
        tool: &str,
        query: &str,
        turns: u32,
    ) -> String {
        world.sleep(turns).await;
        format!("{tool} found «{query}»")
    }
}
