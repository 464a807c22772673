//! `AgentWebSocketBridge` and `UserWebSocketEmitter`: how an agent's events reach a browser.

use std::sync::Arc;

use super::context::UserExecutionContext;
use super::defects::{
    m03_routing_key, m05_last_writer, m12_fan_out, m13_competing_consumers, m20_backpressure,
};
use super::delivery::Delivery;
use super::event::{AgentEvent, Envelope, to_text};
use super::kernel::emitters::PooledEmitter;
use super::shared::Shared;
use partywall_core::history::Note;
use partywall_core::ids::{RunId, UserName};

/// Turns what agents say into events on somebody's connections.
///
/// A bridge that is bound to one user takes a run of another with a warning only, as in the
/// modelled system: that is what makes the shared slot leak instead of fail.
#[derive(Clone, Debug)]
pub struct AgentWebSocketBridge {
    shared: Arc<Shared>,
    bound_to: BoundTo,
}

#[derive(Clone, Debug)]
enum BoundTo {
    /// The connections of one user.
    User(UserName),
    /// Whoever the run–thread registry says the run belongs to.
    Registry,
}

impl AgentWebSocketBridge {
    /// A bridge to that user's connections.
    pub(crate) fn for_user(shared: &Arc<Shared>, user: &UserName) -> Self {
        Self { shared: Arc::clone(shared), bound_to: BoundTo::User(user.clone()) }
    }

    /// The bridge of start-up, bound to nobody: it asks the registry at each event.
    pub(crate) fn for_registry(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), bound_to: BoundTo::Registry }
    }

    /// Sends what an agent says in that run of that context's user.
    fn notify(
        &self,
        (context, run): (&UserExecutionContext, &RunId),
        sequence: u64,
        agent: &str,
        event: &AgentEvent,
    ) {
        let user = context.user_id();
        let target = match &self.bound_to {
            BoundTo::User(user) => Some(user.clone()),
            BoundTo::Registry => self.shared.runs.get(run).map(|run| run.owner.0),
        };
        let Some(target) = target else {
            self.shared.report(|| Note::Warning {
                text: format!("{run} belongs to nobody: its event is dropped"),
            });
            return;
        };
        if target != *user {
            // Whether that one is there or not.
            self.shared.report(|| Note::Held {
                what: "an emitter".into(),
                user: user.clone(),
                run: run.clone(),
                of: target.clone(),
            });
            self.shared.report(|| Note::Warning {
                text: format!("the bridge of {target} takes {run} of another user"),
            });
        }
        let text = to_text(&Envelope {
            event,
            run_id: run,
            thread_id: context.thread_id(),
            user_id: user,
            agent_name: agent,
            timestamp: self.shared.world.now(),
            sequence,
        });
        self.shared.report(|| Note::Emitted {
            user: user.clone(),
            run: run.clone(),
            event: event.kind().into(),
            agent: agent.into(),
        });
        let delivery = Arc::new(Delivery { run: run.clone(), sequence, text: text.into() });
        let kept = (user.clone(), run.clone());
        self.shared.log.change(kept, Vec::new, |log| log.push(Arc::clone(&delivery)));
        self.deliver(target, context, &delivery);
    }

    /// Hands the event to the target's connections, and to nobody else.
    fn deliver(&self, target: UserName, context: &UserExecutionContext, event: &Arc<Delivery>) {
        let shared = &self.shared;
        let target = m03_routing_key::target(shared, context).unwrap_or(target);
        let target = m05_last_writer::target(shared, context).unwrap_or(target);
        let target = m13_competing_consumers::target(shared, context).unwrap_or(target);
        if m20_backpressure::drops(shared, context) {
            return;
        }
        let connections = shared.connections.emit(&target, event);
        m20_backpressure::queued(shared, connections);
        if connections == 0 {
            m12_fan_out::to_all(shared, context, event);
        }
    }
}

/// The sender of one (user, thread, run): it says whose an event is and numbers it. Taken from the
/// pool for a run, and given back when dropped.
#[derive(Debug)]
pub struct UserWebSocketEmitter {
    shared: Arc<Shared>,
    context: UserExecutionContext,
    pooled: Option<PooledEmitter<RunId>>,
}

impl UserWebSocketEmitter {
    /// An emitter for that context, from the pool.
    pub(crate) fn take(shared: &Arc<Shared>, context: &UserExecutionContext) -> Self {
        let pooled = Some(shared.emitters.take(context.user_id(), context.run_id().clone()));
        Self { shared: Arc::clone(shared), context: context.clone(), pooled }
    }

    /// Sends what the agent says over that bridge, under the next number of the run.
    pub(crate) fn emit(&mut self, bridge: &AgentWebSocketBridge, agent: &str, event: &AgentEvent) {
        let Some(pooled) = &mut self.pooled else { return };
        let sequence = pooled.next_sequence();
        let run = pooled.run().unwrap_or(self.context.run_id());
        bridge.notify((&self.context, run), sequence, agent, event);
    }
}

impl Drop for UserWebSocketEmitter {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take() {
            self.shared.emitters.give_back(self.context.user_id(), pooled);
        }
    }
}
