//! What is known of each run id: whose run it is, and which of the plan.
//!
//! The back end tells it when it accepts a run or answers a request about one. Where it does not,
//! the canaries in the run's events do, if they agree; what is only inferred like that is not used
//! to accuse anybody of an id.

use std::collections::{BTreeMap, BTreeSet};

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
    // What came to its own user goes before what a canary alone says, which may have come in the run
    // of another.
    let (own, others): (Vec<_>, Vec<_>) =
        (0..case.runs.len()).partition(|run| case.dialect.strict || came_to_its_user(case, *run));
    bind_starts(case, &own);
    if !case.dialect.strict {
        learn_from_order(case);
    }
    bind_starts(case, &others);
}

/// Gives each start its run, where it has none so far.
fn bind_starts(case: &mut Case<'_>, runs: &[usize]) {
    for &run in runs {
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

/// Whether the first event of the run came to the user whose run it is.
fn came_to_its_user(case: &Case<'_>, run: usize) -> bool {
    let first = case.events[run].first().map(|at| case.messages[at.get()].observer);
    first.is_some_and(|observer| case.runs[run].user == Some(observer))
}

/// Where neither the server nor a canary of the user's own tells which run of the user it is, but
/// nobody else got any of its events, it is taken for the first of the user's runs that has none, so
/// that its end is known. Which it is accuses nobody.
fn learn_from_order(case: &mut Case<'_>) {
    let mut free: BTreeMap<&UserName, Vec<usize>> = BTreeMap::new();
    for (at, start) in case.starts.iter().enumerate() {
        if start.run_at.is_none() && start.via == Via::Socket {
            free.entry(start.user).or_default().push(at);
        }
    }
    if free.is_empty() {
        return;
    }
    let mut bound: BTreeSet<(usize, &UserName)> = BTreeSet::new();
    for start in &case.starts {
        bound.extend(start.run_at.map(|run| (run, start.user)));
    }
    let mut nameless: Vec<_> = (0..case.runs.len())
        .filter_map(|run| {
            let mut events = case.events[run].iter().map(|at| &case.messages[at.get()]);
            let first = events.next()?;
            let alone = events.all(|event| event.observer == first.observer);
            (alone && !bound.contains(&(run, first.observer))).then_some((
                first.n,
                first.observer,
                run,
            ))
        })
        .collect();
    nameless.sort_unstable();
    for (n, user, run) in nameless {
        let Some(free) = free.get_mut(user) else { continue };
        let Some(place) = free.iter().position(|start| case.starts[*start].n < n) else { continue };
        let start = free.remove(place);
        case.starts[start].run_at = Some(run);
        let facts = &mut case.runs[run];
        if facts.user == Some(user) {
            facts.run.get_or_insert(case.starts[start].run);
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
        let by_request = message.run_at().is_some_and(|run| case.runs[run].made_up);
        // The request that it names is the observer's own, whatever user it names.
        let named = match message.names_observer || by_request {
            true => None,
            false => case.user(message),
        };
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
            // or it was asked for by a request of its own, on each of them.
            line == message.line()
                || case.connections[line].is_http
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
            match mixed.get(&run) {
                Some(words) => (facts.user, facts.run) = (Some(words.user), words.run),
                None => facts.user = Some(observer),
            }
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
fn owners_of_mixed_runs<'h>(case: &Case<'h>) -> BTreeMap<usize, OwnWords<'h>> {
    let mut own_words: BTreeMap<usize, Vec<OwnWords<'h>>> = BTreeMap::new();
    for seen in prompts(case).filter(|seen| case.is_own(seen.owner, seen.observer)) {
        let Some(run) = run_of_event(case, seen) else { continue };
        if case.runs[run].user.is_some() {
            continue;
        }
        let users = own_words.entry(run).or_default();
        let number = Some(seen.owner.run);
        match users.iter_mut().find(|words| words.user == seen.observer) {
            Some(words) => {
                words.times += 1;
                words.run = words.run.filter(|_| words.run == number);
            }
            None => users.push(OwnWords { user: seen.observer, run: number, times: 1 }),
        }
    }
    own_words.retain(|_, users| users.len() > 1);
    let owner = |(run, users): (usize, Vec<OwnWords<'h>>)| {
        let events = |user: &UserName| {
            let its = case.events[run].iter().map(|at| case.messages[at.get()].observer);
            its.filter(|observer| *observer == user).count()
        };
        // Of equal ones the last is the greatest, and the first is wanted.
        let most = users.into_iter().rev().max_by_key(|words| (words.times, events(words.user)));
        most.map(|words| (run, words))
    };
    own_words.into_iter().filter_map(owner).collect()
}

/// A user who saw words of their own in the events of a run.
struct OwnWords<'h> {
    user: &'h UserName,
    /// The number of the run that the words are of, if they are all of one.
    run: Option<u16>,
    /// How often.
    times: usize,
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
    // Words alone do not make a run theirs whose id never came to them: the words crossed.
    let got = |run: usize, user: &UserName| {
        let mut observers = case.events[run].iter().map(|at| case.messages[at.get()].observer);
        case.dialect.strict || observers.any(|observer| observer == user)
    };
    for seen in prompts(case) {
        let Some(run) = run_of_event(case, seen) else { continue };
        let facts = &case.runs[run];
        let person = case.person_at(seen.owner.user);
        let fits = person.is_some_and(|person| {
            facts.user.is_none_or(|user| *user == person.name) && got(run, &person.name)
        });
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

#[cfg(test)]
mod tests;
