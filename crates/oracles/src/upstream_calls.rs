//! The calls in the upstream's log, with the canaries in each.

use std::collections::BTreeMap;

use super::seen::{is_own_of_earlier, owner_in};
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
}

/// The calls that the scripted upstream logged, with the canaries in each.
pub(super) fn upstream_calls(
    history: &History,
    acts: &[(usize, &Observation)],
    scanner: &Scanner,
) -> Vec<UpstreamCall> {
    let accounts = accounts(acts);
    let of = |&(at, seen): &(usize, &Observation)| match seen.what.note()? {
        Note::Upstream { service, credential, run, text } => Some(UpstreamCall {
            n: seen.n,
            at,
            service: if service == "tool" { "upstream tool" } else { "upstream model" },
            credential: account_of(&accounts, credential).clone(),
            run: run.clone(),
            owners: owners(history, scanner, account_of(&accounts, credential), text),
        }),
        _ => None,
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
