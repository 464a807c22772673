//! What is known of each run id: whose run it is, and which of the plan.
//!
//! The back end tells it when it accepts a run or answers a request about one. Where it does not,
//! the canaries in the run's events do, if they agree; what is only inferred like that is not used
//! to accuse anybody of an id.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::case::{Case, Start};
use super::keys::digest;
use super::message::Place;
use super::seen::EARLIER;
use crate::trial::canary::Field;
use crate::trial::ids::UserName;
use crate::trial::plan::Via;

/// What is known of a run id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts<'h> {
    /// The id; server text.
    pub id: Cow<'h, str>,
    /// Whether the id was made up here, for a run whose messages name none: it accuses nobody.
    pub made_up: bool,
    /// Whose run it is.
    pub user: Option<UserName>,
    /// Which of the plan.
    pub run: Option<u16>,
    /// Whether the back end told whose it is; else canaries did.
    pub user_told: bool,
    /// Whether the back end told which it is; else canaries did.
    pub run_told: bool,
    /// To whom it was given first, by the number of the observation.
    pub given: Option<(u64, UserName)>,
    /// To whom else: that is a fault.
    pub given_again: Vec<(u64, UserName)>,
    /// Which start it answers, in [`Case::starts`], where the back end told.
    start: Place,
}

impl<'h> RunFacts<'h> {
    pub(super) fn unknown(id: Cow<'h, str>) -> Self {
        let (user, run, given, given_again) = (None, None, None, Vec::new());
        let (user_told, run_told, start) = (false, false, Place::NONE);
        Self { id, made_up: false, user, run, user_told, run_told, given, given_again, start }
    }

    /// A run whose messages name no id.
    pub(super) fn made_up(id: Cow<'h, str>) -> Self {
        Self { made_up: true, ..Self::unknown(id) }
    }

    /// Whether the run is known to be that user's, or may be.
    pub fn may_be_of(&self, user: &UserName) -> bool {
        self.user.as_ref().is_none_or(|owner| owner == user) || self.was_given(user)
    }

    pub(super) fn tell(&mut self, user: &UserName, run: Option<u16>) {
        if self.user.is_none() {
            (self.user, self.user_told) = (Some(user.clone()), true);
        }
        if self.run.is_none() && self.user.as_ref() == Some(user) {
            (self.run, self.run_told) = (run, run.is_some());
        }
    }

    fn give(&mut self, n: u64, user: &UserName) {
        if self.given.is_none() {
            self.given = Some((n, user.clone()));
        } else if !self.was_given(user) {
            self.given_again.push((n, user.clone()));
        }
    }

    fn was_given(&self, user: &UserName) -> bool {
        self.given.iter().chain(&self.given_again).any(|(_, given)| given == user)
    }
}

/// What became of a message that accepts a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acceptance {
    /// The message, in [`Case::messages`].
    pub(super) message: usize,
    /// Which start it answers.
    pub(super) answers: Answers,
}

/// Which start an acceptance answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// That start.
    Start(usize),
    /// One of several with the same request id; which is not known.
    OneOfSeveral,
    /// It says so little, or of another user, that nothing follows.
    Unclear,
    /// No start that waits for an answer.
    None,
}

/// Fills in what the case knows of its runs.
pub(super) fn learn(case: &mut Case<'_>, accepting: &[usize]) {
    learn_from_acceptances(case, accepting);
    learn_from_answers(case);
    learn_from_canaries(case);
    if case.dialect.foreign.is_some() {
        learn_from_first_told(case);
    }
    for run in 0..case.runs.len() {
        let facts = &case.runs[run];
        let told = facts.start.some().map(|start| &case.starts[start]).is_some_and(|start| {
            start.run_at == Some(run)
                && facts.run == Some(start.run)
                && facts.user.as_ref() == Some(start.user)
        });
        if told {
            continue;
        }
        if let Some(start) = case.start_of_run_at(run) {
            case.starts[start].run_at.get_or_insert(run);
        }
    }
}

/// The starts on sockets that wait for an answer.
struct Waiting {
    /// Of each user, by their number: the digests of the request ids, sorted, and the starts, those of
    /// one request id in order.
    starts: Vec<Vec<(u64, usize)>>,
    /// With the first start of each request id the runs that were given for them.
    given: Vec<MostlyOne>,
}

impl Waiting {
    fn of(case: &Case<'_>) -> Self {
        let mut starts = vec![Vec::new(); case.numbered_users()];
        let on_sockets = |(_, start): &(usize, &Start<'_>)| start.via == Via::Socket;
        for (at, start) in case.starts.iter().enumerate().filter(on_sockets) {
            starts[start.user_at].push((digest(start.request_id.as_str().as_bytes()), at));
        }
        starts.iter_mut().for_each(|starts| starts.sort_unstable());
        let mut given = Vec::new();
        given.resize_with(case.starts.len(), MostlyOne::default);
        Self { starts, given }
    }

    /// The starts of that user with that request id.
    fn starts_of<'c>(
        &'c self,
        case: &'c Case<'_>,
        user: usize,
        request: &'c str,
    ) -> impl Iterator<Item = usize> + Clone + 'c {
        let (starts, wanted) = (&self.starts[user], digest(request.as_bytes()));
        let first = starts.partition_point(|(digest, _)| *digest < wanted);
        let alike = starts[first..].iter().take_while(move |(digest, _)| *digest == wanted);
        let is_it = move |start: &usize| case.starts[*start].request_id.as_str() == request;
        alike.map(|(_, start)| *start).filter(is_it)
    }
}

/// A few places, of which there is mostly one.
#[derive(Debug, Default)]
struct MostlyOne {
    first: Option<usize>,
    others: Vec<usize>,
}

impl MostlyOne {
    fn push(&mut self, place: usize) {
        match self.first {
            None => self.first = Some(place),
            Some(_) => self.others.push(place),
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.first.into_iter().chain(self.others.iter().copied())
    }
}

fn learn_from_acceptances(case: &mut Case<'_>, accepting: &[usize]) {
    for (acceptance, user) in acceptances(case, accepting) {
        let Acceptance { message, answers } = acceptance;
        case.acceptances.push(acceptance);
        let (n, run) = (case.messages[message].n, case.messages[message].run_at());
        let Some(run) = run else { continue };
        match answers {
            Answers::Start(start) => {
                case.starts[start].run_at = Some(run);
                let number = case.starts[start].run;
                case.runs[run].tell(user, Some(number));
                case.runs[run].start = Place::new(start);
            }
            Answers::OneOfSeveral | Answers::Unclear => case.runs[run].tell(user, None),
            Answers::None => continue,
        }
        case.runs[run].give(n, user);
    }
}

/// The messages that accept a run, in order, each with the user whose run it is.
fn acceptances<'h>(case: &Case<'h>, accepting: &[usize]) -> Vec<(Acceptance, &'h UserName)> {
    let mut waiting = Waiting::of(case);
    let mut found = Vec::with_capacity(accepting.len());
    for (at, message) in accepting.iter().map(|&at| (at, &case.messages[at])) {
        let foreign = case.user(message).filter(|_| !message.names_observer);
        let foreign = foreign.and_then(|user| case.person(user));
        let (answers, user) = match (foreign, case.request(message)) {
            (Some(other), _) => (Answers::Unclear, &other.name),
            (None, None) => (Answers::Unclear, message.observer),
            (None, Some(request)) => {
                let answers = match case.number_of_observer(message) {
                    Some(user) => answered(case, at, &mut waiting, (user, request)),
                    None => Answers::None,
                };
                (answers, message.observer)
            }
        };
        found.push((Acceptance { message: at, answers }, user));
    }
    found
}

fn answered(
    case: &Case<'_>,
    message: usize,
    waiting: &mut Waiting,
    (user, request): (usize, &str),
) -> Answers {
    let message = &case.messages[message];
    let starts = waiting.starts_of(case, user, request);
    let Some(first) = starts.clone().next() else { return Answers::None };
    let given = &waiting.given[first];
    // Told again, perhaps on a new connection: nothing new, and nothing wrong.
    if message.run_at().is_some_and(|run| given.iter().any(|given| given == run)) {
        return Answers::Unclear;
    }
    let may_answer = |&start: &usize| {
        let start = &case.starts[start];
        let here = start.line.is_none_or(|line| {
            // After a cut, the answer may come on the user's next connection; where several stand,
            // on each of them.
            line == message.line()
                || case.connections[line].closed.is_some_and(|n| n < message.n)
                || case.connections[message.line()].first < start.n
        });
        start.n < message.n && here
    };
    let mut possible = starts.clone().filter(may_answer);
    let (answering, others) = (possible.next(), possible.count());
    let is_one_of_several = starts.count() > 1;
    let Some(answering) = answering.filter(|_| given.iter().count() <= others) else {
        return Answers::None;
    };
    if let Some(run) = message.run_at() {
        waiting.given[first].push(run);
    }
    match is_one_of_several {
        true => Answers::OneOfSeveral,
        false => Answers::Start(answering),
    }
}

fn learn_from_answers(case: &mut Case<'_>) {
    if case.connections.iter().all(|connection| connection.asked_run.is_none()) {
        return;
    }
    for at in 0..case.messages.len() {
        let message = &case.messages[at];
        let (Some(asked), Some(run)) = (message.asked_run, message.run_at()) else { continue };
        // The first id in a stream is its run's; another one later may be anybody's.
        let known = case.start_of(message.observer, asked).and_then(|start| start.run_at);
        let known = known.filter(|known| !case.runs[*known].made_up);
        if message.channel.carries_events() && known.is_some_and(|known| known != run) {
            continue;
        }
        let named = case.user(message).and_then(|user| case.person(user));
        let (n, observer) = (message.n, message.observer.clone());
        match named {
            Some(other) if other.name != observer => case.runs[run].tell(&other.name, None),
            _ => {
                case.runs[run].tell(&observer, Some(asked));
                case.runs[run].give(n, &observer);
                if message.channel.carries_events()
                    && let Some(start) = case.start_place(&observer, asked)
                {
                    case.starts[start].run_at.get_or_insert(run);
                }
            }
        }
    }
}

/// Where the server tells of runs only by their events, a run is whose canaries it carries, or else
/// whoever was told of it first. Ids of runs are unique there: somebody else may not see one.
fn learn_from_first_told(case: &mut Case<'_>) {
    for at in 0..case.messages.len() {
        let message = &case.messages[at];
        let (true, Some(run)) = (message.is_event, message.run_at()) else { continue };
        let (n, observer) = (message.n, message.observer.clone());
        let facts = &mut case.runs[run];
        if facts.user_told {
            continue;
        }
        if facts.user.is_none() {
            facts.user = Some(observer.clone());
        }
        facts.user_told = true;
        if facts.user.as_ref() == Some(&observer) {
            facts.give(n, &observer);
        }
    }
}

/// An event that carries the prompt canary of one run only is of that run, as far as one can tell.
fn learn_from_canaries(case: &mut Case<'_>) {
    let mut owners: BTreeMap<usize, Option<(u32, u16)>> = BTreeMap::new();
    for seen in case
        .seen
        .iter()
        .filter(|seen| seen.owner.field == Field::Prompt && seen.owner.run != EARLIER)
    {
        let message = seen.message().map(|message| &case.messages[message]);
        let Some(run) = message.filter(|message| message.is_event).and_then(|m| m.run_at()) else {
            continue;
        };
        let facts = &case.runs[run];
        let person = case.person_at(seen.owner.user);
        let fits = person
            .is_some_and(|person| facts.user.as_ref().is_none_or(|user| *user == person.name));
        if facts.run.is_none() && fits {
            let owner = (seen.owner.user, seen.owner.run);
            owners
                .entry(run)
                .and_modify(|known| *known = known.filter(|known| *known == owner))
                .or_insert(Some(owner));
        }
    }
    for (run, owner) in owners {
        let Some((user, number)) = owner else { continue };
        let Some(person) = case.person_at(user) else { continue };
        let facts = &mut case.runs[run];
        facts.user.get_or_insert_with(|| person.name.clone());
        facts.run = Some(number);
    }
}
