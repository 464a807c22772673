//! What an audit looks for, and where.

use super::glob::Glob;
use super::symbols::Symbol;

/// What to look for, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The accessors.
    pub symbols: Vec<Symbol>,
    /// Paths that are not searched.
    pub excluded: Vec<Glob>,
    /// Paths that hold tests; what each language says where there are none.
    pub tests: Vec<Glob>,
    /// Whether to look for unknown singletons too.
    pub find_singletons: bool,
    /// Whether to search for singletons in what programs made, too: bundles, minified code,
    /// generated sources.
    pub generated: bool,
    /// Threads that search; the result does not depend on it.
    pub workers: usize,
}

impl Options {
    /// Looks for those accessors, on two threads.
    pub fn new(symbols: Vec<Symbol>) -> Self {
        let (excluded, tests) = (Vec::new(), Vec::new());
        Self { symbols, excluded, tests, find_singletons: false, generated: false, workers: 2 }
    }
}
