//! A self-test in which something is missed: by an oracle, with a seed, and on the wire.

use partywall::trial::detection::{DetectionRecord, DetectionRow, OracleCell, QuietRow, WireCell};
use partywall::trial::finding::OracleId;
use partywall::trial::record::Record;
use partywall::trial::verdict::{Outcome, Reason, ReasonCode};

use super::empty;

fn cell(oracle: OracleId, seeds: u64, expected: bool) -> OracleCell {
    let (median, worst) = if seeds > 0 { (Some(2), Some(17)) } else { (None, None) };
    OracleCell { oracle, seeds, median, worst, expected }
}

fn row(mechanism: &str, name: &str, oracles: Vec<OracleCell>) -> DetectionRow {
    DetectionRow {
        mechanism: mechanism.into(),
        name: name.into(),
        found: 20,
        median: Some(1),
        worst: Some(3),
        named_first: 19,
        oracles,
        wire: None,
        wire_expected: "found".into(),
        model: None,
    }
}

/// A self-test that did not come out as it must.
pub(crate) fn selftest() -> Record {
    let found = DetectionRow {
        wire: Some(WireCell {
            found_in_round: Some(2),
            rounds: 2,
            seconds: 1.5,
            oracles: vec![OracleId::Canary],
        }),
        model: Some("legacy-2-users".into()),
        ..row(
            "M05",
            "Last-writer-wins slot",
            vec![cell(OracleId::Canary, 20, true), cell(OracleId::Completeness, 4, false)],
        )
    };
    let missed = DetectionRow {
        found: 19,
        median: Some(36),
        worst: None,
        named_first: 0,
        wire: Some(WireCell {
            found_in_round: None,
            rounds: 60,
            seconds: 58.2,
            oracles: Vec::new(),
        }),
        ..row(
            "M16",
            "In-flight coalescing across users, whoever asked first",
            vec![cell(OracleId::Canary, 19, true), cell(OracleId::AtRest, 0, true)],
        )
    };
    let late = DetectionRow {
        wire_expected: "rare: a request must be cut while its upstream call is under way".into(),
        ..row("M01", "Stale reply", vec![cell(OracleId::Binding, 12, true)])
    };
    let reasons = vec![
        Reason::new(ReasonCode::ControlMissed, "M16 is not found with 1 seeds"),
        Reason::new(ReasonCode::FalseAlarm, "reference-golden-path, seed 1, trial 7: bob saw …"),
    ];
    Record {
        backend: Some("reference back end, one defect after the other".into()),
        detection: Some(DetectionRecord {
            work: "mechanism-mix".into(),
            share: 2,
            seeds: 20,
            trials: 400,
            rows: vec![late, found, missed],
            quiet: vec![
                QuietRow {
                    work: "reference-golden-path".into(),
                    trials: 509,
                    overlapping: Some(500),
                    findings: 1,
                },
                QuietRow {
                    work: "mechanism-mix, wire".into(),
                    trials: 8,
                    overlapping: None,
                    findings: 0,
                },
            ],
        }),
        ..empty("selftest", Outcome::Inconclusive, reasons)
    }
}
