//! The published JSON Schema of `report.json` is the one that the record has, and reports keep it.
//!
//! To write it anew, run this test with `PARTYWALL_WRITE_SCHEMA=1`.

use std::fs;
use std::path::{Path, PathBuf};

use partywall::report::{json, schema};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn published() -> PathBuf {
    root().join("reports/schema/report.schema.json")
}

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&schema::report_schema()).expect("JSON");
    jsonschema::draft202012::new(&schema).expect("a schema of that draft")
}

#[track_caller]
fn keeps(validator: &jsonschema::Validator, name: &str, text: &str) {
    let report: Value = serde_json::from_str(text).expect("JSON");
    let problems: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
}

#[test]
fn the_published_schema_is_that_of_the_record() {
    let text = schema::report_schema();
    if std::env::var_os("PARTYWALL_WRITE_SCHEMA").is_some() {
        fs::create_dir_all(root().join("reports/schema")).expect("a folder");
        fs::write(published(), &text).expect("written");
    }
    let kept = fs::read_to_string(published()).expect("the schema");
    assert_eq!(kept, text, "run with PARTYWALL_WRITE_SCHEMA=1 to write it anew");
}

#[test]
fn every_report_keeps_the_schema() {
    let validator = validator();
    for (name, record) in crate::records::all() {
        keeps(&validator, name, &json::render(&record));
    }
    keeps(&validator, "flood", &json::render(&crate::records::flooded("\u{1b}[2J</script>")));
    let sample = fs::read_to_string(root().join("reports/sample/report.json")).expect("the sample");
    keeps(&validator, "sample", &sample);
}

#[test]
fn what_is_no_report_does_not_keep_it() {
    let validator = validator();
    let good: Value =
        serde_json::from_str(&json::render(&crate::records::leaked_explore())).expect("JSON");
    let spoilt = [
        ("/verdict", Value::from("perfect")),
        ("/seed", Value::from(1)),
        ("/seed", Value::from("one")),
        ("/levels/0/trials", Value::from(-1)),
        ("/levels/0/findings/0/oracle", Value::from("O99")),
        ("/levels/0/findings/0/fingerprint", Value::Null),
        ("/reasons", Value::from("because")),
    ];
    for (place, value) in spoilt {
        let mut report = good.clone();
        *report.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
        assert!(!validator.is_valid(&report), "{place}");
    }
}
