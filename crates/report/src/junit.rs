//! JUnit XML in the dialect that Jenkins reads: one test case for each scenario and oracle.
//!
//! A leak is a failure; what shows nothing is an error, or skipped where doubt is to be let pass. What
//! an oracle could not judge, and need not, is skipped.
//! Names are the same in every run; characters that XML cannot hold are written out.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::cases::{Case, CaseVerdict, cases};
use super::phrases;
use super::safe_text::{command, name, terminal};
use partywall_core::record::{FindingRecord, Record};

/// How many findings of one case are told in full.
const MOST_FINDINGS: usize = 20;

/// The whole report; `lenient` shows what is inconclusive as skipped, which most readers call green.
pub fn render(record: &Record, lenient: bool) -> String {
    let mut report = Report::new(format!("partywall {}", name(&record.command)));
    report.set_time(seconds(record));
    let mut suites: Vec<TestSuite> = Vec::new();
    for case in cases(record) {
        let class = terminal(&case.class);
        if suites.last().is_none_or(|suite| suite.name.as_str() != class) {
            let mut suite = TestSuite::new(class);
            suite.add_properties(properties(record));
            suites.push(suite);
        }
        if let Some(suite) = suites.last_mut() {
            suite.add_test_case(test_case(&case, lenient));
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
