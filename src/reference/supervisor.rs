//! `SupervisorAgent` and the execution engine: one run, from its first event to its last.

use std::sync::Arc;
use std::task::Poll;

use super::agents::{SUB_AGENTS, SUPERVISOR};
use super::bridge::UserWebSocketEmitter;
use super::call_sites;
use super::context::UserExecutionContext;
use super::event::{AgentEvent, Chat};
use super::factory::{AgentInstanceFactory, FactoryError};
use super::process::{Process, Shared};
use crate::trial::ids::UserName;

/// Runs the sub-agents in order, as one run.
#[derive(Debug)]
pub(crate) struct SupervisorAgent {
    process: Arc<Process>,
    factory: Arc<AgentInstanceFactory>,
}

impl SupervisorAgent {
    /// A supervisor that keeps the factory its call site gives it for the whole run.
    pub(crate) fn new(process: &Arc<Process>, given: &Arc<AgentInstanceFactory>) -> Self {
        let factory = call_sites::supervisor_agent(process, given);
        Self { process: Arc::clone(process), factory }
    }

    /// Runs it; the answer is the last sub-agent's.
    pub(crate) async fn execute(
        &self,
        context: &UserExecutionContext,
        emitter: &mut UserWebSocketEmitter,
        chat: &Chat,
    ) -> Result<String, FactoryError> {
        let shared = &self.process.shared;
        // The request waits here (a database read, then a free seat) between the moment in which
        // the route configured the factory and the one in which an agent is built from it.
        shared.world.sleep(chat.delay(0)).await;
        let _seat = Seat::take(shared, context.user_id()).await;
        let supervisor = self.factory.create_agent_instance(SUPERVISOR, context)?;
        let message = format!("supervisor takes «{}»", chat.message);
        supervisor.say(&shared.world, emitter, &AgentEvent::AgentStarted { message }).await;
        let engines = call_sites::execution_engine_factory(&self.process, &self.factory);
        let engine = UserExecutionEngine { process: Arc::clone(&self.process), factory: engines };
        let mut answer = String::new();
        for (place, agent) in agents(chat).enumerate() {
            answer = engine.run_agent(agent, context, emitter, chat, place * 3 + 1).await?;
        }
        // The supervisor stores what came of it before it says that it is done.
        shared.world.sleep(chat.delay(0)).await;
        let completed = AgentEvent::AgentCompleted { result: answer.clone() };
        supervisor.say(&shared.world, emitter, &completed).await;
        Ok(answer)
    }
}

fn agents(chat: &Chat) -> impl Iterator<Item = &str> {
    let all: &[&str] = if chat.agents.is_empty() { &SUB_AGENTS } else { &[] };
    all.iter().copied().chain(chat.agents.iter().map(String::as_str))
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
        context: &UserExecutionContext,
        emitter: &mut UserWebSocketEmitter,
        chat: &Chat,
        call: usize,
    ) -> Result<String, FactoryError> {
        let world = &self.process.shared.world;
        // The engine waits for its lock before it creates the agent.
        world.sleep(chat.delay(call)).await;
        let factory = call_sites::user_execution_engine(&self.process, &self.factory);
        let agent = factory.create_agent_instance(agent, context)?;
        Ok(agent.work(world, emitter, chat, call).await)
    }
}

/// One of the user's seats; given back when dropped, also by cancellation.
#[derive(Debug)]
struct Seat {
    shared: Arc<Shared>,
    user: UserName,
}

impl Seat {
    async fn take(shared: &Arc<Shared>, user: &UserName) -> Self {
        let mut queued = Queued { shared: Arc::clone(shared), user: user.clone(), ticket: None };
        std::future::poll_fn(|context| {
            let Queued { shared, user, ticket } = &mut queued;
            match shared.limits.acquire(user, ticket, context.waker()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        Self { shared: Arc::clone(shared), user: user.clone() }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.limits.release(&self.user);
    }
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
