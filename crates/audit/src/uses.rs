//! The uses of the accessors in one file.

use std::collections::BTreeSet;

use super::bindings::{Bindings, Means};
use super::broken;
use super::facts::{Fate, Name, Role, Span, Text, Value};
use super::lines::{is_word, words};
use super::risk;
use super::source_file::File;
use super::symbols::Symbol;
use partywall_core::audit::{Use, UseKind};

/// Every use of that accessor.
pub(super) fn uses(file: &File<'_>, symbol: &Symbol) -> Vec<Use> {
    let facts = file.bindings.facts;
    let mut found: Vec<(Span, Use)> = Vec::new();
    for (at, name) in facts.names.iter().enumerate() {
        if let Some(kind) = kind(file.bindings, at, &symbol.name) {
            let found_here = of_name(file, symbol, at, kind);
            found.push((name.span, broken::if_called(file, name, found_here)));
        }
    }
    for text in &facts.texts {
        found.extend(in_text(file, symbol, text));
    }
    if facts.first_error.is_some() {
        let known: BTreeSet<usize> = found.iter().map(|(span, _)| span.start).collect();
        found.extend(broken::by_text(file, symbol, &known));
    }
    found.sort_by_key(|(span, _)| *span);
    found.into_iter().map(|(_, found)| found).collect()
}

/// How often the replacement is called.
pub(super) fn replaced(bindings: &Bindings<'_>, replacement: &str) -> u64 {
    let names = bindings.facts.names.iter().enumerate();
    let called =
        names.filter(|(at, name)| name.called && bindings.means(*at, replacement).is_some());
    called.count() as u64
}

/// How a name uses the accessor, if it does.
pub(super) fn kind(bindings: &Bindings<'_>, at: usize, accessor: &str) -> Option<UseKind> {
    let name = &bindings.facts.names[at];
    let is_named = bindings.text(at) == accessor;
    match name.role {
        Role::Define if is_named => Some(UseKind::Definition),
        Role::Bind(_) | Role::Write(_) if is_named => {
            let home = bindings.home_of(at).unwrap_or(0);
            let renames = bindings.value_means(at, accessor, &mut BTreeSet::new());
            (!renames && !bindings.is_local(home)).then_some(UseKind::Definition)
        }
        Role::Import { .. } if is_named => Some(UseKind::Import),
        Role::Read | Role::Member { .. } => {
            let means = bindings.means(at, accessor)?;
            Some(match (name.called, name.role, means) {
                (true, Role::Member { .. }, _) => UseKind::AttributeCall,
                (true, _, Means::Itself) => UseKind::Call,
                (true, _, Means::Alias) => UseKind::AliasCall,
                _ if bindings.is_renamed(at) => UseKind::Alias,
                _ => UseKind::Reference,
            })
        }
        _ => None,
    }
}

fn of_name(file: &File<'_>, symbol: &Symbol, at: usize, kind: UseKind) -> Use {
    let bindings = file.bindings;
    let name = &bindings.facts.names[at];
    let text = bindings.text(at);
    let mut found = file.plain_use(symbol, name.span, name.within, kind);
    found.alias = match kind {
        UseKind::Import | UseKind::Alias => new_name(bindings, at),
        _ => (text != symbol.name).then(|| text.to_owned()),
    };
    found.injected = kind == UseKind::Reference && is_injected(file, name);
    if kind.is_call_site() {
        (found.risk, found.shown_by) = risk::of(file, at);
    }
    found
}

/// Whether a name is what an injector is given: `Depends(f)`.
fn is_injected(file: &File<'_>, name: &Name) -> bool {
    let before = file.bindings.source[..name.span.start].trim_end_matches(|c: char| {
        // `Depends(module.f)`, `Depends(dependency=f)`.
        is_word(c) || c == '.' || c == '=' || c.is_whitespace()
    });
    let Some(before) = before.strip_suffix('(') else { return false };
    let callee = before.trim_end();
    let start = callee.trim_end_matches(|c: char| is_word(c) || c == '.').len();
    file.injectors.contains(&&callee[start..])
}

/// The name that something is given: `g` in `import f as g` and in `g = f`.
fn new_name(bindings: &Bindings<'_>, at: usize) -> Option<String> {
    let names = &bindings.facts.names;
    let start = names[at].span.start;
    let is_given = |name: &&Name| {
        matches!(name.role, Role::Bind(value) | Role::Write(value)
            if value == Value::Name(start))
    };
    if let Fate::Assigned { to } = names[at].fate {
        let to = bindings.facts.name_at(to)?;
        return Some(bindings.text(to).to_owned());
    }
    // An import's new name stands right behind it, or before it in other languages.
    let near = &names[at.saturating_sub(1)..(at + 2).min(names.len())];
    near.iter().find(is_given).map(|name| name.span.of(bindings.source).to_owned())
}

/// The uses in a string or a comment.
fn in_text(file: &File<'_>, symbol: &Symbol, text: &Text) -> Vec<(Span, Use)> {
    let source = file.bindings.source;
    if text.value.as_deref().is_some_and(|value| names_it(value, &symbol.name)) {
        let found = file.plain_use(symbol, text.span, text.within, UseKind::PatchString);
        return vec![(text.span, found)];
    }
    let mentions = words(text.span.of(source), &symbol.name).map(|at| {
        let start = text.span.start + at;
        let span = Span { start, end: start + symbol.name.len() };
        (span, file.plain_use(symbol, span, text.within, UseKind::Mention))
    });
    // What an interpolation holds is code, and found as such.
    let is_code = |span: Span| file.bindings.facts.name_at(span.start).is_some();
    mentions.filter(|(span, _)| !is_code(*span)).collect()
}

/// Whether a string is a dotted path that goes through the accessor: `a.b.f`, `a.b:f`.
pub(super) fn names_it(value: &str, accessor: &str) -> bool {
    let mut parts = value.split(['.', ':']);
    value.chars().all(|c| is_word(c) || c == '.' || c == ':') && parts.any(|part| part == accessor)
}
