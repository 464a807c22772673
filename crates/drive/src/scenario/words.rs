//! What the checks of a scenario file share: its text, and how single values are checked.

use std::fmt::Display;

use regex_lite::Regex;
use serde_json::Value;
use toml::de::DeTable;

use super::error::{ScenarioError, line_of};
use super::speech_file::Pairs;
use super::written::Written;
use partywall_core::protocol::{Content, Request};
use partywall_core::reader::SSE_EVENT;
use partywall_core::template;
use partywall_explore::workload::Range;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The text of the file, for the lines of what is wrong with it.
pub(super) struct Words<'t> {
    pub(super) text: &'t str,
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
        ScenarioError { line: Some(line_of(self.text, &at.span())), problem }
    }

    pub(super) fn template(&self, written: &Written<String>) -> Checked<String> {
        self.places(written, written, false)?;
        Ok(written.to_string())
    }

    /// Checks the places of a text that stands there.
    fn places<T>(&self, at: &Written<T>, text: &str, other_language: bool) -> Checked<()> {
        template::names(text).map_err(|problem| self.error(at, problem))?;
        let Some(mistyped) = template::mistyped(text, other_language) else { return Ok(()) };
        let name = mistyped.trim_matches(['$', '{', '}', ' ']);
        let shown = mistyped.escape_debug();
        let problem = format!(
            "`{shown}` would be sent as it stands, the same for every user: write `{{{{ {name} }}}}`"
        );
        Err(self.error(at, problem))
    }

    pub(super) fn pairs(&self, written: &Pairs) -> Checked<Vec<(String, String)>> {
        written.iter().map(|(name, value)| Ok((name.clone(), self.template(value)?))).collect()
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
    ) -> Checked<Content> {
        match (json, text) {
            (Some(_), Some(text)) => {
                Err(self.error(text, "give `json` or `text`, not both".into()))
            }
            (Some(json), None) => {
                for text in template::texts(json) {
                    self.places(json, &text, true)?;
                }
                Ok(Content::Json { prefix: prefix.to_owned(), value: Value::clone(json) })
            }
            (None, Some(text)) => Ok(Content::Text(self.template(text)?)),
            (None, None) => Ok(Content::Nothing),
        }
    }

    pub(super) fn request(
        &self,
        method: &Option<Written<String>>,
        path: &Written<String>,
        headers: &Pairs,
        content: Content,
    ) -> Checked<Request> {
        let by_default = if content == Content::Nothing { "GET" } else { "POST" };
        if let Some(method) = method {
            self.demand(METHODS.contains(&method.as_str()), method, || {
                format!("`method` is one of {}", METHODS.join(", "))
            })?;
        }
        Ok(Request {
            method: method.as_ref().map_or(by_default.into(), |method| method.to_string()),
            path: self.path(path)?,
            headers: self.pairs(headers)?,
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

    /// What the word means, of the words that there are.
    pub(super) fn word<T: Copy>(
        &self,
        written: &Written<String>,
        there: &[(&str, T)],
        problem: &str,
    ) -> Checked<T> {
        meaning(written, there).ok_or_else(|| self.error(written, problem.into()))
    }

    /// The same for a list, which must not be empty.
    pub(super) fn words<T: Copy>(
        &self,
        written: &Written<Vec<String>>,
        there: &[(&str, T)],
        problem: &str,
    ) -> Checked<Vec<T>> {
        let all: Option<Vec<T>> = written.iter().map(|word| meaning(word, there)).collect();
        all.filter(|all| !all.is_empty()).ok_or_else(|| self.error(written, problem.into()))
    }

    /// A path of the server.
    pub(super) fn path(&self, written: &Written<String>) -> Checked<String> {
        self.demand(written.starts_with('/'), written, || "`path` begins with `/`".into())?;
        self.template(written)
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

fn meaning<T: Copy>(word: &str, there: &[(&str, T)]) -> Option<T> {
    there.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}
