//! O10: what is stored is what was said: all of it, once, in order, and nothing of others.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::case::{Case, Start};
use super::edits::{Alteration, Edit, bytes, with_bytes, with_value};
use super::oracle::{Judgement, Oracle};
use super::seen::{EARLIER, may_be_left, owner_in};
use super::suspects::{self, Suspects, shows};
use partywall_core::canary::{Field, Owner, PHANTOM_USER};
use partywall_core::finding::{FindingKind, OracleId, Suspect};
use partywall_core::history::{Observation, What};
use partywall_core::ids::{ThreadId, UserName};
use partywall_core::plan::{DEFAULT_THREAD, Twist, Via};

/// Judged where a user reads a conversation back after the runs in it have ended. What a run says
/// may quote what was said before, so only what users wrote is counted.
pub(super) const AT_REST: Oracle = Oracle {
    id: OracleId::AtRest,
    short: "What is stored is what was said: all, once, in order, and nothing of others.",
    meaning: "A conversation that was read back lacks a turn that was answered, has one \
        twice or out of order, or holds what another user said.",
    precondition: "A user reads a conversation back after runs in it have ended.",
    next: "Look for a record that is read, kept over an await and written back whole, for \
        stores that are keyed too coarsely, and for work that stores after its run.",
    judge,
    alterations,
};

/// A conversation that was read back.
#[derive(Debug)]
struct Read<'c> {
    asked: u64,
    n: u64,
    at: usize,
    user: &'c UserName,
    thread: ThreadId,
    /// The prompt canaries in what users wrote, in order.
    wrote: Vec<Owner>,
    /// Every canary in it.
    holds: Vec<Owner>,
}

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let mut items = 0;
    for read in reads(case) {
        items += judge_read(case, &read, &mut suspects);
    }
    Judgement::new(suspects.finish(), items, "no conversation was read back after a run in it")
}

fn alterations(case: &Case<'_>, known: &[Suspect], rng: &mut fastrand::Rng) -> Vec<Alteration> {
    let reads: Vec<_> = reads(case)
        .into_iter()
        .filter(|read| {
            let is_new = known.iter().all(|known| known.victim != *read.user);
            is_new && turns(case, read).any(|turn| own(&read.wrote, turn.owner).count() == 1)
        })
        .collect();
    let Some(read) = rng.choice(&reads) else { return Vec::new() };
    let observed = &case.history.observations[read.at].what;
    let empty = with_value(bytes(case.history, read.at), "/messages", serde_json::json!([]));
    let Some(empty) = empty else { return Vec::new() };
    vec![Alteration {
        what: format!("a conversation of {} that comes back empty", read.user),
        edits: vec![Edit::Replace { at: read.at, what: with_bytes(observed, empty) }],
        kind: FindingKind::Loss,
        victim: read.user.clone(),
        observer: read.user.clone(),
    }]
}

/// A turn that was answered before the conversation was read.
struct Turn {
    owner: Owner,
    began: u64,
    ended: u64,
}

fn own(wrote: &[Owner], owner: Owner) -> impl Iterator<Item = usize> {
    let same = move |(_, other): &(usize, &Owner)| **other == owner;
    wrote.iter().enumerate().filter(same).map(|(place, _)| place)
}

fn judge_read(case: &Case<'_>, read: &Read<'_>, suspects: &mut Suspects) -> u64 {
    let user = read.user;
    let trial = case.history.plan.campaign;
    let judged = |owner: &&Owner| owner.user != PHANTOM_USER && !may_be_left(trial, **owner);
    for owner in read.holds.iter().filter(judged) {
        let Some(other) = case.person_at(owner.user).filter(|other| other.name != *user) else {
            continue;
        };
        let shown = match owner.run {
            EARLIER => format!("{user} reads what {} gave in an earlier round", other.name),
            run => format!("{user} reads what {} gave with run {run}", other.name),
        };
        suspects.add(Suspect {
            victim: other.name.clone(),
            victim_run: (owner.run != EARLIER).then_some(owner.run),
            ..suspect(FindingKind::Crossing, read, shown)
        });
    }
    let mut items = 0;
    let mut before: Option<(usize, Turn)> = None;
    for turn in turns(case, read) {
        items += 1;
        let run = turn.owner.run;
        let mut places = own(&read.wrote, turn.owner);
        let mut found = |kind, shown: String| {
            let found = suspect(kind, read, shown);
            suspects.add(Suspect { victim_run: Some(run), ..found });
        };
        let Some(place) = places.next() else {
            found(FindingKind::Loss, format!("{user} reads it, and the turn of run {run} is gone"));
            continue;
        };
        // The default conversation outlives a trial: one server may serve several.
        if read.thread.as_str() == DEFAULT_THREAD {
            continue;
        }
        if places.next().is_some() {
            found(FindingKind::Duplicate, format!("{user} reads the turn of run {run} twice"));
        }
        if let Some((earlier, other)) = &before
            && other.ended < turn.began
            && *earlier > place
        {
            let shown = format!("{user} reads run {run} before run {}", other.owner.run);
            found(FindingKind::Disorder, shown);
        }
        before = Some((place, turn));
    }
    items
}

fn suspect(kind: FindingKind, read: &Read<'_>, shown: String) -> Suspect {
    let evidence = vec![shows(read.n, shown)];
    suspects::own(kind, read.user, None, "a stored conversation", "http answer", evidence)
}

/// The user's turns in that conversation that had been answered when it was read.
fn turns<'c>(case: &'c Case<'_>, read: &'c Read<'_>) -> impl Iterator<Item = Turn> + 'c {
    let person = case.person(read.user.as_str());
    case.starts.iter().filter_map(move |start| {
        if start.user != read.user || *start.thread != read.thread {
            return None;
        }
        let person = person?;
        let plan = person.run(start.run)?;
        if plan.has(Twist::EqualMessage) {
            return None;
        }
        let ended = answered(case, start).filter(|ended| *ended < read.asked)?;
        let owner = Owner { user: person.index, run: start.run, field: Field::Prompt };
        Some(Turn { owner, began: start.n, ended })
    })
}

/// When the run came to its usual end for its user.
fn answered(case: &Case<'_>, start: &Start<'_>) -> Option<u64> {
    let ends = |message: &&super::message::Message<'_>| {
        message.observer == start.user
            && match start.via {
                Via::Socket => {
                    let own = message.run_at().is_some() && message.run_at() == start.run_at;
                    own && message.is_terminal && case.kind(message) == Some("agent_completed")
                }
                Via::Http | Via::Stream => {
                    Some(message.line()) == start.line && says_completed(case, message.at())
                }
            }
    };
    case.messages.iter().find(ends).map(|message| message.n)
}

fn says_completed(case: &Case<'_>, at: usize) -> bool {
    #[derive(Deserialize)]
    struct State {
        status: String,
    }
    let state = serde_json::from_slice::<State>(bytes(case.history, at));
    state.is_ok_and(|state| state.status == "completed")
}

/// The last time that each user read each conversation.
fn reads<'c>(case: &Case<'c>) -> Vec<Read<'c>> {
    let mut asked = BTreeMap::new();
    let mut last: BTreeMap<(&UserName, ThreadId), Read<'c>> = BTreeMap::new();
    for &(at, seen) in &case.acts {
        let (Some(on), Some(user)) = (&seen.on, &seen.by) else { continue };
        match &seen.what {
            What::Request { method, path, .. } if method.as_ref() == "GET" => {
                if let Some(thread) = thread_of(path) {
                    asked.insert(on, (seen.n, thread));
                }
            }
            What::Answer { status: 200, .. } => {
                let Some((n, thread)) = asked.get(on).cloned() else { continue };
                if let Some(read) = read_of(case, (at, seen), user, n, thread.clone()) {
                    last.insert((user, thread), read);
                }
            }
            _ => {}
        }
    }
    last.into_values().collect()
}

fn read_of<'c>(
    case: &Case<'_>,
    (at, seen): (usize, &'c Observation),
    user: &'c UserName,
    asked: u64,
    thread: ThreadId,
) -> Option<Read<'c>> {
    #[derive(Deserialize)]
    struct Thread {
        messages: Vec<Said>,
    }
    #[derive(Deserialize)]
    struct Said {
        role: String,
        text: String,
    }
    let Thread { messages } = serde_json::from_slice(bytes(case.history, at)).ok()?;
    let trial = case.history.plan.campaign;
    let owners = |text: &str| {
        let sightings = case.scanner.scan(text.as_bytes());
        sightings.iter().map(|sighting| owner_in(trial, sighting)).collect::<Vec<_>>()
    };
    let wrote = messages.iter().filter(|said| said.role == "user");
    let wrote = wrote.flat_map(|said| owners(&said.text));
    let wrote = wrote.filter(|owner| owner.field == Field::Prompt).collect();
    let holds = messages.iter().flat_map(|said| owners(&said.text)).collect();
    Some(Read { asked, n: seen.n, at, user, thread, wrote, holds })
}

/// The thread that the request reads, its name as the path has it.
fn thread_of(path: &str) -> Option<ThreadId> {
    let name = path.strip_prefix("/api/threads/")?.strip_suffix("/messages")?;
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        let digits = if byte == b'%' { [rest.next()?, rest.next()?] } else { [0, 0] };
        bytes.push(match byte {
            b'%' => u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?,
            plain => plain,
        });
    }
    Some(ThreadId::new(String::from_utf8(bytes).ok()?))
}
