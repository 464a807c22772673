//! The reference pages are made from the published schemas. To write them again, run this test with
//! `PARTYWALL_WRITE_DOCS=1`.

use std::fmt::Write;
use std::fs;

use partywall::report::schema::report_schema;
use partywall::scenario::scenario_schema;
use serde_json::Value;

use super::{Page, root};

/// The order of a scenario file's tables; all others follow.
const ORDER: [&str; 18] = [
    "target",
    "before",
    "after",
    "state",
    "migration",
    "upstream",
    "identity",
    "setup",
    "start",
    "events",
    "shared",
    "controls",
    "switch",
    "workload",
    "explore",
    "wire",
    "severity",
    "limits",
];

/// A schema, and what its pages are made of.
struct Schema(Value);

impl Schema {
    fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("JSON"))
    }

    fn definition(&self, name: &str) -> &Value {
        &self.0["$defs"][name]
    }

    /// The name of the definition that a value refers to, if it does, also within an array or beside
    /// null.
    fn refers_to<'s>(&'s self, value: &'s Value) -> Option<&'s str> {
        let direct = value["$ref"].as_str();
        let beside_null = value["anyOf"].as_array().into_iter().flatten();
        let target = direct.or_else(|| beside_null.filter_map(|one| one["$ref"].as_str()).next());
        target.map(|target| target.trim_start_matches("#/$defs/"))
    }

    /// What a value is, in words.
    fn kind(&self, value: &Value) -> String {
        if let Some(name) = self.refers_to(value) {
            return self.kind_of_definition(name);
        }
        if let Some(words) = value["enum"].as_array() {
            return any_of(words.iter().filter(|word| !word.is_null()).map(code).collect());
        }
        if let Some(one) = value.get("const") {
            return code(one);
        }
        if let Some(several) = value["anyOf"].as_array().or(value["oneOf"].as_array()) {
            return any_of(several.iter().map(|one| self.kind(one)).collect());
        }
        let types: Vec<&str> = match &value["type"] {
            Value::String(own) => vec![own],
            Value::Array(own) => own.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let named = types.iter().filter(|own| **own != "null").map(|own| match *own {
            "array" => {
                match (&value["items"], value["minItems"].as_u64(), value["maxItems"].as_u64()) {
                    (items, Some(2), Some(2)) => {
                        format!("`[fewest, most]` of {}", self.kind(items))
                    }
                    (items, ..) => format!("list of {}", self.kind(items)),
                }
            }
            "object" if value["additionalProperties"].is_object() => {
                format!("table of {}", self.kind(&value["additionalProperties"]))
            }
            "object" => "table".into(),
            "boolean" => "`true` or `false`".into(),
            other => other.to_owned(),
        });
        let named: Vec<String> = named.collect();
        if named.is_empty() { "any value".into() } else { any_of(named) }
    }

    fn kind_of_definition(&self, name: &str) -> String {
        let definition = self.definition(name);
        if definition["properties"].is_object() {
            return format!("[{}](#{})", name, anchor(name));
        }
        self.kind(definition)
    }

    /// The rows of an object's properties.
    fn rows(&self, object: &Value, out: &mut String) {
        out.push_str("| key | value | meaning |\n| --- | --- | --- |\n");
        let required = object["required"].as_array();
        for (key, value) in object["properties"].as_object().into_iter().flatten() {
            let needed = required.is_some_and(|all| all.iter().any(|own| own == key));
            let needed = if needed { " (required)" } else { "" };
            let kind = cell(&self.kind(value));
            let meaning = cell(value["description"].as_str().unwrap_or_default());
            writeln!(out, "| `{key}`{needed} | {kind} | {meaning} |").expect("a string");
        }
        out.push('\n');
    }

    /// The definitions that an object's properties refer to, in order.
    fn referred(&self, object: &Value) -> Vec<String> {
        let properties = object["properties"].as_object().into_iter().flatten();
        let mut names = Vec::new();
        for (_, value) in properties {
            for inner in [value, &value["items"], &value["additionalProperties"]] {
                names.extend(self.refers_to(inner).map(str::to_owned));
                // A choice may refer to further ones.
                let choice = self.refers_to(inner).map(|name| self.definition(name));
                let choices = choice.and_then(|own| own["anyOf"].as_array()).into_iter().flatten();
                names.extend(choices.filter_map(|own| self.refers_to(own)).map(str::to_owned));
            }
        }
        names
    }
}

fn code(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`\"{text}\"`"),
        other => format!("`{other}`"),
    }
}

fn any_of(mut kinds: Vec<String>) -> String {
    kinds.dedup();
    match kinds.pop() {
        Some(last) if kinds.is_empty() => last,
        Some(last) => format!("{} or {last}", kinds.join(", ")),
        None => String::new(),
    }
}

fn anchor(heading: &str) -> String {
    heading.to_lowercase()
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Two texts with an empty line between them.
const GENERATED: &str = "Generated from the published schema; `tests/docs/generated.rs` writes it.";

fn scenario_page() -> String {
    let schema = Schema::parse(&scenario_schema());
    let mut out = format!(
        "# Scenario keys\n\n{GENERATED}\n\nA scenario is a TOML file. Editors that know JSON Schema \
         can check it while you type: `partywall schema` prints the schema. What is not required may be \
         left out; a default stands in brackets.\n\n## The file\n\n"
    );
    schema.rows(&schema.0, &mut out);
    out.push_str(&placeholders());
    let top = schema.0["properties"].as_object().expect("properties");
    let others = top.keys().map(String::as_str).filter(|key| !ORDER.contains(key));
    let mut written = Vec::new();
    for key in ORDER.into_iter().chain(others) {
        let value = &top[key];
        let (name, brackets) = match value["type"].as_str() {
            Some("array") => (schema.refers_to(&value["items"]), ["[[", "]]"]),
            _ => (schema.refers_to(value), ["[", "]"]),
        };
        let Some(name) = name else { continue };
        let meaning = cell(value["description"].as_str().unwrap_or_default());
        let [open, close] = brackets;
        writeln!(out, "## {key}\n\n`{open}{key}{close}`: {meaning}\n").expect("a string");
        if written.contains(&name.to_owned()) {
            writeln!(out, "It has the keys of [{name}](#{}).\n", anchor(name)).expect("a string");
            continue;
        }
        let mut queue = vec![name.to_owned()];
        while !queue.is_empty() {
            let name = queue.remove(0);
            if written.contains(&name) || !schema.definition(&name)["properties"].is_object() {
                continue;
            }
            let definition = schema.definition(&name);
            let about = cell(definition["description"].as_str().unwrap_or_default());
            writeln!(out, "### {name}\n\n{about}\n").expect("a string");
            schema.rows(definition, &mut out);
            queue.extend(schema.referred(definition));
            written.push(name);
        }
    }
    finish(out)
}

/// What may stand within `{{ … }}`.
fn placeholders() -> String {
    let mut out = String::from(
        "## Placeholders\n\nTexts that are sent are templates. `{{ NAME | number }}` inserts a number \
         instead of a string, `| json` escapes for JSON and `| url` for a URL.\n\n\
         | placeholder | stands for |\n| --- | --- |\n",
    );
    for name in partywall::trial::template::NAMES {
        let meaning = match name {
            "user" => "the name of the user",
            "user.secret" => {
                "the user's secret, from `users_file` or `users_command`; never written down"
            }
            "thread" => "the conversation, as the client calls it",
            "request_id" => "the request, as the client calls it",
            "run" => "the run, as the server calls it: in `[controls]` and `[events] resume`",
            "canary" => "the run's canary alone",
            "prompt" => "what the user says: words around the canary",
            "settings" => "settings of the run, which differ between users",
            "cursor" => "the number of the last event that the user has: in `[events] resume`",
            "port" => "the port that the server is to listen on: in `command`, `env` and `url`",
            "upstream.url" => "the URL of the model and tools that partywall plays",
            "capture." => "what a `[[setup]]` step captured under that name",
            "env." => "an environment variable of partywall; never written down",
            other => panic!("say what `{other}` stands for"),
        };
        let shown = if name.ends_with('.') { format!("{name}NAME") } else { name.into() };
        writeln!(out, "| `{{{{ {shown} }}}}` | {meaning} |").expect("a string");
    }
    out + "\n"
}

fn report_page() -> String {
    let schema = Schema::parse(&report_schema());
    let mut out = format!(
        "# The report\n\n{GENERATED}\n\nEach run writes `report.json` into its run folder. Every other \
         form is a view of it, so `partywall report RUN_FOLDER --format html` can be asked for later. \
         `partywall report --schema` prints the schema; a field whose meaning changes gives it a new \
         version.\n\n| file in the run folder | what it holds |\n| --- | --- |\n\
         | `report.json`, `report.md` | the report; other forms where they were asked for |\n\
         | `repros/` | the smallest plan of each finding, for `partywall replay` |\n\
         | `histories/` | what was recorded, for `partywall check` |\n\
         | `server.log` | what a started server printed |\n\n## The record\n\n"
    );
    schema.rows(&schema.0, &mut out);
    let mut written: Vec<String> = Vec::new();
    let mut queue = schema.referred(&schema.0);
    while !queue.is_empty() {
        let name = queue.remove(0);
        let definition = schema.definition(&name);
        if written.contains(&name) || !definition["properties"].is_object() {
            continue;
        }
        let about = cell(definition["description"].as_str().unwrap_or_default());
        writeln!(out, "## {name}\n\n{about}\n").expect("a string");
        schema.rows(definition, &mut out);
        queue.extend(schema.referred(definition));
        written.push(name);
    }
    finish(out)
}

fn exit_codes_page() -> String {
    let schema = Schema::parse(&report_schema());
    let mut out = format!(
        "# Exit codes\n\n{GENERATED}\n\nEvery command uses the same exit codes, and a number is never \
         reused.\n\n| code | in `report.json` | meaning |\n| --- | --- | --- |\n"
    );
    let words = |name: &str| {
        let members = schema.definition(name)["oneOf"].as_array().expect("an enum");
        let text = |own: &Value, key: &str| cell(own[key].as_str().unwrap_or_default());
        members.iter().map(|own| (text(own, "const"), text(own, "description"))).collect::<Vec<_>>()
    };
    for (word, meaning) in words("ExitCode") {
        let (number, meaning) = meaning.split_once(": ").expect("a number and a meaning");
        writeln!(out, "| {number} | `{word}` | {meaning} |").expect("a string");
    }
    out.push_str(
        "\nOf several, the first that applies counts: 130, 3, 1, 4, 5, 0. A leak stands even if a \
         control was missed. `--inconclusive warn` turns 5 into 0, unless nothing was exercised or the \
         server could not be reached; the verdict stays inconclusive, and no report shows it as a pass.\n\n## Reasons\n\nEach verdict has reasons, by codes that scripts \
         can rely on (`reasons[].code`). [Troubleshooting](../troubleshooting.md) says what to do about \
         each.\n\n| code | meaning |\n| --- | --- |\n",
    );
    for (word, meaning) in words("ReasonCode") {
        writeln!(out, "| `{word}` | {meaning} |").expect("a string");
    }
    finish(out)
}

/// One newline at the end.
fn finish(out: String) -> String {
    out.trim_end().to_owned() + "\n"
}

#[test]
fn the_reference_is_that_of_the_schemas() {
    let pages = [
        ("docs/reference/scenario.md", scenario_page()),
        ("docs/reference/report.md", report_page()),
        ("docs/reference/exit-codes.md", exit_codes_page()),
    ];
    for (path, text) in pages {
        if std::env::var_os("PARTYWALL_WRITE_DOCS").is_some() {
            fs::write(root().join(path), &text).expect("written");
        }
        assert!(
            Page::read(path).text == text,
            "{path}: write it again with PARTYWALL_WRITE_DOCS=1"
        );
    }
}

#[test]
fn each_reason_is_in_the_page_on_troubleshooting() {
    let page = Page::read("docs/troubleshooting.md").text;
    let schema = Schema::parse(&report_schema());
    for reason in schema.definition("ReasonCode")["oneOf"].as_array().expect("an enum") {
        let word = reason["const"].as_str().expect("a word");
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
}
