//! Assembles a case from a recorded history.

use std::collections::BTreeSet;

use super::by_run::ByRun;
use super::canary_scan::all_canaries;
use super::case::{Case, Connection, SPARE_MESSAGES, SPARE_SEEN};
use super::decode::Decoder;
use super::habits;
use super::keys::ByName;
use super::named::Named;
use super::orderly::Orderly;
use super::runs::learn;
use super::sharing::paths;
use super::starts::StartsByRun;
use super::upstream_calls::upstream_calls;
use partywall_core::assumption::Assumption;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::history::History;
use partywall_core::reader::Reader;

impl<'h> Case<'h> {
    /// Decodes the history.
    pub fn new(history: &'h History, dialect: &'h Dialect) -> Self {
        Self::with_scanner(history, dialect, &Scanner::new(history.plan.campaign))
    }

    /// Decodes the history with a scanner for the plan's campaign that was made before: its trials
    /// share one, so a campaign need not make it anew for each.
    pub fn with_scanner(history: &'h History, dialect: &'h Dialect, scanner: &Scanner) -> Self {
        let mut case = Self::decoded(Self::empty(history, dialect, scanner));
        if let Some(assumption) = habits::run_ids(&case) {
            let mut anew = Self::empty(history, dialect, scanner);
            (anew.unique_runs, anew.assumptions) = (false, [assumption].into());
            case = Self::decoded(anew);
        }
        for (assumption, holds) in [
            (Assumption::AtLeastOnce, habits::delivers_again(&case)),
            (Assumption::SequenceAcrossRuns, habits::numbers_across_runs(&case)),
        ] {
            if holds {
                case.assumptions.insert(assumption);
            }
        }
        case
    }

    /// Decodes the history, an altered one, as that of a server of which the same is taken for granted.
    pub(super) fn altered(history: &'h History, of: &Case<'h>) -> Self {
        let mut empty = Self::empty(history, of.dialect, &of.scanner);
        (empty.assumptions, empty.unique_runs) = (of.assumptions.clone(), of.unique_runs);
        Self::decoded(empty)
    }

    /// The case with all that happened in its history.
    fn decoded(empty: Self) -> Self {
        let (history, scanner) = (empty.history, empty.scanner.clone());
        let scanner = &scanner;
        let mut decoder = Decoder::new(empty);
        for (at, observation) in history.observations.iter().enumerate() {
            decoder.take(at, observation);
        }
        all_canaries(&mut decoder);
        let named = Named::of(&decoder.case.acts, |id| decoder.line_of(id));
        let Decoder { mut case, events, others, accepting, restarts, .. } = decoder;
        let known = |connection: &Connection<'_>| {
            connection.user.is_some_and(|user| case.person(user.as_str()).is_some())
        };
        case.known = case.connections.iter().map(known).collect();
        case.named = named;
        if case.has_sharing() {
            case.paths = paths(&case.acts);
        }
        case.upstream = upstream_calls(history, &case.acts, scanner);
        case.restarts = restarts.values().copied().max().unwrap_or_default();
        case.events = ByRun::new(case.runs.len(), &events);
        case.others = ByRun::new(case.runs.len(), &others);
        learn(&mut case, &accepting);
        let orderly = |events| Orderly::of(&case.messages, &case.runs, events);
        case.orderly = case.events.iter().map(orderly).collect();
        case
    }

    /// A case of that history in which nothing has happened so far.
    pub(super) fn empty(history: &'h History, dialect: &'h Dialect, scanner: &Scanner) -> Self {
        let (plan, many) = (&history.plan, history.observations.len());
        let (users, runs) = (plan.users.len(), plan.runs().count());
        let names = ByName::new(plan.campaign);
        let mut people = names.clone().with_room(users);
        for (at, user) in plan.users.iter().enumerate() {
            people.get_or_add(user.name.as_str().into(), |_| at);
        }
        let mut by_index: Vec<_> = plan.users.iter().map(|user| (user.index, user)).collect();
        by_index.sort_by_key(|(index, _)| *index);
        // The first of two stands.
        by_index.dedup_by_key(|(index, _)| *index);
        Self {
            history,
            dialect,
            assumptions: BTreeSet::new(),
            unique_runs: dialect.unique_runs,
            messages: SPARE_MESSAGES.with(|spare| spare.take(many)),
            malformed: 0,
            connections: Vec::new(),
            starts: Vec::with_capacity(runs),
            runs: Vec::with_capacity(runs),
            acceptances: Vec::new(),
            seen: SPARE_SEEN.with(|spare| spare.take(many)),
            traces: Vec::new(),
            events: ByRun::default(),
            others: ByRun::default(),
            made: Vec::new(),
            acts: Vec::new(),
            reader: Reader::new(dialect),
            named: Named::default(),
            left: Vec::new(),
            upstream: Vec::new(),
            scanner: scanner.clone(),
            solos: None,
            orderly: Vec::new(),
            run_ids: names.clone().with_room(runs),
            restarts: 0,
            people,
            by_index,
            known: Vec::new(),
            starts_by_run: StartsByRun::new(names, runs.div_ceil(users.max(1))),
            paths: std::collections::BTreeMap::new(),
        }
    }
}
