//! The oracles: each is a pure function from a history to findings, one property a file.
//!
//! A history is decoded once, into a [`Case`]; every oracle judges that. A finding must be proved:
//! where an oracle cannot tell a fault from something legal, it says nothing, and where it cannot
//! say anything at all, it says that it is blind. [`control`] shows that they would have seen it.
//!
//! # What none of them sees
//!
//! What never comes to a simulated user: a wrong identity at an upstream that does not log, a wrong
//! value that is stored and not read back, another number in one's own text.

mod after_close;
mod alter;
mod at_rest;
mod attribution;
mod binding;
mod by_run;
mod canary;
pub mod case;
mod completeness;
pub mod control;
mod control_effect;
mod course;
mod decode;
mod duplicates;
mod fields;
mod keys;
pub mod latent;
mod leaves;
mod lines;
pub mod message;
mod named;
mod non_interference;
mod normal;
#[doc(hidden)]
pub mod notation;
mod orderly;
mod ownership;
mod plant;
mod private;
pub mod runs;
pub mod seen;
mod sequence;
mod solo;
mod starts;
mod stop_and_approve;
mod suspects;
mod texts;

use partywall_core::canary::PHANTOM_USER;
use partywall_core::control::phantom_owner;
use partywall_core::finding::{Finding, OracleId, Suspect};
use partywall_core::plan::Via;
use partywall_core::record::Rule;

pub use case::Case;
pub use control::{Alteration, Expected, judge_control};
pub use message::{Channel, Message};
pub use solo::Solos;

/// One property of a history.
pub trait Oracle: Sync {
    /// Which oracle it is.
    fn id(&self) -> OracleId;

    /// What it looks for, for people; feeds `explain`, the SARIF rules and the docs.
    fn help(&self) -> Rule;

    /// Judges the history. Called once for each trial; pure.
    fn judge(&self, case: &Case<'_>) -> Judgement;

    /// Alterations of the history that this oracle must catch, at positions that `rng` draws.
    /// Called by the judge control; none where the history has nothing to alter, or is found
    /// guilty already of all that could be planted.
    fn alterations(&self, case: &Case<'_>, rng: &mut fastrand::Rng) -> Vec<Alteration>;
}

/// What one oracle came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What it found.
    pub suspects: Vec<Suspect>,
    /// How much it looked at: canaries, ids, events.
    pub judged_items: u64,
    /// Why its precondition does not hold, if it does not.
    pub blind: Option<String>,
}

impl Judgement {
    /// A judgement that is blind, for that reason, if it looked at nothing and found nothing.
    fn new(suspects: Vec<Suspect>, judged_items: u64, otherwise: &str) -> Self {
        let blind = (judged_items == 0 && suspects.is_empty()).then(|| otherwise.to_owned());
        Self { suspects, judged_items, blind }
    }
}

/// All oracles, in the order of [`OracleId::ALL`].
pub fn all() -> [&'static dyn Oracle; 10] {
    OracleId::ALL.map(of)
}

/// The oracle of that number.
pub fn of(id: OracleId) -> &'static dyn Oracle {
    match id {
        OracleId::Canary => &canary::Canary,
        OracleId::Ownership => &ownership::Ownership,
        OracleId::Completeness => &completeness::Completeness,
        OracleId::Duplicates => &duplicates::Duplicates,
        OracleId::NonInterference => &non_interference::NonInterference,
        OracleId::AfterClose => &after_close::AfterClose,
        OracleId::Binding => &binding::Binding,
        OracleId::Attribution => &attribution::Attribution,
        OracleId::ControlEffect => &control_effect::ControlEffect,
        OracleId::AtRest => &at_rest::AtRest,
    }
}

/// What all oracles came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What they found, oracle by oracle.
    pub findings: Vec<Finding>,
    /// The kinds of run through which a phantom's canary came back; sorted, each once.
    pub path_hits: Vec<Via>,
    /// For each oracle how much it looked at, and why it was blind.
    pub rows: Vec<(OracleId, u64, Option<String>)>,
    /// Inbound event-connection messages that are no JSON object with a type.
    pub malformed: u64,
}

/// Lets every oracle judge.
pub fn judge(case: &Case<'_>) -> Judged {
    judge_with(&all(), case)
}

/// Lets these oracles judge.
pub fn judge_with(oracles: &[&dyn Oracle], case: &Case<'_>) -> Judged {
    let mut findings = Vec::new();
    let mut rows = Vec::with_capacity(oracles.len());
    for oracle in oracles {
        let Judgement { suspects, judged_items, blind } = oracle.judge(case);
        let scenario = &case.history.plan.scenario;
        let found = suspects.into_iter();
        findings.extend(found.map(|suspect| Finding::new(scenario, oracle.id(), suspect)));
        rows.push((oracle.id(), judged_items, blind));
    }
    Judged { findings, path_hits: path_hits(case), rows, malformed: case.malformed }
}

fn path_hits(case: &Case<'_>) -> Vec<Via> {
    let came_back = |via: &Via| {
        let phantom = phantom_owner(*via);
        case.seen.iter().any(|seen| seen.owner.user == PHANTOM_USER && seen.owner == phantom)
    };
    Via::ALL.into_iter().filter(came_back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_whole_and_each_member_explains_itself() {
        for (id, oracle) in OracleId::ALL.into_iter().zip(all()) {
            assert_eq!(oracle.id(), id);
            let Rule { oracle, short, meaning, precondition, next } = oracle.help();
            assert_eq!(oracle, id);
            for text in [short, meaning, precondition, next] {
                assert!(text.ends_with('.') && !text.contains('\n'), "{id}: {text}");
            }
        }
    }
}
