//! O8: every call upstream is made as whoever it is made for.

use super::case::Case;
use super::edits::{Alteration, Edit, Expected};
use super::oracle::{Judgement, Oracle};
use super::seen::EARLIER;
use super::suspects::{Suspects, shows};
use super::upstream_calls::UpstreamCall;
use partywall_core::canary::{Owner, PHANTOM_USER};
use partywall_core::finding::{FindingKind, OracleId, Suspect};
use partywall_core::history::{Note, What};
use partywall_core::ids::UserName;
use partywall_core::record::Rule;

/// A reply may look right although it was asked for under another user's account; only the log of
/// the upstream shows it.
#[derive(Debug)]
pub(super) struct Attribution;

impl Oracle for Attribution {
    fn id(&self) -> OracleId {
        OracleId::Attribution
    }

    fn help(&self) -> Rule {
        Rule {
            oracle: self.id(),
            short: "Every call upstream is made as whoever it is made for.".into(),
            meaning: "The model or a tool was asked under one user's account for another user, or \
                      with another user's text or settings."
                .into(),
            precondition:
                "The upstream is partywall's and logs under which account it was asked; an \
                           account that users share tells nothing."
                    .into(),
            next: "Look where the identity of the call comes from: a shared client, a setting of \
                   the process, a context that another request has set."
                .into(),
        }
    }

    fn judge(&self, case: &Case<'_>) -> Judgement {
        let mut suspects = Suspects::default();
        let mut items = 0;
        for asked in &case.upstream {
            if case.person(asked.credential.as_str()).is_none() {
                // The account of the service, or one that nobody was told of: not another user's.
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

    fn alterations(&self, case: &Case<'_>, rng: &mut fastrand::Rng) -> Vec<Alteration> {
        let known = self.judge(case).suspects;
        let candidates: Vec<_> = case
            .upstream
            .iter()
            .filter_map(|asked| {
                let owner = asked.owners.iter().find(|owner| owner.user != PHANTOM_USER)?;
                let victim = &case.person_at(owner.user)?.name;
                let users = &case.history.plan.users;
                let other = users.iter().find(|user| user.name != *victim)?;
                let new = known
                    .iter()
                    .all(|known| (&known.victim, &known.observer) != (victim, &other.name));
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
            expected: Expected {
                oracle: self.id(),
                kind: FindingKind::Crossing,
                victim: (*victim).clone(),
                observer: (*other).clone(),
            },
        }]
    }
}

fn suspect(asked: &UpstreamCall, victim: &UserName, operation: String, shown: String) -> Suspect {
    Suspect {
        kind: FindingKind::Crossing,
        victim: victim.clone(),
        victim_run: None,
        observer: asked.credential.clone(),
        victim_operation: operation,
        observer_operation: asked.service.into(),
        evidence: vec![shows(asked.n, shown)],
    }
}

/// What one user gave, asked about under another's account.
fn foreign_text(case: &Case<'_>, asked: &UpstreamCall, owner: Owner, suspects: &mut Suspects) {
    let Some(person) = case.person_at(owner.user) else { return };
    // An account of the back end itself is nobody's: it says nothing about whom a call is for.
    if person.name == asked.credential || case.person(asked.credential.as_str()).is_none() {
        return;
    }
    let (field, run) = (owner.field, owner.run);
    let (kind, of) = match run {
        EARLIER => ("a run of an earlier round", "run of an earlier round".to_owned()),
        run => (case.run_kind(&person.name, Some(run)), format!("run {run}")),
    };
    let shown = format!(
        "the {field} canary of {}'s {of} goes upstream under the account of {}",
        person.name, asked.credential
    );
    let found = suspect(asked, &person.name, format!("{field} of {kind}"), shown);
    suspects.add(Suspect { victim_run: (run != EARLIER).then_some(run), ..found });
}

/// A call for one user's run under another's account.
fn foreign_run(case: &Case<'_>, asked: &UpstreamCall, suspects: &mut Suspects) {
    let Some((owner, run)) = case.run_owner(asked.run.as_str()) else { return };
    if *owner != asked.credential {
        let shown =
            format!("a call for {owner}'s run is made under the account of {}", asked.credential);
        let operation = format!("account of {}", case.run_kind(owner, run));
        suspects.add(suspect(asked, owner, operation, shown));
    }
}
