//! What the server can tell users apart by: all that a run's request, or the connection that it goes
//! over, shows of its user.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use partywall_core::ids::UserName;
use partywall_core::plan::Plan;
use partywall_core::protocol::Protocol;
use partywall_core::template::names;

/// What each user has shown with their last run; cheap to clone.
#[derive(Clone, Default)]
pub struct Identities(Arc<Mutex<BTreeMap<UserName, Vec<String>>>>);

impl fmt::Debug for Identities {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // These are secrets.
        out.debug_struct("Identities").finish_non_exhaustive()
    }
}

impl Identities {
    pub(super) fn note(&self, user: &UserName, shown: Vec<String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(user.clone(), shown);
    }

    /// Forgets what users of an earlier round have shown.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many users have shown something, if all of them have shown the same and they are several.
    pub fn all_alike(&self) -> Option<usize> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shown = all.values();
        let first = shown.next()?;
        (all.len() > 1 && shown.all(|other| other == first)).then_some(all.len())
    }
}

/// The names in templates that may stand for something of a user's own, where the server meets them
/// with a run or on its connection. A log-in alone shows nothing that it would meet again.
pub(super) fn names_shown(plan: &Plan) -> Vec<String> {
    let Protocol { identity, setup, start, other_starts, events, .. } = &*plan.protocol;
    let on_connection: Vec<_> = setup.iter().filter(|step| step.each_connection).collect();
    let shown = serde_json::to_string(&(identity, on_connection, start, other_starts, events));
    let own = |name: &&str| {
        matches!(*name, "user" | "user.secret" | "thread") || name.starts_with("capture.")
    };
    let shown = shown.unwrap_or_default();
    let mut all: Vec<_> =
        names(&shown).into_iter().flatten().filter(own).map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_alike_if_several_have_shown_the_same() {
        let identities = Identities::default();
        let note = |user: &str, shown: &str| {
            identities.note(&UserName::new(user), vec![shown.to_owned()]);
        };
        assert_eq!(identities.all_alike(), None);
        note("alice", "token-1");
        assert_eq!(identities.all_alike(), None);
        note("bob", "token-1");
        assert_eq!(identities.all_alike(), Some(2));
        note("carol", "token-2");
        assert_eq!(identities.all_alike(), None);
        note("carol", "token-1");
        assert_eq!(identities.all_alike(), Some(3));
    }
}
