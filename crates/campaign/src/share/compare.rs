//! Two reports beside each other, by fingerprint, and a baseline of known findings.

use crate::share::baseline::Baseline;
use crate::share::beside_findings;
use partywall_core::compared::{Compare, Compared, ComparedFinding, CoverageChange};
use partywall_core::record::{FindingRecord, Level, LevelName, Record};
use partywall_explore::exploration::level::share;

/// Below this share of what was reached then, it is clearly less.
const CLEARLY_LESS: f64 = 0.9;

/// Compares a report with an earlier one, where there is one, and with the baseline. `today` is
/// `YYYY-MM-DD`.
///
/// Of a sign-off, the side that must not leak is compared: before is there to leak.
pub fn compare(old: Option<&Record>, new: &Record, baseline: &Baseline, today: &str) -> Compared {
    let earlier = old.map(judged).unwrap_or_default();
    let levels = judged(new);
    let was_there = |found: &FindingRecord| {
        earlier
            .iter()
            .any(|level| level.findings.iter().any(|f| f.fingerprint == found.fingerprint))
    };
    let mut compared = Compared {
        old: old.map(named),
        new: named(new),
        appeared: Vec::new(),
        remaining: Vec::new(),
        known: Vec::new(),
        gone: Vec::new(),
        not_tried: Vec::new(),
        unneeded: Vec::new(),
        coverage: coverage(&earlier, &levels),
        other_leaks: beside_findings::other_leaks(new, &levels, |fingerprint| {
            baseline.entry(fingerprint).is_some_and(|known| known.holds_on(today))
        }),
        doubts: beside_findings::doubts(new, &levels),
    };
    for (level, found) in distinct(&levels) {
        let entry = baseline.entry(found.fingerprint.as_str());
        let mut told = told(level, found);
        match entry {
            Some(known) if known.holds_on(today) => {
                told.note = Some(format!("{} (until {})", known.reason, known.expires));
                compared.known.push(told);
                continue;
            }
            Some(known) => {
                told.note = Some(format!("its baseline entry ended on {}", known.expires));
            }
            None => {}
        }
        // Without an earlier report all that is not known is new.
        if was_there(found) {
            compared.remaining.push(told);
        } else {
            compared.appeared.push(told);
        }
    }
    let is_there = |found: &FindingRecord| {
        levels.iter().any(|level| level.findings.iter().any(|f| f.fingerprint == found.fingerprint))
    };
    for (level, found) in distinct(&earlier).into_iter().filter(|(_, found)| !is_there(found)) {
        let tried = levels.iter().any(|own| {
            (own.level, &own.scenario) == (level.level, &level.scenario) && own.trials > 0
        });
        let list = if tried { &mut compared.gone } else { &mut compared.not_tried };
        list.push(told(level, found));
    }
    let found = |fingerprint: &str| {
        let mut all = levels.iter().flat_map(|level| &level.findings);
        all.any(|found| found.fingerprint.as_str() == fingerprint)
    };
    let unneeded = baseline.known.iter().filter(|known| !found(&known.fingerprint));
    compared.unneeded = unneeded.map(|known| known.fingerprint.clone()).collect();
    compared
}

/// The levels of the side that must not leak.
fn judged(record: &Record) -> Vec<&Level> {
    record.all_levels().filter(|(side, _)| *side != "before").map(|(_, level)| level).collect()
}

fn named(record: &Record) -> Compare {
    Compare {
        name: record.folder.clone().unwrap_or_else(|| record.command.clone()),
        started_at: record.started_at.clone(),
        verdict: record.verdict,
    }
}

/// Each finding once, at the level where it stands first.
fn distinct<'r>(levels: &[&'r Level]) -> Vec<(&'r Level, &'r FindingRecord)> {
    let mut seen = Vec::new();
    let all =
        levels.iter().flat_map(|level| level.findings.iter().map(move |found| (*level, found)));
    all.filter(|(_, found)| {
        let new = !seen.contains(&&found.fingerprint);
        seen.push(&found.fingerprint);
        new
    })
    .collect()
}

fn told(level: &Level, found: &FindingRecord) -> ComparedFinding {
    ComparedFinding {
        fingerprint: found.fingerprint.clone(),
        oracle: found.oracle,
        kind: found.kind,
        level: level.level,
        scenario: level.scenario.clone(),
        summary: found.summary.clone(),
        note: None,
        reproduce_with: found.reproduce_with.clone(),
    }
}

fn coverage(old: &[&Level], new: &[&Level]) -> Vec<CoverageChange> {
    let mut rows = Vec::new();
    for then in old.iter().filter(|level| level.level != LevelName::Model) {
        let now =
            new.iter().find(|level| (level.level, &level.scenario) == (then.level, &then.scenario));
        type Figure = fn(&Level) -> f64;
        let figures: [(&str, bool, Figure); 5] = [
            ("trials", false, |level| level.trials_of_plan() as f64),
            ("overlapping trials", true, |level| share(level.trials_overlapping, level.trials)),
            ("phase coverage", true, |level| level.phase_coverage.share),
            ("runs completed", true, |level| share(level.runs_completed, level.runs_started)),
            ("controls caught", true, |level| share(level.controls.caught, level.controls.planted)),
        ];
        for (figure, is_share, of) in figures {
            let (old, new) = (of(then), now.map_or(0.0, |now| of(now)));
            rows.push(CoverageChange {
                level: then.level,
                scenario: then.scenario.clone(),
                figure: figure.to_owned(),
                is_share,
                old,
                new,
                less: new < old * CLEARLY_LESS,
            });
        }
    }
    rows
}
