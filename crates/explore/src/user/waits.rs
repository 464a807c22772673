//! How a user waits, and listens meanwhile.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use super::receiving::{next_message, next_part, part_at_hand};
use super::simulated_user::User;
use partywall_world::{AtRest, unconstrained};

/// A user to whom messages come without a pause looks at the clock after at most so many.
const MOST_TOGETHER: u32 = 64;

impl User {
    /// Listens until that is so; gives how patience ended where it did before.
    pub(super) async fn wait(
        &mut self,
        until: impl Fn(&Self) -> bool,
        limit: Duration,
    ) -> Option<AtRest> {
        let mut patience = self.world.patience_by(limit, std::mem::take(&mut self.timer));
        // What comes together has one time: known until something is waited for, or that much came.
        let (mut now, mut together) = (None, 0);
        let out = loop {
            if until(self) {
                break None;
            }
            if together == MOST_TOGETHER {
                (now, together) = (None, 0);
                if let Some(at_rest) = patience.is_out().await {
                    break Some(at_rest);
                }
                self.take_parts_at_hand().await;
            }
            together += 1;
            tokio::select! {
                biased;
                (from, incoming) = next_message(&mut self.socket, &mut self.parked) => {
                    let at = *now.get_or_insert_with(|| self.world.now());
                    if let Some(reply) = self.take(at, from, incoming) {
                        now = None;
                        self.reply(from, reply).await;
                    }
                }
                (place, part) = next_part(&mut self.exchanges), if !self.exchanges.is_empty() => {
                    now = None;
                    self.take_part(place, part);
                }
                at_rest = async {
                    (now, together) = (None, 0);
                    (&mut patience).await
                } => break Some(at_rest),
            }
        };
        self.timer = patience.into_timer();
        out
    }

    /// Listens until the future is done, or patience is out where there is a limit.
    pub(super) async fn listen(
        &mut self,
        until: impl Future<Output = ()>,
        limit: Option<Duration>,
    ) {
        let world = self.world.clone();
        let patience = async {
            match limit {
                Some(limit) => _ = world.patience(limit).await,
                None => std::future::pending().await,
            }
        };
        // What comes is taken first, so who is flooded must still notice that it is done.
        let until = unconstrained(until);
        tokio::pin!(until, patience);
        let mut together = 0;
        loop {
            together += 1;
            if together % MOST_TOGETHER == 0 && !self.world.is_simulated() {
                self.take_parts_at_hand().await;
                let is_done = poll_fn(|context: &mut Context<'_>| {
                    let is_done = until.as_mut().poll(context).is_ready()
                        || patience.as_mut().poll(context).is_ready();
                    Poll::Ready(is_done)
                });
                if is_done.await {
                    return;
                }
            }
            tokio::select! {
                biased;
                (from, incoming) = next_message(&mut self.socket, &mut self.parked) => {
                    if let Some(reply) = self.take(self.world.now(), from, incoming) {
                        self.reply(from, reply).await;
                    }
                }
                (place, part) = next_part(&mut self.exchanges), if !self.exchanges.is_empty() => {
                    self.take_part(place, part);
                }
                () = &mut until => return,
                () = &mut patience => return,
            }
        }
    }

    /// Takes what is at hand of the answers: messages come first, and a flood of them must not keep
    /// answers from being recorded. In the simulated world there is no flood.
    async fn take_parts_at_hand(&mut self) {
        if self.world.is_simulated() {
            return;
        }
        for _ in 0..MOST_TOGETHER {
            let Some((place, part)) = part_at_hand(&mut self.exchanges).await else { return };
            self.take_part(place, part);
        }
    }

    /// Waits for others, or for time to pass. Over real connections the user listens meanwhile; in
    /// the simulated world, where each message that comes would be a switch point of a user who only
    /// waits, what comes stays until they go on.
    pub(super) async fn stand_by(
        &mut self,
        until: impl Future<Output = ()>,
        limit: Option<Duration>,
    ) {
        if !self.world.is_simulated() {
            return self.listen(until, limit).await;
        }
        let Some(limit) = limit else { return until.await };
        tokio::select! {
            biased;
            () = until => {}
            _ = self.world.patience(limit) => {}
        }
    }
}
