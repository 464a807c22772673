//! One chat run: admitted, configured, executed, cleaned up.

use std::sync::Arc;

use super::agents::SUPERVISOR;
use super::bridge::{AgentWebSocketBridge, UserWebSocketEmitter};
use super::context::UserExecutionContext;
use super::event::{AgentEvent, Chat, RunAnswer, RunStatus, SaidMessage};
use super::factory::AgentInstanceFactory;
use super::process::Process;
use super::stubs::LlmManager;
use super::supervisor::SupervisorAgent;
use crate::trial::history::Note;
use crate::trial::ids::{RunId, UserName};

/// An admitted run. Dropped before its end, it is cancelled; cleaning up is synchronous.
#[derive(Debug)]
pub(crate) struct ChatRun {
    process: Arc<Process>,
    context: UserExecutionContext,
    came_to: RunAnswer,
}

/// Whether a chat message becomes a run.
#[derive(Debug)]
pub(crate) enum Admission {
    Run(ChatRun),
    Refused { status: u16, error: &'static str },
}

impl ChatRun {
    /// `create_user_execution_context`: makes the context from what was authenticated, and
    /// registers the run → thread mapping.
    pub(crate) fn admit(
        process: &Arc<Process>,
        user: &UserName,
        chat: &Chat,
        websocket_client_id: Option<u64>,
    ) -> Admission {
        if chat.user_id.as_ref().is_some_and(|claimed| claimed != user) {
            return Admission::Refused { status: 403, error: "the message states another user" };
        }
        let shared = &process.shared;
        let run_id = RunId::new(format!("run-{}", shared.ids.next()));
        let Ok(context) = UserExecutionContext::new(
            user.clone(),
            chat.thread_id.clone(),
            run_id.clone(),
            chat.request_id.clone(),
            websocket_client_id,
        ) else {
            return Admission::Refused {
                status: 400,
                error: "`thread_id` or `request_id` is blank",
            };
        };
        if !shared.gate.enter() {
            return Admission::Refused { status: 503, error: "the server is shutting down" };
        }
        if !shared.runs.register(run_id, context.conversation()) {
            shared.gate.leave();
            return Admission::Refused { status: 500, error: "the run id is taken" };
        }
        let came_to = RunAnswer { status: RunStatus::Cancelled, answer: String::new() };
        let run = Self { process: Arc::clone(process), context, came_to };
        run.remember("user", &chat.message);
        if shared.world.is_recorded() {
            shared.world.report(Note::Accepted {
                user: user.clone(),
                run: run.context.run_id().clone(),
                request_id: run.context.request_id().clone(),
            });
        }
        Admission::Run(run)
    }

    pub(crate) fn context(&self) -> &UserExecutionContext {
        &self.context
    }

    /// Configures the factory with this run's bridge and LLM manager, as every route does.
    pub(crate) fn configure(&self, factory: &AgentInstanceFactory, chat: &Chat) {
        factory.configure(&self.context, LlmManager::new(chat.settings.clone()));
    }

    /// Runs it to its end.
    pub(crate) async fn execute(
        mut self,
        factory: &Arc<AgentInstanceFactory>,
        chat: &Chat,
    ) -> RunAnswer {
        let shared = &self.process.shared;
        let mut emitter = UserWebSocketEmitter::take(shared, &self.context);
        let supervisor = SupervisorAgent::new(&self.process, factory);
        let came_to = match supervisor.execute(&self.context, &mut emitter, chat).await {
            Ok(answer) => {
                self.remember("agent", &answer);
                RunAnswer { status: RunStatus::Completed, answer }
            }
            Err(error) => {
                let answer = error.to_string();
                // The route tells of a failed run over a bridge of its own: the factory's may be
                // missing, which is what failed.
                let bridge = AgentWebSocketBridge::for_user(shared, self.context.user_id());
                emitter.emit(
                    &bridge,
                    SUPERVISOR,
                    &AgentEvent::AgentError { error: answer.clone() },
                );
                RunAnswer { status: RunStatus::Failed, answer }
            }
        };
        self.came_to = came_to.clone();
        came_to
    }

    fn remember(&self, role: &'static str, text: &str) {
        let said =
            SaidMessage { run_id: self.context.run_id().clone(), role, text: text.to_owned() };
        self.process.shared.conversations.append(self.context.conversation(), said);
    }
}

/// `cleanup_user_context`: the run has ended, however it ended.
impl Drop for ChatRun {
    fn drop(&mut self) {
        let shared = &self.process.shared;
        shared.runs.finish(self.context.run_id(), self.came_to.clone());
        shared.gate.leave();
    }
}
