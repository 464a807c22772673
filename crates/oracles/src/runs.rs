//! What is known of each run id: whose run it is, and which of the plan.
//!
//! The back end tells it when it accepts a run or answers a request about one. Where it does not,
//! the canaries in the run's events do, if they agree; what is only inferred like that is not used
//! to accuse anybody of an id.

use std::collections::BTreeMap;

use super::case::{Case, Start};
use super::message::Place;
use super::run_facts::{Acceptance, Accepting, Answers};
use super::seen::{EARLIER, Seen};
use partywall_core::canary::Field;
use partywall_core::ids::UserName;
use partywall_core::plan::Via;

/// Fills in what the case knows of its runs.
pub(super) fn learn(case: &mut Case<'_>, accepting: &[Accepting]) {
    learn_from_acceptances(case, accepting);
    learn_from_answers(case);
    learn_from_canaries(case);
    if !case.dialect.strict {
        learn_from_first_told(case);
    }
    for run in 0..case.runs.len() {
        let facts = &case.runs[run];
        let told = facts.start.some().map(|start| &case.starts[start]).is_some_and(|start| {
            start.run_at == Some(run)
                && facts.run == Some(start.run)
                && facts.user == Some(start.user)
        });
        if told {
            continue;
        }
        if let (Some(user), Some(number)) = (facts.user, facts.run)
            && let Some(start) = case.start_place(user, number)
        {
            case.starts[start].run_at.get_or_insert(run);
        }
    }
}

/// The starts on sockets that wait for an answer.
struct Waiting {
    /// The number of the user, that of the request id, and the start; sorted.
    starts: Vec<(usize, Place, Place)>,
    /// With the first start of each request id the run that was given for them first.
    given: Vec<Place>,
    /// The others that were: hardly any.
    given_again: BTreeMap<usize, Vec<usize>>,
}

impl Waiting {
    fn of(case: &Case<'_>) -> Self {
        let starts = case.starts.iter().enumerate();
        let on_sockets = starts.filter(|(_, start)| start.via == Via::Socket);
        let waiting =
            |(at, start): (usize, &Start<'_>)| (start.user_at, start.request, Place::new(at));
        let mut starts: Vec<_> = on_sockets.map(waiting).collect();
        starts.sort_unstable();
        let given = vec![Place::NONE; case.starts.len()];
        Self { starts, given, given_again: BTreeMap::new() }
    }

    /// Notes that the run was given for those starts, of which that is the first.
    fn give(&mut self, first: usize, run: usize) {
        match self.given[first].some() {
            None => self.given[first] = Place::new(run),
            Some(_) => self.given_again.entry(first).or_default().push(run),
        }
    }

    /// The runs that were given for those starts.
    fn given(&self, first: usize) -> impl Iterator<Item = usize> {
        let again = self.given_again.get(&first).into_iter().flatten();
        self.given[first].some().into_iter().chain(again.copied())
    }

    /// The starts of that user with that request id, in order.
    fn starts_of(&self, user: usize, request: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let wanted = (user, Place::new(request));
        let first = self.starts.partition_point(|&(user, request, _)| (user, request) < wanted);
        let alike = move |&&(user, request, _): &&(usize, Place, Place)| (user, request) == wanted;
        self.starts[first..].iter().take_while(alike).map(|(.., start)| start.get())
    }
}

fn learn_from_acceptances(case: &mut Case<'_>, accepting: &[Accepting]) {
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
fn acceptances<'h>(case: &Case<'h>, accepting: &[Accepting]) -> Vec<(Acceptance, &'h UserName)> {
    let mut waiting = Waiting::of(case);
    let mut found = Vec::with_capacity(accepting.len());
    for &Accepting { message: at, request } in accepting {
        let message = &case.messages[at];
        // To look at what it says would be to read it again, which mostly is not needed.
        let named = if message.names_observer { None } else { case.user(message) };
        let foreign = named.and_then(|user| case.person(user));
        let (answers, user) = match (foreign, request.some()) {
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
    (user, request): (usize, usize),
) -> Answers {
    let message = &case.messages[message];
    let starts = waiting.starts_of(user, request);
    let Some(first) = starts.clone().next() else { return Answers::None };
    // Told again, perhaps on a new connection: nothing new, and nothing wrong.
    if message.run_at().is_some_and(|run| waiting.given(first).any(|given| given == run)) {
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
    let Some(answering) = answering.filter(|_| waiting.given(first).count() <= others) else {
        return Answers::None;
    };
    if let Some(run) = message.run_at() {
        waiting.give(first, run);
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
        let (n, observer) = (message.n, message.observer);
        match named {
            Some(other) if other.name != *observer => case.runs[run].tell(&other.name, None),
            _ => {
                case.runs[run].tell(observer, Some(asked));
                case.runs[run].give(n, observer);
                if message.channel.carries_events()
                    && let Some(start) = case.start_place(observer, asked)
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
    let mixed = owners_of_mixed_runs(case);
    for at in 0..case.messages.len() {
        let message = &case.messages[at];
        let (true, Some(run)) = (message.is_event, message.run_at()) else { continue };
        let (n, observer) = (message.n, message.observer);
        let facts = &mut case.runs[run];
        if facts.user_told {
            continue;
        }
        if facts.user.is_none() {
            facts.user = mixed.get(&run).copied().or(Some(observer));
        }
        facts.user_told = true;
        if facts.user == Some(observer) {
            facts.give(n, observer);
        }
    }
}

/// Runs in whose events several users saw words of their own: the id came to somebody for whom the
/// run was not made, perhaps before it came to its own user. A run is of the user who saw their own
/// words in it most often, of several the one who got most of its events, then the first.
fn owners_of_mixed_runs<'h>(case: &Case<'h>) -> BTreeMap<usize, &'h UserName> {
    let mut own_words: BTreeMap<usize, Vec<(&'h UserName, usize)>> = BTreeMap::new();
    for seen in prompts(case).filter(|seen| case.is_own(seen.owner, seen.observer)) {
        let Some(run) = run_of_event(case, seen) else { continue };
        if case.runs[run].user.is_some() {
            continue;
        }
        let users = own_words.entry(run).or_default();
        match users.iter_mut().find(|(user, _)| *user == seen.observer) {
            Some((_, times)) => *times += 1,
            None => users.push((seen.observer, 1)),
        }
    }
    own_words.retain(|_, users| users.len() > 1);
    let owner = |(run, users): (usize, Vec<(&'h UserName, usize)>)| {
        let events = |user: &UserName| {
            let its = case.events[run].iter().map(|at| case.messages[at.get()].observer);
            its.filter(|observer| *observer == user).count()
        };
        // Of equal ones the last is the greatest, and the first is wanted.
        let most = users.iter().rev().max_by_key(|(user, times)| (*times, events(user)));
        most.map(|(user, _)| (run, *user))
    };
    own_words.into_iter().filter_map(owner).collect()
}

/// Where prompts of this round came back.
fn prompts<'c, 'h>(case: &'c Case<'h>) -> impl Iterator<Item = &'c Seen<'h>> {
    case.seen.iter().filter(|seen| seen.owner.field == Field::Prompt && seen.owner.run != EARLIER)
}

/// The run of the event in which it was seen.
fn run_of_event(case: &Case<'_>, seen: &Seen<'_>) -> Option<usize> {
    let message = seen.message().map(|message| &case.messages[message])?;
    message.run_at().filter(|_| message.is_event)
}

/// An event that carries the prompt canary of one run only is of that run, as far as one can tell.
fn learn_from_canaries(case: &mut Case<'_>) {
    let mut owners: BTreeMap<usize, Option<(u32, u16)>> = BTreeMap::new();
    for seen in prompts(case) {
        let Some(run) = run_of_event(case, seen) else { continue };
        let facts = &case.runs[run];
        let person = case.person_at(seen.owner.user);
        let fits = person.is_some_and(|person| facts.user.is_none_or(|user| *user == person.name));
        if facts.run.is_none() && fits {
            let owner = (seen.owner.user, seen.owner.run);
            let known = owners.entry(run).or_insert(Some(owner));
            *known = known.filter(|known| *known == owner);
        }
    }
    for (run, owner) in owners {
        let Some((user, number)) = owner else { continue };
        let Some(person) = case.person_at(user) else { continue };
        let facts = &mut case.runs[run];
        facts.user.get_or_insert(&person.name);
        facts.run = Some(number);
    }
}
