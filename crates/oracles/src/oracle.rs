//! What an oracle is, and what it comes to.

use super::case::Case;
use super::edits::Alteration;
use partywall_core::finding::{OracleId, Suspect};
use partywall_core::record::Rule;

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
    pub(crate) fn new(suspects: Vec<Suspect>, judged_items: u64, otherwise: &str) -> Self {
        let blind = (judged_items == 0 && suspects.is_empty()).then(|| otherwise.to_owned());
        Self { suspects, judged_items, blind }
    }
}
