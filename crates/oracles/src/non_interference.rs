//! O5: what comes to a user is what comes to them alone.

use super::alter_interference;
use super::case::Case;
use super::edits::Alteration;
use super::message::Channel;
use super::oracle::{Judgement, Oracle};
use super::received::{Received, ReceivedRun};
use super::solo::{Account, Solo, Solos};
use super::suspects::{Suspects, own, shows};
use partywall_core::finding::{FindingKind, OracleId, Suspect};
use partywall_core::ids::UserName;
use partywall_core::plan::{FaultKind, Step, UserPlan};

/// What a run may not lack, in findings.
const LACK: &str = "all of";
/// What comes to one who starts nothing, in findings.
const BYSTANDER: &str = "messages to one who only listens";
/// What comes of runs that are not theirs, in findings.
const STRAY: &str = "events of no run of theirs";

/// Run after run of each user, as long as all before it was the same as alone: what follows on
/// something else is its consequence. A run beside others of the same user may rightly come out one
/// way or another, and so may the end of one that its user stops or that a fault strikes: of these
/// only what had to be the same is judged.
pub(super) const NON_INTERFERENCE: Oracle = Oracle {
    id: OracleId::NonInterference,
    short: "What comes to a user is what comes to them alone.",
    meaning: "The same user, doing the same alone with a fresh back end, gets other \
        events, other text or another answer; or one who only listens gets what \
        does not come to them alone.",
    precondition: "The user's part of the plan was driven alone, with a fresh back end, \
        several times, and the same came of it each time; ids, numbers and \
        times are not compared.",
    next: "Compare the text with that of the others who were there: a shared slot, pool, \
        batch or buffer brought it in, or took away what is missing.",
    judge,
    alterations,
};

fn judge(case: &Case<'_>) -> Judgement {
    let Some(solos) = case.solos else {
        return Judgement::new(Vec::new(), 0, "no user was driven alone");
    };
    let mut suspects = Suspects::default();
    let mut items = 0;
    for person in &case.history.plan.users {
        if let Some(solo) = solos.of(&person.name) {
            items += judge_user(case, person, solo, &mut suspects);
        }
    }
    Judgement::new(
        suspects.finish(),
        items,
        "nothing that a user got could be compared: alone it came out now this way and now \
         that, or several of their runs went on at a time",
    )
}

fn alterations(case: &Case<'_>, known: &[Suspect], rng: &mut fastrand::Rng) -> Vec<Alteration> {
    let Some(solos) = case.solos else { return Vec::new() };
    let (events, listeners) = compared(case, solos);
    alter_interference::interference(case, known, (&events, &listeners), rng)
}

/// The messages that are compared with what came alone, and the bystanders of whom it is known.
fn compared<'c>(case: &'c Case<'_>, solos: &Solos) -> (Vec<usize>, Vec<&'c UserName>) {
    let mut events = Vec::new();
    let mut listeners = Vec::new();
    for person in &case.history.plan.users {
        let Some(solo) = solos.of(&person.name) else { continue };
        if person.is_bystander() {
            listeners.push(&person.name);
        }
        for run in Received::of(case, &person.name).runs {
            if solo.run(run.number).is_none_or(|alone| !same(&run, alone)) {
                break;
            }
            if ends_elsewhere(case, person, run.number) {
                continue;
            }
            // A run that only its text tells of is another once its text is.
            let told =
                |at: &usize| case.facts(&case.messages[*at]).is_some_and(|facts| facts.run_told);
            events.extend(run.events.into_values().map(|(at, _)| at).filter(told));
        }
    }
    (events, listeners)
}

fn judge_user(case: &Case<'_>, person: &UserPlan, solo: &Solo, suspects: &mut Suspects) -> u64 {
    let got = Received::of(case, &person.name);
    let mut items = 0;
    for run in &got.runs {
        let Some(alone) = solo.run(run.number) else { break };
        items += judge_run(case, person, run, alone, suspects);
        if !same(run, alone) {
            break;
        }
    }
    let mut foreign = |at: usize, what: &str, shown: &str| {
        let message = &case.messages[at];
        let evidence = vec![shows(message.n, format!("{} receives {shown}", person.name))];
        let (kind, seen_on) = (FindingKind::Interference, message.channel.as_str());
        suspects.add(own(kind, &person.name, None, what, seen_on, evidence));
    };
    items += u64::from(person.is_bystander()) + got.others.len() as u64;
    for (at, _) in got.others.iter().filter(|(_, text)| !solo.others.contains(text)) {
        foreign(*at, BYSTANDER, "what does not come to them alone");
    }
    for &at in got.strays.iter().filter(|_| !solo.strays) {
        foreign(at, STRAY, "an event of a run that is not theirs, as they do not alone");
    }
    items
}

/// Whether all of the run came, and as it comes alone.
fn same(run: &ReceivedRun, alone: &Account) -> bool {
    let events = run.events.iter().map(|(number, (_, text))| (number, text));
    run.is_alone
        && run.ended.is_some()
        && run.answer.as_ref().map(|(_, text)| text) == alone.answer.as_ref()
        && events.eq(&alone.events)
}

/// Gives how many messages were compared.
fn judge_run(
    case: &Case<'_>,
    person: &UserPlan,
    run: &ReceivedRun,
    alone: &Account,
    suspects: &mut Suspects,
) -> u64 {
    if !run.is_alone {
        return 0;
    }
    let user = &person.name;
    let kind = case.run_kind(user, Some(run.number));
    let begun = || shows(run.started, format!("{user} starts run {}", run.number));
    let mut found = |operation: &str, channel: Channel, evidence| {
        let (kind, run) = (FindingKind::Interference, Some(run.number));
        suspects.add(own(kind, user, run, operation, channel.as_str(), evidence));
    };
    let may_end_elsewhere = ends_elsewhere(case, person, run.number);
    let mut items = 0;
    for (number, (at, text)) in &run.events {
        let Some(expected) = alone.events.get(number) else { continue };
        items += 1;
        if text == expected {
            continue;
        }
        let message = &case.messages[*at];
        // Where its end may be moved, either of the two may be what ends it; what came before that
        // must be the same all the same.
        let goes_on = alone.events.keys().next_back().is_some_and(|last| number < last);
        if !may_end_elsewhere || (goes_on && !message.is_terminal) {
            let shown = format!("{user} receives event {number}, which says something else alone");
            found(kind, message.channel, vec![begun(), shows(message.n, shown)]);
        }
        return items;
    }
    if may_end_elsewhere {
        return items;
    }
    if let (Some((at, text)), Some(expected)) = (&run.answer, &alone.answer) {
        items += 1;
        if text != expected {
            let message = &case.messages[*at];
            let shown = format!("{user} receives an answer that says something else alone");
            found(kind, message.channel, vec![begun(), shows(message.n, shown)]);
            return items;
        }
    }
    let whole = run.at_rest.filter(|_| !run.has_end).or(run.ended.filter(|_| run.has_end));
    if let Some(n) = whole.filter(|_| !run.is_cut && !has_faults(case, user)) {
        let (came, expected) = (run.events.len(), alone.events.len());
        if !run.events.keys().eq(alone.events.keys()) {
            let shown = format!("{user} has received {came} events of it, and {expected} alone");
            found(&format!("{LACK} {kind}"), Channel::Websocket, vec![begun(), shows(n, shown)]);
        }
    }
    items
}

/// Whether the run may end at another point than alone without anybody's fault: its user stops it
/// or goes away from it, or a fault may strike it.
fn ends_elsewhere(case: &Case<'_>, person: &UserPlan, number: u16) -> bool {
    let by_step = person
        .steps
        .iter()
        .any(|step| matches!(step, Step::Stop { run } | Step::Abandon { run } if *run == number));
    let faults = case.history.plan.faults.iter().filter(|fault| fault.user == person.name);
    by_step || faults.into_iter().any(|fault| fault.kind != FaultKind::Vanish)
}

fn has_faults(case: &Case<'_>, user: &UserName) -> bool {
    case.history.plan.faults.iter().any(|fault| fault.user == *user)
}
