//! Gives each round against one server a canary key of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fastrand::Rng;
use partywall_core::canary::CampaignKey;
use partywall_core::plan::Plan;
use partywall_drive::scenario::Target;

/// Derives the canary key of each round that one server is driven. A server remembers: what a user
/// gave in one round may rightly come back to them in the next, in a conversation or out of a cache,
/// and whoever else sees it sees it across the boundary. So the canaries of each round differ from
/// those of the others. A clone goes on counting with the original.
#[derive(Clone, Debug)]
pub struct RoundKeys {
    key: CampaignKey,
    next: Arc<AtomicU32>,
}

impl RoundKeys {
    /// The rounds of a campaign that has its server for itself.
    pub fn of(key: CampaignKey) -> Self {
        Self { key, next: Arc::new(AtomicU32::new(1)) }
    }

    /// The rounds against a server that may remember earlier campaigns of the same seed, or that
    /// other machines drive at the same time: their nonce is drawn from the clock.
    pub fn on_shared_server(key: CampaignKey) -> Self {
        Self::of(key.with_nonce(clock().u32(1..)))
    }

    /// The rounds against that target: the reference back end is started for this campaign alone.
    /// Against any other server the nonce is that one, or drawn.
    pub fn against(target: &Target, seed: u64, nonce: Option<u32>) -> Self {
        let key = CampaignKey::from_seed(seed);
        match (target, nonce) {
            (Target::Reference(_), _) => Self::of(key),
            (_, Some(nonce)) => Self::of(key.with_nonce(nonce)),
            (Target::Code { .. } | Target::Server { .. }, None) => Self::on_shared_server(key),
        }
    }

    /// The rounds against each of the states of a system that are driven one after the other, as
    /// `before` and `after` are: the first has that nonce, or one that is drawn, each other one the
    /// next. A server that is started for a state anew goes on with that state's rounds.
    pub fn of_states(seed: u64, nonce: Option<u32>, states: usize) -> Vec<Self> {
        let first = nonce.unwrap_or_else(|| clock().u32(1..=u32::MAX / 2));
        let first = CampaignKey::from_seed(seed).with_nonce(first);
        let states = u32::try_from(states).unwrap_or(u32::MAX);
        (0..states).map(|earlier| Self::of(first.after_states(earlier))).collect()
    }

    /// The same against that target, as far as it may remember anything: the reference back end is
    /// started for the campaign alone.
    pub fn of_state(&self, target: &Target, seed: u64) -> Self {
        match target {
            Target::Reference(_) => Self::of(CampaignKey::from_seed(seed)),
            Target::Code { .. } | Target::Server { .. } => self.clone(),
        }
    }

    /// The rounds in which a plan of that key is driven again. A server that lives on may remember
    /// its words, so there they have a nonce of their own. One that is started anew for each drive
    /// keeps the plan's; only a round is drawn, since a store may outlive the process.
    pub fn again(key: CampaignKey, is_fresh: bool) -> Self {
        if !is_fresh || key.nonce() == 0 {
            return Self::on_shared_server(key);
        }
        Self { key, next: Arc::new(AtomicU32::new(clock().u32(1 << 20..1 << 23))) }
    }

    /// The plan, with the canaries of a round that no other has.
    pub fn plant(&self, mut plan: Plan) -> Plan {
        plan.campaign = self.key.in_round(self.next.fetch_add(1, Ordering::Relaxed));
        plan
    }
}

fn clock() -> Rng {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = since.map_or(0, |since| since.as_nanos() as u64) ^ u64::from(std::process::id());
    Rng::with_seed(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_is_started_anew_keeps_the_nonce_of_a_plan() {
        let key = CampaignKey::from_seed(1).with_nonce(9);
        assert_eq!(RoundKeys::again(key, true).key.nonce(), 9);
        assert_ne!(RoundKeys::again(key, false).key.nonce(), 9);
        assert_ne!(RoundKeys::again(CampaignKey::from_seed(1), true).key.nonce(), 0);
    }
}
