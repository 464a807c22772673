//! What the checks of a scenario file share: its text, and how single values are checked.

use std::fmt::Display;

use regex_lite::Regex;
use serde_json::Value;
use toml::de::DeTable;

use super::choices::MethodName;
use super::error::{ScenarioError, line_of};
use super::shape;
use super::speech_file::Pairs;
use super::written::Written;
use partywall_core::protocol::{Content, Request};
use partywall_core::reader::SSE_EVENT;
use partywall_core::template;
use partywall_explore::workload::Range;

/// The text of the file, for the lines of what is wrong with it.
pub(super) struct Words<'t> {
    pub(super) text: &'t str,
}

/// When a template is filled in, which decides what its places stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// At any time: about no run.
    AnyTime,
    /// For a run that is started, stopped or approved.
    ForRun,
    /// For a user who comes back.
    Resuming,
    /// When the server is started.
    Starting,
}

impl Filled {
    fn names(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::AnyTime => &["user", "user.secret", "capture."],
            Self::ForRun => &[
                "user",
                "user.secret",
                "capture.",
                "thread",
                "request_id",
                "run",
                "prompt",
                "canary",
                "settings",
            ],
            Self::Resuming => &["user", "user.secret", "capture.", "run", "cursor"],
            Self::Starting => &["port"],
        };
        [own, &["upstream.url", "env."]].concat()
    }

    fn has(self, name: &str) -> bool {
        let is_it =
            |known: &&str| *known == name || known.ends_with('.') && name.starts_with(*known);
        self.names().iter().any(is_it)
    }
}

pub(super) type Checked<T> = Result<T, ScenarioError>;

impl Words<'_> {
    pub(super) fn demand<T>(
        &self,
        holds: bool,
        at: &Written<T>,
        problem: impl FnOnce() -> String,
    ) -> Checked<()> {
        if holds { Ok(()) } else { Err(self.error(at, problem())) }
    }

    pub(super) fn error<T>(&self, at: &Written<T>, problem: String) -> ScenarioError {
        let span = at.span();
        let place = shape::place_of(self.text, &span);
        let problem = match place {
            Some(place) => format!("`{place}`: {problem}"),
            None => problem,
        };
        ScenarioError { line: Some(line_of(self.text, &span)), problem }
    }

    pub(super) fn template(&self, written: &Written<String>, filled: Filled) -> Checked<String> {
        self.places(written, written, false, filled)?;
        Ok(written.to_string())
    }

    /// Checks that something stands for each place of a text then.
    pub(super) fn has_values<T>(&self, at: &Written<T>, text: &str, filled: Filled) -> Checked<()> {
        let names = template::names(text).map_err(|problem| self.error(at, problem))?;
        let Some(name) = names.into_iter().find(|name| !filled.has(name)) else { return Ok(()) };
        let there = filled.names().join(", ");
        Err(self.error(at, format!("`{{{{ {name} }}}}` has no value here; use one of {there}")))
    }

    /// Checks the places of a text that stands there.
    fn places<T>(
        &self,
        at: &Written<T>,
        text: &str,
        other_language: bool,
        filled: Filled,
    ) -> Checked<()> {
        self.has_values(at, text, filled)?;
        let Some((mistyped, name)) = template::mistyped(text, other_language) else {
            return Ok(());
        };
        let shown = mistyped.escape_debug();
        let problem = format!(
            "`{shown}` would be sent as it stands, the same for every user: write `{{{{ {name} }}}}`"
        );
        Err(self.error(at, problem))
    }

    pub(super) fn pairs(&self, written: &Pairs, filled: Filled) -> Checked<Vec<(String, String)>> {
        let pair = |(name, value): (&String, _)| Ok((name.clone(), self.template(value, filled)?));
        written.iter().map(pair).collect()
    }

    pub(super) fn pointer(&self, written: &Option<Written<String>>) -> Checked<String> {
        let Some(written) = written else { return Ok(String::new()) };
        self.demand(written.starts_with('/') || **written == SSE_EVENT, written, || {
            format!("`{0}` is no JSON pointer; write `/{0}`", written.escape_debug())
        })?;
        Ok(written.to_string())
    }

    pub(super) fn pattern(&self, written: &Option<Written<String>>) -> Checked<Option<String>> {
        let Some(written) = written else { return Ok(None) };
        Regex::new(written)
            .map_err(|error| self.error(written, format!("not a regular expression: {error}")))?;
        Ok(Some(written.to_string()))
    }

    pub(super) fn content(
        &self,
        prefix: &str,
        json: &Option<Written<Value>>,
        text: &Option<Written<String>>,
        filled: Filled,
    ) -> Checked<Content> {
        match (json, text) {
            (Some(_), Some(text)) => {
                Err(self.error(text, "give `json` or `text`, not both".into()))
            }
            (Some(json), None) => {
                // A query of GraphQL has braces and variables of its own.
                let has_query = json.get("query").is_some_and(Value::is_string);
                for text in template::texts(json) {
                    self.places(json, &text, has_query, filled)?;
                }
                Ok(Content::Json { prefix: prefix.to_owned(), value: Value::clone(json) })
            }
            (None, Some(text)) => Ok(Content::Text(self.template(text, filled)?)),
            (None, None) => Ok(Content::Nothing),
        }
    }

    pub(super) fn request(
        &self,
        method: &Option<Written<MethodName>>,
        path: &Written<String>,
        headers: &Pairs,
        content: Content,
        filled: Filled,
    ) -> Checked<Request> {
        let by_default = if content == Content::Nothing { "GET" } else { "POST" };
        Ok(Request {
            method: method.as_deref().map_or(by_default, |method| method.as_str()).into(),
            path: self.path(path, filled)?,
            headers: self.pairs(headers, filled)?,
            content,
        })
    }

    pub(super) fn percent(&self, written: &Option<Written<u8>>) -> Checked<u8> {
        let Some(written) = written else { return Ok(0) };
        self.demand(**written <= 100, written, || "from 0 to 100".into())?;
        Ok(**written)
    }

    /// A number within those bounds; the usual one where none is written.
    pub(super) fn number<T: Copy + Display + PartialOrd>(
        &self,
        written: &Option<Written<T>>,
        name: &str,
        [least, most]: [T; 2],
        usual: T,
    ) -> Checked<T> {
        let Some(written) = written else { return Ok(usual) };
        self.demand((least..=most).contains(&**written), written, || {
            format!("`{name}` is from {least} to {most}")
        })?;
        Ok(**written)
    }

    /// Fewest and most, up to a ceiling; `what` says what is to be written.
    pub(super) fn range(
        &self,
        written: &Written<[u32; 2]>,
        what: &str,
        ceiling: u32,
    ) -> Checked<Range> {
        let [least, most] = **written;
        self.demand(least <= most && most <= ceiling, written, || {
            format!("{what}, from 0 to {ceiling}")
        })?;
        Ok(Range { least, most })
    }

    /// A path of the server.
    pub(super) fn path(&self, written: &Written<String>, filled: Filled) -> Checked<String> {
        self.demand(written.starts_with('/'), written, || "`path` begins with `/`".into())?;
        self.template(written, filled)
    }

    /// The line of the table's first key of that kind; of the top level where it has no name.
    pub(super) fn line_of_key(
        &self,
        table: &str,
        is_meant: impl Fn(&str) -> bool,
    ) -> Option<(usize, String)> {
        let file = DeTable::parse(self.text).ok()?;
        let within = match table {
            "" => file.get_ref(),
            name => file.get_ref().get(name)?.get_ref().as_table()?,
        };
        let keys = within.keys().filter(|key| is_meant(key.get_ref()));
        let first = keys.min_by_key(|key| key.span().start)?;
        Some((line_of(self.text, &first.span()), first.get_ref().to_string()))
    }

    /// Refuses keys that this kind of target has no use for.
    pub(super) fn refuse(
        &self,
        table: &str,
        is_refused: impl Fn(&str) -> bool,
        why: &str,
    ) -> Checked<()> {
        match self.line_of_key(table, is_refused) {
            None => Ok(()),
            Some((line, key)) => {
                Err(ScenarioError { line: Some(line), problem: format!("`{key}` is {why}") })
            }
        }
    }
}
