//! What keeps a sign-off from being called fixed.

use partywall_core::finding::OracleId;
use partywall_core::plan::Via;
use partywall_core::record::{Comparison, CrossCheck, FindingRecord, Level, LevelName, Side};
use partywall_core::replay_result::ReplayResult;
use partywall_core::verdict::{Reason, ReasonCode, Verdict};

/// What became of before's repros on after.
pub(super) struct Checked<'c> {
    pub(super) cross_checks: &'c [CrossCheck],
    /// What went wrong meanwhile.
    pub(super) broken: &'c [Reason],
}

/// What speaks against `fixed` where nothing leaked after.
pub(super) fn doubts(
    before: &Side,
    after: &Side,
    checked: &Checked<'_>,
    comparison: &[Comparison],
) -> Vec<Reason> {
    let Checked { cross_checks, broken } = checked;
    let mut doubts = broken.to_vec();
    for level in before.levels.iter().filter(|level| was_away(level)) {
        doubts.push(in_doubt("before", level));
    }
    let not_clean = after.levels.iter().filter(|level| level.verdict != Verdict::Clean);
    for level in not_clean {
        doubts.push(in_doubt("after", level));
        doubts.extend(not_exercised("after", level));
    }
    for level in before.levels.iter().filter(|level| level.level != LevelName::Model) {
        let controls = &level.controls;
        if !(controls.judge.all_caught() && words_come_back(level)) {
            let text = format!("before, {}: a control was missed", level_name(level));
            doubts.push(Reason::new(ReasonCode::ControlMissed, text));
        }
    }
    doubts.extend(not_replayed(before, cross_checks));
    let not_gone = cross_checks.iter().filter(|check| check.replay != ReplayResult::Gone);
    for check in not_gone {
        let text =
            format!("repro {} of before: replayed on after it {}", check.fingerprint, check.replay);
        doubts.push(Reason::new(ReasonCode::ReproNotGone, text));
    }
    for missed in comparison.iter().filter(|row| !row.met) {
        let level = after
            .levels
            .iter()
            .find(|level| (level.level, &level.scenario) == (missed.level, &missed.scenario));
        let further = match level.map_or(0, Level::trials_further) {
            0 => String::new(),
            further => format!(", {further} further rounds included"),
        };
        let text = format!(
            "after, {} of {}: {} is {:.1} %, needed are {:.1} %{further}",
            missed.level.as_str(),
            missed.scenario,
            missed.figure,
            missed.after * 100.0,
            missed.needed * 100.0
        );
        doubts.push(Reason::new(ReasonCode::ComparisonTooWeak, text));
    }
    doubts
}

/// Whether what is sent through each kind of run was seen to come back: the phantom's canary, or, as
/// a leak may put other words in its place, those of a run of that kind that came to somebody else.
fn words_come_back(level: &Level) -> bool {
    let path = &level.controls.path;
    let crossed = |missed: &Via| {
        let of_that_kind = |found: &FindingRecord| {
            found.oracle == OracleId::Canary && found.victim_via == Some(*missed)
        };
        level.findings.iter().any(of_that_kind)
    };
    // Of what was missed each kind of run is known.
    let known = path.missed_via.len() == path.missed.len();
    path.planted > 0 && known && path.missed_via.iter().all(crossed)
}

/// Whether it did not leak, and its server was not there all the time.
pub(super) fn was_away(level: &Level) -> bool {
    let away = |reason: &Reason| reason.code == ReasonCode::TargetUnreachable;
    level.verdict == Verdict::Inconclusive && level.reasons.iter().any(away)
}

/// What speaks against a level, in one reason.
fn in_doubt(side: &str, level: &Level) -> Reason {
    let why = level.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>();
    let code = level.reasons.first().map_or(ReasonCode::ControlMissed, |reason| reason.code);
    Reason::new(code, format!("{side}, {}: {}", level_name(level), why.join("; ")))
}

/// That nothing was exercised there, where something else, such as a refusal, is the first reason.
fn not_exercised(side: &str, level: &Level) -> Option<Reason> {
    let is_told = |reason: &&Reason| reason.code == ReasonCode::NothingExercised;
    let told = level.reasons.iter().skip(1).find(is_told)?;
    let text = format!("{side}, {}: {}", level_name(level), told.text);
    Some(Reason::new(ReasonCode::NothingExercised, text))
}

/// The findings of before of which nobody knows whether after has them too: their repros were not
/// replayed, or could not be written down.
fn not_replayed(before: &Side, cross_checks: &[CrossCheck]) -> Option<Reason> {
    let is_replayed = |level: &Level, found: &FindingRecord| {
        let its = |check: &CrossCheck| {
            check.level == level.level
                && check.fingerprint == found.fingerprint
                && found.repro.as_ref() == Some(&check.repro)
        };
        cross_checks.iter().any(its)
    };
    let driven = before.levels.iter().filter(|level| level.level != LevelName::Model);
    let left: Vec<String> = driven
        .flat_map(|level| level.findings.iter().map(move |found| (level, found)))
        .filter(|(level, found)| !is_replayed(level, found))
        .map(|(level, found)| format!("{} ({})", found.fingerprint, level_name(level)))
        .collect();
    let first = left.first()?;
    let text = format!(
        "{} findings of before were not replayed on after, the first: {first}; drive both sides \
         again, to their end",
        left.len()
    );
    Some(Reason::new(ReasonCode::ReproNotGone, text))
}

pub(super) fn level_name(level: &Level) -> String {
    format!("{} of {}", level.level.as_str(), level.scenario)
}
