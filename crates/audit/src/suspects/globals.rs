//! Module globals that a getter makes, and containers that functions change.

use std::collections::{HashMap, HashSet};

use super::candidate::Candidate;
use super::people::names_one;
use crate::facts::{Fate, Name, Role, ScopeKind, Value};
use crate::source_file::File;
use partywall_core::audit::SuspectKind;

/// Module globals, and attributes of a class, that a function binds.
pub(super) fn lazy(file: &File<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (text, places) in file.bindings.all_of(0) {
        let names = places.iter().map(|at| &file.bindings.facts.names[*at]);
        let (inside, outside): (Vec<&Name>, Vec<&Name>) =
            names.partition(|name| file.function_of(name).is_some());
        let made: Vec<&Name> = inside.into_iter().filter(|name| gives_value(name)).collect();
        let Some(first) = made.first() else { continue };
        let at = outside.first().unwrap_or(first).span;
        let mut lazy = Candidate::new(file, SuspectKind::LazyGlobal, text.to_owned(), at);
        lazy.base = 1 + u32::from(made.iter().any(|name| is_made(name.role)));
        lazy.writes = made.iter().map(|name| file.write("written", name)).collect();
        for write in &mut lazy.writes {
            write.personal |= names_one(text);
        }
        for returned in returned(file, text) {
            let function = file.function_of(returned);
            let getter = function.and_then(|function| file.bindings.facts.scopes[function].name);
            lazy.getters.extend(getter.map(|name| name.of(file.bindings.source).to_owned()));
            if lazy.shown.is_empty() {
                lazy.base += 1;
                lazy.shown.push(file.evidence("handed out", returned));
            }
        }
        found.push(lazy);
    }
    found.extend(class_attributes(file));
    found
}

/// `cls._instance = cls()`.
fn class_attributes(file: &File<'_>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for at in file.bindings.index.with_text("cls") {
        let name = &file.bindings.facts.names[*at];
        let (Role::Read, Fate::MemberSet(member)) = (name.role, name.fate) else { continue };
        let Some(function) = file.function_of(name) else { continue };
        let class = file.class_of(function);
        let class =
            class.and_then(|class| file.bindings.facts.qualified(class, file.bindings.source));
        let text = member.of(file.bindings.source);
        let text = class.map_or(text.to_owned(), |class| format!("{class}.{text}"));
        let write = file.write("written", name);
        if let Some(known) = known.get(&text) {
            found[*known].writes.push(write);
            continue;
        }
        if file.is_at_start(function) {
            continue;
        }
        let mut lazy = Candidate::new(file, SuspectKind::LazyGlobal, text.clone(), name.span);
        lazy.base = 2;
        known.insert(text.clone(), found.len());
        lazy.root = text;
        lazy.writes = vec![write];
        found.push(lazy);
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

/// Where functions return a global.
fn returned<'f>(file: &File<'f>, text: &str) -> Vec<&'f Name> {
    let names = file.bindings.index.with_text(text).iter();
    let is_returned = |at: &&usize| {
        let name = &file.bindings.facts.names[**at];
        name.fate == Fate::Returned
            && name.role == Role::Read
            && file.bindings.home_of(**at) == Some(0)
    };
    names.filter(is_returned).map(|at| &file.bindings.facts.names[*at]).collect()
}

/// Containers of a module or a class that functions change.
pub(super) fn shared(file: &File<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let own = own_members(file);
    let mut seen = HashSet::new();
    for (at, name) in file.bindings.facts.names.iter().enumerate() {
        let Role::Bind(value) = name.role else { continue };
        if !file.is_container(value) {
            continue;
        }
        let Some(home) = file.bindings.home_of(at) else { continue };
        if !seen.insert((home, file.bindings.index.number_of(at))) {
            continue;
        }
        let changes = match file.bindings.facts.scopes[home].kind {
            ScopeKind::Module if name.scope == 0 => of_module(file, file.text(name)),
            ScopeKind::Class if !own.contains(&(home, file.text(name))) => {
                of_class(file, home, file.text(name))
            }
            _ => continue,
        };
        if changes.is_empty() {
            continue;
        }
        let text = file.bindings.facts.qualified(home, file.bindings.source);
        let text =
            text.map_or(file.text(name).to_owned(), |class| format!("{class}.{}", file.text(name)));
        let mut suspect = Candidate::new(file, SuspectKind::SharedMutable, text.clone(), name.span);
        suspect.root = text;
        suspect.writes = changes.iter().map(|change| file.write("changed", change)).collect();
        let keys: Vec<&str> = changes.iter().filter_map(|change| key(file, change)).collect();
        let is_keyed = !keys.is_empty() && keys.len() == changes.len() - removals(file, &changes);
        suspect.base = 2;
        if is_keyed && keys.iter().all(|key| unique_to_one(key)) {
            // Each user has an entry of their own.
            suspect.most = 2;
        }
        if file.keeps_users_apart(name) {
            suspect.most = 1;
        }
        found.push(suspect);
    }
    found
}

/// The key under which a change puts something.
fn key<'f>(file: &File<'f>, change: &Name) -> Option<&'f str> {
    let source = file.bindings.source;
    match change.fate {
        Fate::ItemSet(key) => Some(key.of(source).trim_matches(['[', ']', '?', '.'])),
        Fate::Method(method) if KEYED.contains(&method.of(source)) => {
            crate::text::first(source, method.end)
        }
        _ => None,
    }
}

/// How many of the changes only take something away.
fn removals(file: &File<'_>, changes: &[&Name]) -> usize {
    const REMOVES: [&str; 6] = ["pop", "popitem", "clear", "remove", "discard", "delete"];
    let removes = |change: &&&Name| {
        matches!(change.fate, Fate::Method(method)
            if REMOVES.contains(&method.of(file.bindings.source)))
    };
    changes.iter().filter(removes).count()
}

/// Methods whose first argument is a key.
const KEYED: [&str; 3] = ["setdefault", "set", "put"];

/// Whether a key is one user's: a user's id is, and so is a tuple that holds one. A session's and
/// a token's are, too.
fn unique_to_one(key: &str) -> bool {
    const OF_ONE: [&str; 6] = ["user", "uid", "session", "token", "principal", "identity"];
    let mut words = key.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.any(|word| {
        let word = word.to_lowercase();
        names_one(&word) && !word.contains("tenant") && !word.contains("name")
            || OF_ONE.iter().any(|one| word == *one || word.strip_prefix(*one) == Some("_id"))
            || ["session_id", "sessionid", "userid", "sid", "user_uuid"].contains(&word.as_str())
    })
}

/// Where functions change a module's container.
fn of_module<'f>(file: &File<'f>, text: &str) -> Vec<&'f Name> {
    let names = file.bindings.index.with_text(text).iter();
    let changes = names.filter(|at| {
        let name = &file.bindings.facts.names[**at];
        name.role == Role::Read
            && file.is_changed(name)
            && file.function_of(name).is_some()
            && file.bindings.home_of(**at) == Some(0)
    });
    changes.map(|at| &file.bindings.facts.names[*at]).collect()
}

/// The members that each class's methods set on their own object: each object has its own.
fn own_members<'f>(file: &File<'f>) -> HashSet<(usize, &'f str)> {
    let Some(own) = file.own_names.first() else { return HashSet::new() };
    let names = file.bindings.index.with_text(own).iter().map(|at| &file.bindings.facts.names[*at]);
    let set = names.filter_map(|name| match (name.role, name.fate) {
        (Role::Read, Fate::MemberSet(member)) => {
            Some((file.class_around(name)?, member.of(file.bindings.source)))
        }
        _ => None,
    });
    set.collect()
}

/// Where a class's methods change its container.
fn of_class<'f>(file: &File<'f>, class: usize, text: &str) -> Vec<&'f Name> {
    let facts = file.bindings.facts;
    let span = facts.scopes[class].span;
    let within = |name: &&Name| name.span.end <= span.end;
    let class_name = facts.scopes[class].name.map_or("", |name| name.of(file.bindings.source));
    let all = file.bindings.index.with_text(text);
    let first = all.partition_point(|at| facts.names[*at].span.start < span.start);
    let all = all[first..].iter().map(|at| &facts.names[*at]);
    let changes = all.take_while(within).filter(|name| {
        let Role::Member { of: Some(base) } = name.role else { return false };
        let base = facts.name_at(base).map_or("", |base| file.bindings.text(base));
        let is_own = file.own_names.contains(&base) || base == class_name;
        is_own && file.is_changed(name)
    });
    changes.collect()
}
