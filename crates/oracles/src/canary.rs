//! O1: no canary of another user is seen.

use super::case::Case;
use super::oracle::{Judgement, Oracle};
use super::plant;
use super::seen::{EARLIER, Seen, Trace, is_of_other_campaign};
use super::suspects::{self, Suspects, shows};
use partywall_core::canary::{Owner, PHANTOM_USER};
use partywall_core::finding::{Evidence, FindingKind, OracleId, Suspect};
use partywall_core::ids::UserName;

/// A canary names its owner, so that whoever sees a foreign one has proof in hand. The phantom's
/// belong to nobody and are the path control's matter.
pub(super) const CANARY: Oracle = Oracle {
    id: OracleId::Canary,
    short: "No canary of another user is seen.",
    meaning: "A text that the campaign planted in one user's prompt, settings or documents \
        came to another user: their data crossed.",
    precondition: "The back end sends some of what a user gave it back to that user; where \
        no canary ever comes back to its owner, nothing would be seen.",
    next: "Look at the first observation where it was seen, and ask who chose that \
        connection, cache entry or context for it.",
    judge,
    alterations: |case, _, rng| plant::canaries(case, rng),
};

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let mut items = 0;
    let mut came_home = false;
    for seen in case.seen.iter().filter(|seen| seen.owner.user != PHANTOM_USER) {
        items += 1;
        if case.is_own(seen.owner, seen.observer) {
            came_home = true;
        } else if !case.is_shared_canary(seen) {
            suspects.add(crossing(case, seen));
        }
    }
    for trace in &case.traces {
        items += 1;
        suspects.add(cut_short(case, trace));
    }
    let suspects = suspects.finish();
    let blind = (!came_home && suspects.is_empty())
        .then(|| "no canary came back to its own user, so a foreign one would not show".into());
    Judgement { suspects, judged_items: items, blind }
}

fn crossing(case: &Case<'_>, seen: &Seen) -> Suspect {
    let Owner { user, run, field } = seen.owner;
    let (victim, operation) = match case.person_at(user) {
        Some(person) if is_of_other_campaign(seen.owner) => {
            (person.name.clone(), "a run of an earlier campaign")
        }
        Some(person) if run == EARLIER => (person.name.clone(), "a run of an earlier round"),
        Some(person) => (person.name.clone(), case.run_kind(&person.name, Some(run))),
        // Campaigns count their users through all trials, so it is of an earlier or a parallel one.
        None if is_of_other_campaign(seen.owner) => {
            (UserName::new("a user of an earlier campaign"), "a run of an earlier campaign")
        }
        None => (UserName::new(format!("user #{user} of this campaign")), "a run of another trial"),
    };
    let evidence = evidence(case, seen, &victim);
    let (victim, operation) =
        ((&victim, (run != EARLIER).then_some(run)), format!("{field} of {operation}"));
    suspects::crossing(victim, operation, seen.observer, seen.channel.as_str(), evidence)
}

/// The beginning of a canary.
fn cut_short(case: &Case<'_>, trace: &Trace<'_>) -> Suspect {
    let Trace { seen, is_ambiguous } = trace;
    let victim = case.person_at(seen.owner.user).map(|person| &person.name);
    let victim = victim.cloned().unwrap_or_else(|| UserName::new("a user of this campaign"));
    let observer = seen.observer;
    let (kind, text) = match is_ambiguous {
        true => (
            FindingKind::Ambiguous,
            format!("{observer} receives the beginning of a canary that several users share"),
        ),
        false => (
            FindingKind::Crossing,
            format!("{observer} receives the beginning of a canary of {victim}"),
        ),
    };
    let evidence = vec![shows(seen.n, text)];
    let operation = "a canary that is cut short";
    let seen_on = seen.channel.as_str();
    let suspect = suspects::crossing((&victim, None), operation, observer, seen_on, evidence);
    Suspect { kind, ..suspect }
}

fn evidence(case: &Case<'_>, seen: &Seen, victim: &UserName) -> Vec<Evidence> {
    let Owner { run, field, .. } = seen.owner;
    let observer = seen.observer;
    let mut evidence = Vec::with_capacity(3);
    if let Some(start) = case.start_of(victim, run) {
        evidence.push(shows(start.n, format!("{victim} starts run {run}")));
    }
    let canary = match run {
        EARLIER if is_of_other_campaign(seen.owner) => {
            format!("the {field} canary of a run of {victim} in an earlier campaign")
        }
        EARLIER => format!("the {field} canary of a run of {victim} in an earlier round"),
        _ => format!("the {field} canary of {victim}'s run {run}"),
    };
    if seen.from != seen.n {
        evidence.push(shows(seen.from, format!("{observer} receives the beginning of {canary}")));
    }
    evidence.push(shows(seen.n, format!("{observer} receives {canary}")));
    evidence
}
