//! A content taken apart once, for what is filled in anew for each run.

use serde_json::Value;

use super::{Part, Values, fill_json, may_be_number, parts, plain};
use crate::protocol::Content;

/// Room for what is filled in and what stands before it, in bytes.
const ROOM: usize = 96;

/// What is sent, ready to be filled in.
#[derive(Clone, Debug)]
pub struct Prepared {
    pieces: Vec<Piece>,
    is_json: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    /// Stands as it is.
    Fixed(String),
    /// A template, as it is.
    Plain(Template),
    /// A template that becomes a JSON string.
    Quoted(Template),
    /// The same, or a number where it is one.
    Number(Template),
    /// A member that stands last in its object: JSON as it is, left out where there is none.
    Optional { name: String, value: String },
    /// An object with places in its names, whose order is only known when they are filled in.
    Tree(Value),
}

/// A template in its parts.
#[derive(Clone, Debug)]
struct Template(Vec<OwnedPart>);

#[derive(Clone, Debug)]
enum OwnedPart {
    Text(String),
    Place { name: String, filter: Option<String> },
}

impl Template {
    fn new(text: &str) -> Result<Self, String> {
        let owned = |part| match part {
            Part::Text(text) => OwnedPart::Text(text.into()),
            Part::Place { name, filter } => {
                OwnedPart::Place { name: name.into(), filter: filter.map(Into::into) }
            }
        };
        Ok(Self(parts(text)?.into_iter().map(owned).collect()))
    }

    fn fill(&self, values: Values<'_>, out: &mut String) -> Result<(), String> {
        for part in &self.0 {
            let part = match part {
                OwnedPart::Text(text) => Part::Text(text),
                OwnedPart::Place { name, filter } => {
                    Part::Place { name, filter: filter.as_deref() }
                }
            };
            part.fill(values, plain, out)?;
        }
        Ok(())
    }
}

impl Prepared {
    /// Takes it apart.
    ///
    /// # Errors
    ///
    /// A template of it is malformed.
    pub fn new(content: &Content) -> Result<Self, String> {
        let mut own = Self { pieces: Vec::new(), is_json: false };
        match content {
            Content::Nothing => {}
            Content::Text(text) => own.pieces.push(Piece::Plain(Template::new(text)?)),
            Content::Json { prefix, value } => {
                own.is_json = prefix.is_empty();
                own.fixed(prefix);
                own.value(value)?;
            }
        }
        Ok(own)
    }

    /// Whether what comes of it is JSON and nothing else.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// What is sent.
    ///
    /// # Errors
    ///
    /// Something that it asks for is not there.
    pub fn fill(&self, values: Values<'_>) -> Result<String, String> {
        let (mut out, mut filled) = (String::new(), String::new());
        out.reserve(self.pieces.len() * ROOM);
        for piece in &self.pieces {
            filled.clear();
            match piece {
                Piece::Fixed(text) => out.push_str(text),
                Piece::Plain(template) => template.fill(values, &mut out)?,
                Piece::Quoted(template) => {
                    template.fill(values, &mut filled)?;
                    quote(&filled, &mut out);
                }
                Piece::Number(template) => {
                    template.fill(values, &mut filled)?;
                    match filled.parse::<u64>() {
                        Ok(number) => out.push_str(&number.to_string()),
                        Err(_) => quote(&filled, &mut out),
                    }
                }
                Piece::Optional { name, value } => {
                    if let Some(value) = values(value) {
                        out.push_str(if out.ends_with('{') { "" } else { "," });
                        out.push_str(&format!("{}:{value}", Value::from(name.as_str())));
                    }
                }
                Piece::Tree(value) => out.push_str(&fill_json(value, values)?.to_string()),
            }
        }
        Ok(out)
    }

    fn fixed(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Fixed(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Fixed(text.to_owned())),
        }
    }

    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::String(text) if !text.contains("{{") => self.fixed(&value.to_string()),
            Value::String(text) => {
                let template = Template::new(text)?;
                self.pieces.push(match may_be_number(text) {
                    true => Piece::Number(template),
                    false => Piece::Quoted(template),
                });
            }
            Value::Array(items) => {
                self.fixed("[");
                for (place, item) in items.iter().enumerate() {
                    self.fixed(if place > 0 { "," } else { "" });
                    self.value(item)?;
                }
                self.fixed("]");
            }
            Value::Object(members) if members.keys().any(|name| name.contains("{{")) => {
                self.pieces.push(Piece::Tree(value.clone()));
            }
            Value::Object(members) => {
                self.fixed("{");
                let always = members.iter().filter(|(_, value)| optional(value).is_none());
                for (place, (name, value)) in always.enumerate() {
                    let comma = if place > 0 { "," } else { "" };
                    self.fixed(&format!("{comma}{}:", Value::from(name.as_str())));
                    self.value(value)?;
                }
                let pieces = members.iter().filter_map(|(name, value)| {
                    let (name, value) = (name.clone(), optional(value)?.to_owned());
                    Some(Piece::Optional { name, value })
                });
                self.pieces.extend(pieces);
                self.fixed("}");
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.fixed(&value.to_string()),
        }
        Ok(())
    }
}

/// What `{{ NAME | value }}` asks for: JSON, where there is any. Scenarios cannot ask for such.
fn optional(value: &Value) -> Option<&str> {
    let place = value.as_str()?.strip_prefix("{{")?.strip_suffix("}}")?;
    let (name, filter) = place.split_once('|')?;
    (filter.trim() == "value").then(|| name.trim())
}

/// Appends the text as a JSON string.
fn quote(text: &str, out: &mut String) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(name: &str) -> Option<String> {
        match name {
            "user" => Some("acme:a\"b\\\u{1}ß".into()),
            "request_id" => Some("7".into()),
            "thread" => Some("007".into()),
            "run" => Some(u64::MAX.to_string()),
            "cursor" => Some("99999999999999999999".into()),
            _ => None,
        }
    }

    fn any_text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-z\"\\\\ß\n ]{0,4}".boxed(),
            prop::sample::select(vec![
                "{{ user }}",
                "{{user|json}}",
                "{{ request_id | number }}",
                "{{ thread|number }}",
                "{{ run | number }}",
                "{{ cursor | number }}",
                "{{ user | number }}",
                "{{ request_id }}",
                "{{ canary }}",
                "{{ user",
                "}}",
                "number",
            ])
            .prop_map(str::to_owned)
            .boxed(),
        ];
        prop::collection::vec(part, 0..3).prop_map(|parts| parts.concat())
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any_text().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any_text(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_prepared_is_filled_in_as_the_tree_is(value in any_value(), prefix in "[0-9]{0,2}") {
            let whole = fill_json(&value, &values).map(|filled| format!("{prefix}{filled}"));
            let content = Content::Json { prefix, value };
            let prepared = Prepared::new(&content).and_then(|own| own.fill(&values));
            match (&prepared, &whole) {
                (Ok(own), Ok(other)) => prop_assert_eq!(own, other),
                (own, other) => prop_assert_eq!(own.is_err(), other.is_err()),
            }
        }

        #[test]
        fn a_text_is_filled_in_as_it_is(text in any_text()) {
            let prepared = Prepared::new(&Content::Text(text.clone()));
            let prepared = prepared.and_then(|own| own.fill(&values));
            prop_assert_eq!(prepared.is_err(), super::super::fill(&text, &values, plain).is_err());
            if let Ok(own) = prepared {
                prop_assert_eq!(own, super::super::fill(&text, &values, plain).expect("filled"));
            }
        }
    }

    #[test]
    fn a_member_without_a_value_is_left_out() {
        let content = |value| Content::Json { prefix: String::new(), value };
        let filled = |value| Prepared::new(&content(value)).and_then(|own| own.fill(&values));
        let (here, not) = ("{{ request_id | value }}", "{{ canary | value }}");
        let both = serde_json::json!({ "a": not, "b": here, "c": "{{ request_id }}" });
        assert_eq!(filled(both), Ok(r#"{"c":"7","b":7}"#.into()));
        assert_eq!(filled(serde_json::json!({ "a": not, "b": here })), Ok(r#"{"b":7}"#.into()));
        assert_eq!(filled(serde_json::json!({ "a": not })), Ok("{}".into()));
    }

    #[test]
    fn only_what_is_json_from_its_first_byte_is_json() {
        let json = |prefix: &str| Content::Json { prefix: prefix.into(), value: Value::Null };
        let is_json = |content| Prepared::new(&content).is_ok_and(|own| own.is_json());
        assert!(is_json(json("")) && !is_json(json("42")));
        assert!(!is_json(Content::Text("{}".into())) && !is_json(Content::Nothing));
    }
}
