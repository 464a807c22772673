//! One source file, ready to be searched.

use super::bindings::Bindings;
use super::facts::Span;
use super::language::Language;
use super::lines::Lines;
use super::symbols::Symbol;
use partywall_core::audit::{Code, Risk, Use, UseKind};

/// One file, ready to be searched.
pub(super) struct File<'f> {
    pub(super) path: &'f str,
    pub(super) code: Code,
    pub(super) bindings: &'f Bindings<'f>,
    pub(super) lines: &'f Lines<'f>,
    pub(super) own_names: &'static [&'static str],
    /// What makes a new container.
    pub(super) containers: &'static [&'static str],
    /// What calls a function that it is given.
    pub(super) injectors: &'static [&'static str],
    /// Whether default arguments are made once.
    pub(super) keeps_defaults: bool,
}

/// Modules of code that runs in a browser.
const BROWSER: [&str; 10] = [
    "react",
    "react-dom",
    "vue",
    "svelte",
    "preact",
    "solid-js",
    "jquery",
    "@angular/core",
    "zustand",
    "redux",
];

impl<'f> File<'f> {
    /// A file of that language.
    pub(super) fn new(
        language: &dyn Language,
        path: &'f str,
        code: Code,
        bindings: &'f Bindings<'f>,
        lines: &'f Lines<'f>,
    ) -> Self {
        Self {
            path,
            code,
            bindings,
            lines,
            own_names: language.own_names(),
            containers: language.containers(),
            injectors: language.injectors(),
            keeps_defaults: language.keeps_defaults(),
        }
    }

    /// Whether it is a script of a browser or of Node.
    pub(super) fn is_script(&self) -> bool {
        ![".py", ".pyi", ".pyw"].iter().any(|end| self.path.ends_with(end))
    }

    /// Whether it runs in a browser: a script that imports what only runs there, or that reads the
    /// page and does not bind it itself.
    pub(super) fn runs_in_browser(&self) -> bool {
        if !self.is_script() {
            return false;
        }
        let mut folders = self.path.split('/');
        if folders.any(|folder| ["static", "public", "assets"].contains(&folder)) {
            return true;
        }
        let source = self.bindings.source;
        let reads = |name: &str| {
            let all = self.bindings.index.with_text(name);
            all.iter().any(|at| self.bindings.home_of(*at).is_none())
        };
        let imports = |module: &str| {
            ['"', '\''].iter().any(|quote| {
                source.contains(&format!("from {quote}{module}{quote}"))
                    || source.contains(&format!("require({quote}{module}{quote})"))
            })
        };
        BROWSER.iter().any(|module| imports(module))
            || ["document", "window", "localStorage"].iter().any(|name| reads(name))
    }

    /// A use of which no more is known than where it stands.
    pub(super) fn plain_use(
        &self,
        symbol: &Symbol,
        span: Span,
        within: usize,
        kind: UseKind,
    ) -> Use {
        let facts = self.bindings.facts;
        let function = facts.function(within);
        Use {
            symbol: symbol.name.clone(),
            kind,
            place: self.lines.place(self.path, span),
            function: facts.qualified(within, self.bindings.source),
            in_async: function.is_some_and(|function| facts.is_async(function)),
            code: self.code,
            alias: None,
            text: self.lines.text(span.start),
            risk: Risk::None,
            shown_by: Vec::new(),
            injected: false,
            by_text: false,
        }
    }
}
