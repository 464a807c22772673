//! A scenario as checked: nothing unset, nothing out of range.

use super::error::ScenarioError;
use super::states::{MigrationEvidence, MigrationState};
use partywall_core::ids::UserName;
use partywall_core::target::Target;
use partywall_explore::workload::Workload;

/// A checked scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// A short name.
    pub name: String,
    /// One line for reports.
    pub title: String,
    /// What is driven.
    pub target: Target,
    /// Sign-off: what is driven before the migration, where the scenario says how.
    pub before: Option<Target>,
    /// Sign-off: what is driven after the migration, where the scenario says how.
    pub after: Option<Target>,
    /// The states of a migration, where the file lists any.
    pub states: Vec<MigrationState>,
    /// What tells of itself what happened in them.
    pub evidence: MigrationEvidence,
    /// The work in the simulated world, delays in switch points; none where the target cannot be
    /// explored.
    pub explore: Option<Workload>,
    /// Trials of a sign-off in the simulated world.
    pub explore_trials: u64,
    /// The work on the wire; delays in milliseconds.
    pub wire: Workload,
    /// Rounds on the wire.
    pub wire_rounds: u64,
    /// What may not be exceeded.
    pub limits: Limits,
}

/// What may not be exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Seconds for everything.
    pub seconds: Option<u64>,
    /// Requests and messages in all.
    pub requests: Option<u64>,
    /// The most that one round takes of them.
    pub round_requests: u64,
    /// Runs that are started in a second, by all users together.
    pub runs_per_second: Option<u32>,
}

impl Scenario {
    /// The scenario with those users instead of generated ones.
    ///
    /// # Errors
    ///
    /// They are fewer than two, or one is named twice.
    pub fn with_names(mut self, names: Vec<UserName>) -> Result<Self, String> {
        let most = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let Some(server) = self.wire.server.take() else { return Ok(self) };
        self.wire.server = Some(server.with_names(names)?);
        let users = self.wire.users.most + u32::from(self.wire.bystander);
        self.wire = self.wire.with_users(users.min(most));
        Ok(self)
    }

    /// The work on the wire, with so many users and runs of each where that is said.
    pub fn sized_wire(&self, users: Option<u32>, runs: Option<u16>) -> Workload {
        let mut work = self.wire.clone();
        if let Some(users) = users {
            work = work.with_users(users);
        }
        if let Some(runs) = runs {
            work = work.with_runs(runs);
        }
        work
    }

    /// The names of the environment variables that its templates ask for.
    pub fn environment(&self) -> Vec<String> {
        let protocol = self.wire.server.as_ref().map(|work| &work.protocol);
        let mut all = serde_json::to_string(&protocol).unwrap_or_default();
        let states = self.states.iter().map(|state| Some(&state.target));
        let sides = [Some(&self.target), self.before.as_ref(), self.after.as_ref()];
        for target in sides.into_iter().chain(states) {
            all.push_str(&serde_json::to_string(&target).unwrap_or_default());
        }
        environment_in(&all)
    }

    /// The work in the simulated world.
    ///
    /// # Errors
    ///
    /// The target cannot be explored.
    pub fn to_explore(&self) -> Result<&Workload, ScenarioError> {
        self.explore.as_ref().ok_or_else(|| ScenarioError {
            line: None,
            problem: format!(
                "`{}` describes a server of your own, which is driven on the wire only, by \
                 `partywall run`; code of your own is explored in its tests",
                self.name
            ),
        })
    }
}

/// The names of the environment variables that templates in that text ask for.
pub fn environment_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = text
        .split("{{")
        .skip(1)
        .filter_map(|place| {
            let name = place.trim_start().strip_prefix("env.")?;
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
            Some(name[..end].to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}
