//! What the requests of a process share, rightly or by necessity.

use std::collections::VecDeque;
use std::sync::Arc;

use super::defects::{Defect, Defects};
use super::delivery::{Delivery, EventSink};
use super::event::{RunAnswer, SaidMessage};
use super::kernel::connections::ConnectionRegistry;
use super::kernel::conversations::ConversationStore;
use super::kernel::emitters::EmitterPool;
use super::kernel::gate::Gate;
use super::kernel::id_source::IdSource;
use super::kernel::limits::UserLimits;
use super::kernel::pool::Pool;
use super::kernel::runs::RunRegistry;
use super::kernel::table::Table;
use super::warning::{Warn, Warning};
use partywall_core::history::Note;
use partywall_core::ids::{RequestId, RunId, ThreadId, UserName};
use partywall_world::World;
use partywall_world::channel::Sender;

/// How many runs of one user go on at once.
const RUNS_PER_USER: u32 = 5;
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
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) connections: ConnectionRegistry<UserName, EventSink>,
    pub runs: RunRegistry<RunId, (UserName, ThreadId), RunAnswer>,
    pub(crate) conversations: ConversationStore<(UserName, ThreadId), SaidMessage>,
    pub(crate) limits: UserLimits<UserName>,
    pub(crate) emitters: EmitterPool<UserName, RunId>,
    pub(crate) ids: IdSource,
    pub(crate) gate: Gate,
    pub(crate) controls: Table<RunId, RunControl>,
    /// The events of each run of each user, for cursors.
    pub(crate) log: Table<(UserName, RunId), Vec<Arc<Delivery>>>,
    pub(crate) cache: Table<AnswerKey, String>,
    pub(crate) under_way: Table<AnswerKey, Option<Waiters>>,
    pub(crate) upstream: Pool<UpstreamConnection>,
    pub(crate) workers: Pool<WorkerNotes>,
    pub(crate) idle_buffers: Pool<u64>,
    pub(crate) buffer_ids: IdSource,
    pub(crate) buffers: Table<u64, String>,
    pub(crate) defects: Defects,
    warn: Option<Warn>,
}

impl Shared {
    pub(crate) fn new(world: World, defect: Option<Defect>, warn: Option<Warn>) -> Self {
        Self {
            world,
            connections: ConnectionRegistry::new(),
            runs: RunRegistry::new(FINISHED_RUNS),
            conversations: ConversationStore::new(MESSAGES_PER_CONVERSATION),
            limits: UserLimits::new(RUNS_PER_USER),
            emitters: EmitterPool::new(IDLE_EMITTERS_PER_USER),
            ids: IdSource::new(),
            gate: Gate::new(),
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
        }
    }

    /// Reports what the back end does, where somebody records it.
    pub(crate) fn report(&self, note: impl FnOnce() -> Note) {
        if self.world.is_recorded() {
            self.world.report(note());
        }
    }

    /// Tells whoever is to be told.
    pub(crate) fn warn(&self, warning: Warning<'_>) {
        if let Some(warn) = self.warn {
            warn(warning);
        }
    }
}

/// What answers are kept by: user, settings, text.
pub(crate) type AnswerKey = (String, String, String);

/// Who waits for an answer that somebody else asked for.
pub(crate) type Waiters = Vec<Sender<String>>;

/// The controls of one run.
#[derive(Clone, Debug)]
pub(crate) struct RunControl {
    pub(crate) request: RequestId,
    pub(crate) stopped: bool,
    pub(crate) approved: bool,
    pub(crate) waiting: Option<Sender<()>>,
}

/// A connection to the upstream, with the replies that it still has to deliver.
#[derive(Debug, Default)]
pub(crate) struct UpstreamConnection {
    pub(crate) replies: VecDeque<String>,
}

/// The notes that a worker keeps on the run that it works for.
#[derive(Debug, Default)]
pub(crate) struct WorkerNotes {
    /// Whose run it was that they were taken for.
    pub(crate) of: Option<UserName>,
    pub(crate) lines: Vec<String>,
}
