//! Agents: one built instance of a class.

use super::agent_classes::AgentClass;
use super::bridge::AgentWebSocketBridge;
use super::defects::m11_ambient_context;
use super::event::AgentEvent;
use super::stubs::LlmManager;
use super::work::Work;
use partywall_world::Dropped;

/// An agent built for one run, with the bridge and the LLM manager that it was given.
#[derive(Debug)]
pub struct AgentInstance {
    pub(crate) class: AgentClass,
    pub(crate) bridge: AgentWebSocketBridge,
    pub(crate) llm_manager: LlmManager,
}

impl AgentInstance {
    /// Says something over the bridge that the agent was built with; others may go on meanwhile.
    pub(crate) async fn say(&self, work: &mut Work, event: &AgentEvent) {
        work.emitter.emit(&self.bridge, self.class.name, event);
        work.shared.world.turn().await;
    }

    /// Works on the prompt as a sub-agent does: thinks, uses its tool, completes.
    pub(crate) async fn work(&self, work: &mut Work, call: usize) -> Result<String, Dropped> {
        let AgentClass { name, tool } = self.class;
        m11_ambient_context::enter(&work.shared, &work.context, self.llm_manager.settings());
        let message = format!("{name} takes «{}»", work.chat.message);
        self.say(work, &AgentEvent::AgentStarted { message }).await;
        let turns = work.chat.delay(call + 1);
        let reasoning = self.llm_manager.complete(work, name, turns).await?;
        work.buffer.write(&reasoning);
        self.say(work, &AgentEvent::AgentThinking { reasoning }).await;
        let parameters = serde_json::json!({ "query": work.chat.message });
        self.say(work, &AgentEvent::ToolExecuting { tool_name: tool.into(), parameters }).await;
        let turns = work.chat.delay(call + 2);
        let result = self.llm_manager.use_tool(work, tool, turns).await?;
        self.say(work, &AgentEvent::ToolCompleted { tool_name: tool.into(), result }).await;
        let result = work.buffer.read();
        self.say(work, &AgentEvent::AgentCompleted { result: result.clone() }).await;
        Ok(result)
    }
}
