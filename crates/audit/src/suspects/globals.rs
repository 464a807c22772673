//! Module globals that a getter makes, and containers that functions change.

use super::evidence::suspect;
use crate::facts::{Fate, Name, Role, ScopeKind, Value};
use crate::source_file::File;
use partywall_core::audit::{Shown, SingletonSuspect, SuspectKind};

/// Module globals, and attributes of a class, that a function binds.
pub(super) fn lazy(file: &File<'_>) -> Vec<SingletonSuspect> {
    let mut found = Vec::new();
    for (text, places) in file.bindings.all_of(0) {
        let names = places.iter().map(|at| &file.bindings.facts.names[*at]);
        let (inside, outside): (Vec<&Name>, Vec<&Name>) =
            names.partition(|name| file.function_of(name).is_some());
        let made: Vec<&Name> = inside.into_iter().filter(|name| gives_value(name)).collect();
        let Some(first) = made.first() else { continue };
        let mut score = 1;
        let mut shown: Vec<Shown> =
            made.iter().map(|name| file.evidence("written", name)).collect();
        if made.iter().any(|name| is_made(name.role)) {
            score += 2;
        }
        if let Some(returned) = returned(file, text, &made) {
            score += 2;
            shown.push(file.evidence("handed out", returned));
        }
        if made.iter().any(|name| file.function_of(name).is_some_and(|at| file.serves(at))) {
            score += 2;
        }
        let at = outside.first().unwrap_or(first).span;
        found.push(suspect(file, SuspectKind::LazyGlobal, text.to_owned(), at, score, shown));
    }
    found.extend(class_attributes(file));
    found
}

/// `cls._instance = cls()`.
fn class_attributes(file: &File<'_>) -> Vec<SingletonSuspect> {
    let mut found: Vec<SingletonSuspect> = Vec::new();
    for name in &file.bindings.facts.names {
        let (Role::Read, "cls", Fate::MemberSet(member)) = (name.role, file.text(name), name.fate)
        else {
            continue;
        };
        let Some(function) = file.function_of(name) else { continue };
        if file.is_at_start(function) {
            continue;
        }
        let class = file.class_of(function);
        let class =
            class.and_then(|class| file.bindings.facts.qualified(class, file.bindings.source));
        let text = member.of(file.bindings.source);
        let text = class.map_or(text.to_owned(), |class| format!("{class}.{text}"));
        if found.iter().all(|known| known.name != text) {
            let shown = vec![file.evidence("written", name)];
            let score = 2 + u32::from(file.serves(function));
            found.push(suspect(file, SuspectKind::LazyGlobal, text, name.span, score, shown));
        }
    }
    found
}

fn gives_value(name: &Name) -> bool {
    match name.role {
        Role::Bind(value) | Role::Write(value) => !matches!(value, Value::Absent | Value::Null),
        _ => false,
    }
}

fn is_made(role: Role) -> bool {
    matches!(role, Role::Bind(Value::Call(_)) | Role::Write(Value::Call(_)))
}

/// Where a function that makes a global returns it.
fn returned<'f>(file: &File<'f>, text: &str, made: &[&Name]) -> Option<&'f Name> {
    let names = file.bindings.facts.names.iter().enumerate();
    let is_returned = |(at, name): &(usize, &Name)| {
        name.fate == Fate::Returned
            && name.role == Role::Read
            && file.text(name) == text
            && file.bindings.home_of(*at) == Some(0)
            && made.iter().any(|made| file.function_of(made) == file.function_of(name))
    };
    names.clone().find(is_returned).map(|(_, name)| name)
}

/// Containers of a module or a class that functions change.
pub(super) fn shared(file: &File<'_>) -> Vec<SingletonSuspect> {
    let mut found = Vec::new();
    for (at, name) in file.bindings.facts.names.iter().enumerate() {
        let Role::Bind(value) = name.role else { continue };
        if !file.is_container(value) {
            continue;
        }
        let Some(home) = file.bindings.home_of(at) else { continue };
        let changes = match file.bindings.facts.scopes[home].kind {
            ScopeKind::Module if name.scope == 0 => of_module(file, file.text(name)),
            ScopeKind::Class => of_class(file, home, file.text(name)),
            _ => continue,
        };
        let Some(score) = changes.iter().map(|change| weight(file, change)).max() else { continue };
        let mut strongest = changes;
        strongest.sort_by_key(|change| std::cmp::Reverse(weight(file, change)));
        let shown = strongest.iter().map(|change| file.evidence("changed", change)).collect();
        let text = file.bindings.facts.qualified(home, file.bindings.source);
        let text =
            text.map_or(file.text(name).to_owned(), |class| format!("{class}.{}", file.text(name)));
        found.push(suspect(file, SuspectKind::SharedMutable, text, name.span, score, shown));
    }
    found
}

/// How much a change says: most in code that serves requests, least at start-up.
fn weight(file: &File<'_>, change: &Name) -> u32 {
    match file.function_of(change) {
        Some(function) if file.is_at_start(function) => 1,
        Some(function) if file.serves(function) => 5,
        _ => 3,
    }
}

/// Where functions change a module's container.
fn of_module<'f>(file: &File<'f>, text: &str) -> Vec<&'f Name> {
    let names = file.bindings.facts.names.iter().enumerate();
    let changes = names.filter(|(at, name)| {
        name.role == Role::Read
            && file.text(name) == text
            && file.is_changed(name)
            && file.function_of(name).is_some()
            && file.bindings.home_of(*at) == Some(0)
    });
    changes.map(|(_, name)| name).collect()
}

/// Where a class's methods change its container, unless each object gets its own.
fn of_class<'f>(file: &File<'f>, class: usize, text: &str) -> Vec<&'f Name> {
    let facts = file.bindings.facts;
    let span = facts.scopes[class].span;
    let within = |name: &&Name| span.start <= name.span.start && name.span.end <= span.end;
    let source = file.bindings.source;
    let own = facts.names.iter().filter(within).any(|name| {
        matches!(name.fate, Fate::MemberSet(member)
            if name.role == Role::Read
                && file.own_names.first() == Some(&file.text(name))
                && member.of(source) == text)
    });
    if own {
        return Vec::new();
    }
    let class_name = facts.scopes[class].name.map_or("", |name| name.of(source));
    let changes = facts.names.iter().filter(within).filter(|name| {
        let Role::Member { of: Some(base) } = name.role else { return false };
        let base = facts.name_at(base).map_or("", |base| file.bindings.text(base));
        let is_own = file.own_names.contains(&base) || base == class_name;
        is_own && file.text(name) == text && file.is_changed(name)
    });
    changes.collect()
}
