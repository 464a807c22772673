//! What a message says once ids, numbers and times are taken out of it: what must be the same
//! whoever else is there.
//!
//! A word with a digit in it may be an id, a time or a count that the whole server shares, so it is
//! replaced by its place among such words of the message, and a number by the fact that it is one.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::case::Case;
use super::message::Message;
use super::seen::owner_in;
use partywall_core::canary::{CampaignKey, Scanner};

/// Stands around what replaces a canary; no text that is kept holds it.
const MARK: char = '\u{1}';

/// What the message says, in a form that only serves to be compared.
pub(super) fn normal(case: &Case<'_>, message: &Message<'_>) -> String {
    let json = case.payload(message).json;
    let trial = case.history.plan.campaign;
    let mut writer =
        Writer { scanner: &case.scanner, trial, words: BTreeMap::new(), out: String::new() };
    match json.tree() {
        Some(value) => writer.value(&value),
        None => writer.text(&json.lossy()),
    }
    writer.out
}

struct Writer<'c> {
    scanner: &'c Scanner,
    trial: CampaignKey,
    /// The words with a digit in them, each with its place in the order of first appearance.
    words: BTreeMap<String, usize>,
    out: String,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(yes) => _ = write!(self.out, "{yes}"),
            Value::Number(_) => self.out.push_str("number"),
            Value::String(text) => {
                self.out.push('"');
                self.text(text);
                self.out.push('"');
            }
            Value::Array(items) => {
                self.out.push('[');
                for item in items {
                    self.value(item);
                    self.out.push(',');
                }
                self.out.push(']');
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                self.out.push('{');
                for (name, value) in members {
                    self.text(name);
                    self.out.push(':');
                    self.value(value);
                    self.out.push(',');
                }
                self.out.push('}');
            }
        }
    }

    fn text(&mut self, text: &str) {
        let mut from = 0;
        for sighting in self.scanner.scan(text.as_bytes()) {
            let (start, end) = (sighting.start as usize, sighting.end as usize);
            if start < from {
                continue;
            }
            self.words_of(text.get(from..start).unwrap_or_default());
            let owner = owner_in(self.trial, &sighting);
            let _ = write!(
                self.out,
                "{MARK}{} of run {} of user {}{MARK}",
                owner.field, owner.run, owner.user
            );
            from = end;
        }
        self.words_of(text.get(from..).unwrap_or_default());
    }

    fn words_of(&mut self, text: &str) {
        let of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let in_word = of_word(first);
            let length = rest.find(|c| of_word(c) != in_word).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(length);
            match piece.contains(|c: char| c.is_numeric()) {
                true => self.renamed(piece),
                false => self.out.extend(piece.chars().filter(|&c| c != MARK)),
            }
            rest = after;
        }
    }

    fn renamed(&mut self, word: &str) {
        let next = self.words.len();
        let place = self.words.get(word).copied().unwrap_or(next);
        if place == next {
            self.words.insert(word.to_owned(), next);
        }
        let _ = write!(self.out, "#{place}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::history;
    use partywall_core::dialect::Dialect;

    fn normal_of(message: &str) -> String {
        let history = history(&format!("alice connects; alice gets {message}"));
        let dialect = Dialect::reference();
        let case = Case::new(&history, &dialect);
        normal(&case, case.messages.last().expect("a message"))
    }

    #[test]
    fn ids_numbers_and_times_are_taken_out_and_words_are_kept() {
        let one = r#"{"type":"x","at":17,"id":"run-3","text":"run-3 after run-4, well"}"#;
        let other =
            r#"{"id":"run-8","at":4e3,"text":"run-8 after 2026-11-24T10:00, well","type":"x"}"#;
        assert_eq!(normal_of(one), normal_of(other));
        for different in [
            r#"{"type":"x","at":17,"id":"run-3","text":"run-4 after run-3, well"}"#,
            r#"{"type":"x","at":17,"id":"run-3","text":"run-3 after run-4, ill"}"#,
            r#"{"type":"x","id":"run-3","text":"run-3 after run-4, well"}"#,
            r#"{"type":"x","at":"17","id":"run-3","text":"run-3 after run-4, well"}"#,
        ] {
            assert_ne!(normal_of(one), normal_of(different), "{different}");
        }
    }

    #[test]
    fn what_is_no_json_is_compared_as_text() {
        assert_eq!(normal_of("hello 5"), normal_of("hello 6"));
        assert_ne!(normal_of("hello 5"), normal_of("bye 5"));
    }
}
