//! How a user waits for the end of a run, and when they stop waiting.

use std::time::Duration;

use super::exchange::{late, went_away};
use super::simulated_user::{Patience, User};
use partywall_core::history::What;
use partywall_core::plan::Via;
use partywall_world::AtRest;

impl User {
    /// How that run is started.
    pub(super) fn via(&self, run: u16) -> Via {
        // To look through the steps of a long plan with each message would cost more than to read it.
        let planned = || self.who().run(run).map(|run| run.via);
        self.runs.via(run).or_else(planned).unwrap_or_else(|| self.protocol.via())
    }

    /// Whether a call that concerns the run is under way.
    pub(super) fn is_called(&self, run: u16) -> bool {
        self.exchanges.iter().any(|exchange| exchange.run == Some(run))
    }

    /// Whether the run has ended, and what is answered with its end is answered.
    fn is_over(&self, run: u16) -> bool {
        let is_asked = self.via(run) == Via::Http && self.is_called(run);
        self.runs.has_ended(run) && !(is_asked && self.protocol.dialect.tells_states())
    }

    /// Whether what would carry more of the run is gone.
    pub(super) fn is_hopeless(&self, run: u16) -> bool {
        !self.is_called(run) && (self.via(run) != Via::Socket || self.socket.is_none())
    }

    /// Waits for the end of the run. A user who hears nothing for a while looks at its state, where
    /// that can be: one whose stream was cut may have missed the last event, and one whose stream
    /// went elsewhere need not wait until all patience is out.
    pub(super) async fn await_end(&mut self, run: u16) {
        let began = self.world.now();
        let Patience { run: whole, look_again, .. } = self.patience;
        let may_look = self.protocol.reads.run.is_some();
        let limit = if may_look { look_again } else { whole };
        for _ in 0..(whole.as_millis() / limit.as_millis().max(1)).max(1) {
            let done = |user: &Self| user.is_over(run) || user.is_hopeless(run);
            let out = self.wait(done, limit).await;
            let at_rest = out == Some(AtRest(true));
            let cut = self.runs.was_cut(run);
            if out.is_none() && self.is_over(run) {
                return;
            }
            if at_rest && !cut {
                return self.give_up(run, true);
            }
            let in_vain = cut || out.is_none();
            if !may_look || (in_vain && self.runs.id(run).is_none()) {
                // Never accepted as far as the user knows: there is nothing to look at.
                break;
            }
            self.read_run(run, self.left(began)).await;
            if self.runs.has_ended(run) {
                return;
            }
            if at_rest {
                break;
            }
            if self.runs.was_told_ended(run) {
                // The back end says that it has ended: its last event is at most under way.
                let out = self.wait(done, self.patience.linger).await;
                if out.is_none() && self.is_over(run) {
                    return;
                }
                break;
            }
            if self.left(began).is_zero() {
                break;
            }
            if out.is_none() {
                self.world.patience(look_again).await;
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
        while let Some(place) = self.exchanges.iter().position(|own| own.run == Some(run)) {
            let exchange = self.exchanges.remove(place);
            if !self.world.is_simulated() {
                exchange.abandon(Some(late()));
            }
        }
        self.observe(None, What::GaveUp { run, at_rest });
        self.post();
    }

    /// Goes away from the request that started the run; what became of it is unknown.
    pub(super) fn abandon(&mut self, run: u16) {
        let place = self.exchanges.iter().position(|exchange| exchange.run == Some(run));
        let tells_states = self.protocol.dialect.tells_states();
        if let Some(place) = place {
            let exchange = self.exchanges.remove(place);
            let why = (!exchange.streams()).then(went_away);
            exchange.abandon(why);
        } else if tells_states {
            // It has been answered, or never was asked for.
            return;
        }
        if !self.runs.has_ended(run) {
            if !tells_states {
                self.observe(None, What::GaveUp { run, at_rest: false });
            }
            self.runs.is_told_ended(run, true);
        }
        self.post();
    }
}
