//! The sample sign-off under `reports/sample/` is what the program writes.
//!
//! Explored and modelled figures are compared as they are; times, folders, and everything that the
//! wire counts differ from run to run and are masked. To write the sample anew, run this test with
//! `PARTYWALL_WRITE_SAMPLE=1`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use partywall::report::{html, json, markdown, terminal};
use partywall::trial::record::Record;
use serde_json::{Value, json};

/// What the sample was made with; small, so that this test stays short.
const ARGUMENTS: [&str; 8] =
    ["signoff", "--seed", "1", "--trials", "200", "--rounds", "2", "--no-fail-fast"];

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample")
}

/// Runs the sign-off and gives its run folder.
fn sign_off() -> PathBuf {
    let reports = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sample");
    let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARTYWALL_") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(ARGUMENTS)
        .args(["--name", "sample", "--report-dir"])
        .arg(&reports)
        .output()
        .expect("the program runs");
    let latest = reports.join("runs/sample/latest");
    assert!(latest.join("report.json").is_file(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::canonicalize(latest).expect("a run folder")
}

/// The report with what differs from run to run taken out.
fn masked(text: &str) -> Value {
    let mut report: Value = serde_json::from_str(text).expect("JSON");
    let folder = report["folder"].as_str().expect("a folder").to_owned();
    let differing =
        ["started_at", "seconds", "folder", "verdict", "exit_code", "reasons", "subjects"];
    for field in differing {
        report[field] = json!("masked");
    }
    for model in report["models"].as_array_mut().expect("models") {
        model["seconds"] = json!("masked");
    }
    for side in ["before", "after"] {
        report[side]["verdict"] = json!("masked");
        for level in report[side]["levels"].as_array_mut().expect("levels") {
            if level["level"] == "wire" {
                let kept = ["level", "scenario", "method", "users", "trials", "trials_planned"];
                level
                    .as_object_mut()
                    .expect("a level")
                    .retain(|key, _| kept.contains(&key.as_str()));
            }
        }
    }
    for list in ["cross_checks", "comparison"] {
        report[list].as_array_mut().expect("a list").retain(|row| row["level"] != "wire");
    }
    let text = report.to_string().replace(&folder, "FOLDER");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_sample_is_what_the_program_writes() {
    let folder = sign_off();
    let written = fs::read_to_string(folder.join("report.json")).expect("a report");
    if std::env::var_os("PARTYWALL_WRITE_SAMPLE").is_some() {
        write_sample(&written);
    }
    let kept = fs::read_to_string(sample().join("report.json")).expect("the sample");
    let (written, kept) = (masked(&written), masked(&kept));
    // Field by field, so that a difference is told and not buried.
    for (field, value) in kept.as_object().expect("a report") {
        assert_eq!(&written[field], value, "{field}");
    }
    assert_eq!(written, kept);
}

#[test]
fn the_other_forms_of_the_sample_are_views_of_its_json() {
    let read = |name: &str| fs::read_to_string(sample().join(name)).expect("the sample");
    let record = json::read(&read("report.json")).expect("a report");
    assert_eq!(compact(&record), read("report.json"));
    assert_eq!(markdown::render(&record), read("report.md"));
    assert_eq!(terminal::render(&record, terminal::Style::default()), read("report.txt"));
    assert!(html::render(&record) == read("report.html"), "write the sample anew");
}

/// The record on one line: tests read it, and people read the other forms.
fn compact(record: &Record) -> String {
    serde_json::to_string(record).expect("a record is JSON") + "\n"
}

/// Writes the sample with the folder that a reader would have.
fn write_sample(report: &str) {
    let mut record = json::read(report).expect("a report");
    let folder = record.folder.clone().expect("a folder");
    let text = report.replace(&folder, "reports/runs/sample/2026-01-01T00-00-00Z");
    record = json::read(&text).unwrap_or(record);
    fs::create_dir_all(sample()).expect("a folder");
    let write = |name: &str, text: String| fs::write(sample().join(name), text).expect("written");
    write("report.json", compact(&record));
    write("report.md", markdown::render(&record));
    write("report.html", html::render(&record));
    write("report.txt", terminal::render(&record, terminal::Style::default()));
}
