//! The chain of causes of a finding, from what the back end reported of itself.

use partywall_core::finding::Finding;
use partywall_core::history::{History, Note};
use partywall_core::ids::{RunId, UserName};

/// The chain in sentences, in order; empty where the back end reported nothing that explains it.
///
/// It looks for an agent that was built for one of the two users from settings that were made for
/// the other: configured for A, reconfigured for B, used by A.
pub(super) fn chain(history: &History, finding: &Finding) -> Vec<String> {
    let notes = || {
        let observations = history.observations.iter();
        observations.filter_map(|observation| Some((observation.n, observation.what.note()?)))
    };
    let Some(mixed) = notes().find_map(|(n, note)| Mixed::of(n, note, finding)) else {
        return Vec::new();
    };
    // The last time before the mix-up that the factory was configured for that user.
    let configured = |user: &UserName, run: Option<&RunId>| {
        let for_user = |note: &Note| {
            matches!(note, Note::Configured { factory, user: by, run: of }
                if factory == mixed.factory && by == user && run.is_none_or(|run| run == of))
        };
        notes().take_while(|(n, _)| *n < mixed.n).filter(|(_, note)| for_user(note)).last()
    };
    let mut chain = Vec::new();
    let factory = mixed.factory;
    if let Some((n, _)) = configured(mixed.user, Some(mixed.run)) {
        chain.push(format!(
            "the {factory} factory was configured for {} ({}) at observation {n}",
            mixed.user, mixed.run
        ));
    }
    if let Some(settings) = mixed.settings_of
        && let Some((n, Note::Configured { run, .. })) = configured(settings, None)
    {
        chain.push(format!("it was reconfigured for {settings} ({run}) at observation {n}"));
    }
    let whose = match mixed.settings_of {
        Some(settings) => format!("bridge and settings of {settings}"),
        None => "bridge and settings of start-up".to_owned(),
    };
    chain.push(format!(
        "the {} of {} ({}) was built from it at observation {}, with {whose}",
        mixed.agent, mixed.user, mixed.run, mixed.n
    ));
    chain
}

/// The mechanism that a chain tells of: each chain is of the one that this file knows.
pub(super) fn mechanism(chain: &[String]) -> Option<String> {
    (!chain.is_empty()).then(|| {
        "a process-wide instance that every request reconfigures and then uses across switch \
         points: the last writer wins (M05, M07)"
            .to_owned()
    })
}

/// An agent built for one user from settings made for another.
struct Mixed<'n> {
    n: u64,
    factory: &'n str,
    user: &'n UserName,
    run: &'n RunId,
    agent: &'n str,
    settings_of: Option<&'n UserName>,
}

impl<'n> Mixed<'n> {
    fn of(n: u64, note: &'n Note, finding: &Finding) -> Option<Self> {
        let Note::Used { factory, user, run, agent, configured_for } = note else { return None };
        let settings_of = configured_for.as_ref();
        let (victim, observer) = (&finding.victim, &finding.observer);
        let explains = if victim == observer {
            user == victim && settings_of != Some(user)
        } else {
            (user == victim && settings_of == Some(observer))
                || (user == observer && settings_of == Some(victim))
        };
        explains.then_some(Self { n, factory, user, run, agent, settings_of })
    }
}
