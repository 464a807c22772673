//! O2: every id on a client's wire belongs to that client.

use super::alter;
use super::case::Case;
use super::keys::ByName;
use super::message::Message;
use super::oracle::{Judgement, Oracle};
use super::private;
use super::run_facts::RunFacts;
use super::shown_names;
use super::suspects::{Suspects, crossing, shows};
use partywall_core::finding::{About, OracleId};

/// Users are known by the plan's names, runs and connections by whom the back end gave them to.
/// An id that nobody is known to own accuses nobody.
pub(super) const OWNERSHIP: Oracle = Oracle {
    id: OracleId::Ownership,
    short: "Every id on a client's wire belongs to that client.",
    meaning: "A message for one user, or about one user's run, came to another; or the back \
        end gave two users the same run or connection id; or what the scenario calls one \
        user's alone (a session, a token), or a user's name, was shown to another.",
    precondition: "Messages name their user as the plan does, or the back end tells which \
        run id belongs to which request, or it greets connections with an id, \
        or the scenario captures what is private, or users' names come back to them.",
    next: "Ask by which key the message found its connection, and whether that key can be \
        the same for two users.",
    judge,
    alterations: alter::ids,
};

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let mut items = 0;
    let mut greeted = ByName::new(case.history.plan.campaign);
    for (at, message) in case.messages.iter().enumerate() {
        items += user_id(case, message, &mut suspects);
        items += run_id(case, message, &mut suspects);
        if let Some(id) = case.greeted(message) {
            items += 1;
            let first = greeted.get_or_add(id.into(), |_| at);
            connection_id(&case.messages[first], message, &mut suspects);
        }
    }
    given_twice(case, &mut suspects);
    items += private::judge(case, &mut suspects);
    items += shown_names::judge(case, &mut suspects);
    Judgement::new(
        suspects.finish(),
        items,
        "no message carried a user, run or connection id whose owner is known",
    )
}

fn user_id(case: &Case<'_>, message: &Message<'_>, suspects: &mut Suspects) -> u64 {
    if message.names_observer {
        return case.knows_observer(message).into();
    }
    let Some(named) = case.user(message).and_then(|user| case.person(user)) else { return 0 };
    if !case.tells_its_user(message) {
        return 0;
    }
    let (victim, observer) = (&named.name, message.observer);
    let (between, place) = ((victim, observer), &case.dialect.user);
    if victim != observer && !case.is_shared_pointer(message.at(), between, place) {
        let evidence =
            vec![shows(message.n, format!("{observer} receives a message for {victim}"))];
        suspects.add(crossing(
            (victim, None),
            "user id",
            observer,
            message.channel.as_str(),
            evidence,
        ));
    }
    1
}

fn run_id(case: &Case<'_>, message: &Message<'_>, suspects: &mut Suspects) -> u64 {
    let told = |facts: &&RunFacts<'_>| facts.user_told && !facts.made_up;
    let Some(facts) = case.facts(message).filter(told) else { return 0 };
    let (Some(victim), observer) = (facts.user, message.observer) else { return 0 };
    let shared = || case.is_shared_pointer(message.at(), (victim, observer), &case.dialect.run);
    if !facts.may_be_of(observer) && !case.named.may_echo(message, &facts.id) && !shared() {
        let run = facts.run.filter(|_| facts.run_told);
        let mut evidence: Vec<_> = facts
            .given
            .map(|(n, user)| shows(n, format!("the run id is given to {user}")))
            .into_iter()
            .collect();
        evidence.push(shows(message.n, format!("{observer} receives a message of {victim}'s run")));
        let operation = format!("run id of {}", case.run_kind(victim, run));
        suspects.add(crossing(
            (victim, run),
            operation,
            observer,
            message.channel.as_str(),
            evidence,
        ));
    }
    1
}

fn connection_id(first: &Message<'_>, message: &Message<'_>, suspects: &mut Suspects) {
    // A user who comes back may be given their old connection again.
    let (victim, observer) = (first.observer, message.observer);
    if victim != observer {
        let evidence = vec![
            shows(first.n, format!("{victim} is greeted with a connection id")),
            shows(message.n, format!("{observer} is greeted with the same connection id")),
        ];
        suspects.add(crossing(
            (victim, None),
            "connection id",
            observer,
            message.channel.as_str(),
            evidence,
        ));
    }
}

fn given_twice(case: &Case<'_>, suspects: &mut Suspects) {
    for facts in &case.runs {
        let Some((first, victim)) = facts.given else { continue };
        for (n, observer) in &facts.given_again {
            let message = case.messages.binary_search_by_key(n, |message| message.n);
            let Ok(message) = message.map(|at| &case.messages[at]) else { continue };
            // Nobody received an id that was made up here, nor one that merely names another user.
            if facts.made_up || message.observer != *observer {
                continue;
            }
            let run = facts.run.filter(|_| facts.run_told && facts.user == Some(victim));
            let evidence = vec![
                shows(first, format!("the run id is given to {victim}")),
                shows(*n, format!("the same run id is given to {observer}")),
            ];
            let operation = format!("run id of {}", case.run_kind(victim, run));
            let seen_on = message.channel.as_str();
            let suspect = crossing((victim, run), operation, observer, seen_on, evidence);
            suspects.add(suspect.about(About::SharedRunId));
        }
    }
}
