//! JUnit XML in the dialect that Jenkins reads: one test case for each scenario and oracle.
//!
//! A leak is a failure; what shows nothing is an error, or skipped where doubt is to be let pass. What
//! an oracle could not judge, and need not, is skipped.
//! One leak is counted once: a case that only tells of leaks that an earlier one has told of is skipped,
//! and so is the verdict over them. The verdict has the time of all, since levels have none.
//! Names are the same in every run; characters that XML cannot hold are written out.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::cases::{Case, CaseVerdict, cases};
use super::phrases;
use super::safe_text::{command, name, terminal};
use partywall_core::finding::FindingKind;
use partywall_core::record::{FindingRecord, Record};

/// How many findings of one case are told in full.
const MOST_FINDINGS: usize = 20;

/// The whole report; `lenient` shows what is inconclusive as skipped, which most readers call green.
pub fn render(record: &Record, lenient: bool) -> String {
    let mut report = Report::new(format!("partywall {}", name(&record.command)));
    report.set_time(seconds(record));
    let mut suites: Vec<TestSuite> = Vec::new();
    let cases = cases(record);
    for (case, counted) in cases.iter().zip(counted(&cases)) {
        let class = terminal(&case.class);
        if suites.last().is_none_or(|suite| suite.name.as_str() != class) {
            let mut suite = TestSuite::new(class);
            suite.add_properties(properties(record));
            if let Some(file) = case.file {
                suite.extra.insert("file".into(), terminal(file).into());
            }
            suites.push(suite);
        }
        if let Some(suite) = suites.last_mut() {
            let mut own = test_case(case, lenient);
            if let Some(by) = counted {
                own.status = TestCaseStatus::skipped();
                own.status.set_message(format!("counted once, as {by}"));
            }
            if case.is_whole {
                own.set_time(seconds(record));
                suite.set_time(seconds(record));
            }
            suite.add_test_case(own);
        }
    }
    report.add_test_suites(suites);
    // Writing to memory does not fail, and no text holds what XML cannot.
    without_skipped(&report.to_string().unwrap_or_default())
}

/// Jenkins' schema has no `skipped` on the outermost element, only on the suites.
fn without_skipped(text: &str) -> String {
    let Some(start) = text.find("<testsuites ") else { return text.to_owned() };
    let end = text[start..].find('>').map_or(text.len(), |end| start + end);
    let Some(at) = text[start..end].find(" skipped=\"").map(|at| start + at) else {
        return text.to_owned();
    };
    let value = at + " skipped=\"".len();
    let close = text[value..].find('"').map_or(value, |close| value + close + 1);
    format!("{}{}", &text[..at], &text[close..])
}

fn seconds(record: &Record) -> Duration {
    Duration::try_from_secs_f64(record.seconds).unwrap_or_default()
}

fn properties(record: &Record) -> Vec<Property> {
    let mut properties = vec![
        Property::new("partywall.version", name(&record.partywall)),
        Property::new("partywall.seed", record.seed.to_string()),
        Property::new("partywall.verdict", record.verdict.to_string()),
    ];
    for (side, backend) in phrases::driven(record) {
        properties.push(Property::new(format!("partywall.{side}"), terminal(backend)));
    }
    for (_, level) in record.all_levels() {
        if let Some(source) = &level.source {
            let about = format!("partywall.plan.{}", name(&level.scenario));
            if properties.iter().all(|known| known.name.as_str() != about) {
                properties
                    .push(Property::new(about, format!("sha256:{}", terminal(&source.sha256))));
            }
        }
    }
    for subject in &record.subjects {
        let digest = format!("sha256:{}", terminal(&subject.sha256));
        properties.push(Property::new(format!("partywall.target.{}", name(&subject.name)), digest));
    }
    properties
}

/// For each case that only tells of leaks that an earlier one has told of, which one that is.
fn counted(cases: &[Case<'_>]) -> Vec<Option<String>> {
    let mut told: Vec<(&Case<'_>, &FindingRecord)> = Vec::new();
    let mut by = Vec::with_capacity(cases.len());
    for case in cases {
        let teller = |found: &&FindingRecord| {
            let same = |(of, other): &&(&Case<'_>, &FindingRecord)| {
                of.class == case.class && is_same_leak(other, found)
            };
            told.iter().find(same).map(|(of, _)| *of)
        };
        let tellers: Option<Vec<_>> = match (case.verdict, case.is_whole) {
            (CaseVerdict::Failed, true) => told.first().map(|(of, _)| vec![*of]),
            (CaseVerdict::Failed, false) => case.found.iter().map(teller).collect(),
            _ => None,
        };
        let first = tellers.and_then(|tellers| tellers.first().copied());
        by.push(first.map(|of| format!("{} {}", terminal(&of.class), terminal(&of.name))));
        if case.verdict == CaseVerdict::Failed {
            told.extend(case.found.iter().map(|found| (case, *found)));
        }
    }
    by
}

/// Whether two oracles saw the same data of the same user at the same other, first in the same trial.
fn is_same_leak(one: &FindingRecord, other: &FindingRecord) -> bool {
    let of = |found: &FindingRecord| {
        let users = (found.victim.clone(), found.observer.clone());
        (found.kind, users, found.observer_operation.clone(), found.first_trial)
    };
    let runs = (one.victim_run, other.victim_run);
    let same_run = runs.0 == runs.1 || runs.0.is_none() || runs.1.is_none();
    one.kind == FindingKind::Crossing && of(one) == of(other) && same_run
}

fn test_case(case: &Case<'_>, lenient: bool) -> TestCase {
    let status = match case.verdict {
        CaseVerdict::Passed => TestCaseStatus::success(),
        CaseVerdict::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("leak");
            let first = case.found.first().map(|found| terminal(&found.summary));
            status.set_message(first.unwrap_or_else(|| terminal(&case.note)));
            status.set_description(told(case));
            status
        }
        CaseVerdict::NotJudged => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("not judged: {}", terminal(&case.note)));
            status
        }
        CaseVerdict::Inconclusive if lenient => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("inconclusive: {}", terminal(&case.note)));
            status
        }
        CaseVerdict::Inconclusive => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("inconclusive");
            status.set_message(terminal(&case.note));
            status
        }
    };
    let passed = case.verdict == CaseVerdict::Passed;
    let mut own = TestCase::new(terminal(&case.name), status);
    own.set_classname(terminal(&case.class));
    own.set_time(Duration::ZERO);
    if passed {
        let seen = if case.found.is_empty() { String::new() } else { told(case) };
        own.set_system_out(format!("{}\n{seen}", terminal(&case.note)));
    }
    own
}

fn told(case: &Case<'_>) -> String {
    let (shown, more) = phrases::capped(&case.found, MOST_FINDINGS);
    let mut lines: Vec<String> = shown.iter().flat_map(|found| one(found)).collect();
    lines.extend(more);
    if lines.is_empty() {
        lines.push(terminal(&case.note));
    }
    lines.join("\n")
}

fn one(found: &FindingRecord) -> Vec<String> {
    let mut lines = vec![terminal(&found.summary), phrases::found_by(found, name)];
    lines.extend(phrases::moment(found, terminal, name));
    lines.extend(found.chain.iter().take(8).map(|cause| format!("- {}", terminal(cause))));
    if let Some(replay) = phrases::replay_command(found.reproduce_with.as_deref()) {
        lines.push(format!("Reproduce with: {}", command(replay)));
    }
    lines
}
