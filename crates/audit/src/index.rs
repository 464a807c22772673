//! Names of a file by what is asked of them, so that no question goes through all of them.

use std::collections::HashMap;

use super::facts::{Facts, Fate, Role};

/// Positions in [`Facts::names`], each list in the order of the source.
#[derive(Debug, Default)]
pub struct Index<'f> {
    by_text: HashMap<&'f str, Vec<usize>>,
    decorators: HashMap<usize, Vec<usize>>,
    parameters: HashMap<usize, Vec<usize>>,
}

impl<'f> Index<'f> {
    /// Goes through the names once.
    pub fn new(facts: &Facts, source: &'f str) -> Self {
        let mut index = Self::default();
        for (at, name) in facts.names.iter().enumerate() {
            index.by_text.entry(name.span.of(source)).or_default().push(at);
            if let Fate::Decorates(start) = name.fate {
                index.decorators.entry(start).or_default().push(at);
            }
            if let Role::Parameter(_) = name.role {
                index.parameters.entry(name.scope).or_default().push(at);
            }
        }
        index
    }

    /// The names with that text.
    pub fn with_text(&self, text: &str) -> &[usize] {
        self.by_text.get(text).map_or(&[], Vec::as_slice)
    }

    /// The names that decorate the definition that begins there.
    pub fn decorating(&self, start: usize) -> &[usize] {
        self.decorators.get(&start).map_or(&[], Vec::as_slice)
    }

    /// The parameters of a function's scope.
    pub fn parameters(&self, scope: usize) -> &[usize] {
        self.parameters.get(&scope).map_or(&[], Vec::as_slice)
    }
}
