//! Reports the steps of a run: what shows that runs overlapped where they send nothing on the way.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use partywall_core::history::Note;
use partywall_core::ids::{RunId, UserName};
use partywall_world::World;
use partywall_world::box_future::BoxFuture;

thread_local! {
    /// The run that is being polled on this thread.
    static POLLED: RefCell<Option<RunId>> = const { RefCell::new(None) };
}

/// The future of a run, each poll of which is reported as a step. A step that ended in waiting for
/// another run, as for a lock that it holds, is taken back when that run lets it go on.
pub(super) struct Steps {
    pub(super) world: World,
    pub(super) user: UserName,
    pub(super) run: RunId,
    pub(super) future: BoxFuture<'static, String>,
    pub(super) last: Option<Arc<Woken>>,
}

/// Wakes the task of a run, and notes who did so first.
pub(super) struct Woken {
    task: Waker,
    run: RunId,
    by: AtomicU8,
}

impl Woken {
    const NOBODY: u8 = 0;
    const ITSELF: u8 = 1;
    const ANOTHER_RUN: u8 = 2;
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let other = POLLED.with_borrow(|run| run.as_ref().is_some_and(|run| *run != self.run));
        let by = if other { Self::ANOTHER_RUN } else { Self::ITSELF };
        // The first counts: whoever wakes it later changes nothing.
        let _ = self.by.compare_exchange(Self::NOBODY, by, Ordering::Relaxed, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

impl Future for Steps {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<String> {
        let waited = self.last.take();
        if waited.is_some_and(|last| last.by.load(Ordering::Relaxed) == Woken::ANOTHER_RUN) {
            self.world.report(Note::Waited { user: self.user.clone(), run: self.run.clone() });
        }
        self.world.report(Note::Worked { user: self.user.clone(), run: self.run.clone() });
        let woken = Arc::new(Woken {
            task: context.waker().clone(),
            run: self.run.clone(),
            by: AtomicU8::new(Woken::NOBODY),
        });
        let waker = Waker::from(Arc::clone(&woken));
        self.last = Some(woken);
        let outer = POLLED.replace(Some(self.run.clone()));
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&waker));
        POLLED.set(outer);
        polled
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Steps").field("user", &self.user).field("run", &self.run).finish()
    }
}
