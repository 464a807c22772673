//! A recorded history, judged again.

use crate::exploration::diagnosis::Explainer;
use crate::exploration::judged_trial::judge_trial;
use crate::exploration::level::LevelTally;
use crate::workload::Workload;
use partywall_core::canary::Scanner;
use partywall_core::control::Drive;
use partywall_core::dialect::Dialect;
use partywall_core::history::History;
use partywall_core::record::{Level, LevelName, SearchMethod};
use partywall_core::verdict::{Reason, ReasonCode, Verdict};
use partywall_oracles::judge_control;

/// Judges a recorded history as a level of its own. A history without its end was cut short, and
/// is never clean.
pub fn judge_recorded(history: &History) -> Level {
    let scanner = Scanner::new(history.plan.campaign);
    let workload = Workload::of_plan(&history.plan);
    let judged = judge_trial(history, &workload.agents, &scanner);
    let mut tally = LevelTally::new(LevelName::Recorded, &workload, SearchMethod::JudgedAgain, 1);
    tally.add(&judged);
    tally.look_for_expected(history);
    let controls = judge_control(history, &Dialect::of(&history.plan), 0);
    let mut level = tally.finish(controls, Drive::Absent, None);
    let explainer = Explainer::new(history, &judged.findings);
    for (finding, record) in judged.findings.iter().zip(&mut level.findings) {
        explainer.explain(record, &explainer.story(finding));
    }
    if history.ending.is_none() {
        let text = format!(
            "the history was cut short; the {} observations before the cut were judged",
            history.observations.len()
        );
        level.reasons.retain(|reason| reason.code != ReasonCode::Shown);
        level.reasons.push(Reason::new(ReasonCode::HistoryCut, text));
        if level.verdict == Verdict::Clean {
            level.verdict = Verdict::Inconclusive;
        }
    }
    level
}
