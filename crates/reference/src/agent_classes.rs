//! The classes of agent that there are.

pub(crate) use partywall_core::dialect::SUPERVISOR;

/// The supervisor's sub-agents, in order.
pub(crate) const SUB_AGENTS: [&str; 5] = ["triage", "data", "optimization", "actions", "reporting"];

/// A class of agent: what it is called and which tool it uses. Rightly shared, since none changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AgentClass {
    pub(crate) name: &'static str,
    pub(crate) tool: &'static str,
}

impl AgentClass {
    /// The class of that name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (name, tool) = match name {
            SUPERVISOR => (SUPERVISOR, "plan"),
            "triage" => ("triage", "classify"),
            "data" => ("data", "query_metrics"),
            "optimization" => ("optimization", "simulate"),
            "actions" => ("actions", "draft_change"),
            "reporting" => ("reporting", "write_report"),
            _ => return None,
        };
        Some(Self { name, tool })
    }
}
