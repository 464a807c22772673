//! Looks at a round while it goes on, so that a leak is told at once; the oracles judge it all anew
//! when it is over.

use partywall_core::canary::{PHANTOM_USER, Scanner, Sighting, name_digest};
use partywall_core::plan::{Plan, UserPlan};
use partywall_world::recorder::Recorder;

/// Finds the first canary of another user in one round.
pub(crate) struct Watch<'w> {
    scanner: &'w Scanner,
    plan: Plan,
    looked: usize,
    told: bool,
}

impl<'w> Watch<'w> {
    pub(crate) fn new(scanner: &'w Scanner, plan: &Plan) -> Self {
        Self { scanner, plan: plan.clone(), looked: 0, told: false }
    }

    /// What crossed since the last look, in words; once for each round.
    pub(crate) fn look(&mut self, recorder: &Recorder) -> Option<String> {
        // What is shared only the oracles know.
        if self.told || !self.plan.protocol.sharing.is_empty() {
            return None;
        }
        let mut found = None;
        let (scanner, plan) = (self.scanner, &self.plan);
        self.looked = recorder.look(self.looked, |observation| {
            let (None, Some(observer)) = (&found, &observation.by) else { return };
            let parts = [observation.what.headers(), observation.what.inbound()];
            let sightings = parts.into_iter().flatten().flat_map(|raw| scanner.scan(raw.bytes()));
            let foreign = sightings.into_iter().find(|sighting| {
                sighting.owner.user != PHANTOM_USER
                    && !plan.campaign.may_be_left(sighting.campaign)
                    && owner_of(plan, sighting).is_none_or(|owner| owner.name != *observer)
                    && sighting.person != name_digest(observer.as_str())
            });
            if let Some(sighting) = foreign {
                let (owner, victim) = (sighting.owner, owner_of(plan, &sighting));
                let victim = victim.map_or("a user of another trial", |user| user.name.as_str());
                let at = observation.at;
                found = Some(format!(
                    "{observer} sees the {} of {victim}'s run {} (observation {}, {at} ms)",
                    owner.field, owner.run, observation.n
                ));
            }
        });
        self.told = found.is_some();
        found
    }
}

/// The user of the plan whose canary that is: by their name where the canary says it, for another
/// campaign may count its users in another order.
fn owner_of<'p>(plan: &'p Plan, sighting: &Sighting) -> Option<&'p UserPlan> {
    match sighting.person {
        0 => plan.user_at(sighting.owner.user),
        person => plan.users.iter().find(|user| name_digest(user.name.as_str()) == person),
    }
}
