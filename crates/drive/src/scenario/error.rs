//! What is wrong with a scenario file.

use std::fmt;
use std::ops::Range as Span;

/// What is wrong with a scenario file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The line, from 1; none where the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "line {line}: {}", self.problem),
            None => out.write_str(&self.problem),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// The line, from 1, in which a span of the text begins.
pub(super) fn line_of(text: &str, span: &Span<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}
