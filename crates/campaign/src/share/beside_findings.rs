//! What a gate must know of a report beside its findings: leaks that are no findings, and what would
//! keep it from being clean if its findings were all accepted.

use partywall_core::control::Drive;
use partywall_core::record::{CrossCheck, Level, Record};
use partywall_core::replay_result::ReplayResult;
use partywall_core::verdict::{Outcome, Reason, ReasonCode, Verdict};

/// The leaks that no finding of the judged levels tells of.
pub(super) fn other_leaks(
    record: &Record,
    judged: &[&Level],
    is_accepted: impl Fn(&str) -> bool,
) -> Vec<Reason> {
    if !matches!(record.verdict, Outcome::Leaked | Outcome::StillLeaks | Outcome::NotMigrated) {
        return Vec::new();
    }
    if record.verdict == Outcome::NotMigrated || record.migration.is_some() {
        return record.reasons.clone();
    }
    let has_no_finding =
        |level: &&&Level| level.verdict == Verdict::Leaked && level.findings.is_empty();
    let levels = judged.iter().filter(has_no_finding).flat_map(|level| level.reasons.clone());
    let shows = |check: &&CrossCheck| {
        let still = check.replay == ReplayResult::Same || check.findings_around > 0;
        still && !is_accepted(check.fingerprint.as_str())
    };
    let repro = |check: &CrossCheck| {
        let text = format!("repro {} of before still shows after", check.fingerprint);
        Reason::new(ReasonCode::ReproNotGone, text)
    };
    let mut leaks: Vec<Reason> =
        levels.chain(record.cross_checks.iter().filter(shows).map(repro)).collect();
    if leaks.is_empty() && judged.iter().all(|level| level.findings.is_empty()) {
        leaks.clone_from(&record.reasons);
    }
    leaks
}

/// Why the report would not be clean without its findings.
pub(super) fn doubts(record: &Record, judged: &[&Level]) -> Vec<Reason> {
    let mut doubts = Vec::new();
    for level in judged {
        let name = format!("{} of {}", level.level.as_str(), level.scenario);
        let own = |code, text: &str| Reason::new(code, format!("{name}: {text}"));
        let told = level.reasons.iter().filter(|reason| is_doubt(level.verdict, reason.code));
        let mut told: Vec<Reason> = told.map(|reason| own(reason.code, &reason.text)).collect();
        if level.verdict == Verdict::Leaked && level.trials < level.trials_planned {
            let text = format!(
                "it stopped after {} of {} trials, so that later ones were not looked at; \
                 `--no-fail-fast` drives them all",
                level.trials, level.trials_planned
            );
            told.push(own(ReasonCode::BudgetCut, &text));
        }
        if level.controls.drive == Drive::Missed {
            told.push(own(ReasonCode::BaselineClean, "before did not leak under these plans"));
        }
        doubts.append(&mut told);
    }
    for missed in record.comparison.iter().filter(|row| !row.met) {
        let text = format!(
            "{} of {}: {} is {:.3}, needed are {:.3}",
            missed.level.as_str(),
            missed.scenario,
            missed.figure,
            missed.after,
            missed.needed
        );
        doubts.push(Reason::new(ReasonCode::ComparisonTooWeak, text));
    }
    doubts
}

/// Whether a level with that reason would be in doubt without its findings. That runs do not complete,
/// and users wait in vain, may come of a leak, which takes their events to another user, so it is no doubt
/// beside findings.
fn is_doubt(verdict: Verdict, code: ReasonCode) -> bool {
    match code {
        ReasonCode::Findings
        | ReasonCode::Shown
        | ReasonCode::CollisionsNotTried
        | ReasonCode::NamesNotSearched => false,
        ReasonCode::RunsIncomplete | ReasonCode::NoAnswer => verdict != Verdict::Leaked,
        _ => verdict != Verdict::Clean,
    }
}
