//! Alterations for the oracles of ids, streams and bindings. Each is drawn among those whose
//! finding would be new, so that nothing counts as caught that was found before.

use super::answered::Answered;
use super::case::{Case, Start};
use super::echoes;
use super::edits::{Alteration, Edit, bytes, with_bytes, with_member, with_value};
use super::interruptions::Interruptions;
use super::message::{Channel, Message};
use super::private;
use super::run_facts::RunFacts;
use super::sequence::Sequence;
use super::shown_names::{self, PLANTS, ShownNames};
use partywall_core::assumption::Assumption;
use partywall_core::canary::{Field, Owner};
use partywall_core::dialect::Matching;
use partywall_core::finding::{FindingKind, Suspect};
use partywall_core::history::{Observation, What, Whose};
use partywall_core::ids::UserName;
use partywall_core::plan::Via;
use partywall_core::raw::Raw;

/// Gathers the alterations of one oracle.
pub(super) struct Plants<'p, 'h> {
    case: &'p Case<'h>,
    known: &'p [Suspect],
    rng: &'p mut fastrand::Rng,
    pub(super) alterations: Vec<Alteration>,
}

impl<'p, 'h> Plants<'p, 'h> {
    pub(super) fn new(
        case: &'p Case<'h>,
        known: &'p [Suspect],
        rng: &'p mut fastrand::Rng,
    ) -> Self {
        Self { case, known, rng, alterations: Vec::new() }
    }

    fn is_new(&self, kind: FindingKind, victim: &UserName, observer: &UserName) -> bool {
        self.known
            .iter()
            .all(|known| (known.kind, &known.victim, &known.observer) != (kind, victim, observer))
    }

    /// Draws one of the candidates and plants it; those that cannot be planted have no edits.
    fn draw<C: Clone>(
        &mut self,
        what: &str,
        kind: FindingKind,
        candidates: impl Iterator<Item = (UserName, UserName, C)>,
        edits: impl Fn(&Case<'_>, C) -> Option<Vec<Edit>>,
    ) {
        let candidates: Vec<_> = candidates
            .filter(|(victim, observer, _)| self.is_new(kind, victim, observer))
            .collect();
        let Some((victim, observer, place)) = self.rng.choice(&candidates).cloned() else { return };
        let Some(edits) = edits(self.case, place) else { return };
        let what = format!("{what} ({victim}, seen by {observer})");
        self.alterations.push(Alteration { what, edits, kind, victim, observer });
    }

    /// Draws among what happens to one user alone.
    pub(super) fn draw_own<C: Clone>(
        &mut self,
        what: &str,
        kind: FindingKind,
        candidates: impl Iterator<Item = (&'p UserName, C)>,
        edits: impl Fn(&Case<'_>, C) -> Option<Vec<Edit>>,
    ) {
        let candidates = candidates.map(|(user, place)| (user.clone(), user.clone(), place));
        self.draw(what, kind, candidates, edits);
    }
}

pub(super) fn replaced(case: &Case<'_>, at: usize, bytes: Option<Vec<u8>>) -> Option<Vec<Edit>> {
    let what = with_bytes(&case.history.observations[at].what, bytes?);
    Some(vec![Edit::Replace { at, what }])
}

/// The same bytes, or others, coming again right before that place.
pub(super) fn copied(case: &Case<'_>, at: usize, bytes: Option<Vec<u8>>, before: usize) -> Edit {
    let mut observation = case.history.observations[at].clone();
    if let Some(bytes) = bytes {
        observation.what = with_bytes(&observation.what, bytes);
    }
    Edit::Insert { before, observation }
}

/// The bytes of that event with another number.
fn renumbered(case: &Case<'_>, at: usize, number: Option<u64>) -> Option<Vec<u8>> {
    value_in(case, at, &case.dialect.sequence, number?.saturating_add(1).into())
}

/// The message with another value in a place of its JSON that has one.
fn value_in(
    case: &Case<'_>,
    at: usize,
    pointer: &str,
    value: serde_json::Value,
) -> Option<Vec<u8>> {
    if pointer.is_empty() {
        return None;
    }
    case.in_json(at, |json| with_value(json, pointer, value))
}

/// For O2: another user's name, run id and connection id.
pub(super) fn ids(case: &Case<'_>, known: &[Suspect], rng: &mut fastrand::Rng) -> Vec<Alteration> {
    let mut plants = Plants::new(case, known, rng);
    let crossing = FindingKind::Crossing;
    let users = &case.history.plan.users;
    let other = |user: &UserName, draw: usize| {
        let others: Vec<_> = users.iter().filter(|other| other.name != *user).collect();
        Some(others.get(draw.checked_rem(others.len())?)?.name.clone())
    };
    let draw = plants.rng.usize(..);
    let named = case.messages.iter().filter_map(|message| {
        let names = case.user(message) == Some(message.observer.as_str());
        let own = names && case.tells_its_user(message) && !case.may_name_others(message);
        Some((
            other(message.observer, draw).filter(|_| own)?,
            message.observer.clone(),
            message.at(),
        ))
    });
    plants.draw("a message's user id replaced", crossing, named, |case, at| {
        let observer = case.history.observations[at].by.as_ref()?;
        let name = other(observer, draw)?;
        let value = name.as_str().into();
        replaced(case, at, value_in(case, at, &case.dialect.user, value))
    });

    let told: Vec<_> = case.runs.iter().filter(|run| run.user_told && !run.made_up).collect();
    let draw = plants.rng.usize(..);
    // Where several users may have a run of the same id, the id accuses nobody.
    let unique = case.unique_runs;
    let runs = case.messages.iter().filter(|_| unique).filter_map(|message| {
        let own = case.facts(message).filter(|facts| facts.user == Some(message.observer));
        let is_told = message.is_event && !case.may_name_others(message);
        own.filter(|own| is_told && own.user_told && !own.made_up)?;
        // The first id in a stream tells whose run it is: with another there, it is that of both.
        let first = case.events[message.run_at()?].first().map(|at| case.messages[at.get()].n);
        if message.asked_run.is_some() && first == Some(message.n) {
            return None;
        }
        // Looking a few runs ahead is enough to find another user's, and stays linear.
        let place = draw.checked_rem(told.len())?;
        let ahead = told[place..].iter().chain(&told).take(8);
        // An id that its user is told only later is taken for the observer's, who is told first.
        let is_told = |run: &RunFacts<'_>| {
            case.dialect.strict || run.given.is_some_and(|(n, _)| n < message.n)
        };
        let is_foreign = |run: &&RunFacts<'_>| !run.may_be_of(message.observer) && is_told(run);
        let foreign = ahead.copied().find(is_foreign)?;
        Some((foreign.user.cloned()?, message.observer.clone(), (message.at(), foreign.id.clone())))
    });
    plants.draw("an event's run id replaced", crossing, runs, |case, (at, id)| {
        let value = (*id).into();
        replaced(case, at, value_in(case, at, &case.dialect.run, value))
    });

    let greetings: Vec<_> = case
        .messages
        .iter()
        .filter_map(|message| Some((message, case.greeted(message)?)))
        .collect();
    let pairs = greetings.windows(2).map(|pair| {
        let ((first, id), (second, _)) = (pair[0], pair[1]);
        (first.observer.clone(), second.observer.clone(), (second.at(), id.to_owned()))
    });
    let pairs = pairs.filter(|(victim, observer, _)| victim != observer);
    plants.draw("a greeting's connection id replaced", crossing, pairs, |case, (at, id)| {
        let pointer = case.dialect.connection.as_str();
        replaced(case, at, value_in(case, at, pointer, id.into()))
    });

    let given = private::given(case);
    let (own, given): (Vec<_>, Vec<_>) =
        given.into_iter().partition(|given| given.whose == Some(Whose::Own));
    let private = |given: &&private::Given| matches!(given.whose, None | Some(Whose::Private));
    let private = given.iter().filter(private).filter_map(|given| {
        let observer = other(&given.user, draw)?;
        Some((given.user.clone(), observer.clone(), (given.clone(), observer)))
    });
    let what = "a private value of an earlier round shown to another";
    plants.draw(what, crossing, private, |case, (value, observer)| {
        private::shown_a_round_later(case, &value, &observer)
    });
    for (what, all) in
        [("a private value shown to another", given), ("a secret shown to another", own)]
    {
        let shown = all.windows(2).filter(|pair| pair[0].user != pair[1].user);
        let shown = shown.map(|pair| {
            let (victim, observer) = (&pair[0].user, &pair[1].user);
            (victim.clone(), observer.clone(), (pair[0].clone(), observer.clone()))
        });
        plants.draw(what, crossing, shown, |case, (value, observer)| {
            private::shown_to_another(case, &value, &observer)
        });
    }

    if let Some(names) = ShownNames::of(case) {
        for (what, credential, in_header) in PLANTS {
            let draw = plants.rng.usize(..);
            let shown = names.plants(credential, in_header, draw).into_iter();
            plants.draw(what, crossing, shown, shown_names::planted);
        }
    }
    plants.alterations
}

/// A run over the socket that came whole to its user, on one connection.
struct Whole<'c> {
    start: &'c Start<'c>,
    events: Vec<&'c Message<'c>>,
}

fn whole_runs<'c>(case: &'c Case<'c>) -> Vec<Whole<'c>> {
    let interruptions = Interruptions::of(case);
    let whole = |start: &'c Start<'c>| {
        let events: Vec<_> = case.its_events(start).collect();
        let (first, last) = (events.first()?, events.last()?);
        let same = |event: &&Message<'_>| {
            event.observer == start.user
                && event.line() == first.line()
                && Some(event.line()) == start.line
        };
        let numbered = events.iter().zip(1..).all(|(event, n)| event.sequence == Some(n));
        let whole = start.via == Via::Socket
            && numbered
            && last.is_terminal
            && events.iter().all(same)
            && !interruptions.is_cut(case, start, last.n);
        whole.then_some(Whole { start, events })
    };
    case.starts.iter().filter_map(whole).collect()
}

/// For O3: an event and an end that do not come, two events swapped, a second end, no answer.
pub(super) fn gaps(case: &Case<'_>, known: &[Suspect], rng: &mut fastrand::Rng) -> Vec<Alteration> {
    use FindingKind::{Disorder, Loss};
    let mut plants = Plants::new(case, known, rng);
    let whole = whole_runs(case);
    let gave_up = |start: &Start<'_>| What::GaveUp { run: start.run, at_rest: true };
    // All that are followed by another: without the last one, nothing would be known to be missing.
    let inner = whole.iter().flat_map(|run| {
        run.events
            .split_last()
            .map_or(&[][..], |(_, inner)| inner)
            .iter()
            .map(move |event| (run, event))
    });
    let inner = inner.map(|(run, event)| (run.start.user, event.at()));
    plants.draw_own("an event taken out", Loss, inner, |_, at| Some(vec![Edit::Remove { at }]));

    let ends = || whole.iter().filter_map(|run| Some((run.start, *run.events.last()?)));
    let silent = ends().map(|(start, end)| (start.user, (end.at(), gave_up(start))));
    plants.draw_own("a terminal event that never comes", Loss, silent, |_, (at, what)| {
        Some(vec![Edit::Replace { at, what }])
    });

    let needed = Sequence::of(case.dialect).map(|expected| expected.needed(case));
    let needed = needed.unwrap_or_default().into_iter();
    plants.draw_own("an expected event taken out", Disorder, needed, |_, at| {
        Some(vec![Edit::Remove { at }])
    });

    let swapped = whole.iter().flat_map(|run| run.events.windows(2).map(move |pair| (run, pair)));
    let swapped = swapped.map(|(run, pair)| (run.start.user, (pair[0].at(), pair[1].at())));
    plants.draw_own("two events swapped", Disorder, swapped, |case, (one, other)| {
        let what = |at: usize| case.history.observations[at].what.clone();
        Some(vec![
            Edit::Replace { at: one, what: what(other) },
            Edit::Replace { at: other, what: what(one) },
        ])
    });

    let twice = ends().map(|(start, end)| (start.user, (end.at(), end.sequence)));
    plants.draw_own("a second terminal event", Disorder, twice, |case, (at, number)| {
        Some(vec![copied(case, at, Some(renumbered(case, at, number)?), at + 1)])
    });

    let answered = case.messages.iter().filter_map(|message| {
        let start = case.start_of(message.observer, message.asked_run?)?;
        let its = start.line == Some(message.line()) && start.via == Via::Http;
        let stands = case.connections[message.line()].broken.is_none();
        (its && stands).then(|| (start.user, (message.at(), gave_up(start))))
    });
    plants.draw_own("an answer that never comes", Loss, answered, |_, (at, what)| {
        Some(vec![Edit::Replace { at, what }])
    });
    plants.alterations
}

/// Events that their own user, or nobody known, is the owner of.
fn own_events<'c>(case: &'c Case<'_>) -> impl Iterator<Item = &'c Message<'c>> {
    case.messages.iter().filter(|message| {
        let own = case.facts(message).is_some_and(|facts| facts.may_be_of(message.observer));
        own && message.is_event
    })
}

/// For O4: an event that comes again, on its connection and on the user's next one.
pub(super) fn repeats(
    case: &Case<'_>,
    known: &[Suspect],
    rng: &mut fastrand::Rng,
) -> Vec<Alteration> {
    let duplicate = FindingKind::Duplicate;
    let mut plants = Plants::new(case, known, rng);
    let numbered = || own_events(case).filter(|event| event.sequence.is_some());
    let may_repeat = case.assumes(Assumption::AtLeastOnce);
    let here = numbered().filter(|_| !may_repeat).map(|event| (event.observer, event.at()));
    plants.draw_own("an event repeated", duplicate, here, |case, at| {
        Some(vec![copied(case, at, None, at + 1)])
    });

    // For each user the first connection that ended, and the first message on a later one.
    let mut ended = std::collections::BTreeMap::new();
    for connection in case.connections.iter().filter(|connection| connection.is_socket) {
        if let (Some(user), Some(closed)) = (connection.user, connection.closed) {
            let first = ended.entry(user.as_str()).or_insert(closed);
            *first = closed.min(*first);
        }
    }
    let mut next = std::collections::BTreeMap::new();
    for message in case.messages.iter().filter(|message| message.channel.carries_events()) {
        let user = message.observer.as_str();
        let opened = case.connections[message.line()].first;
        if ended.get(user).is_some_and(|&closed| closed < opened) {
            next.entry(user).or_insert(message);
        }
    }
    let later = numbered().filter_map(|event| {
        let next = *next.get(event.observer.as_str())?;
        let closed = case.connections[event.line()].closed?;
        let run = case.run_id(event);
        let asked = case.named.asked_for(next.line(), run, event.sequence.unwrap_or_default());
        let before = closed < case.connections[next.line()].first && !asked;
        before.then_some((event.observer, (event.at(), next.at())))
    });
    plants.draw_own(
        "an event repeated on the next connection",
        duplicate,
        later,
        |case, places| {
            let (at, next) = places;
            let mut copy = case.history.observations[at].clone();
            copy.on = case.history.observations[next].on.clone();
            Some(vec![Edit::Insert { before: next + 1, observation: copy }])
        },
    );
    plants.alterations
}

/// Whether what comes after that end is known to be of the same run: by their order it is of the next
/// run that waits, if there is one, and of none where the types of events are not listed.
fn is_last_by_order(case: &Case<'_>, end: &Message<'_>) -> bool {
    if case.dialect.matching != Matching::Order || case.facts(end).is_none_or(|run| !run.made_up) {
        return true;
    }
    let waits = |start: &Start<'_>| {
        start.user == end.observer
            && start.n < end.n
            && case.end_of(start).is_none_or(|its_end| its_end.n > end.n)
    };
    !case.dialect.events.is_empty() && !case.starts.iter().any(waits)
}

/// For O6: an event after its run's end, and a message after its connection's.
pub(super) fn late(case: &Case<'_>, known: &[Suspect], rng: &mut fastrand::Rng) -> Vec<Alteration> {
    let late = FindingKind::Late;
    let mut plants = Plants::new(case, known, rng);
    let ends = own_events(case).filter(|event| event.is_terminal && is_last_by_order(case, event));
    let several = case.given_twice();
    let ends = ends.filter(|end| !several.contains(&(end.run_at(), end.observer))).map(|end| {
        let first = end
            .run_at()
            .and_then(|run| case.events[run].first())
            .map(|at| &case.messages[at.get()]);
        // Any event of the run would do; its first is the least like an end.
        let again = first.filter(|first| first.line() == end.line()).unwrap_or(end);
        (end.observer, (again.at(), end.at(), end.sequence))
    });
    plants.draw_own("an event after its run's end", late, ends, |case, (again, end, number)| {
        let copy = number.and_then(|number| renumbered(case, again, Some(number)));
        Some(vec![copied(case, again, copy, end + 1)])
    });

    let sockets = case.messages.iter().filter(|message| message.channel.carries_events());
    let sockets = sockets.map(|message| (message.observer, message.at()));
    plants.draw_own("a message after its connection's end", late, sockets, |case, at| {
        let last = case.history.observations.len();
        let ended = Observation {
            what: What::Ended { code: None, raw: Raw::default() },
            ..case.history.observations[at].clone()
        };
        let end = Edit::Insert { before: last, observation: ended };
        Some(vec![end, copied(case, at, None, last)])
    });
    plants.alterations
}

/// For O7: the user's own canary of another run, and an acceptance of a request never made.
pub(super) fn bindings(
    case: &Case<'_>,
    known: &[Suspect],
    rng: &mut fastrand::Rng,
) -> Vec<Alteration> {
    let wrong = FindingKind::WrongBinding;
    let mut plants = Plants::new(case, known, rng);
    let mint = case.history.plan.mint();
    let canary = |case: &Case<'_>, at: usize| {
        let person = case.person(case.history.observations[at].by.as_ref()?.as_str())?;
        // A run that the plan does not know cannot be quoted by a later one.
        let run = (1..=u16::MAX).rev().find(|run| person.run(*run).is_none())?;
        Some(mint.mint(Owner { user: person.index, run, field: Field::Prompt }))
    };
    let answered = Answered::of(case);
    let several = case.given_twice();
    for (channel, what) in [
        (Channel::Websocket, "another run's canary in an event"),
        (Channel::Stream, "another run's canary in an event of a stream"),
        (Channel::HttpAnswer, "another run's canary in an HTTP answer"),
    ] {
        let answers = case
            .messages
            .iter()
            .filter(|message| message.channel == channel && answered.run(message).is_some())
            .filter(|message| !several.contains(&(message.run_at(), message.observer)));
        // What is no JSON in a stream would no longer be what it was with something added.
        let takes = |at| case.in_json(at, |json| with_member(json, "")).is_some();
        let answers = answers.filter(|message| channel != Channel::Stream || takes(message.at()));
        let answers = answers.map(|message| (message.observer, message.at()));
        plants.draw_own(what, FindingKind::OwnData, answers, |case, at| {
            let (canary, bytes) = (canary(case, at)?, bytes(case.history, at));
            let member = format!("\"planted\":\"{canary}\"");
            let planted = case.in_json(at, |json| with_member(json, &member));
            replaced(case, at, planted.or_else(|| Some([bytes, canary.as_bytes()].concat())))
        });
    }

    let echoed: Vec<_> =
        echoes::answered(case).into_iter().filter(|run| !run.echoes.is_empty()).collect();
    let echoed = echoed.iter().map(|run| (run.start.user, run.echoes.clone()));
    let what = "an answer that does not hold its prompt";
    plants.draw_own(what, FindingKind::NoEcho, echoed, |case, messages| {
        Some(echoes::silenced(case, &messages))
    });

    // With one alone, it could not be known that the back end echoes the client's ids.
    let echoes = case.acceptances_that_fit().nth(1).is_some();
    let accepted = case.acceptances_that_fit().filter(|_| echoes);
    let accepted = accepted.map(|acceptance| {
        let message = &case.messages[acceptance.message];
        (message.observer, message.at())
    });
    plants.draw_own("an acceptance of a request never made", wrong, accepted, |case, at| {
        let value = "never asked".into();
        replaced(case, at, value_in(case, at, &case.dialect.request, value))
    });
    plants.alterations
}
