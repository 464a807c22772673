//! How far a user's own runs have come, as far as that user can tell. The oracles trust nothing of
//! it.

use std::collections::{BTreeMap, BTreeSet};

use crate::trial::dialect::{Dialect, Matching};
use crate::trial::ids::RequestId;
use crate::trial::reader::Said;

#[derive(Debug, Default)]
pub(super) struct Runs {
    own: BTreeMap<u16, Run>,
    /// The ids of other users' runs that this user has named: hearing of one starts nothing.
    foreign: BTreeSet<String>,
}

/// What others may know of a user's run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) id: Option<String>,
    pub(super) last: u64,
    /// Whether the run has asked for its approval.
    pub(super) asked: bool,
    pub(super) ended: bool,
}

#[derive(Debug)]
struct Run {
    request: RequestId,
    id: Option<String>,
    events: u32,
    last: u64,
    asked: bool,
    ended: bool,
}

impl Runs {
    pub(super) fn start(&mut self, run: u16, request: RequestId) {
        self.own
            .insert(run, Run { request, id: None, events: 0, last: 0, asked: false, ended: false });
    }

    /// Takes in what came: in the answer of that run, or on the event connection.
    /// `asks` is the type by which a run asks for its approval.
    pub(super) fn hear(
        &mut self,
        dialect: &Dialect,
        asks: &str,
        own: Option<u16>,
        said: &Said<'_>,
    ) {
        if said.run.as_deref().is_some_and(|run| self.foreign.contains(run)) {
            return;
        }
        let number = own.or_else(|| self.run_of(dialect, said));
        let Some(run) = number.and_then(|number| self.own.get_mut(&number)) else { return };
        run.asked |= !asks.is_empty() && said.kind.as_deref() == Some(asks);
        if run.id.is_none() {
            run.id = said.run.as_deref().map(str::to_owned);
        }
        if said.is_event {
            run.events += 1;
            run.last = run.last.max(said.sequence.unwrap_or_default());
        }
        run.ended |= said.is_terminal;
    }

    fn latest_of(&self, id: &str) -> Option<u16> {
        let is_it = |(_, run): &(&u16, &Run)| run.id.as_deref() == Some(id);
        self.own.iter().rev().find(is_it).map(|(number, _)| *number)
    }

    fn run_of(&self, dialect: &Dialect, said: &Said<'_>) -> Option<u16> {
        let find = |wanted: &dyn Fn(&Run) -> bool| {
            self.own.iter().find(|(_, run)| wanted(run)).map(|(number, _)| *number)
        };
        let by_request = |request: &str| find(&|run| !run.ended && run.request.as_str() == request);
        match (&said.run, &said.request) {
            // Mostly of the latest run.
            (Some(id), request) => self.latest_of(id).or_else(|| {
                match request {
                    Some(request) => by_request(request),
                    // Told by its events only: the first that has no id yet.
                    None => find(&|run| run.id.is_none() && !run.ended),
                }
            }),
            (None, Some(request)) => by_request(request),
            (None, None) => {
                let matching = dialect.foreign.as_ref().map(|foreign| foreign.matching);
                let any = matches!(matching, Some(Matching::Order | Matching::Stream));
                find(&|run| any && !run.ended)
            }
        }
    }

    pub(super) fn identify(&mut self, run: u16, id: Option<&str>) {
        if let (Some(run), Some(id)) = (self.own.get_mut(&run), id) {
            run.id = Some(id.to_owned());
        }
    }

    pub(super) fn end(&mut self, run: u16) {
        if let Some(run) = self.own.get_mut(&run) {
            run.ended = true;
        }
    }

    pub(super) fn has_ended(&self, run: u16) -> bool {
        self.own.get(&run).is_some_and(|run| run.ended)
    }

    pub(super) fn events(&self, run: u16) -> u32 {
        self.own.get(&run).map_or(0, |run| run.events)
    }

    pub(super) fn id(&self, run: u16) -> Option<&str> {
        self.own.get(&run)?.id.as_deref()
    }

    pub(super) fn last(&self, run: u16) -> u64 {
        self.own.get(&run).map_or(0, |run| run.last)
    }

    pub(super) fn has_asked(&self, run: u16) -> bool {
        self.own.get(&run).is_some_and(|run| run.asked)
    }

    pub(super) fn name_foreign(&mut self, id: &str) {
        self.foreign.insert(id.to_owned());
    }

    pub(super) fn owns(&self, id: &str) -> bool {
        self.own.values().any(|run| run.id.as_deref() == Some(id))
    }

    /// What others may know.
    pub(super) fn posted(&self) -> impl Iterator<Item = (u16, Posted)> {
        self.own.iter().map(|(number, run)| {
            let Run { id, last, asked, ended, .. } = run;
            (*number, Posted { id: id.clone(), last: *last, asked: *asked, ended: *ended })
        })
    }
}
