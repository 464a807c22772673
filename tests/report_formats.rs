//! The reports for machines: what they say is held against committed snapshots, JUnit and SARIF
//! against their schemas, and none of them is broken by what a server sent.

use std::path::{Path, PathBuf};
use std::process::Command;

use partywall::report::{attestation, github, html, junit, sarif};
use partywall::trial::finding::{FindingKind, OracleId};
use partywall::trial::ids::UserName;
use partywall::trial::measure::Subject;
use partywall::trial::record::{FindingRecord, Record, Rule};
use partywall::trial::verdict::Outcome;
use serde_json::Value;

fn told() -> [(&'static str, Record); 7] {
    [
        ("clean_explore", crate::records::clean_explore()),
        ("leaked_explore", crate::records::leaked_explore()),
        ("fixed", crate::records::fixed()),
        ("still_leaks", crate::records::still_leaks()),
        ("inconclusive", crate::records::inconclusive()),
        ("hostile", crate::records::hostile()),
        ("selftest", crate::records::selftest()),
    ]
}

fn everything() -> Vec<(&'static str, Record)> {
    let mut all = crate::records::all().to_vec();
    all.push(("flood", crate::records::flooded("\u{1b}[2J]]></system-out><x>\u{0}\u{fffe}")));
    all
}

/// The page without its own style and script, which are looked at in a browser.
fn without_own(page: &str) -> String {
    let cut = |page: &str, from: &str, to: &str| {
        let (before, rest) = page.split_once(from).expect("it begins");
        let (_, after) = rest.split_once(to).expect("it ends");
        format!("{before}{from}{to}{after}")
    };
    let page = cut(page, "<style>", "</style>");
    let page = cut(&page, "<script>\"use strict\";", "</script>");
    let (before, rest) = page.split_once("Content-Security-Policy\" content=\"").expect("a policy");
    let (_, after) = rest.split_once('"').expect("it ends");
    // One element a line.
    format!("{before}POLICY{after}").replace("><", ">\n<")
}

#[test]
fn reports_for_machines_read_as_committed() {
    for (name, record) in told() {
        insta::assert_snapshot!(format!("junit_{name}"), junit::render(&record, false));
        let sarif: Value = serde_json::from_str(&sarif::render(&record)).expect("JSON");
        let sarif = serde_json::to_string_pretty(&sarif).expect("JSON");
        insta::assert_snapshot!(format!("sarif_{name}"), sarif);
        insta::assert_snapshot!(format!("github_{name}"), github::annotations(&record));
        insta::assert_snapshot!(format!("html_{name}"), without_own(&html::render(&record)));
    }
}

#[test]
fn a_statement_is_about_the_tested_build_or_not_made() {
    let mut record = crate::records::fixed();
    assert_eq!(attestation::render(&record, false), None);
    record.subjects = vec![Subject { name: "app".into(), sha256: "ab".repeat(32) }];
    let text = attestation::render(&record, false).expect("there is a subject");
    insta::assert_snapshot!("intoto_fixed", text);
    let result = |outcome, lenient| {
        let record = Record { verdict: outcome, ..record.clone() };
        let text = attestation::render(&record, lenient).expect("there is a subject");
        let statement: Value = serde_json::from_str(&text).expect("JSON");
        statement["predicate"]["result"].as_str().map(String::from)
    };
    let cases = [
        (Outcome::Fixed, false, "PASSED"),
        (Outcome::Clean, true, "PASSED"),
        (Outcome::StillLeaks, true, "FAILED"),
        (Outcome::Inconclusive, false, "FAILED"),
        (Outcome::Inconclusive, true, "WARNED"),
        (Outcome::BaselineClean, true, "WARNED"),
    ];
    for (outcome, lenient, word) in cases {
        assert_eq!(result(outcome, lenient).as_deref(), Some(word), "{outcome}");
    }
}

fn schema(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(name)
}

#[test]
fn sarif_keeps_its_schema() {
    let text = std::fs::read_to_string(schema("sarif-2.1.0.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for (name, mut record) in everything() {
        // A record of the program has a rule for each oracle.
        record.rules =
            OracleId::ALL.map(|oracle| Rule { oracle, ..record.rules[0].clone() }).to_vec();
        let log: Value = serde_json::from_str(&sarif::render(&record)).expect("JSON");
        let problems: Vec<String> = validator
            .iter_errors(&log)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
        // What code scanning asks for beyond the schema.
        let run = &log["runs"][0];
        for rule in run["tool"]["driver"]["rules"].as_array().expect("rules") {
            for field in ["/id", "/shortDescription/text", "/fullDescription/text", "/help/text"] {
                assert!(rule.pointer(field).is_some_and(Value::is_string), "{name}: {field}");
            }
            assert!(rule["properties"]["security-severity"].is_string());
        }
        for result in run["results"].as_array().expect("results") {
            let region = result.pointer("/locations/0/physicalLocation/region/startLine");
            assert!(region.and_then(Value::as_u64).is_some_and(|line| line > 0), "{name}");
            let hash = result.pointer("/partialFingerprints/primaryLocationLineHash");
            assert!(hash.is_some_and(Value::is_string), "{name}");
        }
        crate::code_scanning::takes(&log, name);
        let in_doubt = matches!(record.verdict, Outcome::Inconclusive | Outcome::BaselineClean);
        assert_eq!(run["invocations"][0]["executionSuccessful"], !in_doubt, "{name}");
        assert_eq!(run["results"][0]["ruleId"] == "partywall/inconclusive", in_doubt, "{name}");
    }
    let broken = serde_json::json!({ "version": "2.1.0", "runs": [{ "results": [{}] }] });
    assert!(!validator.is_valid(&broken));
}

#[test]
fn junit_keeps_its_schema() {
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("skipped: no xmllint to judge XML with (Debian: libxml2-utils)");
        return;
    }
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("junit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let judge = |name: &str, text: &str| {
        let file = folder.join(format!("{name}.xml"));
        std::fs::write(&file, text).expect("written");
        let schema = schema("junit-10.xsd");
        let mut lint = Command::new("xmllint");
        lint.args(["--nonet", "--noout", "--schema"]).arg(schema).arg(&file);
        lint.output().expect("it runs")
    };
    for (name, record) in everything() {
        for lenient in [false, true] {
            let output = judge(name, &junit::render(&record, lenient));
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    assert!(!judge("broken", "<testsuites><testcase/></testsuites>").status.success());
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn junit_counts_a_leak_as_a_failure_and_doubt_as_an_error_or_skipped() {
    let counts = |record: &Record, lenient| {
        let text = junit::render(record, lenient);
        ["<failure", "<error", "<skipped"].map(|tag| text.matches(tag).count())
    };
    assert_eq!(counts(&crate::records::clean_explore(), false), [0, 0, 0]);
    assert_eq!(counts(&crate::records::fixed(), false), [0, 0, 0]);
    assert_eq!(counts(&crate::records::leaked_explore(), false)[0], 1);
    let [failed, errors, skipped] = counts(&crate::records::inconclusive(), false);
    assert!(failed == 0 && errors > 0 && skipped == 0);
    let [failed, errors, skipped] = counts(&crate::records::inconclusive(), true);
    assert!(failed == 0 && errors == 0 && skipped > 0);
}

#[test]
fn junit_counts_a_leak_once_and_another_leak_as_another() {
    let failures = |change: fn(&mut FindingRecord)| {
        let mut record = crate::records::leaked_explore();
        let level = &mut record.levels[0];
        let mut row = level.oracles[0].clone();
        row.oracle = OracleId::Ownership;
        level.oracles.push(row);
        let crossing = level.findings.iter().find(|found| found.kind == FindingKind::Crossing);
        let mut found = crossing.expect("one crosses").clone();
        found.oracle = OracleId::Ownership;
        change(&mut found);
        level.findings.push(found);
        junit::render(&record, false).matches("<failure").count()
    };
    assert_eq!(failures(|_| ()), 1);
    assert_eq!(failures(|found| found.victim_run = None), 1);
    assert_eq!(failures(|found| found.observer = UserName::new("another")), 2);
    assert_eq!(failures(|found| found.victim = UserName::new("another")), 2);
    assert_eq!(failures(|found| found.observer_operation = "elsewhere".into()), 2);
    assert_eq!(failures(|found| found.first_trial += 1), 2);
    assert_eq!(failures(|found| found.kind = FindingKind::Loss), 2);
}

#[test]
fn annotations_are_few_and_whole() {
    for (name, record) in everything() {
        let text = github::annotations(&record);
        for kind in ["::error ", "::warning ", "::notice "] {
            assert!(text.lines().filter(|line| line.starts_with(kind)).count() <= 10, "{name}");
        }
        let ours = ["::error ", "::warning ", "::notice "];
        for line in text.lines() {
            assert!(ours.iter().any(|kind| line.starts_with(kind)), "{name}: {line:?}");
            assert!(!line.contains(char::is_control), "{name}: {line:?}");
        }
    }
    let guarded = github::guarded("one\n::error::two", "token");
    assert_eq!(guarded, "::stop-commands::token\none\n::error::two\n::token::\n");
}

#[test]
fn a_page_holds_nothing_that_a_server_sent_as_markup() {
    for (name, record) in everything() {
        let page = html::render(&record);
        assert_eq!(page.matches("<script").count(), 2, "{name}");
        assert_eq!(page.matches("</script>").count(), 2, "{name}");
        for wrong in ["<img", "onerror=", "javascript:", "<!--", "\u{202e}", "\u{1b}", " src="] {
            // Disarmed text may name it, but not begin it.
            let armed = page.match_indices(wrong).filter(|(at, _)| {
                let before = &page[..*at];
                before.rfind('<') > before.rfind('>')
                    || wrong.starts_with(['<', '\u{202e}', '\u{1b}'])
            });
            assert_eq!(armed.count(), 0, "{name}: {wrong:?}");
        }
        for away in ["http://", "https://"] {
            let links = [format!("href=\"{away}"), format!("url({away}")];
            assert!(links.iter().all(|link| !page.contains(link)), "{name}");
        }
    }
}
