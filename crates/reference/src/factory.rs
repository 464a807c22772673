//! `AgentInstanceFactory`: one type, used process-wide in the legacy form and per request in the
//! cured one.

use std::fmt;
use std::sync::Arc;

use super::agent_classes::AgentClass;
use super::agents::AgentInstance;
use super::bridge::AgentWebSocketBridge;
use super::context::UserExecutionContext;
use super::kernel::singleton::SettingsSlot;
use super::process::Process;
use super::shared::Shared;
use super::stubs::LlmManager;
use super::warning::Warning;
use partywall_core::history::Note;
use partywall_core::ids::UserName;

/// Makes agent instances from its settings: the bridge, the LLM manager and the tools.
#[derive(Debug)]
pub struct AgentInstanceFactory {
    name: String,
    bound_to: Option<UserExecutionContext>,
    shared: Arc<Shared>,
    settings: SettingsSlot<Settings>,
}

#[derive(Clone, Debug)]
struct Settings {
    configured_for: Option<UserName>,
    bridge: AgentWebSocketBridge,
    llm_manager: LlmManager,
}

/// Why a factory does not make an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FactoryError {
    /// Nobody has configured it.
    NotConfigured,
    /// There is no such class of agent.
    UnknownAgent,
    /// It is bound to another user's context.
    ForeignContext,
}

impl fmt::Display for FactoryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotConfigured => "the agent instance factory is not configured",
            Self::UnknownAgent => "there is no such agent",
            Self::ForeignContext => "the agent instance factory is bound to another context",
        })
    }
}

impl std::error::Error for FactoryError {}

/// Legacy: the process-wide factory, made at first use. Whoever configures it configures it for
/// everybody.
pub fn get_agent_instance_factory(process: &Process) -> Arc<AgentInstanceFactory> {
    process
        .singleton
        .get_or_make(|| AgentInstanceFactory::new(&process.shared, "process-wide", None))
}

/// Legacy: configures the process-wide factory at start-up, for nobody.
pub fn configure_agent_instance_factory(process: &Process) {
    let settings = Settings {
        configured_for: None,
        bridge: AgentWebSocketBridge::for_registry(&process.shared),
        llm_manager: LlmManager::new("start-up defaults"),
    };
    get_agent_instance_factory(process).settings.configure(settings);
}

/// The cure: a factory of one request, bound to its context. There is none without a context.
pub fn create_agent_instance_factory(
    process: &Process,
    user_context: &UserExecutionContext,
) -> Arc<AgentInstanceFactory> {
    let name = user_context.run_id().to_string();
    Arc::new(AgentInstanceFactory::new(&process.shared, &name, Some(user_context.clone())))
}

impl AgentInstanceFactory {
    fn new(shared: &Arc<Shared>, name: &str, bound_to: Option<UserExecutionContext>) -> Self {
        Self {
            name: name.to_owned(),
            bound_to,
            shared: Arc::clone(shared),
            settings: SettingsSlot::new(),
        }
    }

    /// Sets bridge, LLM manager and tools of this factory for the context's user: in the legacy
    /// form, of the one factory that everybody shares.
    pub fn configure(&self, context: &UserExecutionContext, llm_manager: LlmManager) {
        self.settings.configure(Settings {
            configured_for: Some(context.user_id().clone()),
            bridge: AgentWebSocketBridge::for_user(&self.shared, context.user_id()),
            llm_manager,
        });
        self.shared.report(|| Note::Configured {
            factory: self.name.clone(),
            user: context.user_id().clone(),
            run: context.run_id().clone(),
        });
    }

    /// Builds an agent for the context, bound to *the factory's* bridge and LLM manager as they are
    /// at this moment.
    ///
    /// # Errors
    ///
    /// [`FactoryError`] where the factory was never configured, is bound to another context, or
    /// the class does not exist.
    pub fn create_agent_instance(
        &self,
        agent: &str,
        context: &UserExecutionContext,
    ) -> Result<AgentInstance, FactoryError> {
        if self.bound_to.as_ref().is_some_and(|own| own != context) {
            return Err(FactoryError::ForeignContext);
        }
        let class = AgentClass::of(agent).ok_or(FactoryError::UnknownAgent)?;
        let settings = self.settings.read().ok_or(FactoryError::NotConfigured)?;
        if settings.configured_for.as_ref().is_some_and(|user| user != context.user_id()) {
            self.shared.warn(Warning::ForeignSettings(class.name));
        }
        self.shared.report(|| Note::Used {
            factory: self.name.clone(),
            user: context.user_id().clone(),
            run: context.run_id().clone(),
            agent: class.name.to_owned(),
            configured_for: settings.configured_for,
        });
        let Settings { bridge, llm_manager, .. } = settings;
        Ok(AgentInstance { class, bridge, llm_manager })
    }
}
