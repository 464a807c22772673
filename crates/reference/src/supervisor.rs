//! `SupervisorAgent` and the execution engine: one run, from its first event to its last.

use std::fmt;
use std::sync::Arc;
use std::task::Poll;

use super::agent_classes::{SUB_AGENTS, SUPERVISOR};
use super::call_sites::{CallSite, passed_on};
use super::controls;
use super::event::{AgentEvent, Chat};
use super::factory::{AgentInstanceFactory, FactoryError};
use super::on_drop::OnDrop;
use super::process::Process;
use super::shared::Shared;
use super::work::Work;
use partywall_core::ids::UserName;
use partywall_world::Dropped;

/// Runs the sub-agents in order, as one run.
#[derive(Debug)]
pub(crate) struct SupervisorAgent {
    process: Arc<Process>,
    factory: Arc<AgentInstanceFactory>,
}

impl SupervisorAgent {
    /// A supervisor that keeps the factory its call site gives it for the whole run.
    pub(crate) fn new(process: &Arc<Process>, given: &Arc<AgentInstanceFactory>) -> Self {
        let factory = passed_on(process, CallSite::SupervisorAgent, given);
        Self { process: Arc::clone(process), factory }
    }

    /// Runs it; the answer is the last sub-agent's.
    pub(crate) async fn execute(&self, work: &mut Work) -> Result<String, RunError> {
        let shared = &self.process.shared;
        // The request waits here (a database read, then a free seat) between the moment in which
        // the route configured the factory and the one in which an agent is built from it.
        shared.world.sleep(work.chat.delay(0)).await;
        let _seat = seat(shared, work.context.user_id()).await;
        let supervisor = self.factory.create_agent_instance(SUPERVISOR, &work.context)?;
        let message = format!("supervisor takes «{}»", work.chat.message);
        supervisor.say(work, &AgentEvent::AgentStarted { message }).await;
        let engines = passed_on(&self.process, CallSite::ExecutionEngineFactory, &self.factory);
        let engine = UserExecutionEngine { process: Arc::clone(&self.process), factory: engines };
        let mut answer = String::new();
        for (place, agent) in agents(&work.chat).into_iter().enumerate() {
            controls::look(shared, work.context.run_id())?;
            answer = engine.run_agent(&agent, work, place * 3 + 1).await?;
        }
        if work.chat.approval {
            controls::approval(shared, work.context.run_id()).await?;
        }
        // The supervisor stores what came of it before it says that it is done.
        shared.world.sleep(work.chat.delay(0)).await;
        controls::close(shared, work.context.run_id())?;
        work.succeeded();
        let completed = AgentEvent::AgentCompleted { result: answer.clone() };
        supervisor.say(work, &completed).await;
        Ok(answer)
    }
}

/// What the last event of a stopped run says.
const STOPPED: &str = "the run was stopped";

/// Why a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunError {
    Factory(FactoryError),
    /// A call of the model or of a tool took too long.
    CallTooSlow,
    /// Its user stopped it.
    Stopped,
}

impl From<FactoryError> for RunError {
    fn from(error: FactoryError) -> Self {
        Self::Factory(error)
    }
}

impl From<Dropped> for RunError {
    fn from(_: Dropped) -> Self {
        Self::CallTooSlow
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Factory(error) => error.fmt(out),
            Self::Stopped => out.write_str(STOPPED),
            Self::CallTooSlow => out.write_str("a model or tool call took too long"),
        }
    }
}

fn agents(chat: &Chat) -> Vec<String> {
    match chat.agents.as_slice() {
        [] => SUB_AGENTS.map(str::to_owned).to_vec(),
        some => some.to_vec(),
    }
}

/// Creates sub-agents and lets them work.
#[derive(Debug)]
struct UserExecutionEngine {
    process: Arc<Process>,
    factory: Arc<AgentInstanceFactory>,
}

impl UserExecutionEngine {
    async fn run_agent(
        &self,
        agent: &str,
        work: &mut Work,
        call: usize,
    ) -> Result<String, RunError> {
        // The engine waits for its lock before it creates the agent.
        self.process.shared.world.sleep(work.chat.delay(call)).await;
        let factory = passed_on(&self.process, CallSite::UserExecutionEngine, &self.factory);
        let agent = factory.create_agent_instance(agent, &work.context)?;
        Ok(agent.work(work, call).await?)
    }
}

/// Takes one of the user's seats; given back when dropped, also by cancellation.
async fn seat(shared: &Arc<Shared>, user: &UserName) -> OnDrop<impl FnMut() + use<>> {
    let mut queued = Queued { shared: Arc::clone(shared), user: user.clone(), ticket: None };
    std::future::poll_fn(|context| {
        let Queued { shared, user, ticket } = &mut queued;
        match shared.limits.acquire(user, ticket, context.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    let (shared, user) = (Arc::clone(shared), user.clone());
    OnDrop(move || shared.limits.release(&user))
}

/// A place in the queue; left when dropped, so that a cancelled run does not keep others waiting.
struct Queued {
    shared: Arc<Shared>,
    user: UserName,
    ticket: Option<u64>,
}

impl Drop for Queued {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.limits.leave_queue(&self.user, ticket);
        }
    }
}
