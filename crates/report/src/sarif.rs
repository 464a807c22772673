//! SARIF 2.1.0 as code scanning reads it: a rule for each oracle, a result for each finding, a
//! thread flow for each user that takes part in it.
//!
//! Passes are no results. An empty upload closes open alerts, so a run that shows nothing says that
//! it did not succeed, and has one result of its own. What before shows in a sign-off is there to
//! be shown: it is a note, and nobody is alerted.

use serde_json::{Value, json};

use super::safe_text::{name, terminal};
use super::sarif_place::{INFORMATION, SCHEMA, location};
use super::{audit_sarif, latent, phrases, sarif_migration};
use partywall_core::finding::FindingKind;
use partywall_core::measure::Source;
use partywall_core::record::{FindingRecord, Latent, Level, Record, Rule};
use partywall_core::timeline::{MarkKind, Timeline};
use partywall_core::verdict::Outcome;

const INCONCLUSIVE: &str = "partywall/inconclusive";
const LATENT: &str = "partywall/latent-contamination";
/// How many results are written; more than any reader takes.
const MOST_RESULTS: usize = 1_000;
/// How many locations one thread flow has.
const MOST_STEPS: usize = 25;

/// The whole log.
pub fn render(record: &Record) -> String {
    let mut rules: Vec<Value> = record.rules.iter().map(rule).chain(own_rules()).collect();
    rules.extend(record.migration.iter().flat_map(|_| sarif_migration::rules()));
    rules.extend(record.audit.iter().flat_map(audit_sarif::rules));
    let in_doubt = matches!(record.verdict, Outcome::Inconclusive | Outcome::BaselineClean);
    let mut results = Vec::new();
    if in_doubt {
        results.push(doubt(record));
    }
    for (side, level) in record.all_levels() {
        let own = level.findings.iter().map(|finding| result(record, side, level, finding));
        results.extend(own.take(MOST_RESULTS.saturating_sub(results.len())));
        let warned = level.warnings.iter().map(|found| result(record, side, level, found));
        let warned = warned.map(|mut value| {
            value["level"] = "warning".into();
            value
        });
        let left = MOST_RESULTS.saturating_sub(results.len());
        results.extend(warned.filter(|_| side != "before").take(left));
    }
    let contaminated = |seen| contaminated(record, seen);
    results.extend(latent::seen(record).zip(latent::warnings(record, terminal)).map(contaminated));
    results.extend(sarif_migration::results(record));
    results.extend(record.audit.iter().flat_map(audit_sarif::results));
    results.truncate(MOST_RESULTS);
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "partywall",
                "semanticVersion": name(&record.partywall),
                "informationUri": INFORMATION,
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": !in_doubt,
                "exitCode": record.exit_code as u8,
                "startTimeUtc": terminal(&record.started_at),
            }],
            "automationDetails": { "id": format!("partywall/{}/", name(&record.name)) },
            "results": results,
            "properties": { "verdict": record.verdict.as_str(), "seed": record.seed.to_string() },
        }],
    });
    let mut text = serde_json::to_string(&log).expect("string keys only");
    text.push('\n');
    text
}

fn rule(rule: &Rule) -> Value {
    let help = format!(
        "{}\n\nWhen it can say nothing: {}\n\nWhat to check next: {}",
        terminal(&rule.meaning),
        terminal(&rule.precondition),
        terminal(&rule.next)
    );
    json!({
        "id": format!("partywall/{}", rule.oracle.name()),
        "name": camel(rule.oracle.name()),
        "shortDescription": { "text": terminal(&rule.short) },
        "fullDescription": { "text": terminal(&rule.meaning) },
        "help": { "text": help },
        "defaultConfiguration": { "level": "error" },
        "properties": {
            "tags": ["security", "concurrency", "isolation"],
            "security-severity": "8.0",
            "precision": "very-high",
        },
    })
}

/// The rules that are no oracle's.
fn own_rules() -> [Value; 2] {
    let latent = json!({
        "id": LATENT,
        "name": "LatentContamination",
        "shortDescription": { "text": "Something of one user's was bound to another in memory." },
        "fullDescription": {
            "text": "By the back end's own reports an agent, an emitter or something cached worked \
                     for one user and was bound to another, although nothing crossed."
        },
        "help": { "text": "Look at who shares it: something set it right later, and the next change may take that away." },
        "defaultConfiguration": { "level": "warning" },
        "properties": { "tags": ["security"], "security-severity": "4.0" },
    });
    [inconclusive_rule(), latent]
}

/// A level with latent contamination: a warning.
fn contaminated(
    record: &Record,
    ((_, level, _), warning): ((&str, &Level, &Latent), String),
) -> Value {
    let (mode, scenario) = (level.level.as_str(), name(&level.scenario));
    json!({
        "ruleId": LATENT,
        "level": "warning",
        "message": { "text": warning },
        "locations": [location(source_of(record, level), latent::TITLE, None)],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("latent-{mode}-{scenario}")
        },
    })
}

fn inconclusive_rule() -> Value {
    json!({
        "id": INCONCLUSIVE,
        "name": "Inconclusive",
        "shortDescription": { "text": "Nothing was shown." },
        "fullDescription": {
            "text": "The run shows neither that users are kept apart nor that they are not."
        },
        "help": { "text": "Look at the reasons in the report: a control may have been missed, or too little overlapped." },
        "defaultConfiguration": { "level": "warning" },
        "properties": { "tags": ["security"], "security-severity": "4.0" },
    })
}

fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let mut rest = word.chars();
        rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
    };
    name.split('-').map(capital).collect::<Vec<String>>().concat()
}

fn doubt(record: &Record) -> Value {
    let reasons: Vec<_> = record.reasons.iter().map(|reason| terminal(&reason.text)).collect();
    let source = record.all_levels().find_map(|(_, level)| level.source.as_ref());
    let source = source.or(record.source.as_ref());
    json!({
        "ruleId": INCONCLUSIVE,
        "level": "warning",
        "message": { "text": format!("{}: {}", record.verdict, reasons.join("; ")) },
        "locations": [location(source, "verdict", None)],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("inconclusive-{}", name(&record.name))
        },
    })
}

fn result(record: &Record, side: &str, level: &Level, finding: &FindingRecord) -> Value {
    let expected = side == "before" && record.verdict != Outcome::BaselineClean;
    let grade = match (expected, finding.kind) {
        (true, _) => "note",
        (false, FindingKind::Crossing | FindingKind::WrongBinding | FindingKind::NoEcho) => "error",
        (false, _) => "warning",
    };
    let mut message = terminal(&finding.summary);
    if let Some(moment) = phrases::moment(finding, terminal, name) {
        message.push_str(&format!("; {moment}"));
    }
    message.push_str(&format!("; seen {}.", phrases::seen(level, finding)));
    if let Some(mechanism) = &finding.mechanism {
        message.push_str(&format!(" Likely: {}.", terminal(mechanism)));
    }
    if let Some(command) = phrases::replay_command(finding.reproduce_with.as_deref()) {
        message.push_str(&format!(" Reproduce with: {}", super::safe_text::command(command)));
    }
    let rule = record.rules.iter().position(|rule| rule.oracle == finding.oracle);
    let mut value = json!({
        "ruleId": format!("partywall/{}", finding.oracle.name()),
        "level": grade,
        "message": { "text": message },
        "locations": [location(source_of(record, level), &finding.victim_operation, None)],
        "partialFingerprints": {
            "primaryLocationLineHash": finding.fingerprint.as_str(),
            "partywall/v1": finding.fingerprint.as_str(),
        },
        "properties": {
            "level": level.level.as_str(),
            "side": side,
            "kind": finding.kind.as_str(),
            "seenInTrials": finding.seen_in_trials,
        },
    });
    if let Some(rule) = rule {
        value["ruleIndex"] = json!(rule);
    }
    if let Some(flows) =
        level.timeline_of(finding).and_then(|line| flows(record, level, line, finding))
    {
        value["codeFlows"] = json!([{ "threadFlows": flows }]);
    }
    value
}

/// Where the scenario of a level says what was driven.
fn source_of<'r>(record: &'r Record, level: &'r Level) -> Option<&'r Source> {
    level.source.as_ref().or(record.source.as_ref())
}

/// What each of the two users did and saw, up to the crossing, in the order of the recorder.
fn flows(
    record: &Record,
    level: &Level,
    line: &Timeline,
    finding: &FindingRecord,
) -> Option<Vec<Value>> {
    let mut users = vec![&finding.victim, &finding.observer];
    users.dedup();
    let until = finding.crossing.map(|crossing| crossing.to);
    let until = until.or_else(|| finding.evidence.last().map(|evidence| evidence.n))?;
    let proofs = |n| finding.evidence.iter().find(|evidence| evidence.n == n);
    let mut flows = Vec::new();
    for user in users {
        let Some(lane) = line.lanes.iter().position(|own| own == user) else { continue };
        let told = |mark: &&partywall_core::timeline::Mark| {
            mark.lane as usize == lane && mark.n <= until && mark.what != MarkKind::Connected
        };
        let marks: Vec<_> = line.marks.iter().filter(told).collect();
        let first = marks.len().saturating_sub(MOST_STEPS);
        let steps: Vec<Value> = marks[first..]
            .iter()
            .map(|mark| {
                let label = line.labels.get(mark.label as usize).map_or("", String::as_str);
                let proof = proofs(mark.n).map(|proof| format!(": {}", terminal(&proof.shows)));
                let text = format!("{}, {}{}", name(user.as_str()), terminal(label), proof.unwrap_or_default());
                json!({
                    "location": location(source_of(record, level), &finding.victim_operation, Some(text)),
                    "executionOrder": mark.n,
                    "importance": if proofs(mark.n).is_some() { "essential" } else { "important" },
                })
            })
            .collect();
        if !steps.is_empty() {
            flows.push(json!({ "id": name(user.as_str()), "locations": steps }));
        }
    }
    (!flows.is_empty()).then_some(flows)
}
