//! `AgentWebSocketBridge` and `UserWebSocketEmitter`: how an agent's events reach a browser.

use std::fmt;
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
use partywall_core::ids::{RunId, ThreadId, UserName};

/// Turns what agents say into events on somebody's connections.
///
/// A bridge that is bound to one user takes a run of another with a warning only, as in the
/// modelled system: that is what makes the shared slot leak instead of fail.
#[derive(Clone)]
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

    fn notify(&self, identity: &Identity, sequence: u64, agent: &str, event: &AgentEvent) {
        let target = match &self.bound_to {
            BoundTo::User(user) => Some(user.clone()),
            BoundTo::Registry => self.shared.runs.get(&identity.run).map(|run| run.owner.0),
        };
        let Some(target) = target else {
            self.shared.report(|| Note::Warning {
                text: format!("{} belongs to nobody: its event is dropped", identity.run),
            });
            return;
        };
        if target != identity.user {
            // Whether that one is there or not.
            self.shared.report(|| Note::Held {
                what: "an emitter".into(),
                user: identity.user.clone(),
                run: identity.run.clone(),
                of: target.clone(),
            });
            self.shared.report(|| Note::Warning {
                text: format!("the bridge of {target} takes {} of another user", identity.run),
            });
        }
        let text = to_text(&Envelope {
            event,
            run_id: &identity.run,
            thread_id: &identity.thread,
            user_id: &identity.user,
            agent_name: agent,
            timestamp: self.shared.world.now(),
            sequence,
        });
        self.shared.report(|| Note::Emitted {
            user: identity.user.clone(),
            run: identity.run.clone(),
            event: event.kind().into(),
            agent: agent.into(),
        });
        let (run, text) = (identity.run.clone(), Arc::from(text));
        let delivery = Arc::new(Delivery { run, sequence, text });
        let kept = (identity.user.clone(), identity.run.clone());
        self.shared.log.change(kept, Vec::new, |log| log.push(Arc::clone(&delivery)));
        self.deliver(target, &identity.context, &delivery);
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

impl fmt::Debug for AgentWebSocketBridge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AgentWebSocketBridge({:?})", self.bound_to)
    }
}

#[derive(Clone, Debug)]
struct Identity {
    user: UserName,
    thread: ThreadId,
    run: RunId,
    context: UserExecutionContext,
}

/// The sender of one (user, thread, run): it says whose an event is and numbers it. Taken from the
/// pool for a run, and given back when dropped.
pub struct UserWebSocketEmitter {
    shared: Arc<Shared>,
    identity: Identity,
    pooled: Option<PooledEmitter<RunId>>,
}

impl UserWebSocketEmitter {
    /// An emitter for that context, from the pool.
    pub(crate) fn take(shared: &Arc<Shared>, context: &UserExecutionContext) -> Self {
        let pooled = shared.emitters.take(context.user_id(), context.run_id().clone());
        Self {
            shared: Arc::clone(shared),
            identity: Identity {
                user: context.user_id().clone(),
                thread: context.thread_id().clone(),
                run: pooled.run().unwrap_or(context.run_id()).clone(),
                context: context.clone(),
            },
            pooled: Some(pooled),
        }
    }

    /// Sends what the agent says over that bridge, under the next number of the run.
    pub(crate) fn emit(&mut self, bridge: &AgentWebSocketBridge, agent: &str, event: &AgentEvent) {
        let Some(pooled) = &mut self.pooled else { return };
        let sequence = pooled.next_sequence();
        bridge.notify(&self.identity, sequence, agent, event);
    }
}

impl Drop for UserWebSocketEmitter {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take() {
            self.shared.emitters.give_back(&self.identity.user, pooled);
        }
    }
}

impl fmt::Debug for UserWebSocketEmitter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "UserWebSocketEmitter({:?})", self.identity)
    }
}
