//! Genuine canaries that came in, and whose they are.

use super::message::{Channel, Place};
use partywall_core::canary::{CampaignKey, Owner, PHANTOM_USER, Sighting, name_digest};
use partywall_core::history::History;
use partywall_core::ids::UserName;

/// Stands for a run of an earlier trial on the same back end: plans count runs from 1. What a user
/// gave there is still their own, and whoever else sees it sees it across the boundary.
pub(super) const EARLIER: u16 = 0;

/// Set in an owner's user who is known by the digest of their name, which is all that a canary of
/// another round says of them: the order of users may be another by now. Above all indices.
const BY_NAME: u32 = 1 << 24;
/// Set beside it where the canary is of another campaign on the same server.
const OF_OTHER_CAMPAIGN: u32 = 1 << 25;
/// Set beside both where that campaign is of an earlier state of the same system, as `before` is.
const OF_EARLIER_STATE: u32 = 1 << 26;

/// Whose canary that is, in the trial of that key.
pub(super) fn owner_in(trial: CampaignKey, sighting: &Sighting) -> Owner {
    let same_campaign = sighting.campaign == trial.campaign_stamp();
    if same_campaign && sighting.round == trial.round() {
        return sighting.owner;
    }
    let user = match sighting.person {
        0 => sighting.owner.user,
        person if same_campaign => BY_NAME | person,
        person if trial.is_of_earlier_state(sighting.campaign) => {
            BY_NAME | OF_OTHER_CAMPAIGN | OF_EARLIER_STATE | person
        }
        person => BY_NAME | OF_OTHER_CAMPAIGN | person,
    };
    // The phantom has no name.
    debug_assert!(sighting.owner.user != PHANTOM_USER || sighting.person == 0);
    Owner { user, run: EARLIER, ..sighting.owner }
}

/// The digest of the name of an owner who is known by it.
pub(super) fn digest_of(user: u32) -> Option<u32> {
    (user & BY_NAME != 0).then_some(user & (BY_NAME - 1))
}

/// Whether what the owner gave is of another campaign.
pub(super) fn is_of_other_campaign(owner: Owner) -> bool {
    owner.user & OF_OTHER_CAMPAIGN != 0
}

/// Whether what the owner gave is of an earlier state of the same system.
pub(super) fn is_of_earlier_state(owner: Owner) -> bool {
    owner.user & OF_EARLIER_STATE != 0
}

/// Whether a store may hold that since before this state of the system was driven: what was filed
/// under the wrong user then comes back to them, however right this state is.
pub(super) fn may_be_left(trial: CampaignKey, owner: Owner) -> bool {
    trial.is_of_later_state() && is_of_other_campaign(owner)
}

/// Whether the user of that name gave it in an earlier round: it may come back at any time.
pub(super) fn is_own_of_earlier(history: &History, owner: Owner, name: &UserName) -> bool {
    if owner.run != EARLIER {
        return false;
    }
    if let Some(digest) = digest_of(owner.user) {
        return digest == name_digest(name.as_str());
    }
    let own =
        |user: &partywall_core::plan::UserPlan| user.index == owner.user && user.name == *name;
    history.plan.users.iter().any(own)
}

/// A genuine canary that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<'h> {
    /// Whose data it marks.
    pub owner: Owner,
    /// The place in the history of the observation that it was complete with.
    pub(super) at: Place,
    /// That observation's number.
    pub n: u64,
    /// The number of the observation that it begins in: an earlier one if it came in pieces.
    pub from: u64,
    /// Who saw it.
    pub observer: &'h UserName,
    /// How it came.
    pub channel: Channel,
    /// The message that it was complete with, if it was a message.
    pub(super) message: Place,
}

impl Seen<'_> {
    /// The place in the history of the observation that it was complete with.
    pub fn at(&self) -> usize {
        self.at.get()
    }

    /// The message that it was complete with, if it was a message.
    pub(super) fn message(&self) -> Option<usize> {
        self.message.some()
    }
}

/// The beginning of a canary, without the rest.
#[derive(Clone, Debug)]
pub(super) struct Trace<'h> {
    /// Where it was seen, with the first of the owners.
    pub(super) seen: Seen<'h>,
    /// Whether canaries of several users begin with it.
    pub(super) is_ambiguous: bool,
}
