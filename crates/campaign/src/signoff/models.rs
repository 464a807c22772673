//! The first level of evidence: the models of the kernel, as rows and levels of a report.

use partywall_core::control::{Controls, Drive, Tally};
use partywall_core::heard::Heard;
use partywall_core::measure::LeakMatrix;
use partywall_core::record::{Level, LevelName, ModelRow, PhaseCoverage, SearchMethod};
use partywall_core::verdict::{Reason, ReasonCode, Verdict};
use partywall_explore::store::budget::Progress;
use partywall_reference::model::{
    self, Expected, ModelOutcome, ModelSpec, Thoroughness, render_story,
};

/// Checks those models and their controls.
pub fn check_models(
    specs: &[&ModelSpec],
    thoroughness: Thoroughness,
    progress: &dyn Progress,
) -> Vec<ModelOutcome> {
    progress.begin("", "model", "kernel", specs.len() as u64);
    let mut outcomes = Vec::new();
    for spec in specs {
        progress.say(spec.name);
        let said = |interleavings| progress.say(&format!("{} {interleavings}", spec.name));
        outcomes.push(model::check(spec, thoroughness, &said));
        let refuted = outcomes.iter().filter(|outcome| unexpectedly_leaked(outcome)).count();
        progress.advance(outcomes.len() as u64, outcomes.len() as u64, refuted as u64);
    }
    progress.end();
    outcomes
}

fn unexpectedly_leaked(outcome: &ModelOutcome) -> bool {
    outcome.expected == Expected::Clean && outcome.refuted.is_some()
}

/// The row of a model in a report.
pub fn model_row(outcome: &ModelOutcome, thoroughness: Thoroughness) -> ModelRow {
    let about = model::models().iter().find(|spec| spec.name == outcome.name);
    let caught = outcome.controls.iter().filter(|control| control.fired).count();
    let thorough = match thoroughness {
        Thoroughness::Thorough => " --thorough",
        Thoroughness::Usual => "",
    };
    ModelRow {
        name: outcome.name.into(),
        about: about.map_or("", |spec| spec.about).into(),
        must_leak: outcome.expected != Expected::Clean,
        leaked: outcome.refuted.is_some(),
        interleavings: outcome.interleavings,
        preemption_bound: outcome.preemption_bound.map(|bound| bound as u64),
        controls_planted: outcome.controls.len() as u64,
        controls_caught: caught as u64,
        reached: outcome.reached,
        as_expected: outcome.as_expected(),
        seconds: outcome.seconds,
        story: outcome.refuted.as_ref().map(render_story),
        reproduce_with: outcome.refuted.as_ref().map(|story| {
            format!("partywall model {} --replay {}{thorough}", story.model, story.execution)
        }),
    }
}

/// The models of one side of a sign-off as a level: those of the legacy form, or all others.
pub(crate) fn model_level(rows: &[ModelRow], legacy: bool) -> Level {
    let own: Vec<&ModelRow> = rows.iter().filter(|row| row.must_leak == legacy).collect();
    let mut judge = Tally::default();
    for row in &own {
        let missed = row.controls_planted - row.controls_caught;
        judge.planted += row.controls_planted;
        judge.caught += row.controls_caught;
        if missed > 0 {
            judge.missed.push(format!("{missed} broken variants of {} were not refuted", row.name));
        }
    }
    let leaked = own.iter().position(|row| row.leaked);
    let (verdict, reason) = verdict(&own, legacy);
    Level {
        claims: Vec::new(),
        level: LevelName::Model,
        scenario: "kernel".into(),
        verdict,
        reasons: vec![reason],
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
        controls: Controls::new(judge, Tally::default(), Drive::Absent),
        oracles: Vec::new(),
        findings: Vec::new(),
        first_leak_at_trial: leaked.map(|at| own[at].interleavings),
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

fn verdict(own: &[&ModelRow], legacy: bool) -> (Verdict, Reason) {
    let named = |wanted: &dyn Fn(&&&ModelRow) -> bool| {
        own.iter().filter(wanted).map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let leaked = named(&|row| row.leaked);
    let doubtful = named(&|row| !row.as_expected);
    if !leaked.is_empty() {
        (Verdict::Leaked, Reason::new(ReasonCode::Findings, format!("refuted: {leaked}")))
    } else if legacy || own.is_empty() {
        let text = "no model of the legacy form was refuted".to_owned();
        (Verdict::Inconclusive, Reason::new(ReasonCode::BaselineClean, text))
    } else if doubtful.is_empty() {
        let text = format!("{} models, each with a control that fired", own.len());
        (Verdict::Clean, Reason::new(ReasonCode::Shown, text))
    } else {
        let text = format!("a control or the interesting state was missed: {doubtful}");
        (Verdict::Inconclusive, Reason::new(ReasonCode::ControlMissed, text))
    }
}
