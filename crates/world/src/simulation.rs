//! What world handles and the executor share: the tasks that were asked for, who waits in vain,
//! where faults may strike, and what was marked. All of it is used by one thread at a time.

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::Hasher;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::box_future::BoxFuture;
use siphasher::sip::SipHasher13;

use super::strategy::Mark;
use partywall_core::ids::{TaskName, UserName};
use partywall_core::plan::{Fault, FaultKind};

/// The number of a task in its world, by order of its start.
pub(super) type TaskId = u64;

/// The shared part of one simulated world.
#[derive(Default)]
pub(super) struct Simulation {
    steps: Arc<AtomicU64>,
    /// Whether the strategy looks at marks.
    marked: AtomicBool,
    requests: Mutex<Requests>,
}

/// What tasks asked for since the executor last looked.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) started: u64,
    names: BTreeMap<TaskName, u64>,
    pub(super) spawned: Vec<Slot>,
    pub(super) aborted: Vec<TaskId>,
    pub(super) patience: BTreeMap<u64, (Waker, Arc<AtomicBool>)>,
    waits: u64,
    faults: Vec<Fault>,
    pub(super) passed: FaultPoints,
    pub(super) marks: Vec<Mark>,
}

/// How many fault points of each kind were passed for each user.
pub type FaultPoints = BTreeMap<(UserName, FaultKind), u32>;

/// A task with what the executor needs to know of it.
pub(super) struct Slot {
    pub(super) id: TaskId,
    pub(super) name: TaskName,
    pub(super) awaited: bool,
    pub(super) steps: u64,
    pub(super) future: BoxFuture<'static, ()>,
    pub(super) ready: Arc<Ready>,
    pub(super) waker: Waker,
}

/// Whether a task was woken, and in which step.
pub(super) struct Ready {
    woken: AtomicBool,
    at: AtomicU64,
    steps: Arc<AtomicU64>,
}

impl Ready {
    pub(super) fn is_set(&self) -> bool {
        self.woken.load(Ordering::Relaxed)
    }

    /// The step in which it was woken, or started.
    pub(super) fn since(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.woken.store(false, Ordering::Relaxed);
    }
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        self.at.store(self.steps.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Simulation {
    pub(super) fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    pub(super) fn tick(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn spawn(
        &self,
        name: TaskName,
        future: BoxFuture<'static, ()>,
        awaited: bool,
    ) -> TaskId {
        let mut requests = self.requests();
        let taken = requests.names.entry(name.clone()).or_insert(0);
        *taken += 1;
        let name = if *taken == 1 { name } else { TaskName::new(format!("{name}#{taken}")) };
        let id = requests.started;
        requests.started += 1;
        let ready = Arc::new(Ready {
            woken: AtomicBool::new(true),
            at: AtomicU64::new(self.now()),
            steps: Arc::clone(&self.steps),
        });
        let waker = Waker::from(Arc::clone(&ready));
        requests.spawned.push(Slot { id, name, awaited, steps: 0, future, ready, waker });
        id
    }

    pub(super) fn abort(&self, id: TaskId) {
        self.requests().aborted.push(id);
    }

    pub(super) fn plan_faults(&self, faults: &[Fault]) {
        self.requests().faults = faults.to_vec();
    }

    /// Another fault point of that kind is passed for that user: whether the plan has a fault here.
    pub(super) fn pass(&self, user: &UserName, kind: FaultKind) -> bool {
        let mut requests = self.requests();
        let Requests { passed, faults, .. } = &mut *requests;
        let number = match passed.get_mut(&(user.clone(), kind)) {
            Some(number) => number,
            None => passed.entry((user.clone(), kind)).or_default(),
        };
        *number += 1;
        faults.iter().any(|fault| fault.at == *number && fault.kind == kind && fault.user == *user)
    }

    pub(super) fn want_marks(&self) {
        self.marked.store(true, Ordering::Relaxed);
    }

    /// Notes that the work of that user has come to a milestone.
    pub(super) fn mark(&self, user: &UserName, milestone: &[&str]) {
        if self.marked.load(Ordering::Relaxed) {
            let mark = Mark { user: hash(&[user.as_str()]), milestone: hash(milestone) };
            self.requests().marks.push(mark);
        }
    }
}

/// The same number for the same words in every run of the program.
fn hash(words: &[&str]) -> u64 {
    let mut hasher = SipHasher13::new();
    for word in words {
        hasher.write(word.as_bytes());
        hasher.write_u8(0xFF);
    }
    hasher.finish()
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Simulation(step {})", self.now())
    }
}

/// Ready once nothing else in the world can go on.
#[derive(Debug)]
pub(super) struct Patience {
    simulation: Arc<Simulation>,
    wait: Option<(u64, Arc<AtomicBool>)>,
}

impl Patience {
    pub(super) fn new(simulation: Arc<Simulation>) -> Self {
        Self { simulation, wait: None }
    }
}

impl Future for Patience {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Some((_, out)) = &this.wait
            && out.load(Ordering::Relaxed)
        {
            return Poll::Ready(());
        }
        let mut requests = this.simulation.requests();
        let (id, out) = this.wait.get_or_insert_with(|| {
            requests.waits += 1;
            (requests.waits, Arc::new(AtomicBool::new(false)))
        });
        requests.patience.insert(*id, (context.waker().clone(), Arc::clone(out)));
        Poll::Pending
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if let Some((id, _)) = self.wait {
            self.simulation.requests().patience.remove(&id);
        }
    }
}
