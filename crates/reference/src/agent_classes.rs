//! The classes of agent that there are.

pub use partywall_core::dialect::SUPERVISOR;

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
