//! Latent contamination: an agent was built with another user's settings, or an emitter, a worker or
//! something cached is bound to another user. Where nothing of it shows on the wire, something later
//! set it right, and the next change may take that away.
//!
//! It is a warning, not a leak: only what the back end reports of itself tells of it.

use partywall_core::history::{History, Note};
use partywall_core::ids::{RunId, UserName};

/// Something that works for one user and is bound to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contamination {
    /// The observation that reports it.
    pub n: u64,
    /// For whom it works.
    pub user: UserName,
    /// For which run.
    pub run: RunId,
    /// What it is: `the agent triage`, `an emitter`; server text.
    pub what: String,
    /// To whom it is bound.
    pub bound_to: UserName,
}

impl Contamination {
    /// It in a few words; server text.
    pub fn in_words(&self) -> String {
        let Self { user, run, what, bound_to, .. } = self;
        format!("{what} of {user} ({run}) was bound to {bound_to}")
    }
}

/// Every contamination that the back end reported, in the order of its reports.
pub fn contaminations(history: &History) -> Vec<Contamination> {
    let reports = history.observations.iter().filter_map(|seen| {
        let (user, run, what, bound_to) = match seen.what.note()? {
            Note::Used { user, run, agent, configured_for: Some(bound_to), .. } => {
                (user, run, format!("the agent {agent}"), bound_to)
            }
            Note::Held { what, user, run, of } => (user, run, what.clone(), of),
            _ => return None,
        };
        (user != bound_to).then(|| Contamination {
            n: seen.n,
            user: user.clone(),
            run: run.clone(),
            what,
            bound_to: bound_to.clone(),
        })
    });
    reports.collect()
}

#[cfg(test)]
mod tests {
    use super::super::notation::history;
    use super::*;
    use partywall_core::history::{Observation, What};

    fn used(n: u64, user: &str, configured_for: Option<&str>) -> Observation {
        let note = Note::Used {
            factory: "process-wide".into(),
            user: UserName::new(user),
            run: RunId::new(format!("run-{n}")),
            agent: "triage".into(),
            configured_for: configured_for.map(UserName::new),
        };
        Observation { n, at: n, by: None, on: None, what: What::Backend { note: note.into() } }
    }

    fn held(n: u64, user: &str, of: &str) -> Observation {
        let (user, of) = (UserName::new(user), UserName::new(of));
        let note = Note::Held { what: "an emitter".into(), user, run: RunId::new("run-9"), of };
        Observation { n, at: n, by: None, on: None, what: What::Backend { note: note.into() } }
    }

    #[test]
    fn only_the_settings_of_another_user_contaminate() {
        let observations = vec![
            used(0, "alice", Some("alice")),
            used(1, "alice", Some("bob")),
            used(2, "bob", None),
            used(3, "bob", Some("bob-2")),
            held(4, "bob", "bob"),
            held(5, "bob", "alice"),
        ];
        let mut history = history("alice connects");
        history.observations = observations;
        let found = contaminations(&history);
        let told: Vec<_> = found
            .iter()
            .map(|found| (found.n, found.user.as_str(), found.bound_to.as_str()))
            .collect();
        assert_eq!(told, [(1, "alice", "bob"), (3, "bob", "bob-2"), (5, "bob", "alice")]);
        assert_eq!(found[0].in_words(), "the agent triage of alice (run-1) was bound to bob");
        assert_eq!(found[2].in_words(), "an emitter of bob (run-9) was bound to alice");
    }
}
