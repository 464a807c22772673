//! What a sign-off comes to: what `fixed` takes, and what speaks against it.

use serde::{Deserialize, Serialize};

use crate::signoff::doubts::{Checked, doubts, level_name, was_away};
use crate::signoff::effort::compare;
use crate::signoff::models::model_level;
use partywall_core::control::Drive;
use partywall_core::record::{Comparison, CrossCheck, Level, ModelRow, SavedRepro, Side};
use partywall_core::replay_result::ReplayResult;
use partywall_core::verdict::{Outcome, Reason, ReasonCode, Verdict};
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::repro::Repro;
use partywall_oracles::left::Left;

/// What a sign-off came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedOff {
    /// The verdict.
    pub outcome: Outcome,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The side that must leak.
    pub before: Side,
    /// The side that must not.
    pub after: Side,
    /// Before's repros replayed on after.
    pub cross_checks: Vec<CrossCheck>,
    /// The models of the kernel.
    pub models: Vec<ModelRow>,
    /// What after reached of before.
    pub comparison: Vec<Comparison>,
    /// What the saved repros came to on after.
    pub saved_repros: Vec<SavedRepro>,
    /// The repros of all findings, as they are on disk.
    pub repros: Vec<Repro>,
}

/// What stands beside the levels of a sign-off.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Beside {
    /// What was driven as before, and as after.
    pub(crate) backends: [String; 2],
    /// The models of the kernel, where they were checked.
    pub(crate) models: Vec<ModelRow>,
    /// Whether before and after are the legacy end of the migration, for the models; none where a
    /// side is between its ends, of which they say nothing.
    pub(crate) is_legacy: [Option<bool>; 2],
    /// The saved repros that still show something on after.
    pub(crate) saved_level: Option<Level>,
    /// What each saved repro came to on after.
    pub(crate) saved_repros: Vec<SavedRepro>,
    /// Before's repros replayed on after.
    pub(crate) cross_checks: Vec<CrossCheck>,
    /// What went wrong beside the levels: with any of it nothing is fixed.
    #[serde(default)]
    pub(crate) broken: Vec<Reason>,
}

impl Beside {
    /// The repros of before could not all be replayed on after. Where somebody asked for the end,
    /// that is the reason and no other.
    pub(crate) fn was_not_all_replayed(&mut self, error: Option<&CampaignError>, stop: &Stop) {
        if let (Some(error), None) = (error, stop.reason()) {
            let text = format!("the repros of before could not all be replayed on after: {error}");
            self.broken.push(Reason::new(error.reason_code(), text));
        }
    }

    /// Where repros of before were replayed, after showed what before had left with the wrong user.
    pub(crate) fn found_left(&mut self, left: Option<&Left>) {
        let text =
            |left: &Left| format!("repros of before, replayed on after: {}", left.in_words());
        self.broken.extend(left.map(|left| Reason::new(ReasonCode::LeftInStore, text(left))));
    }

    /// The sums of a part could not be written, so that it cannot be merged.
    pub(crate) fn was_not_written(&mut self, error: Option<&CampaignError>) {
        let reason = |error: &CampaignError| Reason::new(error.reason_code(), error.to_string());
        self.broken.extend(error.map(reason));
    }
}

/// Compares the sides, puts what stands beside them in its places, and concludes. `same` is what levels of
/// after had come to after as many trials as before drove.
pub(crate) fn close(
    [mut before, mut after]: [Side; 2],
    same: &[Option<Level>],
    beside: Beside,
    repros: Vec<Repro>,
    stopped: Option<ReasonCode>,
) -> SignedOff {
    let Beside { models, is_legacy, saved_level, saved_repros, cross_checks, broken, .. } = beside;
    for (own, earlier) in after.levels.iter_mut().zip(&before.levels) {
        let leaked = earlier.verdict == Verdict::Leaked;
        own.controls.drive = if leaked { Drive::Fired } else { Drive::Missed };
    }
    let comparison = compare(&before.levels, &after.levels, same);
    for (side, is_legacy) in [&mut before, &mut after].into_iter().zip(is_legacy) {
        if let Some(legacy) = is_legacy {
            side.levels.insert(0, model_level(&models, legacy));
        }
    }
    after.levels.extend(saved_level);
    for side in [&mut before, &mut after] {
        side.verdict = Verdict::all_of(side.levels.iter().map(|level| level.verdict));
    }
    let checked = Checked { cross_checks: &cross_checks, broken: &broken };
    let (outcome, mut reasons) = conclude(stopped, &before, &after, &checked, &comparison);
    let told = after.levels.iter().flat_map(|level| &level.reasons);
    let is_notice =
        |code| matches!(code, ReasonCode::CollisionsNotTried | ReasonCode::NamesNotSearched);
    let mut notices: Vec<_> = told.filter(|reason| is_notice(reason.code)).collect();
    notices.sort_by_key(|reason| reason.code);
    notices.dedup_by_key(|reason| reason.code);
    reasons.extend(notices.into_iter().cloned());
    SignedOff {
        outcome,
        reasons,
        before,
        after,
        cross_checks,
        models,
        comparison,
        saved_repros,
        repros,
    }
}

/// The verdict and its reasons. A leak after stands, whatever else is in doubt.
fn conclude(
    stopped: Option<ReasonCode>,
    before: &Side,
    after: &Side,
    checked: &Checked<'_>,
    comparison: &[Comparison],
) -> (Outcome, Vec<Reason>) {
    let with_broken =
        |reason| [reason].into_iter().chain(checked.broken.iter().cloned()).collect::<Vec<_>>();
    if let Some(code) = stopped {
        let stopped = Reason::new(code, "the sign-off did not come to its end");
        let leaked = after.verdict == Verdict::Leaked;
        let outcome = if leaked { Outcome::StillLeaks } else { Outcome::Inconclusive };
        return (outcome, with_broken(stopped));
    }
    if after.verdict == Verdict::Leaked {
        let text = "after the migration findings are still made".to_owned();
        let leaks = Reason::new(ReasonCode::Findings, text);
        return (Outcome::StillLeaks, with_broken(leaks));
    }
    let cross_checks = checked.cross_checks;
    let around: u64 = cross_checks.iter().map(|check| check.findings_around).sum();
    if around > 0 || cross_checks.iter().any(|check| check.replay == ReplayResult::Same) {
        let text = "repros of before, or schedules around them, still show findings after";
        let leaks = Reason::new(ReasonCode::ReproNotGone, text);
        return (Outcome::StillLeaks, with_broken(leaks));
    }
    let doubts = doubts(before, after, checked, comparison);
    // Of a server that was not there nothing is known, not that it is clean.
    let clean_before = before
        .levels
        .iter()
        .filter(|level| level.verdict != Verdict::Leaked && !was_away(level))
        .collect::<Vec<_>>();
    if !clean_before.is_empty() {
        let named = clean_before.iter().map(|level| level_name(level)).collect::<Vec<_>>();
        let text = format!(
            "before the migration nothing was found by {}: these plans are too weak to show that \
             anything was fixed",
            named.join(", ")
        );
        let clean = Reason::new(ReasonCode::BaselineClean, text);
        return (Outcome::BaselineClean, with_broken(clean));
    }
    if doubts.is_empty() {
        let text = format!(
            "the same plans leak before and not after; all {} repros of before are gone, and \
             nothing was found in the schedules around them",
            cross_checks.len()
        );
        return (Outcome::Fixed, vec![Reason::new(ReasonCode::Shown, text)]);
    }
    (Outcome::Inconclusive, doubts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::control::{Drive, Tally};
    use partywall_core::finding::{About, Finding, FindingKind, Fingerprint, OracleId, Suspect};
    use partywall_core::plan::Via;
    use partywall_core::record::{FindingRecord, LevelName, SearchMethod};
    use partywall_drive::scenario::built_in;
    use partywall_explore::exploration::level::{LevelTally, record_of};

    fn level(verdict: Verdict) -> Level {
        let work =
            built_in("reference-golden-path").expect("built in").explore.expect("it is explored");
        let caught = Tally { planted: 3, caught: 3, ..Tally::default() };
        let tally = LevelTally::new(LevelName::Explore, &work, SearchMethod::RandomWalk, 100);
        let mut level = tally.finish(caught.clone(), Drive::Absent, None);
        level.controls.path = caught;
        level.verdict = verdict;
        level.trials = 100;
        level.trials_overlapping = 100;
        level.overlapping_pairs = 300;
        level.runs_started = 200;
        level.runs_completed = 200;
        level.phase_coverage.share = 0.95;
        level
    }

    fn side(level: Level) -> Side {
        Side { backend: "a back end".into(), verdict: level.verdict, levels: vec![level] }
    }

    fn check(replay: ReplayResult, findings_around: u64) -> CrossCheck {
        let fingerprint: Fingerprint = serde_json::from_str("\"0123456789abcdef\"").expect("text");
        CrossCheck {
            level: LevelName::Explore,
            fingerprint,
            repro: "repros/one.json".into(),
            replay,
            schedules_around: 1_000,
            findings_around,
        }
    }

    const NOTHING: Checked<'_> = Checked { cross_checks: &[], broken: &[] };

    fn outcome(before: Level, after: Level, check: CrossCheck) -> Outcome {
        let comparison = compare(std::slice::from_ref(&before), std::slice::from_ref(&after), &[]);
        let checked = Checked { cross_checks: &[check], broken: &[] };
        conclude(None, &side(before), &side(after), &checked, &comparison).0
    }

    #[test]
    fn fixed_is_a_leak_before_none_after_and_the_repros_gone() {
        let (leaked, clean) = (level(Verdict::Leaked), level(Verdict::Clean));
        let gone = check(ReplayResult::Gone, 0);
        assert_eq!(outcome(leaked.clone(), clean.clone(), gone.clone()), Outcome::Fixed);
        assert_eq!(outcome(clean.clone(), clean.clone(), gone.clone()), Outcome::BaselineClean);
        assert_eq!(outcome(leaked.clone(), leaked.clone(), gone.clone()), Outcome::StillLeaks);
        let doubtful = level(Verdict::Inconclusive);
        assert_eq!(outcome(leaked.clone(), doubtful, gone), Outcome::Inconclusive);
        for (check, expected) in [
            (check(ReplayResult::Same, 0), Outcome::StillLeaks),
            (check(ReplayResult::Gone, 1), Outcome::StillLeaks),
            (check(ReplayResult::Diverged, 0), Outcome::Inconclusive),
        ] {
            assert_eq!(outcome(leaked.clone(), clean.clone(), check), expected);
        }
    }

    #[test]
    fn a_back_end_that_serialises_or_starves_is_not_fixed() {
        type Weaken = fn(&mut Level);
        let weaker: [Weaken; 4] = [
            |level| level.trials_overlapping = 79,
            |level| level.overlapping_pairs = 239,
            |level| level.phase_coverage.share = 0.75,
            |level| level.runs_completed = 179,
        ];
        for weaken in weaker {
            let (before, mut after) = (level(Verdict::Leaked), level(Verdict::Clean));
            weaken(&mut after);
            assert_eq!(outcome(before, after, check(ReplayResult::Gone, 0)), Outcome::Inconclusive);
        }
    }

    #[test]
    fn a_faster_fix_is_fixed_and_runs_that_wait_for_each_other_are_not() {
        let wire = |verdict, overlapping_pairs, time_together| {
            let mut level = level(verdict);
            level.level = LevelName::Wire;
            (level.overlapping_pairs, level.time_together) = (overlapping_pairs, time_together);
            level
        };
        let mut gone = check(ReplayResult::Gone, 0);
        gone.level = LevelName::Wire;
        let with_after = |pairs, together| {
            let before = wire(Verdict::Leaked, 300, 3_000);
            outcome(before, wire(Verdict::Clean, pairs, together), gone.clone())
        };
        assert_eq!(with_after(150, 600), Outcome::Fixed, "shorter runs, of which fewer meet");
        assert_eq!(with_after(300, 12_000), Outcome::Fixed, "longer runs, all of which meet");
        assert_eq!(with_after(150, 6_000), Outcome::Inconclusive, "runs that wait");
    }

    #[test]
    fn phases_that_are_over_at_once_need_not_meet_and_those_that_last_must() {
        let wire = |verdict, counts: [[u64; 3]; 2], mean_milliseconds: [f64; 2]| {
            let mut level = level(verdict);
            level.level = LevelName::Wire;
            level.phase_coverage.counts = counts.map(|row| row.to_vec()).to_vec();
            level.phase_coverage.mean_milliseconds = mean_milliseconds.to_vec();
            level.phase_coverage.share = share_of(&counts);
            level
        };
        let mut gone = check(ReplayResult::Gone, 0);
        gone.level = LevelName::Wire;
        let with_after = |counts, times| {
            let before = wire(Verdict::Leaked, [[9, 9, 9], [9, 9, 9]], [4.0, 6.0]);
            outcome(before, wire(Verdict::Clean, counts, times), gone.clone())
        };
        assert_eq!(with_after([[9, 9, 9], [0, 0, 0]], [4.0, 0.1]), Outcome::Fixed);
        assert_eq!(with_after([[9, 9, 9], [0, 0, 0]], [4.0, 3.0]), Outcome::Inconclusive);
        // Behind a lock nothing goes on while a run is in its first phase.
        assert_eq!(with_after([[0, 0, 0], [0, 0, 0]], [4.0, 0.1]), Outcome::Inconclusive);
        assert_eq!(with_after([[0, 0, 0], [0, 0, 0]], [0.1, 0.1]), Outcome::Inconclusive);
    }

    fn share_of(counts: &[[u64; 3]; 2]) -> f64 {
        let hit = counts.iter().flatten().filter(|count| **count > 0).count();
        hit as f64 / 6.0
    }

    #[test]
    fn an_interrupted_sign_off_is_never_fixed() {
        let (before, after) = (level(Verdict::Leaked), level(Verdict::Clean));
        let code = Some(ReasonCode::Interrupted);
        let (outcome, reasons) = conclude(code, &side(before), &side(after), &NOTHING, &[]);
        assert_eq!(outcome, Outcome::Inconclusive);
        assert_eq!(reasons[0].code, ReasonCode::Interrupted);
    }

    /// A finding whose repro is at that path, if it could be written down.
    fn found(repro: Option<&str>) -> FindingRecord {
        let suspect = Suspect {
            kind: FindingKind::Crossing,
            victim: "alice".into(),
            victim_run: None,
            observer: "bob".into(),
            victim_operation: "prompt".into(),
            observer_operation: "websocket".into(),
            evidence: Vec::new(),
            about: About::default(),
        };
        let finding = Finding::new("a scenario", OracleId::Canary, suspect);
        let mut found = record_of(&finding, None, 1);
        found.fingerprint = check(ReplayResult::Gone, 0).fingerprint;
        found.repro = repro.map(str::to_owned);
        found
    }

    #[test]
    fn each_finding_of_before_must_have_been_replayed() {
        let conclude_with = |findings: Vec<FindingRecord>| {
            let (mut before, after) = (level(Verdict::Leaked), level(Verdict::Clean));
            before.findings = findings;
            let checked = Checked { cross_checks: &[check(ReplayResult::Gone, 0)], broken: &[] };
            conclude(None, &side(before), &side(after), &checked, &[])
        };
        let replayed = found(Some("repros/one.json"));
        assert_eq!(conclude_with(vec![replayed.clone()]).0, Outcome::Fixed);
        for left in [found(None), found(Some("repros/two.json"))] {
            let (outcome, reasons) = conclude_with(vec![replayed.clone(), left]);
            assert_eq!(outcome, Outcome::Inconclusive);
            assert_eq!(reasons[0].code, ReasonCode::ReproNotGone);
            assert!(reasons[0].text.starts_with("1 findings of before were not replayed"));
        }
    }

    #[test]
    fn before_may_swallow_the_phantom_where_its_leak_shows_that_words_come_back() {
        let (mut before, after) = (level(Verdict::Leaked), level(Verdict::Clean));
        before.controls.path.caught = 2;
        let missed = "a phantom's canary sent through chat over websocket never came back";
        before.controls.path.missed = vec![missed.into()];
        before.controls.path.missed_via = vec![Via::Socket];
        let conclude_with = |before: &Level, after: &Level| {
            let checked = Checked { cross_checks: &[check(ReplayResult::Gone, 0)], broken: &[] };
            conclude(None, &side(before.clone()), &side(after.clone()), &checked, &[])
        };
        let (outcome, reasons) = conclude_with(&before, &after);
        assert_eq!((outcome, reasons[0].code), (Outcome::Inconclusive, ReasonCode::ControlMissed));
        before.findings = vec![found(Some("repros/one.json"))];
        assert_eq!(conclude_with(&before, &after).0, Outcome::Inconclusive, "of no kind of run");
        before.findings[0].victim_via = Some(Via::Http);
        assert_eq!(conclude_with(&before, &after).0, Outcome::Inconclusive, "of another kind");
        before.findings[0].victim_via = Some(Via::Socket);
        assert_eq!(conclude_with(&before, &after).0, Outcome::Fixed);
        // Somebody's words that came to nobody show nothing, nor does anything make up for the judge's.
        let mut lost = before.clone();
        lost.findings[0].oracle = OracleId::Completeness;
        assert_eq!(conclude_with(&lost, &after).0, Outcome::Inconclusive);
        before.controls.judge = before.controls.path.clone();
        assert_eq!(conclude_with(&before, &after).0, Outcome::Inconclusive);
    }

    #[test]
    fn what_went_wrong_beside_the_levels_is_told_and_nothing_is_fixed() {
        let broken = [Reason::new(ReasonCode::TargetUnreachable, "it did not start")];
        let told = |before: Verdict, after: Verdict| {
            let checked =
                Checked { cross_checks: &[check(ReplayResult::Gone, 0)], broken: &broken };
            let (before, after) = (side(level(before)), side(level(after)));
            let (outcome, reasons) = conclude(None, &before, &after, &checked, &[]);
            assert!(reasons.contains(&broken[0]), "{reasons:?}");
            outcome
        };
        use Verdict::{Clean, Leaked};
        assert_eq!(told(Leaked, Clean), Outcome::Inconclusive);
        assert_eq!(told(Leaked, Leaked), Outcome::StillLeaks);
        assert_eq!(told(Clean, Clean), Outcome::BaselineClean);
    }

    #[test]
    fn before_that_was_not_there_is_not_known_to_be_clean() {
        let (mut before, after) = (level(Verdict::Inconclusive), level(Verdict::Clean));
        before.reasons = vec![Reason::new(ReasonCode::TargetUnreachable, "it did not start")];
        let (outcome, reasons) = conclude(None, &side(before), &side(after), &NOTHING, &[]);
        assert_eq!(outcome, Outcome::Inconclusive);
        assert!(reasons[0].text.contains("before, explore of"), "{reasons:?}");
    }
}
