//! What an earlier state of the same system left with the wrong user: `before` of a sign-off, in a
//! store that outlives the servers.

use super::case::Case;
use super::seen::is_of_earlier_state;
use super::shown_names::ShownNames;
use super::upstream_calls::UpstreamCall;
use partywall_core::canary::{Field, Owner, PHANTOM_USER};
use partywall_core::ids::UserName;

/// One place where it came back. It accuses nobody, for it cannot be told whether it was filed under
/// the wrong user then or is read for the wrong user now; nor is a trial clean that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The number of the observation.
    pub n: u64,
    /// Who received it, or under whose account it went upstream.
    pub observer: UserName,
    /// Who gave it, where they are of this campaign too.
    pub victim: Option<UserName>,
    /// What it is.
    pub field: Field,
    /// Whether an earlier state of the same sign-off or migration was given it; else an earlier
    /// campaign was.
    pub of_earlier_state: bool,
}

impl Left {
    /// What was seen and what follows from it.
    pub fn in_words(&self) -> String {
        let Self { observer, victim, field, of_earlier_state, .. } = self;
        let victim = victim.as_ref().map_or("another user".into(), ToString::to_string);
        let when = match of_earlier_state {
            true => "to a state driven earlier (`before` of a sign-off)",
            false => "in an earlier campaign",
        };
        format!(
            "{observer} received the {field} that {victim} gave {when}: what was driven then may \
             have filed it under the wrong user, in a store that outlives the servers"
        )
    }
}

/// What was left, the first that is known to be of an earlier state if there is any.
pub(super) fn left(case: &Case<'_>) -> Option<Left> {
    let received = case.left.iter().map(|seen| (seen.n, seen.observer, seen.owner));
    let of_user = |call: &&UpstreamCall| case.person(call.credential.as_str()).is_some();
    let upstream = case
        .upstream
        .iter()
        .filter(of_user)
        .flat_map(|call| call.left.iter().map(move |owner| (call.n, &call.credential, *owner)));
    let foreign = received.chain(upstream).filter(|(_, _, owner)| owner.user != PHANTOM_USER);
    let first = foreign.min_by_key(|(_, _, owner)| !is_of_earlier_state(*owner));
    let Some((n, observer, owner)): Option<(u64, &UserName, Owner)> = first else {
        if !case.history.plan.campaign.is_of_later_state() {
            return None;
        }
        let names = ShownNames::of(case)?;
        let (n, observer, victim) = names.left()?;
        return Some(Left {
            n,
            observer: observer.clone(),
            victim: Some(victim.clone()),
            field: Field::Prompt,
            of_earlier_state: true,
        });
    };
    Some(Left {
        n,
        observer: observer.clone(),
        victim: case.person_at(owner.user).map(|person| person.name.clone()),
        field: owner.field,
        of_earlier_state: is_of_earlier_state(owner),
    })
}
