//! Latent contamination: an agent was built with another user's settings. Where nothing of it
//! shows on the wire, something later set it right, and the next change may take that away.
//!
//! It is a warning, not a leak: only what the back end reports of itself tells of it.

use crate::trial::history::{History, Note, What};
use crate::trial::ids::{RunId, UserName};

/// An agent that was built for one user with the settings of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contamination {
    /// The observation that reports it.
    pub n: u64,
    /// Whose agent it is.
    pub user: UserName,
    /// For which run.
    pub run: RunId,
    /// The agent.
    pub agent: String,
    /// Whose settings it got.
    pub settings_of: UserName,
}

/// Every contamination that the back end reported, in the order of its reports.
pub fn contaminations(history: &History) -> Vec<Contamination> {
    let reports = history.observations.iter().filter_map(|seen| match &seen.what {
        What::Backend {
            note: Note::Used { user, run, agent, configured_for: Some(settings_of), .. },
        } if user != settings_of => Some(Contamination {
            n: seen.n,
            user: user.clone(),
            run: run.clone(),
            agent: agent.clone(),
            settings_of: settings_of.clone(),
        }),
        _ => None,
    });
    reports.collect()
}

#[cfg(test)]
mod tests {
    use super::super::notation::history;
    use super::*;
    use crate::trial::history::Observation;

    fn used(n: u64, user: &str, configured_for: Option<&str>) -> Observation {
        let note = Note::Used {
            factory: "process-wide".into(),
            user: UserName::new(user),
            run: RunId::new(format!("run-{n}")),
            agent: "triage".into(),
            configured_for: configured_for.map(UserName::new),
        };
        Observation { n, at: n, by: None, on: None, what: What::Backend { note } }
    }

    #[test]
    fn only_the_settings_of_another_user_contaminate() {
        let observations = vec![
            used(0, "alice", Some("alice")),
            used(1, "alice", Some("bob")),
            used(2, "bob", None),
            used(3, "bob", Some("bob-2")),
        ];
        let mut history = history("alice connects");
        history.observations = observations;
        let found = contaminations(&history);
        let told: Vec<_> = found
            .iter()
            .map(|found| (found.n, found.user.as_str(), found.settings_of.as_str()))
            .collect();
        assert_eq!(told, [(1, "alice", "bob"), (3, "bob", "bob-2")]);
    }
}
