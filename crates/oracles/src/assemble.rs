//! Assembles a case from a recorded history.

use super::by_run::ByRun;
use super::canary_scan::all_canaries;
use super::case::{Case, Connection};
use super::decode::Decoder;
use super::keys::ByName;
use super::message::Place;
use super::named::Named;
use super::orderly::Orderly;
use super::runs::learn;
use super::upstream_calls::upstream_calls;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::history::History;

impl<'h> Case<'h> {
    /// Decodes the history.
    pub fn new(history: &'h History, dialect: &'h Dialect) -> Self {
        Self::with_scanner(history, dialect, &Scanner::new(history.plan.campaign))
    }

    /// Decodes the history with a scanner for the plan's campaign that was made before: its trials
    /// share one, so a campaign need not make it anew for each.
    pub fn with_scanner(history: &'h History, dialect: &'h Dialect, scanner: &Scanner) -> Self {
        let mut decoder = Decoder::new(dialect, scanner.clone(), history);
        for (at, observation) in history.observations.iter().enumerate() {
            decoder.take(at, observation);
        }
        let mut people = ByName::new(history.plan.campaign).with_room(history.plan.users.len());
        for (at, user) in history.plan.users.iter().enumerate() {
            people.get_or_add(user.name.as_str().into(), |_| at);
        }
        let mut by_index: Vec<_> =
            history.plan.users.iter().map(|user| (user.index, user)).collect();
        by_index.sort_by_key(|(index, _)| *index);
        // The first of two stands.
        by_index.dedup_by_key(|(index, _)| *index);
        let known = |connection: &Connection<'_>| {
            connection.user.is_some_and(|user| people.get(user.as_str()).is_some())
        };
        let known = decoder.connections.iter().map(known).collect();
        let by_run = |table: &Vec<(Place, Place)>| ByRun::new(decoder.runs.len(), table);
        let [events, others] = [&decoder.events, &decoder.others].map(by_run);
        let mut case = Self {
            history,
            dialect,
            malformed: decoder.malformed,
            reader: decoder.reader.clone(),
            named: Named::of(&decoder.acts, |id| decoder.line_of(id)),
            upstream: upstream_calls(history, &decoder.acts, scanner),
            seen: all_canaries(history, &mut decoder),
            messages: decoder.messages,
            made: decoder.made,
            acts: decoder.acts,
            connections: decoder.connections,
            runs: decoder.runs,
            acceptances: Vec::new(),
            events,
            others,
            scanner: scanner.clone(),
            solos: None,
            restarts: decoder.restarts.values().copied().max().unwrap_or_default(),
            run_ids: decoder.run_ids,
            orderly: Vec::new(),
            known,
            people,
            by_index,
            starts_by_run: decoder.starts_by_run,
            starts: decoder.starts,
        };
        learn(&mut case, &decoder.accepting);
        let orderly = |events| Orderly::of(&case.messages, &case.runs, events);
        case.orderly = case.events.iter().map(orderly).collect();
        case
    }
}
