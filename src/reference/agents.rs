//! Agents: the classes that there are, and one built instance.

use super::bridge::{AgentWebSocketBridge, UserWebSocketEmitter};
use super::event::{AgentEvent, Chat};
use super::stubs::{LlmManager, ToolDispatcher};
use crate::world::World;

/// The supervisor's name.
pub const SUPERVISOR: &str = "supervisor";

/// The supervisor's sub-agents, in order.
pub const SUB_AGENTS: [&str; 5] = ["triage", "data", "optimization", "actions", "reporting"];

/// A class of agent: what it is called and which tool it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AgentClass {
    pub(crate) name: &'static str,
    pub(crate) tool: &'static str,
}

/// Agent name → class. Immutable after start-up, hence rightly shared.
#[derive(Debug)]
pub struct AgentClassRegistry(Vec<AgentClass>);

impl AgentClassRegistry {
    pub(crate) fn standard() -> Self {
        let class = |name, tool| AgentClass { name, tool };
        Self(vec![
            class(SUPERVISOR, "plan"),
            class("triage", "classify"),
            class("data", "query_metrics"),
            class("optimization", "simulate"),
            class("actions", "draft_change"),
            class("reporting", "write_report"),
        ])
    }

    pub(crate) fn get(&self, name: &str) -> Option<AgentClass> {
        self.0.iter().find(|class| class.name == name).copied()
    }
}

/// An agent built for one run, with the bridge and the LLM manager that it was given.
#[derive(Debug)]
pub struct AgentInstance {
    class: AgentClass,
    bridge: AgentWebSocketBridge,
    llm_manager: LlmManager,
    tool_dispatcher: ToolDispatcher,
}

impl AgentInstance {
    pub(crate) fn new(
        class: AgentClass,
        bridge: AgentWebSocketBridge,
        llm_manager: LlmManager,
        tool_dispatcher: ToolDispatcher,
    ) -> Self {
        Self { class, bridge, llm_manager, tool_dispatcher }
    }

    /// Says something over the bridge that the agent was built with; others may go on meanwhile.
    pub(crate) async fn say(
        &self,
        world: &World,
        emitter: &mut UserWebSocketEmitter,
        event: &AgentEvent,
    ) {
        emitter.emit(&self.bridge, self.class.name, event);
        world.turn().await;
    }

    /// Works on the prompt as a sub-agent does: thinks, uses its tool, completes.
    pub(crate) async fn work(
        &self,
        world: &World,
        emitter: &mut UserWebSocketEmitter,
        chat: &Chat,
        call: usize,
    ) -> String {
        let AgentClass { name, tool } = self.class;
        let prompt = &chat.message;
        self.say(
            world,
            emitter,
            &AgentEvent::AgentStarted { message: format!("{name} takes «{prompt}»") },
        )
        .await;
        let reasoning = self.llm_manager.complete(world, name, prompt, chat.delay(call + 1)).await;
        self.say(world, emitter, &AgentEvent::AgentThinking { reasoning: reasoning.clone() }).await;
        let parameters = serde_json::json!({ "query": prompt });
        self.say(world, emitter, &AgentEvent::ToolExecuting { tool_name: tool.into(), parameters })
            .await;
        let result = self.tool_dispatcher.execute(world, tool, prompt, chat.delay(call + 2)).await;
        self.say(world, emitter, &AgentEvent::ToolCompleted { tool_name: tool.into(), result })
            .await;
        self.say(world, emitter, &AgentEvent::AgentCompleted { result: reasoning.clone() }).await;
        reasoning
    }
}
