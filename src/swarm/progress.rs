//! How far a simulated user's own runs have come, as far as that user can tell.

use super::speech::Heard;
use crate::trial::ids::{RequestId, RunId};
use crate::trial::plan::{RunPlan, Via};

#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) greeted: bool,
    pub(super) pongs: u32,
    /// In the order in which they were started.
    runs: Vec<Run>,
    /// The places of those whose ids are known, in the order in which they were told.
    known: Vec<usize>,
    /// The place of the run that the last event was of: mostly the next one is of it, too.
    latest: usize,
}

#[derive(Debug)]
struct Run {
    number: u16,
    via: Via,
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
    pub(super) fn start(&mut self, run: &RunPlan) {
        let (ended, told_ended, cut) = (false, false, false);
        let (number, via, request, id) = (run.run, run.via, run.request_id.clone(), None);
        let run = Run { number, via, request, id, events: 0, last: 0, ended, told_ended, cut };
        match self.place(number) {
            Some(place) => self.runs[place] = run,
            None => self.runs.push(run),
        }
    }

    fn place(&self, number: u16) -> Option<usize> {
        let there = |place: &usize| self.runs.get(*place).is_some_and(|run| run.number == number);
        // Runs are mostly counted from 1, and asked for while they are the latest.
        let likely = [self.latest, usize::from(number).saturating_sub(1)];
        let found = likely.into_iter().find(there);
        found.or_else(|| self.runs.iter().position(|run| run.number == number))
    }

    /// The run of that id. Should two runs be given one id, it stands for the later one, which also
    /// is the one that is mostly asked for.
    fn place_of(&self, id: &str) -> Option<usize> {
        let is_it =
            |place: &&usize| self.runs[**place].id.as_ref().is_some_and(|own| own.as_str() == id);
        self.known.iter().rev().find(is_it).copied()
    }

    /// How the run was started.
    pub(super) fn via(&self, number: u16) -> Option<Via> {
        self.run(number).map(|run| run.via)
    }

    fn run(&self, number: u16) -> Option<&Run> {
        self.place(number).map(|place| &self.runs[place])
    }

    fn run_mut(&mut self, number: u16) -> Option<&mut Run> {
        self.place(number).map(|place| &mut self.runs[place])
    }

    pub(super) fn hear(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Greeting => self.greeted = true,
            Heard::Pong => self.pongs += 1,
            Heard::Accepted { request, run } => {
                let waits = |own: &&Run| own.id.is_none() && own.request == request;
                // The lowest number first, as their order is in the plan.
                let waiting = self.runs.iter().filter(waits).map(|own| own.number).min();
                if let Some(number) = waiting {
                    self.identify(number, run);
                }
            }
            Heard::Event { run, sequence, terminal } => {
                let is_it = |own: &&Run| own.id.as_ref().is_some_and(|id| id.as_str() == run);
                let place = match self.runs.get(self.latest).filter(is_it) {
                    Some(_) => Some(self.latest),
                    None => self.place_of(&run),
                };
                if let Some(place) = place {
                    self.latest = place;
                    let own = &mut self.runs[place];
                    own.events += 1;
                    own.last = own.last.max(sequence);
                    own.ended |= terminal;
                }
            }
            Heard::Other => {}
        }
    }

    pub(super) fn identify(&mut self, number: u16, id: RunId) {
        if let Some(place) = self.place(number) {
            self.runs[place].id = Some(id);
            self.known.push(place);
            self.latest = place;
        }
    }

    /// An answer says that the run has ended; the answer to the request that started it is its end.
    pub(super) fn told_ended(&mut self, number: u16, is_its_end: bool) {
        if let Some(run) = self.run_mut(number) {
            run.told_ended = true;
            run.ended |= is_its_end;
        }
    }

    /// The event connection is gone.
    pub(super) fn cut(&mut self) {
        self.greeted = false;
        for run in self.runs.iter_mut().filter(|run| !run.ended) {
            run.cut = true;
        }
    }

    /// Whether the run has ended for the user: its last event came, or it would have come over a
    /// connection that is gone and the back end says that it has ended.
    pub(super) fn has_ended(&self, number: u16) -> bool {
        self.run(number).is_some_and(|run| run.ended || (run.cut && run.told_ended))
    }

    pub(super) fn is_told_ended(&self, number: u16) -> bool {
        self.run(number).is_some_and(|run| run.told_ended)
    }

    pub(super) fn was_cut(&self, number: u16) -> bool {
        self.run(number).is_some_and(|run| run.cut)
    }

    pub(super) fn events(&self, number: u16) -> u32 {
        self.run(number).map_or(0, |run| run.events)
    }

    /// The number of the last event of the run that came.
    pub(super) fn last_event(&self, number: u16) -> u64 {
        self.run(number).map_or(0, |run| run.last)
    }

    /// Whether the run is known to be the user's own.
    pub(super) fn owns(&self, id: &RunId) -> bool {
        self.place_of(id.as_str()).is_some()
    }

    /// Whether a run was started whose id the user does not know.
    pub(super) fn awaits_an_id(&self) -> bool {
        self.runs.iter().any(|run| run.id.is_none())
    }

    /// The user has let go of the run: nothing more is expected of it.
    pub(super) fn let_go(&mut self, number: u16) {
        if let Some(run) = self.run_mut(number) {
            (run.ended, run.told_ended) = (true, true);
        }
    }

    pub(super) fn id(&self, number: u16) -> Option<&RunId> {
        self.run(number)?.id.as_ref()
    }
}
