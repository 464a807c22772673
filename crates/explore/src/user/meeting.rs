//! Where the users of a trial meet: at the barrier, at the end, and where one needs what another
//! has: the name of a run, an event connection that is left to the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::allowance::Turns;
use super::given::Given;
use super::identities::names_shown;
use super::latch::Latch;
use super::open_socket::OpenSocket;
use super::runs::Posted;
use partywall_core::ids::UserName;
use partywall_core::plan::{CursorKind, Plan, Step};
use partywall_core::protocol::Start;
use partywall_core::reader::Reader;
use partywall_core::template::Prepared;

pub(super) struct Meeting {
    pub(super) barrier: Latch,
    pub(super) finish: Latch,
    pub(super) done: Arc<[Latch]>,
    pub(super) board: Arc<Board>,
    pub(super) desks: Arc<Desks>,
    pub(super) given: Given,
    pub(super) turns: Turns,
    /// How all of them read what the server says.
    pub(super) reader: Arc<Reader>,
    /// The message that starts a run, or why there is none.
    pub(super) start: Result<Prepared, String>,
    /// The names in templates that may stand for something of a user's own.
    pub(super) names_shown: Vec<String>,
}

impl Meeting {
    pub(super) fn new(plan: &Plan, given: Given) -> Self {
        let protocol = &*plan.protocol;
        Self {
            barrier: Latch::new(plan.barrier_width()),
            finish: Latch::new(plan.users.len()),
            done: plan.users.iter().map(|_| Latch::new(1)).collect(),
            board: Arc::new(Board::new(plan)),
            desks: Arc::default(),
            turns: given.allowance.turns(),
            given,
            reader: Arc::new(Reader::new(&protocol.dialect)),
            start: match &protocol.start {
                Start::Message(content) => Prepared::new(content),
                Start::Http { .. } => Err("runs are not started by a message".into()),
            },
            names_shown: names_shown(plan),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What users know of each other's runs, who in the plan do something to them.
pub(super) struct Board {
    wanted: bool,
    runs: Mutex<BTreeMap<(u32, u16), Posted>>,
    changes: watch::Sender<u64>,
}

impl Board {
    fn new(plan: &Plan) -> Self {
        let asks = |step: &Step| {
            let foreign = |cursor: &CursorKind| *cursor == CursorKind::Foreign;
            match step {
                Step::ControlOther { .. } => true,
                Step::Resume { cursor, .. } => foreign(cursor),
                _ => false,
            }
        };
        let wanted = plan.users.iter().any(|user| user.steps.iter().any(asks));
        Self { wanted, runs: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Whether anybody will read it.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Posts what is known of that user's runs; of no use where it is not [wanted](Self::is_wanted).
    pub(super) fn post(&self, user: u32, posted: impl Iterator<Item = (u16, Posted)>) {
        let mut changed = false;
        {
            let mut runs = locked(&self.runs);
            for (run, posted) in posted {
                changed |= runs.insert((user, run), posted.clone()) != Some(posted);
            }
        }
        if changed {
            self.changes.send_modify(|number| *number += 1);
        }
    }

    pub(super) fn read(&self, user: u32, run: u16) -> Posted {
        locked(&self.runs).get(&(user, run)).cloned().unwrap_or_default()
    }

    /// The name of a run of somebody else: of the next user who has one.
    pub(super) fn foreign(&self, user: u32) -> Option<String> {
        let runs = locked(&self.runs);
        let after = runs.range((user.saturating_add(1), 0)..);
        let before = runs.range(..(user, 0));
        after.chain(before).find_map(|(_, posted)| posted.id.clone())
    }

    /// The same, once there is one.
    pub(super) async fn until_foreign(&self, user: u32) {
        let mut changes = self.changes.subscribe();
        while self.foreign(user).is_none() {
            // The sender lives in `self`, so waiting cannot fail.
            let _ = changes.changed().await;
        }
    }

    /// Waits until that is so of the run.
    pub(super) async fn until(&self, user: u32, run: u16, is_so: impl Fn(&Posted) -> bool) {
        let mut changes = self.changes.subscribe();
        while !is_so(&self.read(user, run)) {
            // The sender lives in `self`, so waiting cannot fail.
            let _ = changes.changed().await;
        }
    }
}

/// An event connection that was left to the next user.
pub(super) struct Left {
    pub(super) open: OpenSocket,
    pub(super) by: UserName,
}

/// Browsers: what those who sit at one share.
#[derive(Default)]
pub(super) struct Desks {
    left: Mutex<BTreeMap<u32, Option<Left>>>,
    changes: watch::Sender<u64>,
}

impl Desks {
    /// Leaves the event connection, or that there is none.
    pub(super) fn leave(&self, browser: u32, left: Option<Left>) {
        locked(&self.left).insert(browser, left);
        self.changes.send_modify(|number| *number += 1);
    }

    /// What was left there; waits until something was.
    pub(super) async fn take(&self, browser: u32) -> Option<Left> {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(left) = locked(&self.left).remove(&browser) {
                return left;
            }
            let _ = changes.changed().await;
        }
    }
}
