//! Texts with places to fill in: `{{ user }}`, `{{ capture.token }}`, `{{ request_id | number }}`.

mod prepared;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

use super::protocol::Act;

pub use prepared::Prepared;

/// What the places of a template may be called; those that end in a dot take any name behind it.
pub const NAMES: [&str; 13] = [
    "user",
    "user.secret",
    "thread",
    "request_id",
    "run",
    "canary",
    "prompt",
    "settings",
    "cursor",
    "port",
    "upstream.url",
    "capture.",
    "env.",
];

/// Gives what stands for a name; none where there is nothing.
pub type Values<'v> = &'v dyn Fn(&str) -> Option<String>;

/// A part of a template.
#[derive(Clone, Copy)]
enum Part<'t> {
    Text(&'t str),
    Place { name: &'t str, filter: Option<&'t str> },
}

impl Part<'_> {
    /// Appends what stands there.
    fn fill(
        self,
        values: Values<'_>,
        by_default: fn(&str) -> String,
        out: &mut String,
    ) -> Result<(), String> {
        let (name, filter) = match self {
            Part::Text(text) => {
                out.push_str(text);
                return Ok(());
            }
            Part::Place { name, filter } => (name, filter),
        };
        let value = values(name).ok_or_else(|| format!("nothing stands for `{name}`"))?;
        out.push_str(&match filter {
            Some("url") => in_url(&value),
            Some("json") => {
                let quoted = Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Some(_) => value,
            None => by_default(&value),
        });
        Ok(())
    }
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("{{") {
        parts.push(Part::Text(&rest[..begin]));
        let Some(end) = rest[begin..].find("}}") else {
            return Err("`{{` without `}}`".into());
        };
        let inner = &rest[begin + 2..begin + end];
        let (name, filter) = match inner.split_once('|') {
            Some((name, filter)) => (name.trim(), Some(filter.trim())),
            None => (inner.trim(), None),
        };
        if let Some(filter) = filter
            && !["number", "json", "url"].contains(&filter)
        {
            let shown = filter.escape_debug();
            return Err(format!("`{shown}` is no filter; there are number, json and url"));
        }
        parts.push(Part::Place { name, filter });
        rest = &rest[begin + end + 2..];
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// The names that a template asks for.
///
/// # Errors
///
/// It is malformed, or asks for a name that there is not.
pub fn names(text: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    for part in parts(text)? {
        let Part::Place { name, .. } = part else { continue };
        let known = NAMES.iter().any(|known| match known.strip_suffix('.') {
            Some(_) => name.len() > known.len() && name.starts_with(known),
            None => name == *known,
        });
        if !known {
            let shown = name.escape_debug();
            return Err(format!("there is no `{shown}`; there are {}", NAMES.join(", ")));
        }
        found.push(name);
    }
    Ok(found)
}

/// A place that is not written as one, as it stands and with its name: `{ user }`, `$user`, `<user>`,
/// `%USER%`, `/:user` and what other tools write. It would be sent as it stands, the same for every
/// user. In a text of another language that has braces and dollars of its own, a query of GraphQL,
/// only one with both is meant as a place for sure.
pub fn mistyped(text: &str, other_language: bool) -> Option<(&str, String)> {
    static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
        let mut names = NAMES.map(|name| match name.strip_suffix('.') {
            Some(group) => format!(r"{group}\.\w+"),
            None => name.replace('.', r"\."),
        });
        // Of two names that begin alike the longer one is tried first.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let name = format!("({})", names.join("|"));
        let asked = format!(r"\s*{name}\s*(?:\|\s*\w+\s*)?");
        let sure = format!(r"[$#]\{{\{{?{asked}\}}\}}?");
        let right = r"\{\{[^}]*\}\}";
        let others = [
            format!(r"\{{{asked}\}}"),
            format!(r"\[\[{asked}\]\]"),
            format!(r"<%=?{asked}%>"),
            format!(r"<{name}>"),
            format!(r"%\({name}\)s"),
            format!(r"%{name}%"),
            format!(r"__{name}__"),
            format!(r"\${name}\b"),
            format!(r"(?:^|[/=\s]):{name}\b"),
        ];
        let pattern = format!("(?i){sure}|(?P<right>{right})|(?P<other>{})", others.join("|"));
        Regex::new(&pattern).expect("a regular expression")
    });
    WRITTEN.captures_iter(text).find_map(|found| {
        let whole = found.get(0)?;
        let name = found.iter().flatten().last()?.as_str().to_lowercase();
        let is_element = text.contains(&format!("</{name}"));
        let is_place = match (found.name("right"), found.name("other")) {
            (Some(_), _) => false,
            (None, Some(other)) if other.as_str().starts_with('<') => {
                !other_language && !is_element
            }
            (None, Some(_)) => !other_language,
            (None, None) => true,
        };
        is_place.then(|| (whole.as_str().trim_start_matches(['/', '=', ' ']), name))
    })
}

impl Act {
    /// Whether it names the run as the server does, by `{{ run }}`.
    pub fn names_run(&self) -> bool {
        let text = serde_json::to_string(self).unwrap_or_default();
        names(&text).is_ok_and(|names| names.contains(&"run"))
    }
}

/// The text with its places filled in; `by_default` is what is done to a value without a filter.
///
/// # Errors
///
/// Something that it asks for is not there.
pub fn fill(
    text: &str,
    values: Values<'_>,
    by_default: fn(&str) -> String,
) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len() + 32);
    for part in parts(text)? {
        part.fill(values, by_default, &mut filled)?;
    }
    Ok(filled)
}

/// Whether a path may have come of that template: each place without a filter is one segment or one
/// value of a query, and more of a query may follow.
pub fn may_be_of(template: &str, path: &str) -> bool {
    let Ok(parts) = parts(template) else { return false };
    let pattern: String = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => regex_lite::escape(text),
            Part::Place { filter: None | Some("url"), .. } => "[^/?&#]*".to_owned(),
            Part::Place { .. } => ".*".to_owned(),
        })
        .collect();
    let whole = Regex::new(&format!("^(?s:{pattern})([?&].*)?$"));
    whole.is_ok_and(|whole| whole.is_match(path))
}

/// As it is.
pub fn plain(value: &str) -> String {
    value.to_owned()
}

/// The JSON value with the places in its strings and names filled in. A string that is one place
/// with the filter `number` becomes a number, where what stands for it is one.
///
/// # Errors
///
/// Something that it asks for is not there.
pub fn fill_json(value: &Value, values: Values<'_>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => {
            let filled = fill(text, values, plain)?;
            match filled.parse::<u64>() {
                Ok(number) if may_be_number(text) => number.into(),
                _ => filled.into(),
            }
        }
        Value::Array(items) => {
            items.iter().map(|item| fill_json(item, values)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(members) => {
            let filled = members
                .iter()
                .map(|(name, value)| Ok((fill(name, values, plain)?, fill_json(value, values)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// Whether a string is one place with the filter `number`.
fn may_be_number(text: &str) -> bool {
    let one_place = text.starts_with("{{") && text.matches("{{").count() == 1;
    one_place && text.trim_end_matches([' ', '}']).ends_with("number")
}

/// All texts of a JSON value that may hold places.
pub fn texts(value: &Value) -> Vec<Cow<'_, str>> {
    match value {
        Value::String(text) => vec![Cow::Borrowed(text)],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let mut all = vec![Cow::Borrowed(name.as_str())];
                all.extend(texts(value));
                all
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A text as one segment of a path, or one value of a query.
pub fn in_url(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            quoted.push(char::from(byte));
        } else {
            quoted.push_str(&format!("%{byte:02X}"));
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str) -> Option<String> {
        match name {
            "user" => Some("acme:a\"b".into()),
            "request_id" => Some("7".into()),
            _ => None,
        }
    }

    #[test]
    fn a_place_that_is_not_written_as_one_is_known() {
        for (text, found, name) in [
            ("Bearer { user }", "{ user }", "user"),
            ("{user.secret}!", "{user.secret}", "user.secret"),
            ("a ${capture.token} b", "${capture.token}", "capture.token"),
            ("${{ user }}", "${{ user }}", "user"),
            ("{{ thread }} {user|json}", "{user|json}", "user"),
            ("#{user}", "#{user}", "user"),
            ("Bearer $user.secret", "$user.secret", "user.secret"),
            ("Bearer <user>", "<user>", "user"),
            ("<%= user %>", "<%= user %>", "user"),
            ("u-%USER%", "%USER%", "user"),
            ("%(user)s", "%(user)s", "user"),
            ("/of/:user/all", ":user", "user"),
            ("Bearer :user", ":user", "user"),
            ("[[ user ]]", "[[ user ]]", "user"),
            ("__USER__", "__USER__", "user"),
        ] {
            assert_eq!(mistyped(text, false), Some((found, name.to_owned())), "{text}");
        }
        for right in [
            "{{ user }}",
            "{\"user\": \"{{user}}\"}",
            "{ id }",
            "{ user",
            "{}",
            "a{2,3}",
            "<user>{{ user }}</user>",
            "role:user",
            "$users",
            "a user, 5 % user % of all",
            "user@example.org",
        ] {
            assert_eq!(mistyped(right, false), None, "{right}");
        }
        for query in ["query { me { user } }", "query($user: ID!) { of(id: $user) }"] {
            assert_eq!((mistyped(query, true), mistyped(query, false).is_some()), (None, true));
        }
        assert!(mistyped("${ user }", true).is_some());
    }

    #[test]
    fn places_are_filled_in_and_kept_apart_from_what_is_around_them() {
        assert_eq!(fill("<{{ user }}>", &values, plain).expect("filled"), "<acme:a\"b>");
        assert_eq!(fill("/{{user}}", &values, in_url).expect("filled"), "/acme%3Aa%22b");
        assert_eq!(
            fill("\"{{ user | json }}\"", &values, plain).expect("filled"),
            r#""acme:a\"b""#
        );
        let json = serde_json::json!({"id": "{{ request_id | number }}", "to": ["{{ user }}", 1]});
        let filled = fill_json(&json, &values).expect("filled");
        assert_eq!(filled, serde_json::json!({"id": 7, "to": ["acme:a\"b", 1]}));
    }

    #[test]
    fn a_path_is_told_from_that_of_another_request() {
        let whole = |path: &str| may_be_of("{{ capture.base }}/session", path);
        assert!(whole("v1/session") && whole("v1/session?key=7"));
        assert!(!whole("v1/session/7") && !whole("v1/runs") && !whole("a/v1/session"));
        let own = |path: &str| may_be_of("/users/{{ user }}/login?of={{ thread }}", path);
        assert!(own("/users/acme%3Aa/login?of=t1") && own("/users/a/login?of=&more=1"));
        assert!(!own("/users/a/b/login?of=t1") && !own("/users/a/logout"));
        assert!(may_be_of("/a.b", "/a.b") && !may_be_of("/a.b", "/axb"));
    }

    #[test]
    fn what_is_not_there_is_told() {
        for bad in ["{{ user", "{{ usr }}", "{{ capture. }}", "{{ user | upper }}"] {
            assert!(names(bad).is_err(), "{bad}");
        }
        assert!(fill("{{ thread }}", &values, plain).is_err());
        assert_eq!(names("{{ env.KEY }}{{capture.sid|url}}"), Ok(vec!["env.KEY", "capture.sid"]));
    }
}
