//! Sign-offs: before beside after, with the models of the kernel.

use partywall::trial::control::Drive;
use partywall::trial::record::{
    Comparison, CrossCheck, FindingRecord, Level, LevelName, Record, Side,
};
use partywall::trial::replay_result::ReplayResult;
use partywall::trial::verdict::{Outcome, Reason, ReasonCode, Verdict};

use super::models::{doubtful, models, refuted, with_models};
use super::{OTHER, SCENARIO, clean_level, crossing, empty, leaked_level, level_in, loss};

fn side(backend: &str, verdict: Verdict, level: fn(LevelName) -> Level) -> Side {
    let levels = [LevelName::Explore, LevelName::Wire].map(level).to_vec();
    Side { backend: backend.into(), verdict, levels }
}

fn leaking_side(backend: &str) -> Side {
    side(backend, Verdict::Leaked, leaked_level)
}

/// What after must reach of before, at one level.
fn comparison(level: LevelName, scenario: &str, overlap: f64) -> Vec<Comparison> {
    let figures = [
        ("overlapping trials", Some(1.0), overlap, 0.8),
        ("overlapping pairs, of before's", None, 1.358, 0.8),
        ("phase coverage", Some(0.98), 0.98, 0.98 * 0.8),
        ("runs completed", None, 1.0, 0.9),
    ];
    let one = |(figure, before, after, needed): (&str, _, f64, f64)| Comparison {
        level,
        scenario: scenario.into(),
        figure: figure.into(),
        before,
        after,
        needed,
        met: after >= needed,
    };
    figures.map(one).to_vec()
}

/// That finding's repro, replayed on after.
fn cross_check(level: LevelName, found: &FindingRecord, findings_around: u64) -> CrossCheck {
    CrossCheck {
        level,
        fingerprint: found.fingerprint.clone(),
        repro: found.repro.clone().unwrap_or_default(),
        replay: if findings_around == 0 { ReplayResult::Gone } else { ReplayResult::Same },
        schedules_around: if level == LevelName::Explore { 1000 } else { 0 },
        findings_around,
    }
}

/// A sign-off that holds, of two scenarios.
pub(crate) fn fixed() -> Record {
    let reasons = vec![
        Reason::new(ReasonCode::Shown, "every repro of before is gone after"),
        Reason::new(
            ReasonCode::Shown,
            "after overlapped, covered and completed as much as is needed",
        ),
    ];
    let mut before = leaking_side("reference back end, migrated none");
    let mut after = side("reference back end, migrated all", Verdict::Clean, clean_level);
    for level in &mut after.levels {
        level.controls.drive = Drive::Fired;
    }
    for side in [&mut before, &mut after] {
        let other: Vec<_> =
            side.levels.iter().map(|level| level_in(level.clone(), "signoff", OTHER)).collect();
        side.levels.extend(other);
    }
    let checks = before
        .levels
        .iter()
        .flat_map(|level| level.findings.iter().map(|found| cross_check(level.level, found, 0)));
    let compared = after.levels.iter().flat_map(|level| {
        let overlap = level.trials_overlapping as f64 / level.trials as f64;
        comparison(level.level, &level.scenario, overlap)
    });
    let record = Record {
        cross_checks: checks.collect(),
        comparison: compared.collect(),
        before: Some(before),
        after: Some(after),
        ..empty("signoff", Outcome::Fixed, reasons)
    };
    with_models(record, models())
}

/// A sign-off in which nothing leaks but a model says nothing.
pub(crate) fn doubtful_model() -> Record {
    let text = "after, model of kernel: a control or the interesting state was missed: reconnect, \
                id-source";
    let reasons = vec![Reason::new(ReasonCode::ControlMissed, text)];
    let Record { before, after, cross_checks, .. } = still_leaks();
    let mut after = after.expect("is a sign-off");
    after.levels = vec![clean_level(LevelName::Explore)];
    let mut before = before.expect("is a sign-off");
    before.levels = vec![leaked_level(LevelName::Explore)];
    let record = Record {
        before: Some(before),
        after: Some(after),
        cross_checks: vec![cross_checks[1].clone()],
        ..empty("signoff", Outcome::Inconclusive, reasons)
    };
    let mut rows = models();
    doubtful(&mut rows);
    with_models(record, rows)
}

/// A sign-off of an incomplete migration.
pub(crate) fn still_leaks() -> Record {
    let mut after = side("reference back end, migrated triage", Verdict::Leaked, clean_level);
    after.levels[0] = leaked_level(LevelName::Explore);
    let reason = Reason::new(ReasonCode::Findings, "after still has 2 distinct findings");
    let [found, lost] = [crossing, loss].map(|finding| finding(LevelName::Explore));
    let record = Record {
        before: Some(leaking_side("reference back end, migrated none")),
        after: Some(after),
        cross_checks: vec![
            cross_check(LevelName::Explore, &found, 640),
            cross_check(LevelName::Explore, &lost, 0),
        ],
        comparison: [(LevelName::Explore, 1.0), (LevelName::Wire, 0.15)]
            .map(|(level, overlap)| comparison(level, SCENARIO, overlap))
            .concat(),
        ..empty("signoff", Outcome::StillLeaks, vec![reason])
    };
    let mut rows = models();
    refuted(&mut rows);
    with_models(record, rows)
}

/// A sign-off whose plans are too weak.
pub(crate) fn baseline_clean() -> Record {
    let reason = Reason::new(ReasonCode::BaselineClean, "before had no finding in 2,020 trials");
    Record {
        before: Some(side("reference back end, migrated none", Verdict::Clean, clean_level)),
        after: Some(side("reference back end, migrated all", Verdict::Clean, clean_level)),
        ..empty("signoff", Outcome::BaselineClean, vec![reason])
    }
}
