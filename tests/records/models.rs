//! Models of the kernel: rows and the level that stands for them on each side.

use partywall::trial::control::{Controls, Drive};
use partywall::trial::heard::Heard;
use partywall::trial::measure::LeakMatrix;
use partywall::trial::record::{Level, LevelName, ModelRow, PhaseCoverage, Record, SearchMethod};
use partywall::trial::verdict::{Reason, ReasonCode, Verdict};

use super::tally;

/// A counterexample as `partywall model` tells it.
const STORY: &str = "\
two-tabs, interleaving 7

    alice                                 bob
    ------------------------------------  ------------------------------------
 1  open: adds tab 1 of alice
 2                                        deliver: bob's event 1 to alice's
                                          tab 1

Wrong: bob's event 1 came to alice's tab.
Ought to hold: no event reaches a connection of another user.
";

/// A model as it must be: that of the legacy form is refuted, all others are clean.
fn row(name: &str, interleavings: u64, must_leak: bool) -> ModelRow {
    let story = STORY.replace("two-tabs", name);
    ModelRow {
        name: name.into(),
        about: "two tabs of alice come and go while two events go to her".into(),
        must_leak,
        leaked: must_leak,
        interleavings,
        preemption_bound: None,
        controls_planted: if must_leak { 0 } else { 2 },
        controls_caught: if must_leak { 0 } else { 2 },
        reached: true,
        as_expected: true,
        seconds: interleavings as f64 / 10_000.0,
        story: must_leak.then_some(story),
        reproduce_with: must_leak.then(|| format!("partywall model {name} --replay 7")),
    }
}

/// Models that are all as they must be, more than a table shows.
pub(crate) fn models() -> Vec<ModelRow> {
    let mut rows = vec![row("legacy-2-users", 14, true), row("legacy-3-users", 14, true)];
    let clean = [
        ("per-request-2-users", 31),
        ("per-request-3-users", 8844),
        ("reconnect", 92),
        ("reconnect-busy", 608),
        ("late-teardown", 1637),
        ("two-tabs", 572),
        ("emitter-pool", 539),
        ("id-source", 540),
    ];
    rows.extend(clean.map(|(name, interleavings)| row(name, interleavings, false)));
    rows[6].preemption_bound = Some(2);
    rows
}

/// `two-tabs` is refuted, though it must be clean.
pub(crate) fn refuted(rows: &mut [ModelRow]) {
    let row = &mut rows[7];
    row.leaked = true;
    row.as_expected = false;
    row.interleavings = 7;
    row.story = Some(STORY.into());
    row.reproduce_with = Some("partywall model two-tabs --replay 7".into());
}

/// A control of `reconnect` is missed, and `id-source` never comes to what it is about.
pub(crate) fn doubtful(rows: &mut [ModelRow]) {
    rows[4].controls_caught = 1;
    rows[4].as_expected = false;
    rows[9].reached = false;
    rows[9].as_expected = false;
}

/// The record with those models, and with their level first on each side.
pub(super) fn with_models(mut record: Record, models: Vec<ModelRow>) -> Record {
    for (side, legacy) in [(&mut record.before, true), (&mut record.after, false)] {
        let own: Vec<_> = models.iter().filter(|row| row.must_leak == legacy).collect();
        if let Some(side) = side {
            side.levels.insert(0, level(&own));
        }
    }
    Record { models, ..record }
}

fn level(own: &[&ModelRow]) -> Level {
    let missed = own.iter().find(|row| row.controls_caught < row.controls_planted);
    let missed = missed.map(|row| format!("1 broken variants of {} were not refuted", row.name));
    let missed: Vec<_> = missed.iter().map(String::as_str).collect();
    let planted = own.iter().map(|row| row.controls_planted).sum();
    let named = |wanted: fn(&&&ModelRow) -> bool| {
        own.iter().filter(wanted).map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let leaked = named(|row| row.leaked);
    let doubtful = named(|row| !row.as_expected);
    let (verdict, code, text) = match (leaked.as_str(), doubtful.as_str()) {
        ("", "") => {
            (Verdict::Clean, ReasonCode::Shown, "each with a control that fired".to_owned())
        }
        ("", _) => (
            Verdict::Inconclusive,
            ReasonCode::ControlMissed,
            format!("a control or the interesting state was missed: {doubtful}"),
        ),
        _ => (Verdict::Leaked, ReasonCode::Findings, format!("refuted: {leaked}")),
    };
    Level {
        claims: Vec::new(),
        level: LevelName::Model,
        scenario: "kernel".into(),
        verdict,
        reasons: vec![Reason::new(code, text)],
        method: SearchMethod::ThreadInterleavings,
        users: [2, 3],
        trials: own.iter().map(|row| row.interleavings).sum(),
        trials_planned: own.iter().map(|row| row.interleavings).sum(),
        trials_overlapping: 0,
        runs_started: 0,
        runs_completed: 0,
        runs_unknown: 0,
        overlapping_pairs: 0,
        time_together: 0,
        phase_coverage: PhaseCoverage::default(),
        leak_probability_upper_bound: None,
        controls: Controls::new(tally(planted, &missed), tally(0, &[]), Drive::Absent),
        oracles: Vec::new(),
        findings: Vec::new(),
        first_leak_at_trial: None,
        source: None,
        leak_matrix: LeakMatrix::default(),
        latent: None,
        warnings: Vec::new(),
        assumptions: Vec::new(),
        time_to_first_leak: None,
        latency: None,
        timelines: Vec::new(),
        heard: Heard::default(),
    }
}
