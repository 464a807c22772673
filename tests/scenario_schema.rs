//! The published JSON Schema of scenario files is the one that they are read by, and the ready
//! scenarios keep it.
//!
//! To write it anew, run this test with `PARTYWALL_WRITE_SCHEMA=1`.

use std::fs;
use std::path::PathBuf;

use partywall::scenario::{Scenario, TEMPLATES, scenario_schema};
use serde_json::Value;

fn published() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("reports/schema/scenario.schema.json")
}

#[test]
fn the_published_schema_is_that_of_scenario_files() {
    let text = scenario_schema();
    if std::env::var_os("PARTYWALL_WRITE_SCHEMA").is_some() {
        fs::write(published(), &text).expect("written");
    }
    let kept = fs::read_to_string(published()).expect("the schema");
    assert_eq!(kept, text, "run with PARTYWALL_WRITE_SCHEMA=1 to write it anew");
}

/// The ready scenario files.
fn ready() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(&folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    paths.push(folder.join("examples/python-chat/python-chat.toml"));
    let read =
        |path: PathBuf| (path.display().to_string(), fs::read_to_string(path).expect("a scenario"));
    paths.into_iter().map(read).collect()
}

#[test]
fn ready_scenarios_keep_the_schema_and_others_do_not() {
    let schema: Value = serde_json::from_str(&scenario_schema()).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema of that draft");
    let ready = ready();
    assert!(ready.len() > TEMPLATES.len());
    for (name, text) in ready {
        Scenario::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let file: Value = toml::from_str(&text).expect("TOML");
        let problems: Vec<String> = validator
            .iter_errors(&file)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
        for (place, value) in [("/version", Value::from("one")), ("/start", Value::Null)] {
            let mut spoilt = file.clone();
            match spoilt.pointer_mut(place) {
                Some(own) => *own = value,
                None => assert_eq!(file["target"]["builtin"], "reference", "{name}: {place}"),
            }
            assert!(!validator.is_valid(&spoilt) || spoilt == file, "{name}: {place}");
        }
        // Without what says how runs are started, only the reference back end can be driven.
        let mut cut = file.clone();
        cut.as_object_mut().expect("a table").remove("start");
        assert_eq!(validator.is_valid(&cut), cut == file, "{name}: no start");
    }
}
