//! What all SARIF logs have in common: who wrote them, and places as code scanning takes them, lines of
//! files of the repository.

use serde_json::{Value, json};

use super::safe_text::{name, terminal};
use partywall_core::measure::Source;

/// Where a reader learns what this tool is.
pub(super) const INFORMATION: &str = env!("CARGO_PKG_HOMEPAGE");
/// What the logs keep to.
pub(super) const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The scenario's line; no place in a file where the record names none.
pub(super) fn location(source: Option<&Source>, operation: &str, message: Option<String>) -> Value {
    let mut location = match source {
        Some(source) => json!({ "physicalLocation": physical(&source.file, source.line) }),
        None => json!({}),
    };
    match message {
        Some(message) => location["message"] = json!({ "text": message }),
        None => {
            location["logicalLocations"] = json!([{ "name": name(operation), "kind": "function" }]);
        }
    }
    location
}

/// A line of a file of the repository.
pub(super) fn physical(file: &str, line: u32) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&terminal(file)) },
        "region": { "startLine": line.max(1) },
    })
}

/// A relative path as a URI reference.
pub(super) fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
