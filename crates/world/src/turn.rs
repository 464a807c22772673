//! Switch points by themselves.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is `Pending` a given number of times, each a switch point.
#[derive(Debug)]
#[must_use = "a turn does nothing unless awaited"]
pub struct Turn {
    pub(super) left: u32,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.left == 0 {
            return Poll::Ready(());
        }
        self.left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
