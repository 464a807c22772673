//! The judge control: recorded bytes are altered before they are decoded, and the oracle that must
//! see it is asked again. A judge that misses one of its own plants proves nothing by its silence.

use std::collections::BTreeSet;

use super::case::Case;
pub use super::edits::{Alteration, Edit, Expected, altered};
use super::judge::{all, judge_with};
use super::oracle::Oracle;
use super::solo::Solos;
use partywall_core::canary::Scanner;
use partywall_core::control::Tally;
use partywall_core::dialect::Dialect;
use partywall_core::finding::{Finding, FindingKind};
use partywall_core::history::History;
use partywall_core::ids::UserName;

/// Plants every alteration of every oracle, one at a time, and counts those that are caught: by the
/// expected oracle, as the expected kind, between the expected users, and not found before.
pub fn judge_control(history: &History, dialect: &Dialect, seed: u64) -> Tally {
    judge_control_beside(&all(), history, dialect, None, seed)
}

/// The same for these oracles.
pub fn judge_control_with(
    oracles: &[&dyn Oracle],
    history: &History,
    dialect: &Dialect,
    seed: u64,
) -> Tally {
    judge_control_beside(oracles, history, dialect, None, seed)
}

/// The same beside what each user gets alone.
pub fn judge_control_beside(
    oracles: &[&dyn Oracle],
    history: &History,
    dialect: &Dialect,
    solos: Option<&Solos>,
    seed: u64,
) -> Tally {
    let scanner = Scanner::new(history.plan.campaign);
    let case = Case::with_scanner(history, dialect, &scanner).beside(solos);
    let mut tally = Tally::default();
    for oracle in oracles {
        // A seed for each, so that one oracle's alterations do not depend on another's.
        let mut rng = fastrand::Rng::with_seed(seed ^ ((oracle.id() as u64 + 1) << 56));
        let before = judge_with(&[*oracle], &case).findings;
        let before: BTreeSet<_> = before.iter().map(identity).collect();
        for alteration in oracle.alterations(&case, &mut rng) {
            let altered = altered(history, &alteration.edits);
            let case = Case::with_scanner(&altered, dialect, &scanner).beside(solos);
            let after = judge_with(&[*oracle], &case).findings;
            let caught = after.iter().any(|finding| {
                alteration.expected.fits(finding) && !before.contains(&identity(finding))
            });
            tally.count(caught, || format!("{}: {}", oracle.id(), alteration.what));
        }
    }
    tally
}

/// What tells findings of one oracle apart, but for the numbers of the observations: alterations
/// shift them.
fn identity(finding: &Finding) -> (FindingKind, &UserName, Option<u16>, &UserName, &str, &str) {
    let Finding { kind, victim, victim_run, observer, .. } = finding;
    (*kind, victim, *victim_run, observer, &finding.victim_operation, &finding.observer_operation)
}
