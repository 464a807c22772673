//! Caches whose key holds no user.

use super::evidence::suspect;
use crate::facts::{Role, ScopeKind};
use crate::source_file::File;
use partywall_core::audit::{SingletonSuspect, SuspectKind};

/// Decorators that keep what a function gave, by its arguments, for all callers.
const CACHES: [&str; 12] = [
    "lru_cache",
    "cache",
    "alru_cache",
    "ttl_cache",
    "lfu_cache",
    "cached",
    "memoize",
    "memoized",
    "memoize_func",
    "async_lru_cache",
    "async_cache",
    "cache_data",
];

/// What tells users apart, as a part of a name.
const WHOSE: [&str; 18] = [
    "user",
    "uid",
    "tenant",
    "account",
    "session",
    "request",
    "owner",
    "principal",
    "identity",
    "token",
    "context",
    "ctx",
    "customer",
    "workspace",
    "org",
    "organization",
    "organisation",
    "team",
];

/// Those of them that name a person.
const USERS: [&str; 6] = ["user", "uid", "tenant", "principal", "identity", "customer"];

/// What stands for the request that is served.
const CURRENT: [&str; 3] = ["request", "session", "g"];

/// Functions whose results are kept under a key without a user.
pub(super) fn caches(file: &File<'_>) -> Vec<SingletonSuspect> {
    let scopes = &file.bindings.facts.scopes;
    (0..scopes.len()).filter_map(|function| cache(file, function)).collect()
}

fn cache(file: &File<'_>, function: usize) -> Option<SingletonSuspect> {
    let facts = file.bindings.facts;
    let scope = &facts.scopes[function];
    let ScopeKind::Function { is_async } = scope.kind else { return None };
    let name = scope.name?;
    // One that is made within a function ends with it.
    if scope.parent.and_then(|parent| facts.function(parent)).is_some() {
        return None;
    }
    let decorator = file.decorators(function).find(|name| CACHES.contains(&file.text(name)))?;
    let parameters: Vec<&str> = file.parameters(function).map(|name| file.text(name)).collect();
    // An object in the key may be one user's own.
    let of_object = parameters.first() == file.own_names.first();
    if parameters.iter().any(|name| tells_whose(name, &WHOSE)) {
        return None;
    }
    let mut shown = vec![file.evidence("kept for all callers", decorator)];
    // What tells users apart is read within, but is no part of the key.
    let reads = facts.names.iter().filter(|name| {
        scope.span.start <= name.span.start
            && name.span.end <= scope.span.end
            && matches!(name.role, Role::Read | Role::Member { .. })
            && (tells_whose(file.text(name), &USERS) || CURRENT.contains(&file.text(name)))
    });
    let mut score = 1;
    let whose: Vec<_> = reads.collect();
    if let Some(first) = whose.first().filter(|_| !of_object) {
        score += 3;
        shown.push(file.evidence("reads what differs from user to user", first));
    }
    score += u32::from(is_async) + u32::from(parameters.is_empty());
    let text = facts.qualified(function, file.bindings.source).unwrap_or_default();
    Some(suspect(file, SuspectKind::Cache, text, name, score, shown))
}

/// Whether a part of a name tells users apart: `user_id`, `currentUser`.
fn tells_whose(name: &str, whose: &[&str]) -> bool {
    let mut parts = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| c != '_') {
            part.extend(c.to_lowercase());
        }
    }
    parts.iter().any(|part| whose.contains(&part.as_str()))
}
