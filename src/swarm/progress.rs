//! How far a simulated user's own runs have come, as far as that user can tell.

use super::speech::Heard;
use crate::trial::ids::{RequestId, RunId};
use crate::trial::plan::{RunPlan, Via};

#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) greeted: bool,
    pub(super) pongs: u32,
    runs: Started,
    /// The highest number of any.
    highest: Option<u16>,
    /// The ids of all before that place are known.
    named: usize,
    /// The places of those whose ids are known, in the order in which they were told.
    known: Vec<usize>,
    /// The place of the run that was started or heard of last: mostly the next is of it, too.
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

impl Run {
    fn is_named(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|own| own.as_str() == id)
    }
}

/// The runs in the order in which they were started. The last one, which nearly all that comes is
/// about, is at hand, and not where the others are: thousands of users take turns.
#[derive(Debug, Default)]
struct Started {
    earlier: Vec<Run>,
    last: Option<Run>,
}

impl Started {
    fn len(&self) -> usize {
        self.earlier.len() + usize::from(self.last.is_some())
    }

    fn push(&mut self, run: Run) {
        self.earlier.extend(self.last.replace(run));
    }

    fn get(&self, place: usize) -> Option<&Run> {
        if place == self.earlier.len() { self.last.as_ref() } else { self.earlier.get(place) }
    }

    fn get_mut(&mut self, place: usize) -> Option<&mut Run> {
        if place == self.earlier.len() { self.last.as_mut() } else { self.earlier.get_mut(place) }
    }

    /// That of that place and those that were started since.
    fn since(&self, place: usize) -> impl Iterator<Item = &Run> {
        (place..self.len()).filter_map(|place| self.get(place))
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        self.earlier.iter_mut().chain(&mut self.last)
    }
}

impl Progress {
    pub(super) fn start(&mut self, run: &RunPlan) {
        let (ended, told_ended, cut) = (false, false, false);
        let (number, via, request, id) = (run.run, run.via, run.request_id.clone(), None);
        let run = Run { number, via, request, id, events: 0, last: 0, ended, told_ended, cut };
        // Most plans count their runs.
        let known = match self.highest.is_none_or(|highest| highest < number) {
            true => None,
            false => self.place(number),
        };
        let place = known.unwrap_or(self.runs.len());
        match self.runs.get_mut(place) {
            Some(known) => *known = run,
            None => self.runs.push(run),
        }
        self.highest = self.highest.max(Some(number));
        self.named = self.named.min(place);
        self.latest = place;
    }

    fn place(&self, number: u16) -> Option<usize> {
        let there = |place: &usize| self.runs.get(*place).is_some_and(|run| run.number == number);
        // Runs are mostly counted from 1, and asked for while they are the latest.
        let likely = [self.latest, usize::from(number).saturating_sub(1)];
        let found = likely.into_iter().find(there);
        found.or_else(|| self.runs.since(0).position(|run| run.number == number))
    }

    /// The run of that id. Should two runs be given one id, it stands for the later one, which also
    /// is the one that is mostly asked for.
    fn place_of(&self, id: &str) -> Option<usize> {
        let is_it = |place: &&usize| self.runs.get(**place).is_some_and(|run| run.is_named(id));
        self.known.iter().rev().find(is_it).copied()
    }

    /// How the run was started.
    pub(super) fn via(&self, number: u16) -> Option<Via> {
        self.run(number).map(|run| run.via)
    }

    fn run(&self, number: u16) -> Option<&Run> {
        self.runs.get(self.place(number)?)
    }

    fn run_mut(&mut self, number: u16) -> Option<&mut Run> {
        self.runs.get_mut(self.place(number)?)
    }

    pub(super) fn hear(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Greeting => self.greeted = true,
            Heard::Pong => self.pongs += 1,
            Heard::Accepted { request, run } => {
                let waits = |own: &&Run| own.id.is_none() && own.request.as_str() == request;
                let waiting = self.runs.since(self.named).filter(waits);
                // The lowest number first, as their order is in the plan.
                if let Some(number) = waiting.map(|own| own.number).min() {
                    self.identify(number, run);
                }
            }
            Heard::Event { run, sequence, terminal } => {
                let place = match self.runs.get(self.latest).filter(|own| own.is_named(&run)) {
                    Some(_) => Some(self.latest),
                    None => self.place_of(&run),
                };
                let Some(place) = place else { return };
                self.latest = place;
                if let Some(own) = self.runs.get_mut(place) {
                    own.events += 1;
                    own.last = own.last.max(sequence);
                    own.ended |= terminal;
                }
            }
            Heard::Other => {}
        }
    }

    pub(super) fn identify(&mut self, number: u16, id: RunId) {
        if let Some(place) = self.place(number)
            && let Some(run) = self.runs.get_mut(place)
        {
            run.id = Some(id);
            self.known.push(place);
            let named = self.runs.since(self.named).take_while(|run| run.id.is_some()).count();
            self.named += named;
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
        self.named < self.runs.len()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn started(progress: &mut Progress, number: u16, request: &str) {
        progress.start(&RunPlan {
            run: number,
            via: Via::Socket,
            thread: "thread".into(),
            request_id: request.into(),
            agents: Vec::new(),
            delays: Vec::new(),
            phantom: false,
            twists: Vec::new(),
        });
    }

    fn accepted(progress: &mut Progress, request: &str, run: &str) {
        progress.hear(Heard::Accepted { request: request.into(), run: run.into() });
    }

    fn ended(progress: &mut Progress, run: &str) {
        progress.hear(Heard::Event { run: run.into(), sequence: 1, terminal: true });
    }

    #[test]
    fn ids_go_to_the_lowest_number_that_waits_for_them_in_whatever_order_runs_are_started() {
        let mut progress = Progress::default();
        for number in [2, 7, 1, 3] {
            started(&mut progress, number, if number == 7 { "other" } else { "same" });
        }
        for run in ["first", "second"] {
            accepted(&mut progress, "same", run);
        }
        accepted(&mut progress, "nobody's", "third");
        let ids = [1, 2, 3, 7].map(|number| progress.id(number).map(RunId::as_str));
        assert_eq!(ids, [Some("first"), Some("second"), None, None]);
        assert!(progress.awaits_an_id() && !progress.owns(&"third".into()));
        accepted(&mut progress, "same", "third");
        accepted(&mut progress, "other", "fourth");
        assert!(!progress.awaits_an_id());
        ended(&mut progress, "first");
        assert_eq!(
            [1, 2, 3, 7].map(|number| progress.has_ended(number)),
            [true, false, false, false]
        );
    }

    #[test]
    fn an_id_that_two_runs_are_given_stands_for_the_later_one() {
        let mut progress = Progress::default();
        for number in [1, 2, 3] {
            started(&mut progress, number, &number.to_string());
        }
        accepted(&mut progress, "2", "again");
        accepted(&mut progress, "1", "again");
        accepted(&mut progress, "3", "other");
        ended(&mut progress, "again");
        assert_eq!([1, 2, 3].map(|number| progress.has_ended(number)), [true, false, false]);
    }

    #[test]
    fn a_run_that_is_started_again_waits_for_its_id_again() {
        let mut progress = Progress::default();
        for number in [1, 2] {
            started(&mut progress, number, &number.to_string());
            accepted(&mut progress, &number.to_string(), &format!("r{number}"));
            ended(&mut progress, &format!("r{number}"));
        }
        started(&mut progress, 1, "1");
        assert!(progress.awaits_an_id() && !progress.has_ended(1) && progress.has_ended(2));
        accepted(&mut progress, "1", "r3");
        ended(&mut progress, "r3");
        assert!(progress.has_ended(1) && !progress.awaits_an_id());
    }
}
