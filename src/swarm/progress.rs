//! How far a simulated user's own runs have come, as far as that user can tell.

use std::collections::BTreeMap;

use super::speech::Heard;
use crate::trial::ids::{RequestId, RunId};

#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) greeted: bool,
    pub(super) pongs: u32,
    runs: BTreeMap<u16, Run>,
    numbers: BTreeMap<RunId, u16>,
    /// The run that the last event was of: mostly the next one is, too.
    latest: u16,
}

#[derive(Debug)]
struct Run {
    request: RequestId,
    id: Option<RunId>,
    events: u32,
    /// The highest number of its events.
    last: u64,
    ended: bool,
    told_ended: bool,
    /// The connection that carried it is gone, so its end may have been missed.
    cut: bool,
}

impl Progress {
    pub(super) fn start(&mut self, run: u16, request: RequestId) {
        let (ended, told_ended, cut) = (false, false, false);
        let started = Run { request, id: None, events: 0, last: 0, ended, told_ended, cut };
        self.runs.insert(run, started);
    }

    pub(super) fn hear(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Greeting => self.greeted = true,
            Heard::Pong => self.pongs += 1,
            Heard::Accepted { request, run } => {
                let waiting = self
                    .runs
                    .iter()
                    .find(|(_, own)| own.id.is_none() && own.request == request)
                    .map(|(number, _)| *number);
                if let Some(number) = waiting {
                    self.identify(number, run);
                }
            }
            Heard::Event { run, sequence, terminal } => {
                let is_it = |own: &&Run| own.id.as_ref().is_some_and(|id| id.as_str() == run);
                let number = match self.runs.get(&self.latest).filter(is_it) {
                    Some(_) => Some(self.latest),
                    None => self.numbers.get(&*run).copied(),
                };
                if let Some((number, own)) =
                    number.and_then(|number| Some((number, self.runs.get_mut(&number)?)))
                {
                    self.latest = number;
                    own.events += 1;
                    own.last = own.last.max(sequence);
                    own.ended |= terminal;
                }
            }
            Heard::Other => {}
        }
    }

    pub(super) fn identify(&mut self, number: u16, id: RunId) {
        if let Some(run) = self.runs.get_mut(&number) {
            run.id = Some(id.clone());
            self.numbers.insert(id, number);
            // Should two runs be given one id, it stands for the later one.
            self.latest = number;
        }
    }

    /// An answer says that the run has ended; the answer to the request that started it is its end.
    pub(super) fn told_ended(&mut self, number: u16, is_its_end: bool) {
        if let Some(run) = self.runs.get_mut(&number) {
            run.told_ended = true;
            run.ended |= is_its_end;
        }
    }

    /// The event connection is gone.
    pub(super) fn cut(&mut self) {
        self.greeted = false;
        for run in self.runs.values_mut().filter(|run| !run.ended) {
            run.cut = true;
        }
    }

    /// Whether the run has ended for the user: its last event came, or it would have come over a
    /// connection that is gone and the back end says that it has ended.
    pub(super) fn has_ended(&self, number: u16) -> bool {
        self.runs.get(&number).is_some_and(|run| run.ended || (run.cut && run.told_ended))
    }

    pub(super) fn is_told_ended(&self, number: u16) -> bool {
        self.runs.get(&number).is_some_and(|run| run.told_ended)
    }

    pub(super) fn was_cut(&self, number: u16) -> bool {
        self.runs.get(&number).is_some_and(|run| run.cut)
    }

    pub(super) fn events(&self, number: u16) -> u32 {
        self.runs.get(&number).map_or(0, |run| run.events)
    }

    /// The number of the last event of the run that came.
    pub(super) fn last_event(&self, number: u16) -> u64 {
        self.runs.get(&number).map_or(0, |run| run.last)
    }

    /// Whether the run is known to be the user's own.
    pub(super) fn owns(&self, id: &RunId) -> bool {
        self.numbers.contains_key(id)
    }

    /// Whether a run was started whose id the user does not know.
    pub(super) fn awaits_an_id(&self) -> bool {
        self.runs.values().any(|run| run.id.is_none())
    }

    /// The user has let go of the run: nothing more is expected of it.
    pub(super) fn let_go(&mut self, number: u16) {
        if let Some(run) = self.runs.get_mut(&number) {
            (run.ended, run.told_ended) = (true, true);
        }
    }

    pub(super) fn id(&self, number: u16) -> Option<&RunId> {
        self.runs.get(&number)?.id.as_ref()
    }
}
