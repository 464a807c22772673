//! O8: every call upstream is made as whoever it is made for.

use super::case::Case;
use super::edits::{Alteration, Edit};
use super::oracle::{Judgement, Oracle};
use super::seen::EARLIER;
use super::suspects::{Suspects, crossing, shows};
use super::upstream_calls::UpstreamCall;
use partywall_core::canary::{Field, Owner, PHANTOM_USER};
use partywall_core::finding::{About, FindingKind, OracleId, Suspect};
use partywall_core::history::{Note, What};

/// A reply may look right although it was asked for under another user's account; only the log of
/// the upstream shows it.
pub(super) const ATTRIBUTION: Oracle = Oracle {
    id: OracleId::Attribution,
    short: "Every call upstream is made as whoever it is made for.",
    meaning: "The model or a tool was asked under one user's account for another user, or \
        with another user's text or settings.",
    precondition: "The upstream is partywall's and logs under which account it was asked; an \
        account that users share tells nothing.",
    next: "Look where the identity of the call comes from: a shared client, a setting of \
        the process, a context that another request has set.",
    judge,
    alterations,
};

fn judge(case: &Case<'_>) -> Judgement {
    let mut suspects = Suspects::default();
    let mut items = 0;
    for asked in &case.upstream {
        if case.person(asked.credential.as_str()).is_none() {
            // An account of the back end itself, or one that nobody was told of, is nobody's: it says
            // nothing about whom a call is for.
            continue;
        }
        items += 1;
        for owner in asked.owners.iter().filter(|owner| owner.user != PHANTOM_USER) {
            foreign_text(case, asked, *owner, &mut suspects);
        }
        foreign_run(case, asked, &mut suspects);
    }
    let blind = match case.upstream.is_empty() {
        true => "the upstream logged no call",
        false => "the upstream was asked under no simulated user's account",
    };
    Judgement::new(suspects.finish(), items, blind)
}

fn alterations(case: &Case<'_>, known: &[Suspect], rng: &mut fastrand::Rng) -> Vec<Alteration> {
    let candidates: Vec<_> = case
        .upstream
        .iter()
        .filter_map(|asked| {
            let owner = asked.owners.iter().find(|owner| owner.user != PHANTOM_USER)?;
            let victim = &case.person_at(owner.user)?.name;
            let users = &case.history.plan.users;
            let other = users.iter().find(|user| user.name != *victim)?;
            let new =
                known.iter().all(|known| (&known.victim, &known.observer) != (victim, &other.name));
            (new && *victim == asked.credential).then_some((asked, victim, &other.name))
        })
        .collect();
    let Some((asked, victim, other)) = rng.choice(&candidates) else { return Vec::new() };
    let mut what = case.history.observations[asked.at].what.clone();
    if let What::Backend { note } = &mut what
        && let Note::Upstream { credential, .. } = &mut **note
    {
        *credential = (*other).clone();
    }
    vec![Alteration {
        what: format!("a call of {victim} under the account of {other}"),
        edits: vec![Edit::Replace { at: asked.at, what }],
        kind: FindingKind::Crossing,
        victim: (*victim).clone(),
        observer: (*other).clone(),
    }]
}

/// What one user gave, asked about under another's account.
fn foreign_text(case: &Case<'_>, asked: &UpstreamCall, owner: Owner, suspects: &mut Suspects) {
    let person = case.person_at(owner.user).filter(|person| person.name != asked.credential);
    let Some(person) = person else { return };
    let (field, run) = (owner.field, owner.run);
    let (kind, of) = match run {
        EARLIER => ("a run of an earlier round", "run of an earlier round".to_owned()),
        run => (case.run_kind(&person.name, Some(run)), format!("run {run}")),
    };
    let shown = format!(
        "the {field} canary of {}'s {of} goes upstream under the account of {}",
        person.name, asked.credential
    );
    let victim = (&person.name, (run != EARLIER).then_some(run));
    let (operation, evidence) = (format!("{field} of {kind}"), vec![shows(asked.n, shown)]);
    let about = if field == Field::Prompt { About::Prompt } else { About::Other };
    let suspect = crossing(victim, operation, &asked.credential, asked.service, evidence);
    suspects.add(suspect.about(about));
}

/// A call for one user's run under another's account.
fn foreign_run(case: &Case<'_>, asked: &UpstreamCall, suspects: &mut Suspects) {
    let Some((owner, run)) = case.run_owner(asked.run.as_str()) else { return };
    if *owner != asked.credential {
        let shown =
            format!("a call for {owner}'s run is made under the account of {}", asked.credential);
        let operation = format!("account of {}", case.run_kind(owner, run));
        let evidence = vec![shows(asked.n, shown)];
        let (victim, observer) = ((owner, None), &asked.credential);
        let suspect = crossing(victim, operation, observer, asked.service, evidence);
        suspects.add(suspect.about(About::Account));
    }
}
