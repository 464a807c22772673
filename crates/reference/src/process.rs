//! What is process-wide in the modelled system, as a value: two trials share nothing.

use std::fmt;
use std::sync::Arc;

use super::agents::AgentClassRegistry;
use super::answers::{Key, Waiting};
use super::call_sites::Migration;
use super::controls::Control;
use super::defects::{Defect, Defects};
use super::event::{RunAnswer, SaidMessage};
use super::factory::AgentInstanceFactory;
use super::kernel::connections::{ConnectionRegistry, Sink};
use super::kernel::conversations::ConversationStore;
use super::kernel::emitters::EmitterPool;
use super::kernel::gate::Gate;
use super::kernel::id_source::IdSource;
use super::kernel::limits::UserLimits;
use super::kernel::pool::Pool;
use super::kernel::runs::RunRegistry;
use super::kernel::singleton::Singleton;
use super::kernel::table::Table;
use super::upstream::Connection;
use super::warning::{Warn, to_nobody};
use super::work::Notes;
use partywall_core::ids::{RunId, ThreadId, UserName};
use partywall_world::World;
use partywall_world::channel::Sender;

/// How many runs of one user go on at once.
pub(crate) const RUNS_PER_USER: u32 = 5;
/// How many finished runs the process remembers.
const FINISHED_RUNS: usize = 10_000;
/// How many messages of a conversation the process remembers.
const MESSAGES_PER_CONVERSATION: usize = 200;
/// How many idle emitters the pool keeps for a user.
const IDLE_EMITTERS_PER_USER: usize = 4;
/// How many idle workers, buffers and upstream connections the process keeps.
const IDLE_IN_POOL: usize = 64;
/// How many answers the semantic cache keeps.
const CACHED_ANSWERS: usize = 1_000;
/// Of how many runs the events are kept for users who come back.
const LOGGED_RUNS: usize = 1_000;

/// What every request of the process shares, rightly or by necessity.
pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) connections: ConnectionRegistry<UserName, EventSink>,
    pub(crate) runs: RunRegistry<RunId, (UserName, ThreadId), RunAnswer>,
    pub(crate) conversations: ConversationStore<(UserName, ThreadId), SaidMessage>,
    pub(crate) limits: UserLimits<UserName>,
    pub(crate) emitters: EmitterPool<UserName, RunId>,
    pub(crate) ids: IdSource,
    pub(crate) gate: Gate,
    pub(crate) agent_class_registry: AgentClassRegistry,
    pub(crate) controls: Table<RunId, Control>,
    /// The events of each run of each user, for cursors.
    pub(crate) log: Table<(UserName, RunId), Vec<Arc<Delivery>>>,
    pub(crate) cache: Table<Key, String>,
    pub(crate) under_way: Table<Key, Option<Waiting>>,
    pub(crate) upstream: Pool<Connection>,
    pub(crate) workers: Pool<Notes>,
    pub(crate) idle_buffers: Pool<u64>,
    pub(crate) buffer_ids: IdSource,
    pub(crate) buffers: Table<u64, String>,
    pub(crate) defects: Defects,
    pub(crate) warn: Warn,
}

/// One server process of the modelled system.
pub struct Process {
    pub(crate) shared: Arc<Shared>,
    pub(crate) migration: Migration,
    /// The process-wide factory: what the migration takes away, call site by call site.
    pub(crate) singleton: Singleton<AgentInstanceFactory>,
}

impl Process {
    /// A process whose given call sites are migrated. Start-up has run.
    pub fn start(world: World, migration: Migration) -> Arc<Self> {
        Self::with_defect(world, migration, None)
    }

    /// The same with that defect switched on.
    pub fn with_defect(world: World, migration: Migration, defect: Option<Defect>) -> Arc<Self> {
        Self::that_warns(world, migration, defect, to_nobody)
    }

    /// The same; it says what it does that the migration is to take away.
    pub fn that_warns(
        world: World,
        migration: Migration,
        defect: Option<Defect>,
        warn: Warn,
    ) -> Arc<Self> {
        let shared = Shared {
            world,
            connections: ConnectionRegistry::new(),
            runs: RunRegistry::new(FINISHED_RUNS),
            conversations: ConversationStore::new(MESSAGES_PER_CONVERSATION),
            limits: UserLimits::new(RUNS_PER_USER),
            emitters: EmitterPool::new(IDLE_EMITTERS_PER_USER),
            ids: IdSource::new(),
            gate: Gate::new(),
            agent_class_registry: AgentClassRegistry::standard(),
            controls: Table::new(FINISHED_RUNS),
            log: Table::new(LOGGED_RUNS),
            cache: Table::new(CACHED_ANSWERS),
            under_way: Table::new(CACHED_ANSWERS),
            upstream: Pool::new(IDLE_IN_POOL),
            workers: Pool::new(IDLE_IN_POOL),
            idle_buffers: Pool::new(IDLE_IN_POOL),
            buffer_ids: IdSource::new(),
            buffers: Table::new(FINISHED_RUNS),
            defects: Defects::new(defect),
            warn,
        };
        let process =
            Arc::new(Self { shared: Arc::new(shared), migration, singleton: Singleton::new() });
        super::call_sites::startup(&process);
        process
    }

    /// Takes no new run, ends every connection, and tells how many runs are still in flight.
    pub fn shut_down(&self) -> u64 {
        self.shared.gate.close();
        self.shared.connections.shut_down();
        self.shared.gate.in_flight()
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Process(migrated {})", self.migration)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Shared")
    }
}

/// An event on its way to a connection.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) run: RunId,
    pub(crate) sequence: u64,
    pub(crate) text: Arc<str>,
}

/// Where the events for one connection go: the queue that its task empties.
#[derive(Debug)]
pub(crate) struct EventSink(pub(crate) Sender<Arc<Delivery>>);

impl Sink for EventSink {
    type Message = Arc<Delivery>;

    fn deliver(&self, message: &Arc<Delivery>) -> bool {
        self.0.send(Arc::clone(message)).is_ok()
    }
}
