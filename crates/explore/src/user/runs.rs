//! How far a user's own runs have come, as far as that user can tell. The oracles trust nothing of
//! it.

use std::collections::BTreeSet;

use partywall_core::dialect::{Dialect, Matching};
use partywall_core::ids::{RequestId, RunId, digest};
use partywall_core::plan::Via;
use partywall_core::reader::Said;

#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The one with the highest number, which nearly all that comes is about: at hand, and not where
    /// the others are, since thousands of users take turns.
    last: Option<(u16, Run)>,
    /// The others, in the order of their numbers.
    earlier: Vec<(u16, Run)>,
    /// Of those, how many have not ended.
    going_on: usize,
    /// And how many have no id yet.
    nameless: usize,
    /// A digest of each id that any of them was given: what has none of them is of no run yet.
    digests: Vec<u32>,
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
    via: Via,
    request: RequestId,
    id: Option<RunId>,
    events: u32,
    last: u64,
    asked: bool,
    ended: bool,
    /// An answer says that it has ended.
    told_ended: bool,
    /// An event connection that may have carried it is gone, so its end may have been missed.
    cut: bool,
}

impl Run {
    fn new(via: Via, request: RequestId) -> Self {
        let (id, events, last) = (None, 0, 0);
        let (asked, ended, told_ended, cut) = (false, false, false, false);
        Self { via, request, id, events, last, asked, ended, told_ended, cut }
    }

    fn is_named(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|own| own.as_str() == id)
    }

    fn takes(&mut self, said: &Said<'_>) {
        if said.is_event {
            self.events += 1;
            self.last = self.last.max(said.sequence.unwrap_or_default());
        }
        self.ended |= said.is_terminal;
    }
}

impl Runs {
    pub(super) fn start(&mut self, number: u16, via: Via, request: RequestId) {
        let run = Run::new(via, request);
        match self.last.take() {
            Some((last, earlier)) if last < number => self.put_aside(last, earlier),
            Some((last, latest)) if last > number => {
                self.put_aside(number, run);
                self.last = Some((last, latest));
                return;
            }
            _ => {}
        }
        self.last = Some((number, run));
    }

    fn put_aside(&mut self, number: u16, run: Run) {
        self.going_on += usize::from(!run.ended);
        self.nameless += usize::from(run.id.is_none());
        match self.earlier.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(place) => {
                let (_, before) = std::mem::replace(&mut self.earlier[place], (number, run));
                self.going_on -= usize::from(!before.ended);
                self.nameless -= usize::from(before.id.is_none());
            }
            Err(place) => self.earlier.insert(place, (number, run)),
        }
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
        if dialect.strict {
            return self.hear_strictly(dialect, said);
        }
        let Some(number) = own.or_else(|| self.run_of(dialect, said)) else { return };
        let id = said.run.as_deref();
        let gets_id = id.filter(|_| self.run(number).is_some_and(|run| run.id.is_none()));
        self.identify(number, gets_id);
        self.change(number, |run| {
            run.asked |= !asks.is_empty() && said.kind.as_deref() == Some(asks);
            run.takes(said);
        });
    }

    /// The same, where only the message that accepts a run gives it its id.
    fn hear_strictly(&mut self, dialect: &Dialect, said: &Said<'_>) {
        let Some(id) = said.run.as_deref() else { return };
        if let (Some(request), true) =
            (&said.request, said.kind.as_deref() == Some(dialect.accepted.as_str()))
        {
            if let Some(number) = self.first_nameless(request) {
                self.identify(number, Some(id));
            }
        } else if let (true, Some(number)) = (said.is_event, self.latest_of(id)) {
            self.change(number, |run| run.takes(said));
        }
    }

    /// The first without an id that was started by that request.
    fn first_nameless(&self, request: &str) -> Option<u16> {
        let waits = |run: &Run| run.id.is_none() && run.request.as_str() == request;
        let earlier = (self.nameless > 0)
            .then(|| self.earlier.iter().find(|(_, run)| waits(run)).map(|(number, _)| *number));
        let last = self.last.as_ref().filter(|(_, run)| waits(run)).map(|(number, _)| *number);
        earlier.flatten().or(last)
    }

    /// Of several runs of one id the one with the highest number.
    fn latest_of(&self, id: &str) -> Option<u16> {
        match &self.last {
            Some((number, run)) if run.is_named(id) => Some(*number),
            _ if !self.digests.contains(&short_digest(id)) => None,
            _ => {
                let mut earlier = self.earlier.iter().rev();
                earlier.find(|(_, run)| run.is_named(id)).map(|(number, _)| *number)
            }
        }
    }

    /// The first that goes on and is the wanted one.
    fn first_going_on(&self, wanted: impl Fn(&Run) -> bool) -> Option<u16> {
        let wanted = |run: &Run| !run.ended && wanted(run);
        let earlier = (self.going_on > 0)
            .then(|| self.earlier.iter().find(|(_, run)| wanted(run)).map(|(number, _)| *number));
        let last = self.last.as_ref().filter(|(_, run)| wanted(run)).map(|(number, _)| *number);
        earlier.flatten().or(last)
    }

    fn run_of(&self, dialect: &Dialect, said: &Said<'_>) -> Option<u16> {
        let by_request = |request: &str| self.first_going_on(|run| run.request.as_str() == request);
        match (&said.run, &said.request) {
            (Some(id), request) => match (self.latest_of(id), request) {
                // Given again for a request that waits for an id: that run has ended.
                (Some(known), Some(request)) if self.run(known).is_some_and(|run| run.ended) => {
                    let waits = |run: &Run| run.id.is_none() && run.request.as_str() == request;
                    self.first_going_on(waits).or(Some(known))
                }
                // Mostly of the latest run.
                (Some(known), _) => Some(known),
                (None, Some(request)) => by_request(request),
                // Told by its events only: the first that has no id yet.
                (None, None) => self.first_going_on(|run| run.id.is_none()),
            },
            (None, Some(request)) => by_request(request),
            (None, None) => {
                let any = matches!(dialect.matching, Matching::Order | Matching::Stream);
                self.first_going_on(|_| any)
            }
        }
    }

    /// Where it is among the earlier ones.
    fn place(&self, number: u16) -> Option<usize> {
        self.earlier.binary_search_by_key(&number, |(number, _)| *number).ok()
    }

    fn run(&self, number: u16) -> Option<&Run> {
        match &self.last {
            Some((last, run)) if *last == number => Some(run),
            _ => self.place(number).map(|place| &self.earlier[place].1),
        }
    }

    fn change(&mut self, number: u16, change: impl FnOnce(&mut Run)) {
        match &mut self.last {
            Some((last, run)) if *last == number => change(run),
            _ => {
                let Some(place) = self.place(number) else { return };
                let run = &mut self.earlier[place].1;
                let (went_on, had_no_name) = (!run.ended, run.id.is_none());
                change(run);
                self.going_on -= usize::from(went_on && run.ended);
                self.nameless -= usize::from(had_no_name && run.id.is_some());
            }
        }
    }

    pub(super) fn identify(&mut self, number: u16, id: Option<&str>) {
        let Some(id) = id else { return };
        if self.run(number).is_some_and(|run| !run.is_named(id)) {
            self.digests.push(short_digest(id));
            self.change(number, |run| run.id = Some(RunId::new(id)));
        }
    }

    pub(super) fn end(&mut self, number: u16) {
        self.change(number, |run| run.ended = true);
    }

    /// An answer says that the run has ended; the answer to the request that started it is its end.
    pub(super) fn is_told_ended(&mut self, number: u16, is_its_end: bool) {
        self.change(number, |run| {
            run.told_ended = true;
            run.ended |= is_its_end;
        });
    }

    /// An event connection is gone.
    pub(super) fn cut(&mut self) {
        let earlier: &mut [_] = if self.going_on > 0 { &mut self.earlier } else { &mut [] };
        for (_, run) in earlier.iter_mut().chain(&mut self.last) {
            run.cut |= !run.ended;
        }
    }

    /// Whether the run has ended for the user: its last event came, or it would have come over a
    /// connection that is gone and the back end says that it has ended.
    pub(super) fn has_ended(&self, number: u16) -> bool {
        self.run(number).is_some_and(|run| run.ended || (run.cut && run.told_ended))
    }

    pub(super) fn was_told_ended(&self, number: u16) -> bool {
        self.run(number).is_some_and(|run| run.told_ended)
    }

    pub(super) fn was_cut(&self, number: u16) -> bool {
        self.run(number).is_some_and(|run| run.cut)
    }

    /// How the run was started, if it was.
    pub(super) fn via(&self, number: u16) -> Option<Via> {
        self.run(number).map(|run| run.via)
    }

    /// Whether a run was started whose id the user does not know.
    pub(super) fn awaits_an_id(&self) -> bool {
        self.nameless > 0 || self.last.as_ref().is_some_and(|(_, run)| run.id.is_none())
    }

    pub(super) fn events(&self, number: u16) -> u32 {
        self.run(number).map_or(0, |run| run.events)
    }

    pub(super) fn id(&self, number: u16) -> Option<&str> {
        self.run(number)?.id.as_ref().map(RunId::as_str)
    }

    pub(super) fn last(&self, number: u16) -> u64 {
        self.run(number).map_or(0, |run| run.last)
    }

    pub(super) fn has_asked(&self, number: u16) -> bool {
        self.run(number).is_some_and(|run| run.asked)
    }

    pub(super) fn name_foreign(&mut self, id: &str) {
        self.foreign.insert(id.to_owned());
    }

    pub(super) fn owns(&self, id: &str) -> bool {
        self.latest_of(id).is_some()
    }

    /// What others may know.
    pub(super) fn posted(&self) -> impl Iterator<Item = (u16, Posted)> {
        self.earlier.iter().chain(&self.last).map(|(number, run)| {
            let Run { id, last, asked, ended, .. } = run;
            let id = id.as_ref().map(|id| id.as_str().to_owned());
            (*number, Posted { id, last: *last, asked: *asked, ended: *ended })
        })
    }
}

fn short_digest(id: &str) -> u32 {
    digest(id.as_bytes()) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The same as plainly as can be: all runs in the order of their numbers.
    #[derive(Default)]
    struct Plain(BTreeMap<u16, Run>);

    impl Plain {
        fn run_of(&self, any: bool, id: Option<&str>, request: Option<&str>) -> Option<u16> {
            let first = |wanted: &dyn Fn(&Run) -> bool| {
                self.0.iter().find(|(_, run)| !run.ended && wanted(run)).map(|(number, _)| *number)
            };
            let named = id.and_then(|id| self.0.iter().rev().find(|(_, run)| run.is_named(id)));
            let by_request = |request| first(&|run| run.request.as_str() == request);
            match (id, request) {
                (Some(_), _) if named.is_some() => {
                    let (known, run) = named?;
                    let waits =
                        |run: &Run| run.id.is_none() && request == Some(run.request.as_str());
                    let again = run.ended.then(|| first(&waits)).flatten();
                    again.or(Some(*known))
                }
                (_, Some(request)) => by_request(request),
                (Some(_), None) => first(&|run| run.id.is_none()),
                (None, None) => first(&|_| any),
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Happens {
        Start { number: u16, request: u8 },
        Hear { own: Option<u16>, id: Option<u8>, request: Option<u8>, ends: bool },
        Identify { number: u16, id: u8 },
        End { number: u16 },
    }

    fn happens() -> impl Strategy<Value = Happens> {
        let number = 1..8_u16;
        let known = || prop::option::of(0..4_u8);
        prop_oneof![
            (number.clone(), 0..4_u8)
                .prop_map(|(number, request)| Happens::Start { number, request }),
            (prop::option::weighted(0.2, number.clone()), known(), known(), any::<bool>())
                .prop_map(|(own, id, request, ends)| Happens::Hear { own, id, request, ends }),
            (number.clone(), 0..4_u8).prop_map(|(number, id)| Happens::Identify { number, id }),
            number.prop_map(|number| Happens::End { number }),
        ]
    }

    fn dialect(any: bool) -> Dialect {
        let matching = if any { Matching::Order } else { Matching::Request };
        Dialect { matching, strict: false, ..Dialect::reference() }
    }

    proptest! {
        #[test]
        fn the_run_at_hand_changes_nothing(
            any: bool,
            all in prop::collection::vec(happens(), 0..40),
        ) {
            let (dialect, mut plain, mut runs) = (dialect(any), Plain::default(), Runs::default());
            for one in all {
                match one {
                    Happens::Start { number, request } => {
                        let request = RequestId::new(request.to_string());
                        runs.start(number, Via::Socket, request.clone());
                        plain.0.insert(number, Run::new(Via::Socket, request));
                    }
                    Happens::Hear { own, id, request, ends } => {
                        let id = id.map(|id| format!("run-{id}"));
                        let request = request.map(|request| request.to_string());
                        let number =
                            own.or_else(|| plain.run_of(any, id.as_deref(), request.as_deref()));
                        let said = Said {
                            run: id.clone().map(Into::into),
                            request: request.map(Into::into),
                            is_event: true,
                            is_terminal: ends,
                            ..Said::default()
                        };
                        runs.hear(&dialect, "", own, &said);
                        if let Some(run) = number.and_then(|number| plain.0.get_mut(&number)) {
                            run.id = run.id.take().or(id.map(RunId::new));
                            run.events += 1;
                            run.ended |= ends;
                        }
                    }
                    Happens::Identify { number, id } => {
                        let id = format!("run-{id}");
                        runs.identify(number, Some(&id));
                        if let Some(run) = plain.0.get_mut(&number) {
                            run.id = Some(RunId::new(id));
                        }
                    }
                    Happens::End { number } => {
                        runs.end(number);
                        if let Some(run) = plain.0.get_mut(&number) {
                            run.ended = true;
                        }
                    }
                }
                let own: Vec<_> = plain.0.iter().map(|(number, run)| {
                    (*number, run.id.clone().map(|id| id.as_str().to_owned()), run.events, run.ended)
                }).collect();
                let others: Vec<_> = runs.posted().map(|(number, posted)| {
                    (number, posted.id, runs.events(number), posted.ended)
                }).collect();
                prop_assert_eq!(own, others);
            }
        }
    }

    fn started(runs: &mut Runs, number: u16, request: &str) {
        runs.start(number, Via::Socket, request.into());
    }

    fn accepted(runs: &mut Runs, request: &str, run: &str) {
        let dialect = Dialect::reference();
        let (kind, request) = (Some(dialect.accepted.as_str().into()), Some(request.into()));
        let said = Said { kind, request, run: Some(run.into()), ..Said::default() };
        runs.hear(&dialect, "", None, &said);
    }

    fn ended(runs: &mut Runs, run: &str) {
        let (is_event, is_terminal) = (true, true);
        let said = Said { run: Some(run.into()), is_event, is_terminal, ..Said::default() };
        runs.hear(&Dialect::reference(), "", None, &said);
    }

    #[test]
    fn ids_go_to_the_lowest_number_that_waits_for_them_in_whatever_order_runs_are_started() {
        let mut runs = Runs::default();
        for number in [2, 7, 1, 3] {
            started(&mut runs, number, if number == 7 { "other" } else { "same" });
        }
        for run in ["first", "second"] {
            accepted(&mut runs, "same", run);
        }
        accepted(&mut runs, "nobody's", "third");
        let ids = [1, 2, 3, 7].map(|number| runs.id(number));
        assert_eq!(ids, [Some("first"), Some("second"), None, None]);
        assert!(runs.awaits_an_id() && !runs.owns("third"));
        accepted(&mut runs, "same", "third");
        accepted(&mut runs, "other", "fourth");
        assert!(!runs.awaits_an_id());
        ended(&mut runs, "first");
        let has_ended = [1, 2, 3, 7].map(|number| runs.has_ended(number));
        assert_eq!(has_ended, [true, false, false, false]);
    }

    #[test]
    fn a_run_that_is_started_again_waits_for_its_id_again() {
        let mut runs = Runs::default();
        for number in [1, 2] {
            started(&mut runs, number, &number.to_string());
            accepted(&mut runs, &number.to_string(), &format!("r{number}"));
            ended(&mut runs, &format!("r{number}"));
        }
        started(&mut runs, 1, "1");
        assert!(runs.awaits_an_id() && !runs.has_ended(1) && runs.has_ended(2));
        accepted(&mut runs, "1", "r3");
        ended(&mut runs, "r3");
        assert!(runs.has_ended(1) && !runs.awaits_an_id());
    }

    #[test]
    fn what_a_lost_connection_carried_has_ended_once_an_answer_says_so() {
        let mut runs = Runs::default();
        started(&mut runs, 1, "1");
        runs.is_told_ended(1, false);
        assert!(!runs.has_ended(1), "its last event may be under way");
        runs.cut();
        assert!(runs.was_cut(1) && runs.has_ended(1));
    }
}
