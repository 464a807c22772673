//! What GitHub's code scanning takes of a SARIF log beyond its schema; both test programs hold logs
//! against it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What it shows of one log; more results than 25,000 are refused.
const MOST_RESULTS: usize = 5_000;
/// How many locations it shows of one result.
const MOST_LOCATIONS: usize = 100;
/// How many steps it shows of one result.
const MOST_STEPS: usize = 1_000;
/// How many tags it shows of one rule.
const MOST_TAGS: usize = 10;
/// How long the names and descriptions of rules may be.
const MOST_NAME: usize = 255;
const MOST_DESCRIPTION: usize = 1_024;

/// Checks that code scanning takes the log, and gives the files that it names with their lines.
#[track_caller]
pub(crate) fn takes(log: &Value, name: &str) -> BTreeMap<String, u64> {
    assert_eq!(log["version"], "2.1.0", "{name}");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    let about = driver["informationUri"].as_str().expect("a link");
    assert!(about.starts_with("https://"), "{name}: {about}");
    assert!(driver["semanticVersion"].is_string(), "{name}");
    let rules: Vec<&str> = driver["rules"].as_array().expect("rules").iter().map(rule).collect();
    let mut once = rules.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), rules.len(), "{name}: {rules:?}");
    let results = run["results"].as_array().expect("results");
    assert!(results.len() <= MOST_RESULTS, "{name}");
    let mut files = BTreeMap::new();
    for result in results {
        let id = result["ruleId"].as_str().expect("a rule");
        assert!(rules.contains(&id), "{name}: {id}");
        if let Some(index) = result["ruleIndex"].as_u64() {
            assert_eq!(rules[usize::try_from(index).expect("small")], id, "{name}");
        }
        let level = result["level"].as_str().expect("a level");
        assert!(["note", "warning", "error"].contains(&level), "{name}: {level}");
        let text = result["message"]["text"].as_str().expect("a message");
        assert!(!text.trim().is_empty(), "{name}: {id}");
        let print = result["partialFingerprints"]["primaryLocationLineHash"].as_str();
        assert!(print.is_some_and(|print| !print.is_empty()), "{name}: {id}");
        let own = result["locations"].as_array().expect("locations");
        assert_eq!(own.len(), 1, "{name}: {id}");
        let related = result["relatedLocations"].as_array();
        let related: Vec<&Value> = related.into_iter().flatten().collect();
        assert!(related.len() <= MOST_LOCATIONS, "{name}: {id}");
        let flows = result["codeFlows"][0]["threadFlows"].as_array();
        let steps: Vec<&Value> = flows
            .into_iter()
            .flatten()
            .flat_map(|flow| flow["locations"].as_array().expect("steps"))
            .map(|step| &step["location"])
            .collect();
        assert!(steps.len() <= MOST_STEPS, "{name}: {id}");
        for location in own.iter().chain(related).chain(steps) {
            let (file, line) = place(location);
            let most = files.entry(file).or_default();
            *most = line.max(*most);
        }
    }
    files
}

/// Checks a rule and gives its id.
#[track_caller]
fn rule(rule: &Value) -> &str {
    let id = rule["id"].as_str().expect("an id");
    assert!(id.len() <= MOST_NAME, "{id}");
    for (field, most) in [
        ("/shortDescription/text", MOST_DESCRIPTION),
        ("/fullDescription/text", MOST_DESCRIPTION),
        ("/help/text", usize::MAX),
    ] {
        let text = rule.pointer(field).and_then(Value::as_str).unwrap_or_default();
        assert!(!text.is_empty() && text.len() <= most, "{id}: {field} is {} long", text.len());
    }
    let severity = rule["properties"]["security-severity"].as_str().expect("as text");
    let severity: f64 = severity.parse().expect("a number");
    assert!(severity > 0.0 && severity <= 10.0, "{id}");
    let tags = rule["properties"]["tags"].as_array().expect("tags");
    assert!(tags.contains(&"security".into()) && tags.len() <= MOST_TAGS, "{id}");
    id
}

/// A file of the repository and a line of it.
#[track_caller]
fn place(location: &Value) -> (String, u64) {
    let place = &location["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().unwrap_or_else(|| panic!("{location}"));
    let is_inside =
        !uri.starts_with('/') && !uri.contains(':') && !uri.split('/').any(|part| part == "..");
    assert!(is_inside && !uri.is_empty() && !uri.ends_with("report.json"), "{uri}");
    let line = place["region"]["startLine"].as_u64().expect("a line");
    assert!(line > 0, "{uri}");
    (uri.to_owned(), line)
}
