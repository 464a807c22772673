//! Uses where the syntax is broken: what the tree does not say, the neighbouring characters do.

use std::collections::BTreeSet;

use super::facts::{Name, Role, Scope, Span};
use super::lines::{is_word, words};
use super::source_file::File;
use super::symbols::Symbol;
use partywall_core::audit::{Use, UseKind};

/// Strings and comments that may be around a byte, one in the other.
const MOST_AROUND: usize = 8;

/// So many bytes before a name are looked at.
const FARTHEST: usize = 1_000;

/// So many names that a text gives an accessor are followed.
const MOST_ALIASES: usize = 32;

/// Uses in what recovery threw away, or took apart; `known` begin elsewhere in the list already.
pub(super) fn by_text(
    file: &File<'_>,
    symbol: &Symbol,
    known: &BTreeSet<usize>,
) -> Vec<(Span, Use)> {
    let facts = file.bindings.facts;
    let source = file.bindings.source;
    let mut found = Vec::new();
    for start in words(source, &symbol.name) {
        let span = Span { start, end: start + symbol.name.len() };
        let said = |name: &Name| name.role != Role::Loose;
        let is_name = facts.name_at(start).is_some_and(|name| said(&facts.names[name]));
        let behind = facts.texts.partition_point(|text| text.span.start <= start);
        let near = &facts.texts[behind.saturating_sub(MOST_AROUND)..behind];
        let in_text = near.iter().any(|text| span.end <= text.span.end);
        if !known.contains(&start) && !is_name && !in_text {
            let kind = kind(source, span, file.lines.start(start));
            found.push((span, of(file, symbol, span, kind)));
        }
    }
    for alias in aliases(source, &symbol.name).into_iter().take(MOST_ALIASES) {
        for start in words(source, alias).filter(|start| !known.contains(start)) {
            let span = Span { start, end: start + alias.len() };
            if !may_mean_it(file, span) {
                continue;
            }
            if let Some(kind) = kind_of_alias(source, span) {
                let alias = Some(alias.to_owned());
                found.push((span, Use { alias, ..of(file, symbol, span, kind) }));
            }
        }
    }
    found
}

/// Where a bracket is never closed, the call that it opens is no call in the tree.
pub(super) fn if_called(file: &File<'_>, name: &Name, found: Use) -> Use {
    let opens = after(file.bindings.source, name.span).starts_with('(');
    if found.kind != UseKind::Reference || file.bindings.facts.first_error.is_none() || !opens {
        return found;
    }
    let kind = match (name.role, &found.alias) {
        (Role::Member { .. }, _) => UseKind::AttributeCall,
        (_, None) => UseKind::Call,
        (_, Some(_)) => UseKind::AliasCall,
    };
    Use { kind, by_text: true, ..found }
}

fn of(file: &File<'_>, symbol: &Symbol, span: Span, kind: UseKind) -> Use {
    let within = scope_at(&file.bindings.facts.scopes, span.start);
    Use { by_text: true, ..file.plain_use(symbol, span, within, kind) }
}

/// The innermost scope around that byte.
fn scope_at(scopes: &[Scope], at: usize) -> usize {
    let mut scope = scopes.partition_point(|scope| scope.span.start <= at).saturating_sub(1);
    while at >= scopes[scope].span.end {
        let Some(parent) = scopes[scope].parent else { return 0 };
        scope = parent;
    }
    scope
}

/// What stands before; no more than is looked at, since a line may be as long as its file.
fn before(source: &str, span: Span) -> &str {
    let mut first = span.start.saturating_sub(FARTHEST);
    while !source.is_char_boundary(first) {
        first += 1;
    }
    source[first..span.start].trim_end_matches([' ', '\t'])
}

fn after(source: &str, span: Span) -> &str {
    source[span.end..].trim_start_matches([' ', '\t'])
}

fn last_word(text: &str) -> &str {
    text.rsplit(|c| !is_word(c)).next().unwrap_or_default()
}

/// How the accessor is used, by what stands around it.
fn kind(source: &str, span: Span, line: usize) -> UseKind {
    let (before, after) = (before(source, span), after(source, span));
    let line = source[line..span.start].trim_start();
    match () {
        () if line.starts_with(['#', '*']) || line.starts_with("//") => UseKind::Mention,
        () if ["def", "function", "class"].contains(&last_word(before)) => UseKind::Definition,
        () if line.starts_with("from ") || line.starts_with("import ") => UseKind::Import,
        () if after.starts_with('(') && before.ends_with('.') => UseKind::AttributeCall,
        () if after.starts_with('(') => UseKind::Call,
        () if given_name(source, span).is_some() => UseKind::Alias,
        () => UseKind::Reference,
    }
}

/// The other names that a text gives the accessor: `f as g`, `g = f`, `g = module.f`.
fn aliases<'s>(source: &'s str, accessor: &'s str) -> BTreeSet<&'s str> {
    let spans = words(source, accessor)
        .map(|start| Span { start, end: start + accessor.len() })
        .filter(|span| !after(source, *span).starts_with(['(', '.']));
    spans.filter_map(|span| given_name(source, span)).filter(|name| *name != accessor).collect()
}

fn given_name(source: &str, span: Span) -> Option<&str> {
    let first_word = |text: &'_ str| text.find(|c| !is_word(c)).unwrap_or(text.len());
    if let Some(rest) = after(source, span).strip_prefix("as ") {
        let rest = rest.trim_start();
        return Some(&rest[..first_word(rest)]).filter(|name| !name.is_empty());
    }
    let module = before(source, span).trim_end_matches(|c| is_word(c) || c == '.');
    let target = module.trim_end_matches([' ', '\t']).strip_suffix('=')?;
    let name = last_word(target.trim_end_matches([' ', '\t']));
    Some(name).filter(|name| !name.is_empty())
}

/// Whether a name is one that the tree knows no binding of.
fn may_mean_it(file: &File<'_>, span: Span) -> bool {
    let bindings = file.bindings;
    let is_called = after(bindings.source, span).starts_with('(');
    let Some(name) = bindings.facts.name_at(span.start) else {
        return is_called && is_code(bindings.source, span);
    };
    match bindings.facts.names[name].role {
        Role::Loose => true,
        Role::Read => {
            // The name that an import gives is taken for that of an `as` pattern.
            let given = |at: &usize| {
                last_word(before(bindings.source, bindings.facts.names[*at].span)) == "as"
            };
            let home = bindings.home_of(name);
            home.is_none_or(|home| bindings.bound_in(home, bindings.text(name)).iter().all(given))
        }
        // What recovery takes for a target or a parameter is neither if it is called.
        Role::Bind(_) | Role::Parameter(_) => is_called,
        _ => false,
    }
}

/// Whether the line, as far as it goes, has opened neither a comment nor a string.
fn is_code(source: &str, span: Span) -> bool {
    let line = before(source, span).rsplit('\n').next().unwrap_or_default();
    let closed = |quote: char| line.matches(quote).count().is_multiple_of(2);
    !line.contains(['#', '`']) && !line.contains("//") && closed('"') && closed('\'')
}

fn kind_of_alias(source: &str, span: Span) -> Option<UseKind> {
    let (before, after) = (before(source, span), after(source, span));
    let is_given = after.starts_with('=') && !after.starts_with("==") || last_word(before) == "as";
    match () {
        () if is_given || before.ends_with('.') => None,
        () if after.starts_with('(') => Some(UseKind::AliasCall),
        () => Some(UseKind::Reference),
    }
}
