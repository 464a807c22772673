//! The forms of a report: written where they were asked for, rendered again later, annotated for
//! CI, and without anything that nobody may know.

use std::path::{Path, PathBuf};

use crate::support::reports::contents;
use crate::support::{Scratch, Server, partywall, ran};

const FORMS: &str = "html,junit,sarif,markdown,intoto,github";
const CLEAN: [&str; 5] = ["explore", "--migrated", "all", "--trials", "40"];

fn subject() -> String {
    format!("app@sha256:{}", "ab".repeat(32))
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_forms_that_were_asked_for_are_written_and_can_be_had_again() {
    let scratch = Scratch::new("forms");
    let subject = subject();
    let asked = ["--report", FORMS, "--subject", &subject];
    ran(&mut scratch.partywall(&[&CLEAN[..], &asked].concat())).exits(0);
    let folder = scratch.run_folder("explore");
    let files = [
        "report.json",
        "report.md",
        "report.html",
        "junit.xml",
        "report.sarif",
        "attestation.intoto.json",
        "summary.md",
    ];
    let first: Vec<String> = files.iter().map(|name| read(&folder, name)).collect();
    for name in &files[1..] {
        std::fs::remove_file(folder.join(name)).expect("it was there");
    }
    ran(partywall(&["report", "--format", FORMS]).arg(&folder)).exits(0);
    let again: Vec<String> = files.iter().map(|name| read(&folder, name)).collect();
    assert!(first == again, "a form is not the same when it is rendered again");
    let statement: serde_json::Value = serde_json::from_str(&first[5]).expect("JSON");
    assert_eq!(statement["subject"][0]["name"], "app");
    assert_eq!(statement["predicate"]["result"], "PASSED");
    // On the terminal, on standard output, and elsewhere.
    let shown = ran(partywall(&["report"]).arg(&folder)).exits(0).stdout;
    assert!(shown.starts_with("CLEAN"), "{shown}");
    let page = ran(partywall(&["report", "--format", "html", "--output", "-"]).arg(&folder));
    assert!(page.exits(0).stdout == first[2]);
    let elsewhere = scratch.path().join("own.sarif");
    let mut command = partywall(&["report", "--format", "sarif", "--output"]);
    ran(command.arg(&elsewhere).arg(&folder)).exits(0);
    assert!(read(scratch.path(), "own.sarif") == first[4]);
}

#[test]
fn without_a_named_build_there_is_no_statement() {
    let scratch = Scratch::new("no-subject");
    let ran_ =
        ran(&mut scratch.partywall(&[&CLEAN[..], &["--report", "intoto"]].concat())).exits(0);
    ran_.complains(&["--subject"]);
    let folder = scratch.run_folder("explore");
    assert!(!folder.join("attestation.intoto.json").exists());
    ran(partywall(&["report", "--format", "intoto"]).arg(&folder))
        .exits(2)
        .complains(&["--subject"]);
    let wrong = ["report", "--subject", "app@sha256:12"];
    ran(partywall(&wrong).arg(&folder)).exits(2).complains(&["64 hex digits"]);
}

#[test]
fn what_is_no_report_is_told_with_its_place() {
    let scratch = Scratch::new("no-report");
    ran(partywall(&["report"]).arg(scratch.path().join("nowhere")))
        .exits(2)
        .complains(&["nowhere"]);
    let file = scratch.file("report.json", "{\n  \"schema_version\": 1,\n}");
    ran(partywall(&["report"]).arg(&file)).exits(2).complains(&["line 3", "run folder"]);
    ran(&mut partywall(&["report"])).exits(2);
}

#[test]
fn the_schema_is_printed() {
    let text = ran(&mut partywall(&["report", "--schema"])).exits(0).stdout;
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/schema/report.schema.json");
    assert!(text == std::fs::read_to_string(published).expect("the schema"));
}

/// A run folder with the sample's report.
fn sample(scratch: &Scratch) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample/report.json");
    scratch.file("report.json", std::fs::read(path).expect("the sample"))
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let scratch = Scratch::new("github");
    let sample = sample(&scratch);
    let summary = scratch.path().join("summary");
    let mut command = partywall(&["report"]);
    command.arg(&sample).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let shown = ran(&mut command).exits(0).stdout;
    let mut lines = shown.lines();
    let token = lines.next().and_then(|line| line.strip_prefix("::stop-commands::"));
    let token = token.expect("commands are off first").to_owned();
    assert!(token.len() >= 16, "{token}");
    let (report, after) = shown.split_once(&format!("\n::{token}::\n")).expect("on again");
    assert!(report.contains("FIXED"), "{report}");
    let first = "::notice file=scenarios/reference-golden-path.toml,line=";
    assert!(after.starts_with(first), "{after}");
    assert_eq!(after.lines().count(), 10, "{after}");
    let text = std::fs::read_to_string(&summary).expect("a summary");
    assert!(text.starts_with("### partywall signoff: FIXED"), "{text}");
    // Another time another token, and nobody is annotated who does not want it.
    let mut again = partywall(&["report", "--annotations", "github"]);
    let again = ran(again.arg(&sample)).exits(0).stdout;
    assert!(again.starts_with("::stop-commands::") && !again.contains(&token));
    let mut none = partywall(&["report", "--annotations", "none"]);
    let none = ran(none.arg(&sample).env("GITHUB_ACTIONS", "true")).exits(0).stdout;
    assert!(!none.contains("::notice"), "{none}");
}

#[test]
fn no_token_is_in_anything_that_is_written() {
    let scratch = Scratch::new("secrets");
    let server = Server::start("none");
    let url = server.url();
    let run = ["run", "--target", &url, "--users", "6", "--rounds", "1", "--report", FORMS];
    let shown = ran(&mut scratch.partywall(&run)).exits(1);
    ran(&mut scratch.partywall(&[&CLEAN[..], &["--report", FORMS]].concat())).exits(0);
    let mut texts = vec![shown.stdout.into_bytes(), shown.stderr.into_bytes()];
    let written = contents(scratch.path());
    assert!(written.len() > 10, "{}", written.len());
    texts.extend(written.into_iter().map(|(_, bytes)| bytes));
    for text in texts {
        let text = String::from_utf8_lossy(&text).into_owned();
        for secret in ["pwt-", "Bearer "] {
            assert!(!text.contains(secret), "{secret} in {}", &text[..text.len().min(300)]);
        }
    }
}
