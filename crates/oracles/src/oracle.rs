//! What an oracle is, and what it comes to.

use super::case::Case;
use super::edits::Alteration;
use partywall_core::finding::{OracleId, Suspect};
use partywall_core::record::Rule;

/// One property of a history: a value in the list of [`all`](super::all).
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    /// Which oracle it is.
    pub id: OracleId,
    /// What it looks for, in one line.
    pub short: &'static str,
    /// What it means when it fires.
    pub meaning: &'static str,
    /// What it needs to be able to judge.
    pub precondition: &'static str,
    /// What to check next.
    pub next: &'static str,
    /// Judges the history. Called once for each trial; pure.
    pub judge: fn(&Case<'_>) -> Judgement,
    /// Alterations of the history that this oracle must catch, at positions that are drawn. Called
    /// by the judge control, with what was found in the unaltered history; none where the history
    /// has nothing to alter, or is found guilty already of all that could be planted.
    pub alterations: fn(&Case<'_>, &[Suspect], &mut fastrand::Rng) -> Vec<Alteration>,
}

impl Oracle {
    /// What it looks for, for people; feeds `explain`, the SARIF rules and the docs.
    pub fn help(&self) -> Rule {
        Rule {
            oracle: self.id,
            short: self.short.into(),
            meaning: self.meaning.into(),
            precondition: self.precondition.into(),
            next: self.next.into(),
        }
    }
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
    pub(crate) fn new(suspects: Vec<Suspect>, judged_items: u64, otherwise: &str) -> Self {
        let blind = (judged_items == 0 && suspects.is_empty()).then(|| otherwise.to_owned());
        Self { suspects, judged_items, blind }
    }
}
