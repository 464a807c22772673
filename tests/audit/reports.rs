//! What an audit prints: for people, for scripts, for code scanning, for the runner.

use partywall::report::{audit_github, audit_json, audit_sarif, audit_table, terminal};
use partywall::trial::audit::{AuditRecord, Risk};
use serde_json::Value;

use super::{Scratch, audited, folder};

#[test]
fn json_reads_back_and_another_version_is_told_as_that() {
    let audit = audited(&folder("fixtures"), true);
    let text = audit_json::render(&audit);
    assert_eq!(audit_json::read(&text).expect("it reads back"), audit);
    let newer = text.replacen("\"audit_version\": 1", "\"audit_version\": 9", 1);
    let error = audit_json::read(&newer).expect_err("another version").to_string();
    assert!(error.contains("version 9; this partywall reads 1"), "{error}");
    let error = audit_json::read("{\n oops").expect_err("no JSON").to_string();
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn the_table_begins_with_what_remains_and_shows_why_it_is_at_risk() {
    let audit = audited(&folder("fixtures/risk"), false);
    let table = audit_table::render(&audit, terminal::Style::default());
    let first = table.lines().take(2).collect::<Vec<_>>().join(" ");
    let remaining = audit.remaining().count();
    assert!(first.starts_with(&format!("{remaining} call sites remain")), "{table}");
    let (_, high) = table.split_once("Call sites at high risk").expect("there are some");
    assert!(high.contains("configured: factory.configure(websocket_bridge=bridge)"), "{table}");
    assert!(high.contains("use create_agent_instance_factory instead"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn sarif_has_what_code_scanning_needs() {
    let mut audit = audited(&folder("fixtures"), true);
    audit.root = "tests/audit/fixtures".into();
    let log: Value = serde_json::from_str(&audit_sarif::render(&audit)).expect("it is JSON");
    crate::code_scanning::takes(&log, "audit");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
    }
    let known = |id: &Value| rules.iter().any(|rule| rule["id"] == *id);
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), audit.counted().count() + audit.suspects.len());
    let mut prints = std::collections::BTreeSet::new();
    for result in results {
        assert!(known(&result["ruleId"]), "{result}");
        assert!(["error", "warning", "note"].iter().any(|level| result["level"] == *level));
        assert!(!result["message"]["text"].as_str().expect("a message").is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().expect("a line") > 0);
        assert!(place["artifactLocation"]["uri"].as_str().expect("a path").contains('/'));
        let print = &result["partialFingerprints"]["primaryLocationLineHash"];
        assert!(prints.insert(print.to_string()), "twice: {print}");
    }
    let errors = results.iter().filter(|result| result["level"] == "error").count();
    assert_eq!(errors, audit.remaining().filter(|found| found.risk == Risk::High).count());
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let prints = |text: &str| {
        let scratch = Scratch::new("prints");
        scratch.file("a.py", text);
        let log: Value =
            serde_json::from_str(&audit_sarif::render(&audited(&scratch.0, false))).expect("JSON");
        let results = log["runs"][0]["results"].as_array().expect("results").clone();
        let print = |result: &Value| result["partialFingerprints"].to_string();
        results.iter().map(print).collect::<std::collections::BTreeSet<_>>()
    };
    let text = "x = get_agent_instance_factory()\n";
    assert_eq!(prints(text), prints(&format!("import os\n\n{text}")));
    assert_ne!(prints(text), prints(&text.replace('x', "y")));
}

#[test]
fn annotations_are_ten_of_a_level_and_a_line_with_the_rest() {
    let scratch = Scratch::new("annotations");
    scratch.file("app/a.py", "get_agent_instance_factory()\n".repeat(14));
    // Paths are of the repository, not of the folder that was searched.
    let audit = AuditRecord { root: "./services/".into(), ..audited(&scratch.0, false) };
    let text = audit_github::render(&audit);
    let first = "::warning file=services/app/a.py,line=1,col=1,endColumn=27,\
                 title=get_agent_instance_factory::call; use create_agent_instance_factory";
    assert_eq!(text.lines().next(), Some(first));
    assert_eq!(text.lines().filter(|line| line.starts_with("::warning")).count(), 10);
    assert!(text.contains("\n4 more of level warning"), "{text}");
    let log: Value = serde_json::from_str(&audit_sarif::render(&audit)).expect("JSON");
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "services/app/a.py");
    for (root, told) in [(".", "app/a.py"), ("src/", "src/app/a.py")] {
        let audit = AuditRecord { root: root.into(), ..audit.clone() };
        let first = audit_github::render(&audit);
        assert!(first.starts_with(&format!("::warning file={told},")), "{first}");
    }
    // Compared with an earlier audit, only what is new is told, and as an error.
    let compared = partywall::audit::baseline::compare(&audit, &without(&audit, 1), "a.json");
    let audit = AuditRecord { compared: Some(compared), ..audit };
    let text = audit_github::render(&audit);
    assert_eq!(text.lines().filter(|line| line.starts_with("::error")).count(), 1, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("::")).count(), 1, "{text}");
}

fn without(audit: &AuditRecord, last: usize) -> AuditRecord {
    let mut less = audit.clone();
    less.uses.truncate(audit.uses.len() - last);
    less
}
