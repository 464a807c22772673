//! The judge control: recorded bytes are altered before they are decoded, and the oracle that must
//! see it is asked again. A judge that misses one of its own plants proves nothing by its silence.

use super::case::Case;
pub use super::edits::{Alteration, Edit, altered};
use super::judge::all;
use super::oracle::Oracle;
use super::solo::Solos;
use partywall_core::canary::Scanner;
use partywall_core::control::Tally;
use partywall_core::dialect::Dialect;
use partywall_core::finding::Suspect;
use partywall_core::history::History;

/// Plants every alteration of every oracle, one at a time, and counts those that are caught: by the
/// expected oracle, as the expected kind, between the expected users, and not found before.
pub fn judge_control(history: &History, dialect: &Dialect, seed: u64) -> Tally {
    judge_control_beside(&all(), history, dialect, None, seed)
}

/// The same for these oracles, beside what each user gets alone.
pub fn judge_control_beside(
    oracles: &[&Oracle],
    history: &History,
    dialect: &Dialect,
    solos: Option<&Solos>,
    seed: u64,
) -> Tally {
    let scanner = Scanner::new(history.plan.campaign);
    let case = Case::with_scanner(history, dialect, &scanner).beside(solos);
    let mut tally = Tally::default();
    for &Oracle { id, judge, alterations, .. } in oracles.iter().copied() {
        // A seed for each, so that one oracle's alterations do not depend on another's.
        let mut rng = fastrand::Rng::with_seed(seed ^ ((id as u64 + 1) << 56));
        let before = judge(&case).suspects;
        for alteration in alterations(&case, &before, &mut rng) {
            let altered = altered(history, &alteration.edits);
            let case = Case::altered(&altered, &case).beside(solos);
            let is_new = |suspect: &Suspect| !before.iter().any(|old| is_same(old, suspect));
            let mut fitting = judge(&case).suspects.into_iter().filter(|s| alteration.fits(s));
            tally.count(fitting.any(|suspect| is_new(&suspect)), || {
                format!("{id}: {}", alteration.what)
            });
        }
    }
    tally
}

/// Whether they are the same but for the numbers of the observations: alterations shift them.
fn is_same(one: &Suspect, other: &Suspect) -> bool {
    let Suspect { kind, victim, victim_run, observer, victim_operation, .. } = one;
    (kind, victim, victim_run) == (&other.kind, &other.victim, &other.victim_run)
        && (observer, victim_operation) == (&other.observer, &other.victim_operation)
        && one.observer_operation == other.observer_operation
}
