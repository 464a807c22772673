//! Secrets that were given for driving, taken out of what is told: a server may send them back, and
//! a report is shown to more people than may know them.

use std::collections::BTreeSet;

use serde_json::Value;

use partywall_core::hidden::Secrets;
use partywall_core::record::Record;

/// The record without any of these secrets.
///
/// # Errors
///
/// partywall is at fault: what it writes cannot be read back.
pub fn redacted(record: Record, secrets: &[String]) -> serde_json::Result<Record> {
    let secrets = Secrets::new(secrets);
    if secrets.is_empty() {
        return Ok(record);
    }
    let mut own = BTreeSet::new();
    gather_words(schemars::schema_for!(Record).as_value(), &mut own);
    let mut value = serde_json::to_value(&record)?;
    if !redact(&mut value, &secrets, &own) {
        return Ok(record);
    }
    serde_json::from_value(value)
}

/// The names and values that a report has of its own: without them it could not be read back, and
/// they tell nobody anything.
fn gather_words(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| gather_words(item, words)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("properties", Value::Object(properties)) => {
                        words.extend(properties.keys().cloned());
                    }
                    ("const", Value::String(word)) => _ = words.insert(word.clone()),
                    ("enum", Value::Array(all)) => {
                        words.extend(all.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                gather_words(member, words);
            }
        }
        _ => {}
    }
}

/// Takes them out of every text and every name; whether there were any.
fn redact(value: &mut Value, secrets: &Secrets, own: &BTreeSet<String>) -> bool {
    let hide = |text: &mut String| !own.contains(text) && secrets.hide(text);
    match value {
        Value::String(text) => hide(text),
        // Every one is looked at, whatever was found before.
        Value::Array(items) => {
            items.iter_mut().fold(false, |found, item| redact(item, secrets, own) | found)
        }
        Value::Object(members) => {
            let mut found = false;
            let redacted = std::mem::take(members).into_iter().map(|(mut name, mut member)| {
                found |= hide(&mut name) | redact(&mut member, secrets, own);
                (name, member)
            });
            *members = redacted.collect();
            found
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_redacted_too_and_the_words_of_reports_stay() {
        let mut own = BTreeSet::new();
        gather_words(schemars::schema_for!(Record).as_value(), &mut own);
        let all = ["open-sesame", "leaked", "levels"].map(str::to_owned);
        let secrets = Secrets::new(&all);
        let mut value = json!({"levels": [{"verdict": "leaked", "at open-sesame": "was leaked"}]});
        assert!(redact(&mut value, &secrets, &own));
        let hidden = json!({"levels": [{"verdict": "leaked", "at ***1***": "was ***2***"}]});
        assert_eq!(value, hidden);
        assert!(!redact(&mut json!({"levels": ["leaked", 1]}), &secrets, &own));
    }
}
