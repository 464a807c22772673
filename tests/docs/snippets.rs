//! Snippets are right as they stand: each language has its check, and no other language is used.

use std::path::PathBuf;
use std::process::Command;

use partywall::audit::settings::Settings;
use partywall::campaign::baseline::Baseline;
use partywall::scenario::{Scenario, TEMPLATES};
use toml::{Table, Value};

use super::{Fence, Page, pages, root};

/// The scenario that fragments are parts of: chats over WebSocket.
fn whole(fragment: &Table) -> Table {
    let mut whole: Table = TEMPLATES[0].1.parse().expect("TOML");
    for (key, value) in fragment {
        match (key.as_str(), whole.get_mut(key), value) {
            // These say what is added; other tables stand for the whole table.
            ("events" | "controls", Some(Value::Table(own)), Value::Table(more)) => {
                own.extend(more.clone());
            }
            _ => drop(whole.insert(key.clone(), value.clone())),
        }
    }
    if fragment.contains_key("target") {
        whole.remove("before");
        whole.remove("after");
    }
    whole
}

/// A table as TOML: a line for each key.
fn written(table: &Table) -> String {
    let line = |(key, value): (&String, &Value)| format!("{key} = {}\n", inline(value));
    table.iter().map(line).collect()
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Table(table) => {
            let pair = |(key, value): (&String, &Value)| format!("\"{key}\" = {}", inline(value));
            format!("{{ {} }}", table.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(is_true) => is_true.to_string(),
        Value::Datetime(time) => time.to_string(),
    }
}

fn toml_problem(body: &str) -> Result<(), String> {
    let table: Table = body.parse().map_err(|error| format!("{error}"))?;
    let has = |key: &str| table.contains_key(key);
    if has("dev-dependencies") {
        return dependency_problem(&table["dev-dependencies"]["partywall"]);
    }
    if has("known") {
        return Baseline::parse(body, "a baseline").map(drop).map_err(|error| error.to_string());
    }
    let text = if has("version") { body.to_owned() } else { written(&whole(&table)) };
    Scenario::parse(&text).map(drop).map_err(|error| format!("{error}\n{text}"))
}

/// The dependency that a reader is told to add is on this package, as it is.
fn dependency_problem(dependency: &Value) -> Result<(), String> {
    let version = dependency["version"].as_str().unwrap_or_default();
    match env!("CARGO_PKG_VERSION").starts_with(version) && !version.is_empty() {
        true => Ok(()),
        false => Err(format!("this is version {}", env!("CARGO_PKG_VERSION"))),
    }
}

/// Lets an interpreter look at the syntax; nothing to say where there is no such interpreter.
fn syntax_problem(program: &str, check: &[&str], fence: &Fence, name: &str) -> Result<(), String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("snippets");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{}-{name}", fence.line));
    std::fs::write(&file, &fence.body).expect("written");
    let Ok(output) = Command::new(program).args(check).arg(&file).output() else {
        eprintln!("skipped: there is no {program}");
        return Ok(());
    };
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

const PARSE: &str = "import ast, sys; ast.parse(open(sys.argv[1]).read())";

fn problem(page: &Page, fence: &Fence) -> Result<(), String> {
    match fence.language.as_str() {
        "toml" if fence.mark("file") == Some("partywall-audit.toml") => {
            Settings::of_file(&fence.body, false).map(drop).map_err(|error| error.to_string())
        }
        "toml" => toml_problem(&fence.body),
        "python" => syntax_problem("python3", &["-c", PARSE], fence, "snippet.py"),
        "js" => syntax_problem("node", &["--check"], fence, "snippet.mjs"),
        "rust" => {
            // Compiled and run where the page is included as documentation.
            let facade = std::fs::read_to_string(root().join("src/lib.rs")).expect("the facade");
            let is_included = facade.contains(&format!("include_str!(\"../{}\")", page.path));
            is_included.then_some(()).ok_or_else(|| "src/lib.rs does not include this page".into())
        }
        // Commands have tests of their own, and what a program prints stands for itself.
        "console" | "yaml" | "text" => Ok(()),
        other => Err(format!("nothing checks the language `{other}`")),
    }
}

#[test]
fn each_snippet_is_right() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for fence in page.fences() {
            seen += 1;
            if let Err(wrong) = problem(&page, &fence) {
                complaints.push(format!("{}:{}: {wrong}", page.path, fence.line));
            }
        }
    }
    assert!(seen > 50, "{seen} snippets");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_wrong_snippet_is_found() {
    let page = Page { path: "docs/planted.md".into(), text: String::new() };
    let planted = [
        ("toml", "[workload]\nuser = 3\n"),
        ("toml", "[dev-dependencies]\npartywall = { version = \"7\" }\n"),
        ("rust", "fn main() {}\n"),
        ("cobol", "STOP RUN.\n"),
    ];
    for (language, body) in planted {
        let (language, body) = (language.to_owned(), body.to_owned());
        let fence = Fence { language, marks: Vec::new(), line: 1, body };
        assert!(problem(&page, &fence).is_err(), "{fence:?}");
    }
}
