//! `report.json`: the record as it is, to be read by scripts and read back by partywall.

use std::fmt;

use serde::Deserialize;

use super::safe_text;
use partywall_core::record::{Record, SCHEMA_VERSION};

/// The longest line that a short list or object is put on whole.
const WIDEST: usize = 110;

/// The record as pretty JSON, with a final newline; short lists and objects stand on one line.
pub fn render(record: &Record) -> String {
    let text = serde_json::to_string_pretty(record)
        .expect("a record has string keys only, and nothing in it fails to serialise");
    folded(&text)
}

/// Pretty JSON with what fits on one line there. A line break inside a text is escaped, so that
/// lines are all that must be looked at.
fn folded(pretty: &str) -> String {
    let lines: Vec<&str> = pretty.lines().collect();
    let mut out = String::with_capacity(pretty.len());
    let mut at = 0;
    while at < lines.len() {
        let next = match one_line(&lines[at..]) {
            Some((line, taken)) => {
                out.push_str(&line);
                at + taken
            }
            None => {
                out.push_str(lines[at]);
                at + 1
            }
        };
        out.push('\n');
        at = next;
    }
    out
}

/// The list or object that opens in the first of these lines, where it fits on one and holds no
/// other; and how many lines it took.
fn one_line(lines: &[&str]) -> Option<(String, usize)> {
    let opening = *lines.first()?;
    let opens = |line: &str| line.ends_with(['{', '[']);
    if !opens(opening) {
        return None;
    }
    let mut line = opening.to_owned();
    for (at, next) in lines.iter().enumerate().skip(1) {
        let next = next.trim_start();
        if line.len() + next.len() > WIDEST || opens(next) {
            return None;
        }
        let closes = next.starts_with(['}', ']']);
        let is_object = opening.ends_with('{');
        if (at == 1 || closes) == is_object || (at > 1 && !closes) {
            line.push(' ');
        }
        line.push_str(next);
        if closes {
            return Some((line, at + 1));
        }
    }
    None
}

/// Reads a record back.
///
/// # Errors
///
/// If the text is not JSON, not a report, or a report of another schema version; the error names
/// the line and the column.
pub fn read(text: &str) -> Result<Record, ReadError> {
    // The version is looked at first: a report of another version would otherwise fail at whatever
    // field happens to differ, which names the wrong remedy.
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let Version { schema_version } = serde_json::from_str(text).map_err(ReadError::from)?;
    if schema_version != SCHEMA_VERSION {
        return Err(ReadError {
            place: None,
            message: format!(
                "the report has schema version {schema_version}; this partywall reads \
                 {SCHEMA_VERSION}"
            ),
        });
    }
    serde_json::from_str(text).map_err(ReadError::from)
}

/// Why a `report.json` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Line and column, from 1; none where the whole report is meant.
    pub(super) place: Option<(usize, usize)>,
    pub(super) message: String,
}

impl ReadError {
    /// The line and the column, from 1, where reading stopped.
    pub fn place(&self) -> Option<(usize, usize)> {
        self.place
    }
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let place = (error.line(), error.column());
        let whole = error.to_string();
        // serde_json ends its own message with the place; it is said first here, and once.
        let suffix = format!(" at line {} column {}", place.0, place.1);
        let message = whole.strip_suffix(&suffix).unwrap_or(&whole);
        // The message may quote the file, which may come from anywhere.
        Self { place: Some(place), message: safe_text::terminal(message) }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => {
                write!(out, "not a report: line {line}, column {column}: {}", self.message)
            }
            None => out.write_str(&self.message),
        }
    }
}

impl std::error::Error for ReadError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_stands_on_one_line() {
        let value = serde_json::json!({
            "list": [1, 2], "empty": [], "object": {"a": "[", "b": 2}, "long": ["x".repeat(120)],
            "nested": [[1], {"a": []}],
        });
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        let text = folded(&pretty);
        for line in ["\"list\": [1, 2],", "\"object\": { \"a\": \"[\", \"b\": 2 }", "    [1],"] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn an_unreadable_report_names_the_place() {
        let cases = [
            ("", "line 1, column 0"),
            ("{\n  \"schema_version\": 1,\n  oops\n}", "line 3, column 3"),
            ("{\n  \"schema_version\": 1\n}", "missing field `partywall`"),
            ("[]", "line 1"),
            ("{\"schema_version\": 99}", "schema version 99; this partywall reads 1"),
            ("{\"schema_version\": \"\\u001b]0;x\"}", "\\u{1b}]0;x"),
        ];
        for (text, place) in cases {
            let error = read(text).expect_err("not a report").to_string();
            assert!(error.contains(place), "{text:?}: {error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
    }
}
