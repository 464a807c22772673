//! One chat run: admitted, configured, executed, cleaned up.

use std::sync::Arc;

use super::agent_classes::SUPERVISOR;
use super::bridge::AgentWebSocketBridge;
use super::context::UserExecutionContext;
use super::controls;
use super::defects::{
    m03_routing_key, m04_id_collision, m05_last_writer, m07_process_setting, m10_use_after_recycle,
    m24_unserialised_turns,
};
use super::earlier::remember;
use super::event::{AgentEvent, Chat, RunAnswer, RunStatus};
use super::factory::AgentInstanceFactory;
use super::process::Process;
use super::stubs::LlmManager;
use super::supervisor::{RunError, SupervisorAgent};
use super::work::Work;
use partywall_core::history::Note;
use partywall_core::ids::{RunId, UserName};

/// An admitted run. Dropped before its end, it is cancelled; cleaning up is synchronous.
#[derive(Debug)]
pub(crate) struct ChatRun {
    process: Arc<Process>,
    context: UserExecutionContext,
    came_to: RunAnswer,
}

/// Why a chat message becomes no run: the status over HTTP, and what is said.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
}

impl ChatRun {
    /// `create_user_execution_context`: makes the context from what was authenticated, and
    /// registers the run → thread mapping.
    pub(crate) fn admit(
        process: &Arc<Process>,
        user: &UserName,
        chat: &Chat,
        websocket_client_id: Option<u64>,
    ) -> Result<Self, Refusal> {
        if chat.user_id.as_ref().is_some_and(|claimed| claimed != user) {
            return Err(Refusal { status: 403, error: "the message states another user" });
        }
        let shared = &process.shared;
        let run_id = m04_id_collision::run_id(shared, chat)
            .unwrap_or_else(|| RunId::new(format!("run-{}", shared.ids.next())));
        let Ok(context) = UserExecutionContext::new(
            user.clone(),
            chat.thread(),
            run_id.clone(),
            chat.request_id.clone(),
            websocket_client_id,
        ) else {
            return Err(Refusal { status: 400, error: "`thread_id` or `request_id` is blank" });
        };
        let context = context.struck(shared.defects.strikes(&format!("{user} {chat:?}")));
        if !shared.gate.enter() {
            return Err(Refusal { status: 503, error: "the server is shutting down" });
        }
        let is_new = shared.runs.register(run_id, context.conversation());
        if !is_new && !m04_id_collision::takes_what_is_there(shared) {
            shared.gate.leave();
            return Err(Refusal { status: 500, error: "the run id is taken" });
        }
        let came_to = RunAnswer { status: RunStatus::Cancelled, answer: String::new() };
        let run = Self { process: Arc::clone(process), context, came_to };
        m03_routing_key::note(shared, &run.context);
        m05_last_writer::note(shared, &run.context);
        controls::open(shared, &run.context);
        if !m24_unserialised_turns::reads_the_record(shared, &run.context, &chat.message) {
            remember(shared, &run.context, "user", &chat.message);
        }
        shared.report(|| Note::Accepted {
            user: user.clone(),
            run: run.context.run_id().clone(),
            request_id: run.context.request_id().clone(),
        });
        Ok(run)
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
        let _settings = m07_process_setting::enter(shared, &self.context, &chat.settings);
        let mut work = Work::new(shared, &self.context, chat);
        let supervisor = SupervisorAgent::new(&self.process, factory);
        let came_to = match supervisor.execute(&mut work).await {
            Ok(answer) => {
                self.keep(&work, &answer);
                RunAnswer { status: RunStatus::Completed, answer }
            }
            Err(error) => {
                let answer = error.to_string();
                // The route tells of a failed run over a bridge of its own: the factory's may be
                // missing, which is what failed.
                let bridge = AgentWebSocketBridge::for_user(shared, self.context.user_id());
                let event = AgentEvent::AgentError { error: answer.clone() };
                work.emitter.emit(&bridge, SUPERVISOR, &event);
                let stopped = error == RunError::Stopped;
                let status = if stopped { RunStatus::Cancelled } else { RunStatus::Failed };
                RunAnswer { status, answer }
            }
        };
        self.came_to = came_to.clone();
        came_to
    }

    /// Adds the answer to the conversation.
    fn keep(&self, work: &Work, answer: &str) {
        let (shared, context) = (&self.process.shared, &self.context);
        if m10_use_after_recycle::keeps_later(shared, context, work.buffer.number())
            || m24_unserialised_turns::writes_back(shared, context, answer)
        {
            return;
        }
        remember(shared, context, "agent", answer);
    }
}

/// `cleanup_user_context`: the run has ended, however it ended.
impl Drop for ChatRun {
    fn drop(&mut self) {
        let shared = &self.process.shared;
        // A run that was cut off is past stopping, too; one that ended has no controls any more.
        let _ = controls::close(shared, self.context.run_id());
        shared.runs.finish(self.context.run_id(), self.came_to.clone());
        shared.gate.leave();
    }
}
