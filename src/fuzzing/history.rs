//! Everything that the program reads from files: histories, repros, schedules and scenarios.

use crate::campaign::repro::Repro;
use crate::oracle::{Case, Judged, all, judge, judge_control};
use crate::scenario::Scenario;
use crate::trial::dialect::Dialect;
use crate::trial::finding::OracleId;
use crate::trial::history::{Header, History};
use crate::trial::schedule::Schedule;

/// Plans with more runs than this are correct too, but make each input slow.
const MOST_RUNS: u64 = 500;

/// Any bytes, read as each of the program's files. What reads is judged, and reads back the same
/// after it was written.
///
/// # Panics
///
/// If a reader or an oracle panics, something does not read back, evidence points outside its
/// history, or a checked scenario makes a plan that does not pass its own check.
pub fn history(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(history) = History::from_file(&text) {
        let written = history.to_file(&Header::new(0));
        assert_eq!(History::from_file(&written).as_ref(), Ok(&history), "it does not read back");
        judged(&history);
    }
    if let Ok(repro) = Repro::from_file(&text) {
        let again = Repro::from_file(&repro.to_file());
        assert_eq!(again.ok().as_ref(), Some(&repro), "the repro does not read back");
    }
    if let Ok(schedule) = text.parse::<Schedule>() {
        let again = schedule.to_string().parse::<Schedule>();
        assert_eq!(again.as_ref(), Ok(&schedule), "the schedule does not read back");
    }
    if let Ok(scenario) = Scenario::parse(&text) {
        planned(&scenario);
    }
}

fn judged(history: &History) {
    let dialect = Dialect::reference();
    let Judged { findings, rows, .. } = judge(&Case::new(history, &dialect));
    assert_eq!(rows.len(), all().len());
    let last = history.observations.len() as u64;
    for finding in &findings {
        assert!(!finding.evidence.is_empty(), "a finding without evidence: {finding:?}");
        assert!(finding.evidence.iter().all(|evidence| evidence.n < last), "{finding:?}");
        assert!(!finding.summary().is_empty() && OracleId::ALL.contains(&finding.oracle));
    }
    let tally = judge_control(history, &dialect, 1);
    assert_eq!(tally.planted, tally.caught + tally.missed.len() as u64);
}

fn planned(scenario: &Scenario) {
    for workload in scenario.explore.iter().chain([&scenario.wire]) {
        let runs = u64::from(workload.users.most) * u64::from(workload.runs_per_user);
        if runs <= MOST_RUNS {
            let plan = workload.plan(1, 0);
            assert_eq!(plan.check(), Ok(()), "a checked scenario makes a plan that is not");
        }
    }
}
