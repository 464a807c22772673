//! What is looked for: deprecated accessors and what takes their place.

use serde::Deserialize;

use super::error::AuditError;
use super::lines::is_word;

/// A deprecated accessor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// What takes its place.
    #[serde(default)]
    pub replacement: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SymbolsFile {
    #[serde(default)]
    symbol: Vec<Symbol>,
}

impl Symbol {
    /// An accessor, by plain names.
    ///
    /// # Errors
    ///
    /// A name cannot be one.
    pub fn new(name: &str, replacement: Option<&str>) -> Result<Self, AuditError> {
        for name in std::iter::once(name).chain(replacement) {
            let begins = name.chars().next().is_some_and(|c| is_word(c) && !c.is_ascii_digit());
            if !begins || !name.chars().all(is_word) {
                return Err(AuditError::new(format!(
                    "`{}` is no name of a function; give it without module and brackets, such as \
                     get_agent_instance_factory",
                    name.escape_debug()
                )));
            }
        }
        Ok(Self { name: name.to_owned(), replacement: replacement.map(str::to_owned) })
    }

    /// The `[[symbol]]`s of a TOML file.
    ///
    /// # Errors
    ///
    /// The text is no such file; the error names the place.
    pub fn of_file(text: &str) -> Result<Vec<Self>, AuditError> {
        let file: SymbolsFile = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            AuditError::new(format!(
                "line {line}: {}; a file of symbols has [[symbol]] tables with name = \"…\" and, \
                 if you like, replacement = \"…\"",
                error.message()
            ))
        })?;
        if file.symbol.is_empty() {
            return Err(AuditError::new("it names no [[symbol]]; add one with name = \"…\""));
        }
        let checked = file
            .symbol
            .iter()
            .map(|Self { name, replacement }| Self::new(name, replacement.as_deref()));
        checked.collect()
    }
}
