//! One explored trial from any bytes: a small plan, and a choice for each switch point.

use std::sync::LazyLock;

use super::brute_force::Expected;
use super::bytes::Bytes;
use super::decode::{ByBytes, campaign, plan};
use crate::campaign::explore_trial::{Trial, explore_trial, replay_trial};
use crate::oracle::{Case, Judged, judge};
use crate::reference::call_sites::Migration;
use crate::swarm::transport::ReferenceSubject;
use crate::trial::canary::Scanner;
use crate::trial::dialect::Dialect;
use crate::trial::finding::OracleId;
use crate::trial::history::{Ending, History};
use crate::trial::plan::Plan;
use crate::trial::target::Reference;
use crate::world::strategy::Mode;

/// Drives the input against the per-request back end.
///
/// # Panics
///
/// If anything is found, the canary oracle and the brute-force judge differ, the trial does not come
/// to its end, or its strict replay gives other bytes.
pub fn trial(data: &[u8]) {
    let (history, judged) = driven(data, Migration::ALL);
    let found: Vec<String> = judged.findings.iter().map(|finding| finding.summary()).collect();
    assert!(found.is_empty(), "{found:?} in\n{}", history.body());
}

/// Drives the same trial against the legacy back end, and tells whether another user's canary was
/// seen there.
///
/// # Panics
///
/// As [`trial`], but that findings are welcome.
pub fn leaks_on_legacy(data: &[u8]) -> bool {
    let (history, _) = driven(data, Migration::NONE);
    Expected::in_history(&history).leaked()
}

fn driven(data: &[u8], migration: Migration) -> (History, Judged) {
    let mut bytes = Bytes::new(data);
    let plan = plan(&mut bytes);
    let trial = explore_trial(
        &plan,
        &ReferenceSubject(Reference::from(migration)),
        &mut ByBytes(bytes),
        &|| false,
    )
    .expect("a fuzz target runs outside any runtime");
    let history = &trial.history;
    assert_eq!(history.ending, Some(Ending::Finished), "in\n{}", history.body());
    replays(&plan, migration, &trial);
    // All inputs are of one campaign, and making its scanner takes longer than a small trial.
    static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(campaign()));
    let judged = judge(&Case::with_scanner(history, &Dialect::reference(), &SCANNER));
    let row = judged.rows.iter().find(|(oracle, ..)| *oracle == OracleId::Canary);
    let items = row.expect("the canary oracle has a row").1;
    let by_oracle = Expected::of_oracle(&judged.findings, &judged.path_hits, items);
    let by_search = Expected::in_history(history);
    assert_eq!(by_oracle, by_search, "oracle and plain search, in\n{}", history.body());
    (trial.history, judged)
}

fn replays(plan: &Plan, migration: Migration, trial: &Trial) {
    let again = replay_trial(
        plan,
        &ReferenceSubject(Reference::from(migration)),
        &trial.schedule,
        Mode::Strict,
        &|| false,
    )
    .expect("a fuzz target runs outside any runtime");
    assert_eq!(again.schedule, trial.schedule, "the replay deviates elsewhere");
    assert_eq!(again.history.body(), trial.history.body(), "the replay gives other bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often of a hundred random inputs the legacy back end leaks; what never leaks could not
    /// show that the other form is clean.
    #[test]
    fn random_inputs_are_clean_per_request_and_often_leak_on_legacy() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut leaks = 0;
        for _ in 0..100 {
            let data: Vec<u8> = (0..200).map(|_| rng.u8(..)).collect();
            trial(&data);
            leaks += u32::from(leaks_on_legacy(&data));
        }
        assert!(leaks >= 10, "only {leaks} of 100 leaked on the legacy back end");
    }
}
