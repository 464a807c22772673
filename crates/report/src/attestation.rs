//! The unsigned in-toto Statement of a test result. Its subject is the tested build, never this
//! report; signing it is the pipeline's.

use serde_json::{Value, json};

use super::cases::{CaseVerdict, cases};
use super::safe_text::terminal;
use partywall_core::record::Record;
use partywall_core::verdict::Outcome;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The statement; none where nobody said which build was tested. `lenient` lets doubt pass as a
/// warning.
pub fn render(record: &Record, lenient: bool) -> Option<String> {
    if record.subjects.is_empty() {
        return None;
    }
    let subjects: Vec<Value> = record
        .subjects
        .iter()
        .map(|subject| {
            json!({ "name": terminal(&subject.name), "digest": { "sha256": terminal(&subject.sha256) } })
        })
        .collect();
    let result = match record.verdict {
        Outcome::Clean | Outcome::Fixed => "PASSED",
        Outcome::Inconclusive | Outcome::BaselineClean if lenient => "WARNED",
        _ => "FAILED",
    };
    let cases = cases(record);
    let named = |wanted: &[CaseVerdict]| -> Vec<String> {
        let fits = cases.iter().filter(|case| wanted.contains(&case.verdict));
        fits.map(|case| terminal(&format!("{}/{}", case.class, case.name))).collect()
    };
    let (warned, failed): (&[CaseVerdict], &[CaseVerdict]) = match lenient {
        true => (&[CaseVerdict::Inconclusive], &[CaseVerdict::Failed]),
        false => (&[], &[CaseVerdict::Failed, CaseVerdict::Inconclusive]),
    };
    let statement = json!({
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "result": result,
            "configuration": configuration(record),
            "passedTests": named(&[CaseVerdict::Passed]),
            "warnedTests": named(warned),
            "failedTests": named(failed),
        },
    });
    let mut text = serde_json::to_string_pretty(&statement).expect("string keys only");
    text.push('\n');
    Some(text)
}

/// What was tested by: the scenarios by digest, the seed and the budgets as they were given.
fn configuration(record: &Record) -> Vec<Value> {
    let mut descriptors: Vec<Value> = Vec::new();
    for (_, level) in record.all_levels() {
        let Some(source) = &level.source else { continue };
        let descriptor = json!({
            "name": terminal(&level.scenario),
            "uri": terminal(&source.file),
            "digest": { "sha256": terminal(&source.sha256) },
        });
        if !descriptors.contains(&descriptor) {
            descriptors.push(descriptor);
        }
    }
    let budgets: Vec<Value> = record
        .all_levels()
        .map(|(side, level)| {
            json!({
                "side": side, "level": level.level.as_str(), "scenario": terminal(&level.scenario),
                "trials": level.trials_of_plan(),
            })
        })
        .collect();
    let campaign = json!({
        "partywall": terminal(&record.partywall), "command": terminal(&record.command),
        "seed": record.seed.to_string(), "budgets": budgets,
    });
    let content = partywall_core::canary::base64(campaign.to_string().as_bytes(), false, true);
    descriptors.push(json!({
        "name": "campaign", "mediaType": "application/json", "content": content,
    }));
    descriptors
}
