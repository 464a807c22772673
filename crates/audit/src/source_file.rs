//! One source file, ready to be searched.

use super::bindings::Bindings;
use super::facts::Span;
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
    /// Whether default arguments are made once.
    pub(super) keeps_defaults: bool,
}

impl File<'_> {
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
            by_text: false,
        }
    }
}
