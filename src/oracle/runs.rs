//! What is known of each run id: whose run it is, and which of the plan.
//!
//! The back end tells it when it accepts a run or answers a request about one. Where it does not,
//! the canaries in the run's events do, if they agree; what is only inferred like that is not used
//! to accuse anybody of an id.

use std::collections::BTreeMap;

use super::case::Case;
use super::keys::Key;
use super::seen::EARLIER;
use crate::trial::canary::Field;
use crate::trial::ids::{RunId, UserName};
use crate::trial::plan::Via;

/// What is known of a run id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    /// The id; server text.
    pub id: RunId,
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
    /// To whom it was given, by the numbers of the observations; more than one user is a fault.
    pub given: Vec<(u64, UserName)>,
    /// Which start it answers, in [`Case::starts`], where the back end told.
    start: Option<usize>,
}

impl RunFacts {
    pub(super) fn unknown(id: RunId) -> Self {
        let (user, run, given) = (None, None, Vec::new());
        let (user_told, run_told, start) = (false, false, None);
        Self { id, made_up: false, user, run, user_told, run_told, given, start }
    }

    /// A run whose messages name no id.
    pub(super) fn made_up(id: RunId) -> Self {
        Self { made_up: true, ..Self::unknown(id) }
    }

    /// Whether the run is known to be that user's, or may be.
    pub fn may_be_of(&self, user: &UserName) -> bool {
        self.user.as_ref().is_none_or(|owner| owner == user)
            || self.given.iter().any(|(_, given)| given == user)
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
        if self.given.iter().all(|(_, given)| given != user) {
            self.given.push((n, user.clone()));
        }
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
        let told = facts.start.map(|start| &case.starts[start]).is_some_and(|start| {
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

/// The starts of one user with one request id, and how many of them wait for an answer.
#[derive(Debug, Default)]
struct Waiting {
    starts: MostlyOne,
    /// The runs that were already given for them.
    runs: MostlyOne,
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
        let (n, run) = (case.messages[message].n, case.messages[message].run_at);
        let Some(run) = run else { continue };
        match answers {
            Answers::Start(start) => {
                case.starts[start].run_at = Some(run);
                let number = case.starts[start].run;
                case.runs[run].tell(&user, Some(number));
                case.runs[run].start = Some(start);
            }
            Answers::OneOfSeveral | Answers::Unclear => case.runs[run].tell(&user, None),
            Answers::None => continue,
        }
        case.runs[run].give(n, &user);
    }
}

/// The messages that accept a run, in order, each with the user whose run it is.
fn acceptances(case: &Case<'_>, accepting: &[usize]) -> Vec<(Acceptance, UserName)> {
    let mut waiting: Vec<BTreeMap<Key<'_>, Waiting>> = Vec::new();
    waiting.resize_with(case.numbered_users(), BTreeMap::new);
    for (at, start) in case.starts.iter().enumerate().filter(|(_, start)| start.via == Via::Socket)
    {
        waiting[start.user_at]
            .entry(Key::of(start.request_id.as_str()))
            .or_default()
            .starts
            .push(at);
    }
    let mut found = Vec::with_capacity(accepting.len());
    for (at, message) in accepting.iter().map(|&at| (at, &case.messages[at])) {
        let foreign = case.user(message).filter(|_| !message.names_observer);
        let foreign = foreign.and_then(|user| case.person(user));
        let (answers, user) = match (foreign, case.request(message)) {
            (Some(other), _) => (Answers::Unclear, &other.name),
            (None, None) => (Answers::Unclear, message.observer),
            (None, Some(request)) => {
                let number = case.number_of_observer(message);
                let waiting = number.and_then(|number| waiting[number].get_mut(&Key::of(request)));
                (answered(case, at, waiting), message.observer)
            }
        };
        found.push((Acceptance { message: at, answers }, user.clone()));
    }
    found
}

fn answered(case: &Case<'_>, message: usize, waiting: Option<&mut Waiting>) -> Answers {
    let message = &case.messages[message];
    let Some(waiting) = waiting else { return Answers::None };
    let repeated = message.run_at.is_some_and(|run| waiting.runs.iter().any(|given| given == run));
    // Told again, perhaps on a new connection: nothing new, and nothing wrong.
    if repeated {
        return Answers::Unclear;
    }
    let may_answer = |&start: &usize| {
        let start = &case.starts[start];
        let here = start.line.is_none_or(|line| {
            // After a cut, the answer may come on the user's next connection; where several stand,
            // on each of them.
            line == message.line
                || case.connections[line].closed.is_some_and(|n| n < message.n)
                || case.connections[message.line].first < start.n
        });
        start.n < message.n && here
    };
    let answered = waiting.runs.iter().count();
    let mut possible = waiting.starts.iter().filter(may_answer);
    let (first, others) = (possible.next(), possible.count());
    let Some(first) = first.filter(|_| answered <= others) else { return Answers::None };
    if let Some(run) = message.run_at {
        waiting.runs.push(run);
    }
    match waiting.starts.others.is_empty() {
        true => Answers::Start(first),
        false => Answers::OneOfSeveral,
    }
}

fn learn_from_answers(case: &mut Case<'_>) {
    if case.connections.iter().all(|connection| connection.asked_run.is_none()) {
        return;
    }
    for at in 0..case.messages.len() {
        let message = &case.messages[at];
        let (Some(asked), Some(run)) = (message.asked_run, message.run_at) else { continue };
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
        let (true, Some(run)) = (message.is_event, message.run_at) else { continue };
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
        let message = seen.message.map(|message| &case.messages[message]);
        let Some(run) = message.filter(|message| message.is_event).and_then(|m| m.run_at) else {
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
