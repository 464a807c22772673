//! Secrets that were given for driving, taken out of what is told: a server may send them back, and
//! a report is shown to more people than may know them.

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;

use super::error::{CampaignError, Kind};
use crate::trial::hidden::forms;
use crate::trial::record::Record;

/// What stands in the place of a secret.
const INSTEAD: &str = "[secret]";
/// A shorter one would be found everywhere, and protects nothing.
const SHORTEST: usize = 6;

/// The record without any of these secrets.
///
/// # Errors
///
/// partywall is at fault: what it writes cannot be read back.
pub fn redacted(record: Record, secrets: &[String]) -> Result<Record, CampaignError> {
    let internal = |error: &dyn std::fmt::Display| {
        CampaignError::new(Kind::Internal, format!("taking secrets out of the report: {error}"))
    };
    let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
    let secrets: Vec<String> = long.flat_map(|secret| forms(secret)).collect();
    if secrets.is_empty() {
        return Ok(record);
    }
    // A secret that begins with another goes first.
    let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&secrets);
    let search = search.map_err(|error| internal(&error))?;
    let mut value = serde_json::to_value(&record).map_err(|error| internal(&error))?;
    if !redact(&mut value, &search, secrets.len()) {
        return Ok(record);
    }
    serde_json::from_value(value).map_err(|error| internal(&error))
}

/// Takes them out of every text; whether there were any.
fn redact(value: &mut Value, search: &AhoCorasick, secrets: usize) -> bool {
    match value {
        Value::String(text) => {
            let found = search.is_match(text.as_str());
            if found {
                *text = search.replace_all(text, &vec![INSTEAD; secrets]);
            }
            found
        }
        // Every one is looked at, whatever was found before.
        Value::Array(items) => {
            items.iter_mut().fold(false, |found, item| redact(item, search, secrets) | found)
        }
        Value::Object(fields) => {
            fields.values_mut().fold(false, |found, item| redact(item, search, secrets) | found)
        }
        _ => false,
    }
}
