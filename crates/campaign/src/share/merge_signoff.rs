//! The parts of a sign-off as one: the levels are put together before the sides are compared.

use crate::share::merge::{MergedLevel, Own};
use crate::signoff::conclusion::SignedOff;
use crate::signoff::conclusion::{Beside, close};
use partywall_core::record::{CrossCheck, ModelRow, Side};
use partywall_core::replay_result::ReplayResult;
use partywall_core::verdict::Verdict;
use partywall_explore::store::error::{CampaignError, shown};

/// Concludes from the levels of all parts and from what stands beside them.
///
/// # Errors
///
/// The parts checked different models, or a repro of before was not replayed.
pub(crate) fn merge_sign_off(
    parts: &[Own],
    levels: Vec<MergedLevel>,
) -> Result<SignedOff, CampaignError> {
    let cross_checks = cross_checks(parts, &levels)?;
    let mut beside = Beside { cross_checks, ..Beside::default() };
    for own in parts {
        let Some(part) = &own.part.sign_off else { continue };
        if beside.models.is_empty() {
            beside.models.clone_from(&part.models);
            beside.backends.clone_from(&part.backends);
            beside.is_legacy = part.is_legacy;
        }
        if !same_models(&beside.models, &part.models) || beside.is_legacy != part.is_legacy {
            return Err(CampaignError::usage(format!(
                "{}: its models of the kernel came to something else than those of the first \
                 part; merge parts of one build",
                shown(&own.folder)
            )));
        }
        beside.broken.extend(part.broken.iter().cloned());
        // Each part replays all of them: one that still shows something anywhere stands.
        if beside.saved_repros.is_empty() || beside.saved_level.is_none() {
            beside.saved_repros.clone_from(&part.saved_repros);
            beside.saved_level.clone_from(&part.saved_level);
        }
    }
    let [before, after] = ["before", "after"].map(|name| {
        let own = levels.iter().filter(|merged| merged.side == name);
        let levels: Vec<_> = own.map(|merged| merged.level.clone()).collect();
        let backend = beside.backends[usize::from(name == "after")].clone();
        Side { backend, verdict: Verdict::Inconclusive, levels }
    });
    Ok(close([before, after], &[], beside, Vec::new(), None))
}

/// Of each finding of before the check of the part that made it first; and whatever any part found
/// on after, since what one part saw there is not undone by another.
fn cross_checks(parts: &[Own], levels: &[MergedLevel]) -> Result<Vec<CrossCheck>, CampaignError> {
    let of_part =
        |at: usize| parts[at].part.sign_off.iter().flat_map(|beside| &beside.cross_checks);
    let mut checks: Vec<CrossCheck> = Vec::new();
    for merged in levels.iter().filter(|merged| merged.side == "before") {
        for (finding, &at) in merged.level.findings.iter().zip(&merged.origins) {
            let own = of_part(at).find(|check| Some(&check.repro) == finding.repro.as_ref());
            let Some(own) = own else {
                return Err(CampaignError::usage(format!(
                    "{}: a gap: the repro of {} was not replayed on after; drive that part again \
                     to its end",
                    shown(&parts[at].folder),
                    finding.fingerprint
                )));
            };
            checks.push(own.clone());
        }
    }
    let shows =
        |check: &&CrossCheck| check.replay != ReplayResult::Gone || check.findings_around > 0;
    for check in (0..parts.len()).flat_map(of_part).filter(shows) {
        if !checks.contains(check) {
            checks.push(check.clone());
        }
    }
    Ok(checks)
}

/// Whether they are of the same models and came to the same, apart from the time that it took.
fn same_models(one: &[ModelRow], other: &[ModelRow]) -> bool {
    let untimed = |row: &ModelRow| ModelRow { seconds: 0.0, ..row.clone() };
    one.iter().map(untimed).eq(other.iter().map(untimed))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::share::part::Part;
    use partywall_core::control::{Drive, Tally};
    use partywall_core::finding::{About, Finding, FindingKind, Suspect};
    use partywall_core::measure::Partition;
    use partywall_core::record::LevelName;
    use partywall_core::record::SearchMethod;
    use partywall_drive::scenario::built_in;
    use partywall_explore::exploration::level::LevelTally;

    /// A level of before with one finding, which the part at that place made first.
    fn before(origin: usize) -> MergedLevel {
        let work =
            built_in("reference-golden-path").expect("built in").explore.expect("it is explored");
        let tally = LevelTally::new(LevelName::Explore, &work, SearchMethod::RandomWalk, 1);
        let mut level = tally.finish(Tally::default(), Drive::Absent, None);
        let suspect = Suspect {
            kind: FindingKind::Crossing,
            victim: "alice".into(),
            victim_run: Some(1),
            observer: "bob".into(),
            victim_operation: "prompt".into(),
            observer_operation: "websocket".into(),
            evidence: Vec::new(),
            about: About::default(),
        };
        let finding = Finding::new("golden", partywall_core::finding::OracleId::Canary, suspect);
        let mut record = partywall_explore::exploration::level::record_of(&finding, None, 1);
        record.repro = Some("repros/one.json".into());
        level.findings.push(record);
        level.verdict = Verdict::Leaked;
        MergedLevel { side: "before".into(), backend: String::new(), level, origins: vec![origin] }
    }

    fn part(slice: u64, checks: &[(&str, ReplayResult, u64)]) -> Own {
        let check = |(repro, replay, around): &(&str, ReplayResult, u64)| CrossCheck {
            level: LevelName::Explore,
            fingerprint: before(0).level.findings[0].fingerprint.clone(),
            repro: (*repro).into(),
            replay: *replay,
            schedules_around: 10,
            findings_around: *around,
        };
        let cross_checks = checks.iter().map(check).collect();
        let sign_off = Some(Beside { cross_checks, ..Beside::default() });
        let part = Part::new(Partition { slice, of: 2 }, 1, Vec::new(), sign_off);
        Own { part, folder: PathBuf::from(format!("part{slice}")) }
    }

    #[test]
    fn a_finding_has_the_check_of_the_part_that_made_it_first() {
        let parts = [part(1, &[("repros/one.json", ReplayResult::Gone, 0)]), part(2, &[])];
        let checks = cross_checks(&parts, &[before(0)]).expect("it is there");
        assert_eq!(checks.len(), 1);
        // The other part has it too, and there too it is gone.
        let same = [
            part(1, &[("repros/one.json", ReplayResult::Gone, 0)]),
            part(2, &[("repros/one.json", ReplayResult::Gone, 0)]),
        ];
        assert_eq!(cross_checks(&same, &[before(1)]).expect("it is there").len(), 1);
    }

    #[test]
    fn what_one_part_still_sees_on_after_is_not_undone_by_another() {
        for left in
            [("repros/one.json", ReplayResult::Same, 0), ("repros/one.json", ReplayResult::Gone, 2)]
        {
            let parts = [part(1, &[("repros/one.json", ReplayResult::Gone, 0)]), part(2, &[left])];
            let signed = merge_sign_off(&parts, vec![before(0)]).expect("they fit");
            assert_eq!(signed.outcome, partywall_core::verdict::Outcome::StillLeaks, "{left:?}");
        }
    }

    #[test]
    fn a_repro_that_was_not_replayed_is_a_gap() {
        let parts = [part(1, &[]), part(2, &[("repros/one.json", ReplayResult::Gone, 0)])];
        let error = cross_checks(&parts, &[before(0)]).expect_err("a gap");
        assert!(error.to_string().contains("`part1`: a gap"), "{error}");
    }
}
