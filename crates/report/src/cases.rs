//! The report as test cases: one for each oracle in each scenario at each level, named the same in
//! every run. JUnit and the attestation tell these.

use super::comparison::percent;
use super::detection;
use super::phrases;
use super::safe_text::{name, terminal};
use partywall_core::detection::DetectionRow;
use partywall_core::finding::OracleId;
use partywall_core::record::{FindingRecord, Level, LevelName, Record};
use partywall_core::verdict::{Outcome, Verdict};

/// One case.
#[derive(Debug)]
pub(super) struct Case<'r> {
    /// `before/explore/reference-golden-path`, without the side in a plain run.
    pub(super) class: String,
    /// `O1 canary`.
    pub(super) name: String,
    pub(super) found: Vec<&'r FindingRecord>,
    pub(super) verdict: CaseVerdict,
    /// How hard it looked, and why it may say nothing.
    pub(super) note: String,
    /// The scenario file, relative to the repository.
    pub(super) file: Option<&'r str>,
    /// Whether it is the verdict over all others.
    pub(super) is_whole: bool,
}

/// Whether a case passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CaseVerdict {
    Passed,
    Failed,
    Inconclusive,
    /// The oracle could say nothing, and the level stands without it.
    NotJudged,
}

/// All cases, in the order of the levels.
pub(super) fn cases(record: &Record) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for (side, level) in record.all_levels() {
        let class = [side, level.level.as_str(), &name(&level.scenario)]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        if level.level == LevelName::Model {
            cases.push(of_model(record, side, level, class));
            continue;
        }
        for row in &level.oracles {
            cases.push(of_oracle(side, level, row.oracle, row.blind.as_deref(), class.clone()));
        }
    }
    if let Some(matrix) = &record.detection {
        cases.extend(matrix.rows.iter().map(|row| of_mechanism(row, matrix.seeds)));
    }
    cases.push(of_whole(record));
    cases
}

/// A mechanism that is not found where it is expected says that the detectors cannot be trusted.
fn of_mechanism(row: &DetectionRow, seeds: u64) -> Case<'static> {
    let missed_on_wire = row.wire_expected == "found"
        && row.wire.as_ref().is_some_and(|wire| wire.found_in_round.is_none());
    let verdict = match row.found == seeds && !missed_on_wire {
        true => CaseVerdict::Passed,
        false => CaseVerdict::Inconclusive,
    };
    Case {
        file: None,
        is_whole: false,
        class: "selftest/mechanisms".into(),
        name: format!("{} {}", row.mechanism, terminal(&row.name)),
        found: Vec::new(),
        verdict,
        note: format!(
            "found with {} of {seeds} seeds, by {}; wire: {}",
            row.found,
            detection::by(row),
            detection::wire(row, terminal)
        ),
    }
}

/// Before is there to leak: its findings pass, and finding none is doubt.
fn turned(side: &str, level: &Level, found: bool) -> CaseVerdict {
    match (side, found, level.verdict) {
        ("before", true, _) => CaseVerdict::Passed,
        ("before", false, Verdict::Leaked) => CaseVerdict::Passed,
        ("before", false, _) => CaseVerdict::Inconclusive,
        (_, true, _) => CaseVerdict::Failed,
        (_, false, Verdict::Inconclusive) => CaseVerdict::Inconclusive,
        (_, false, _) => CaseVerdict::Passed,
    }
}

fn of_oracle<'r>(
    side: &str,
    level: &'r Level,
    oracle: OracleId,
    blind: Option<&str>,
    class: String,
) -> Case<'r> {
    let found: Vec<_> = level.findings.iter().filter(|found| found.oracle == oracle).collect();
    let mut verdict = turned(side, level, !found.is_empty());
    if blind.is_some() && verdict == CaseVerdict::Passed && side != "before" {
        verdict = CaseVerdict::NotJudged;
    }
    let reasons = level.reasons.iter().map(|reason| reason.text.as_str());
    let note = match (verdict, blind) {
        (_, Some(blind)) => format!("blind: {blind}"),
        (CaseVerdict::Inconclusive, None) => reasons.collect::<Vec<_>>().join("; "),
        _ => {
            let warned = level.warnings.iter().filter(|found| found.oracle == oracle);
            let warned = warned.map(|found| format!("; warning: {}", found.summary));
            format!(
                "{} trials, {} of them overlapping{}",
                phrases::count(level.trials),
                percent(level.trials_overlapping, level.trials),
                warned.collect::<String>()
            )
        }
    };
    let file = level.source.as_ref().map(|source| source.file.as_str());
    Case { class, name: oracle.to_string(), found, verdict, note, file, is_whole: false }
}

fn of_model<'r>(record: &Record, side: &str, level: &'r Level, class: String) -> Case<'r> {
    let refuted = record.models.iter().any(super::models::unexpectedly_refuted);
    let verdict = match (side, level.verdict) {
        ("before", Verdict::Leaked) | (_, Verdict::Clean) => CaseVerdict::Passed,
        (_, Verdict::Leaked) if refuted || side != "before" => CaseVerdict::Failed,
        _ => CaseVerdict::Inconclusive,
    };
    let note: Vec<_> = level.reasons.iter().map(|reason| reason.text.as_str()).collect();
    let (found, note) = (Vec::new(), note.join("; "));
    Case { class, name: "models".into(), found, verdict, note, file: None, is_whole: false }
}

/// What the whole comes to, as a case: a run that shows nothing must not look green for lack of
/// failures.
fn of_whole(record: &Record) -> Case<'_> {
    let verdict = match record.verdict {
        Outcome::Clean | Outcome::Fixed => CaseVerdict::Passed,
        Outcome::Leaked | Outcome::StillLeaks | Outcome::NotMigrated => CaseVerdict::Failed,
        Outcome::BaselineClean | Outcome::Inconclusive => CaseVerdict::Inconclusive,
    };
    let note: Vec<_> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
    Case {
        file: None,
        is_whole: true,
        class: name(&record.command),
        name: "verdict".into(),
        found: Vec::new(),
        verdict,
        note: format!(
            "{}: {}{}{}",
            record.verdict,
            note.join("; "),
            super::latent::clause(record),
            super::warned::clause(record)
        ),
    }
}
