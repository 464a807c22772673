//! How far a user's own runs have come, as far as that user can tell. The oracles trust nothing of
//! it.

use std::collections::BTreeMap;

use crate::trial::dialect::{Dialect, Matching};
use crate::trial::ids::RequestId;
use crate::trial::reader::Said;

#[derive(Debug, Default)]
pub(super) struct Runs(BTreeMap<u16, Run>);

#[derive(Debug)]
struct Run {
    request: RequestId,
    id: Option<String>,
    events: u32,
    last: u64,
    ended: bool,
}

impl Runs {
    pub(super) fn start(&mut self, run: u16, request: RequestId) {
        self.0.insert(run, Run { request, id: None, events: 0, last: 0, ended: false });
    }

    /// Takes in what came: in the answer of that run, or on the event connection.
    pub(super) fn hear(&mut self, dialect: &Dialect, own: Option<u16>, said: &Said) {
        let number = own.or_else(|| self.run_of(dialect, said));
        let Some(run) = number.and_then(|number| self.0.get_mut(&number)) else { return };
        if run.id.is_none() {
            run.id.clone_from(&said.run);
        }
        if said.is_event {
            run.events += 1;
            run.last = run.last.max(said.sequence.unwrap_or_default());
        }
        run.ended |= said.is_terminal;
    }

    fn run_of(&self, dialect: &Dialect, said: &Said) -> Option<u16> {
        let find = |wanted: &dyn Fn(&Run) -> bool| {
            self.0.iter().find(|(_, run)| wanted(run)).map(|(number, _)| *number)
        };
        let by_request = |request: &str| find(&|run| !run.ended && run.request.as_str() == request);
        match (&said.run, &said.request) {
            (Some(id), request) => find(&|run| run.id.as_ref() == Some(id)).or_else(|| {
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

    pub(super) fn identify(&mut self, run: u16, id: Option<String>) {
        if let Some(run) = self.0.get_mut(&run) {
            run.id = id.or(run.id.take());
        }
    }

    pub(super) fn end(&mut self, run: u16) {
        if let Some(run) = self.0.get_mut(&run) {
            run.ended = true;
        }
    }

    pub(super) fn has_ended(&self, run: u16) -> bool {
        self.0.get(&run).is_some_and(|run| run.ended)
    }

    pub(super) fn events(&self, run: u16) -> u32 {
        self.0.get(&run).map_or(0, |run| run.events)
    }

    pub(super) fn id(&self, run: u16) -> Option<&str> {
        self.0.get(&run)?.id.as_deref()
    }

    pub(super) fn last(&self, run: u16) -> u64 {
        self.0.get(&run).map_or(0, |run| run.last)
    }
}
