//! What the checks of a scenario file share: its text, and how single values are checked.

use regex_lite::Regex;
use serde_json::Value;
use toml::Spanned;
use toml::de::DeTable;

use super::error::{ScenarioError, line_of};
use super::speech_file::Pairs;
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
        at: &Spanned<T>,
        problem: impl FnOnce() -> String,
    ) -> Checked<()> {
        if holds { Ok(()) } else { Err(self.error(at, problem())) }
    }

    pub(super) fn error<T>(&self, at: &Spanned<T>, problem: String) -> ScenarioError {
        ScenarioError { line: Some(line_of(self.text, &at.span())), problem }
    }

    pub(super) fn template(&self, written: &Spanned<String>) -> Checked<String> {
        template::names(written.get_ref()).map_err(|problem| self.error(written, problem))?;
        Ok(written.get_ref().clone())
    }

    pub(super) fn pairs(&self, written: &Pairs) -> Checked<Vec<(String, String)>> {
        written.iter().map(|(name, value)| Ok((name.clone(), self.template(value)?))).collect()
    }

    pub(super) fn pointer(&self, written: &Option<Spanned<String>>) -> Checked<String> {
        let Some(written) = written else { return Ok(String::new()) };
        let text = written.get_ref();
        self.demand(text.starts_with('/') || text == SSE_EVENT, written, || {
            format!("`{0}` is no JSON pointer; write `/{0}`", text.escape_debug())
        })?;
        Ok(text.clone())
    }

    pub(super) fn pattern(&self, written: &Option<Spanned<String>>) -> Checked<Option<String>> {
        let Some(written) = written else { return Ok(None) };
        Regex::new(written.get_ref())
            .map_err(|error| self.error(written, format!("not a regular expression: {error}")))?;
        Ok(Some(written.get_ref().clone()))
    }

    pub(super) fn content(
        &self,
        prefix: &str,
        json: &Option<Spanned<Value>>,
        text: &Option<Spanned<String>>,
    ) -> Checked<Content> {
        match (json, text) {
            (Some(_), Some(text)) => {
                Err(self.error(text, "give `json` or `text`, not both".into()))
            }
            (Some(json), None) => {
                for text in template::texts(json.get_ref()) {
                    template::names(&text).map_err(|problem| self.error(json, problem))?;
                }
                Ok(Content::Json { prefix: prefix.to_owned(), value: json.get_ref().clone() })
            }
            (None, Some(text)) => Ok(Content::Text(self.template(text)?)),
            (None, None) => Ok(Content::Nothing),
        }
    }

    pub(super) fn request(
        &self,
        method: &Option<Spanned<String>>,
        path: &Spanned<String>,
        headers: &Pairs,
        content: Content,
    ) -> Checked<Request> {
        let by_default = if content == Content::Nothing { "GET" } else { "POST" };
        if let Some(method) = method {
            self.demand(METHODS.contains(&method.get_ref().as_str()), method, || {
                format!("`method` is one of {}", METHODS.join(", "))
            })?;
        }
        self.demand(path.get_ref().starts_with('/'), path, || "`path` begins with `/`".into())?;
        Ok(Request {
            method: method.as_ref().map_or(by_default.into(), |method| method.get_ref().clone()),
            path: self.template(path)?,
            headers: self.pairs(headers)?,
            content,
        })
    }

    pub(super) fn percent(&self, written: &Option<Spanned<u8>>) -> Checked<u8> {
        let Some(written) = written else { return Ok(0) };
        self.demand(*written.get_ref() <= 100, written, || "from 0 to 100".into())?;
        Ok(*written.get_ref())
    }

    /// Fewest and most of `unit`, up to a ceiling.
    pub(super) fn range(
        &self,
        written: &Spanned<[u32; 2]>,
        unit: &str,
        ceiling: u32,
    ) -> Checked<Range> {
        let [least, most] = *written.get_ref();
        self.demand(least <= most && most <= ceiling, written, || {
            format!("give [fewest, most] {unit}, from 0 to {ceiling}")
        })?;
        Ok(Range { least, most })
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
