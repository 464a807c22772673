//! The calls in the upstream's log, with the canaries in each.

use std::collections::BTreeMap;

use super::seen::{is_own_of_earlier, may_be_left, owner_in};
use partywall_core::canary::{Owner, Scanner};
use partywall_core::history::{History, Note, Observation, What};
use partywall_core::ids::{RunId, UserName};

/// One call in the upstream's log.
#[derive(Clone, Debug)]
pub(super) struct UpstreamCall {
    pub(super) n: u64,
    pub(super) at: usize,
    pub(super) service: &'static str,
    pub(super) credential: UserName,
    pub(super) run: RunId,
    pub(super) owners: Vec<Owner>,
    /// Those whose words an earlier state of the same system may have left in a store.
    pub(super) left: Vec<Owner>,
}

/// The calls that the scripted upstream logged, with the canaries in each.
pub(super) fn upstream_calls(
    history: &History,
    acts: &[(usize, &Observation)],
    scanner: &Scanner,
) -> Vec<UpstreamCall> {
    let accounts = accounts(acts);
    let of = |&(at, seen): &(usize, &Observation)| {
        let Note::Upstream { service, credential, run, text } = seen.what.note()? else {
            return None;
        };
        let account = account_of(&accounts, credential);
        let all = owners(history, scanner, account, text).into_iter();
        let (left, owners) = all.partition(|owner| may_be_left(history.plan.campaign, *owner));
        Some(UpstreamCall {
            n: seen.n,
            at,
            service: if service == "tool" { "upstream tool" } else { "upstream model" },
            credential: account.clone(),
            run: run.clone(),
            owners,
            left,
        })
    };
    acts.iter().filter_map(of).collect()
}

/// Who has which credential, by all that the history says; none where several users have it, since
/// what they share tells nobody apart.
type Accounts<'h> = BTreeMap<&'h UserName, Option<&'h UserName>>;

fn accounts<'h>(acts: &[(usize, &'h Observation)]) -> Accounts<'h> {
    let mut accounts = Accounts::new();
    for &(_, seen) in acts {
        if let (What::Account { credential }, Some(user)) = (&seen.what, &seen.by) {
            let known = accounts.entry(credential).or_insert(Some(user));
            *known = known.filter(|known| *known == user);
        }
    }
    accounts
}

/// The user whose credential that is, or the credential where it is nobody's.
fn account_of<'h>(accounts: &Accounts<'h>, credential: &'h UserName) -> &'h UserName {
    accounts.get(credential).copied().flatten().unwrap_or(credential)
}

/// Whose the canaries in a call are, without what its account gave in an earlier round.
fn owners(history: &History, scanner: &Scanner, account: &UserName, text: &str) -> Vec<Owner> {
    let sightings = scanner.scan(text.as_bytes());
    let trial = history.plan.campaign;
    let owners = sightings.iter().map(|sighting| owner_in(trial, sighting));
    owners.filter(|owner| !is_own_of_earlier(history, *owner, account)).collect()
}
