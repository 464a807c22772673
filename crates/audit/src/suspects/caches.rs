//! Caches whose key holds no user.

use super::candidate::Candidate;
use super::people::{names_one, tells_whose};
use crate::facts::{Name, Role, ScopeKind, Span};
use crate::source_file::File;
use crate::text::{argument, string};
use partywall_core::audit::SuspectKind;

/// Decorators that keep what a function gave, by its arguments, for all callers.
const CACHES: [&str; 14] = [
    "lru_cache",
    "cache",
    "alru_cache",
    "ttl_cache",
    "lfu_cache",
    "cached",
    "cachedmethod",
    "memoize",
    "memoized",
    "memoize_func",
    "async_lru_cache",
    "async_cache",
    "cache_data",
    "cache_page",
];

/// What stands for the request that is served.
const CURRENT: [&str; 4] = ["request", "session", "g", "current_user"];

/// Functions whose results are kept under a key without a user.
pub(super) fn caches(file: &File<'_>) -> Vec<Candidate> {
    let scopes = &file.bindings.facts.scopes;
    (0..scopes.len()).filter_map(|function| cache(file, function)).collect()
}

/// What decorates a function so that its results are kept.
pub(super) fn kept_by<'f>(file: &File<'f>, function: usize) -> Option<&'f Name> {
    file.decorators(function).find(|name| CACHES.contains(&file.text(name)))
}

fn cache(file: &File<'_>, function: usize) -> Option<Candidate> {
    let facts = file.bindings.facts;
    let scope = &facts.scopes[function];
    let ScopeKind::Function { is_async } = scope.kind else { return None };
    let name = scope.name?;
    // One that is made within a function ends with it.
    if scope.parent.and_then(|parent| facts.callable(parent)).is_some() {
        return None;
    }
    let decorator = kept_by(file, function)?;
    let parameters: Vec<&str> = file.parameters(function).map(|name| file.text(name)).collect();
    // An object in the key may be one user's own.
    let of_object = parameters.first() == file.own_names.first();
    let key = argument(file.bindings.source, decorator.span.end, "key");
    let whose: Vec<&str> = parameters.iter().copied().filter(|name| tells_whose(name)).collect();
    let text = facts.qualified(function, file.bindings.source).unwrap_or_default();
    let mut found = Candidate::new(file, SuspectKind::Cache, text, name);
    found.shown = vec![file.evidence("kept for all callers", decorator)];
    match key {
        Some(key) if !whose.is_empty() && ignores(file, key, &whose) => {
            // The key is made by a function that does not look at the user that it is given.
            found.base = 4;
        }
        Some(key) if says_whose(key) => return None,
        _ if !whose.is_empty() => return None,
        _ => {
            found.base = 1;
            // What tells users apart is read within, but is no part of the key.
            let reads = within(file, scope.span).find(|name| {
                let is_read = matches!(name.role, Role::Read | Role::Member { .. });
                let text = file.text(name);
                is_read && (names_one(text) || CURRENT.contains(&text))
            });
            if let Some(first) = reads.filter(|_| !of_object) {
                found.base += 3;
                found.shown.push(file.evidence("reads what differs from user to user", first));
            } else {
                // What it keeps is of nobody, as far as the source says.
                found.most = 2;
            }
        }
    }
    found.base += u32::from(is_async) + u32::from(parameters.is_empty());
    Some(found)
}

/// The names that stand in that part of the file.
fn within<'f>(file: &File<'f>, span: Span) -> impl Iterator<Item = &'f Name> + use<'f> {
    let names = &file.bindings.facts.names;
    let first = names.partition_point(|name| name.span.start < span.start);
    names[first..].iter().take_while(move |name| name.span.end <= span.end)
}

/// Whether what makes a key looks at none of those parameters: a lambda, a plain string, or a
/// function of the same file.
fn ignores(file: &File<'_>, key: &str, whose: &[&str]) -> bool {
    let names_one = |text: &str| {
        let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.any(|word| whose.contains(&word) || tells_whose(word))
    };
    if let Some((parameters, body)) = key.strip_prefix("lambda").and_then(|key| key.split_once(':'))
    {
        let takes_all = parameters.contains('*') && body.contains("args");
        return !takes_all && !names_one(body);
    }
    if string(key).is_some() {
        return !names_one(key);
    }
    let facts = file.bindings.facts;
    let own = file.bindings.bound_in(0, key);
    let made_by = own.iter().find_map(|at| {
        let name = &facts.names[*at];
        let is_it = |scope: &crate::facts::Scope| scope.name == Some(name.span);
        (name.role == Role::Define).then(|| facts.scopes.iter().find(|scope| is_it(scope)))?
    });
    made_by.is_some_and(|scope| {
        let reads = |name: &Name| matches!(name.role, Role::Read | Role::Member { .. });
        let says = |name: &Name| tells_whose(file.text(name)) || file.text(name).contains("args");
        !within(file, scope.span).any(|name| reads(name) && says(name))
    })
}

/// Whether what makes a key names a user.
fn says_whose(key: &str) -> bool {
    key.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(tells_whose)
}
