//! How a simulated user waits for the end of a run, and when they stop waiting.

use std::time::Duration;

use super::user::{Until, User, Waited};
use crate::trial::history::What;
use crate::world::AtRest;

impl User {
    /// Waits for the end of the run. A user who hears nothing for a while looks at its state: one
    /// whose stream was cut may have missed the last event, and one whose stream went elsewhere
    /// need not wait until all patience is out.
    pub(super) async fn await_end(&mut self, run: u16) {
        let began = self.world.now();
        let looks = self.patience.run.as_millis() / self.patience.look_again.as_millis().max(1);
        for _ in 0..looks.max(1) {
            let waited = self.wait(Until::End(run), self.patience.look_again).await;
            let at_rest = matches!(waited, Waited::PatienceOut(AtRest(true)));
            let cut = self.progress.was_cut(run);
            if waited == Waited::Reached {
                return;
            }
            if at_rest && !cut {
                return self.give_up(run, true);
            }
            let in_vain = cut || waited == Waited::Hopeless;
            if in_vain && self.progress.id(run).is_none() {
                // Never accepted as far as the user knows: there is nothing to look at.
                break;
            }
            self.read_run(run, self.left(began)).await;
            if self.progress.has_ended(run) {
                return;
            }
            if at_rest {
                break;
            }
            if self.progress.is_told_ended(run) {
                // The back end says that it has ended: its last event is at most under way.
                if self.wait(Until::End(run), self.patience.linger).await == Waited::Reached {
                    return;
                }
                break;
            }
            if self.left(began).is_zero() {
                break;
            }
            if waited == Waited::Hopeless {
                self.world.patience(self.patience.look_again).await;
            }
        }
        self.give_up(run, false);
    }

    /// What is left of the patience with a run; in the simulated world no time passes.
    fn left(&self, began: u64) -> Duration {
        let passed = if self.world.is_simulated() { 0 } else { self.world.now() - began };
        self.patience.run.saturating_sub(Duration::from_millis(passed))
    }

    fn give_up(&mut self, run: u16, at_rest: bool) {
        self.calls.retain(|call| call.run != Some(run));
        self.observe(None, What::GaveUp { run, at_rest });
    }
}
