//! How hard we looked: which phases of runs met.
//!
//! A phase is the last milestone of a run. For each ordered pair (A in phase i while B emits j)
//! it is counted how often it was hit. A is in a phase from its first milestone until it ends, so
//! there is no row for the last one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use partywall_core::dialect::Dialect;
use partywall_core::dialect::SUPERVISOR;
use partywall_core::history::Note;
use partywall_core::ids::UserName;
use partywall_core::protocol::Protocol;
use partywall_core::record::PhaseCoverage;
use partywall_oracles::Case;

/// The most phases that a scenario has; more are thinned out by type of event.
const MOST_PHASES: usize = 16;

/// The milestones of a run: what kind of event, by which agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Phases(Vec<(String, String)>);

impl Phases {
    /// The milestones of the golden path with those sub-agents. Where there are more than sixteen,
    /// inner event types are left out of all agents, thinking first.
    pub(crate) fn golden_path(agents: &[String]) -> Self {
        let mut inner = vec![
            "agent_started",
            "agent_thinking",
            "tool_executing",
            "tool_completed",
            "agent_completed",
        ];
        let thin_out = ["agent_thinking", "tool_executing", "tool_completed"];
        for leave_out in thin_out {
            if inner.len() * agents.len() + 2 > MOST_PHASES {
                inner.retain(|kind| *kind != leave_out);
            }
        }
        let milestone = |kind: &str, agent: &str| (kind.to_owned(), agent.to_owned());
        let mut phases = vec![milestone("agent_started", SUPERVISOR)];
        for agent in agents {
            phases.extend(inner.iter().map(|kind| milestone(kind, agent)));
        }
        phases.truncate(MOST_PHASES - 1);
        phases.push(milestone("agent_completed", SUPERVISOR));
        phases.dedup();
        Self(phases)
    }

    /// The types of events of a described server, as its scenario lists them, and what ends
    /// a run where that is none of them.
    pub(crate) fn of_events(dialect: &Dialect) -> Self {
        let mut kinds: Vec<&String> = dialect.events.iter().take(MOST_PHASES - 1).collect();
        let mut ends = dialect.terminal.iter().map(|(kind, _)| kind);
        if !kinds.is_empty() && !ends.clone().any(|end| kinds.contains(&end)) {
            kinds.extend(ends.next());
        }
        Self(kinds.into_iter().map(|kind| (kind.clone(), String::new())).collect())
    }

    /// Those of a plan of that work.
    pub(crate) fn of(protocol: &Protocol, agents: &[String]) -> Self {
        match protocol.is_reference() {
            true => Self::golden_path(agents),
            false => Self::of_events(&protocol.dialect),
        }
    }

    fn place(&self, kind: &str, agent: &str) -> Option<usize> {
        self.0.iter().position(|(own, by)| own == kind && (by.is_empty() || by == agent))
    }
}

/// The coverage of one or many trials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Coverage {
    phases: Phases,
    counts: Vec<Vec<u64>>,
    /// How often a phase was left, and how long runs were in it in all, where that was measured.
    #[serde(default)]
    stays: Vec<(u64, u64)>,
}

impl Coverage {
    pub(crate) fn new(phases: Phases) -> Self {
        let width = phases.0.len();
        let rows = width.saturating_sub(1);
        Self { counts: vec![vec![0; width]; rows], stays: vec![(0, 0); rows], phases }
    }

    /// Adds what one trial hit: in order of emission where the back end reports it, else in order
    /// of observation.
    pub(crate) fn observe(&mut self, case: &Case<'_>) {
        let mut live = LiveRuns::new(self.phases.0.len());
        let mut reported = false;
        for observation in &case.history.observations {
            if let Some(Note::Emitted { user, run, event, agent }) = observation.what.note() {
                reported = true;
                self.emit(&mut live, user, run.as_str(), (event, agent), None);
            }
        }
        if reported {
            return;
        }
        let home = case.came_home();
        for message in case.messages.iter().filter(|message| message.is_event) {
            // Copies of an event that came to others too would count the run once for each of them.
            let owner = case.facts(message).and_then(|facts| facts.user);
            let is_copy = message.run_at().is_some_and(|run| home[run]);
            let own = owner.filter(|owner| !is_copy || *owner == message.observer);
            if let (Some(user), Some(run), Some(kind)) =
                (own, case.run_id(message), case.kind(message))
            {
                let agent = case.agent(message).unwrap_or_default();
                let at = case.history.observations[message.at()].at;
                self.emit(&mut live, user, run, (kind, agent), Some(at));
            }
        }
    }

    fn emit<'c>(
        &mut self,
        live: &mut LiveRuns<'c>,
        user: &UserName,
        run: &'c str,
        (kind, agent): (&str, &str),
        at: Option<u64>,
    ) {
        let Some(phase) = self.phases.place(kind, agent) else { return };
        let next = (phase + 1 < self.phases.0.len()).then_some(phase);
        let (left, others) = live.enter(user, run, next, at);
        for (counts, others) in self.counts.iter_mut().zip(others) {
            counts[phase] += others;
        }
        if let (Some((phase, Some(since))), Some(at)) = (left, at) {
            let (times, stay) = &mut self.stays[phase];
            (*times, *stay) = (*times + 1, *stay + at.saturating_sub(since));
        }
    }

    /// Adds the counts of another trial with the same phases.
    pub(crate) fn add(&mut self, other: &Self) {
        for (own, others) in self.counts.iter_mut().zip(&other.counts) {
            for (own, other) in own.iter_mut().zip(others) {
                *own += other;
            }
        }
        for (own, other) in self.stays.iter_mut().zip(&other.stays) {
            *own = (own.0 + other.0, own.1 + other.1);
        }
    }

    /// The figures for the report.
    pub(crate) fn to_record(&self) -> PhaseCoverage {
        let hit = self.counts.iter().flatten().filter(|count| **count > 0).count() as u64;
        let of = self.counts.iter().map(Vec::len).sum::<usize>() as u64;
        PhaseCoverage {
            phases: self
                .phases
                .0
                .iter()
                .map(|(kind, agent)| match agent.as_str() {
                    "" => kind.clone(),
                    agent => format!("{kind} of {agent}"),
                })
                .collect(),
            hit,
            of,
            share: if of == 0 { 0.0 } else { hit as f64 / of as f64 },
            counts: self.counts.clone(),
            mean_milliseconds: match self.stays.iter().any(|(times, _)| *times > 0) {
                true => self
                    .stays
                    .iter()
                    .map(|(times, stay)| *stay as f64 / (*times).max(1) as f64)
                    .collect(),
                false => Vec::new(),
            },
        }
    }
}

/// In which phase every live run is.
struct LiveRuns<'c> {
    in_phase: Vec<u64>,
    of: BTreeMap<UserName, RunsOfUser<'c>>,
}

/// The phase that a run is in, and since when, where time is measured.
type Stay = Option<(usize, Option<u64>)>;

struct RunsOfUser<'c> {
    in_phase: Vec<u64>,
    phases: BTreeMap<&'c str, Stay>,
}

impl<'c> LiveRuns<'c> {
    fn new(phases: usize) -> Self {
        Self { in_phase: vec![0; phases], of: BTreeMap::new() }
    }

    /// The run comes into that phase. Gives the one that it was in, and how many live runs of other
    /// users were in each.
    fn enter(
        &mut self,
        user: &UserName,
        run: &'c str,
        phase: Option<usize>,
        at: Option<u64>,
    ) -> (Stay, impl Iterator<Item = u64>) {
        if !self.of.contains_key(user) {
            let none = vec![0; self.in_phase.len()];
            self.of.insert(user.clone(), RunsOfUser { in_phase: none, phases: BTreeMap::new() });
        }
        let own = self.of.get_mut(user).expect("it was made if it was missing");
        let stay = phase.map(|phase| (phase, at));
        let left = own.phases.insert(run, stay).flatten();
        let before = left.map(|(phase, _)| phase);
        // Those of others are the same before and after.
        for counts in [&mut self.in_phase, &mut own.in_phase] {
            before.into_iter().for_each(|at| counts[at] -= 1);
            phase.into_iter().for_each(|at| counts[at] += 1);
        }
        (left, self.in_phase.iter().zip(&own.in_phase).map(|(all, own)| all - own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_thinned_out_to_sixteen() {
        let agents = |count: usize| (0..count).map(|at| format!("agent-{at}")).collect::<Vec<_>>();
        for (count, phases) in [(0, 2), (1, 7), (2, 12), (3, 14), (5, 12), (7, 16), (12, 16)] {
            assert_eq!(Phases::golden_path(&agents(count)).0.len(), phases, "{count} agents");
        }
    }
}
