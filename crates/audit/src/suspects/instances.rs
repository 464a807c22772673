//! Objects that are made when a module is loaded, and what methods write on their own object.

use std::collections::HashSet;

use super::caches::kept_by;
use super::candidate::Write;
use crate::facts::{Fate, Role, ScopeKind, Span, Value};
use crate::source_file::File;
use partywall_core::audit::{Place, Shown};

/// A class of the tree.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) bases: Vec<String>,
    /// What its methods write on their own object, after it was made.
    pub(crate) writes: Vec<Write>,
}

/// An object that is made once for the process.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) place: Place,
    pub(crate) shown: Shown,
}

/// Methods that make an object.
const MAKES: [&str; 9] = [
    "__init__",
    "__new__",
    "__post_init__",
    "__init_subclass__",
    "__enter__",
    "__aenter__",
    "constructor",
    "__set_name__",
    "__setstate__",
];

/// What makes parts of an object that are each task's own.
const OF_A_TASK: [&str; 4] = ["local", "Local", "ContextVar", "AsyncLocalStorage"];

/// The classes of a file.
pub(crate) fn classes(file: &File<'_>) -> Vec<Class> {
    let facts = file.bindings.facts;
    let is_class = |(_, scope): &(usize, &crate::facts::Scope)| scope.kind == ScopeKind::Class;
    let mut rows: Vec<(usize, Class)> = facts
        .scopes
        .iter()
        .enumerate()
        .filter(is_class)
        .filter_map(|(at, scope)| {
            let name = scope.name?.of(file.bindings.source).to_owned();
            Some((at, Class { name, bases: Vec::new(), writes: Vec::new() }))
        })
        .collect();
    let row =
        |rows: &[(usize, Class)], scope| rows.binary_search_by_key(&scope, |(at, _)| *at).ok();
    let apart = of_a_task(file);
    for (at, name) in facts.names.iter().enumerate() {
        if facts.scopes[name.within].kind == ScopeKind::Class
            && facts.scopes[name.within].parent == Some(name.scope)
            && matches!(name.role, Role::Read | Role::Member { .. })
            && let Some(class) = row(&rows, name.within)
        {
            rows[class].1.bases.push(file.text(name).to_owned());
        }
        if let Some((class, write)) = own_write(file, at, &apart)
            && let Some(class) = row(&rows, class)
        {
            rows[class].1.writes.push(write);
        }
    }
    rows.into_iter().map(|(_, class)| class).collect()
}

/// Members that hold what is each task's own: `self._local = threading.local()`.
fn of_a_task<'f>(file: &File<'f>) -> HashSet<(usize, &'f str)> {
    let mut apart = HashSet::new();
    for maker in OF_A_TASK {
        for at in file.bindings.index.with_text(maker) {
            let name = &file.bindings.facts.names[*at];
            if let Fate::StoredOnSelf(member) = name.fate
                && let Some(class) = file.class_around(name)
            {
                apart.insert((class, member.of(file.bindings.source)));
            }
        }
    }
    apart
}

/// What a method writes on its own object, where that name stands for it.
fn own_write(file: &File<'_>, at: usize, apart: &HashSet<(usize, &str)>) -> Option<(usize, Write)> {
    let name = &file.bindings.facts.names[at];
    let text = file.text(name);
    let is_own = name.role == Role::Read && file.own_names.first() == Some(&text);
    let member = match name.role {
        _ if is_own => None,
        // In TypeScript `this` is no name: its members are.
        Role::Member { of: Some(of) } if file.own_names.contains(&"this") => {
            let rest = file.bindings.source.get(of..)?;
            rest.starts_with("this").then_some(text)?;
            Some(text)
        }
        _ => return None,
    };
    let is_written = match (member, name.fate) {
        (None, Fate::MemberSet(_) | Fate::ItemSet(_)) => true,
        (None, Fate::Method(_)) => file.written(at).is_some_and(|written| written.parts.len() > 1),
        (Some(_), _) => file.is_changed(name) || matches!(name.fate, Fate::MemberSet(_)),
        _ => false,
    } || member.is_some() && is_target(file, name.span);
    if !is_written {
        return None;
    }
    let first = match member {
        Some(member) => member,
        None => file.written(at)?.parts.get(1).copied()?,
    };
    let class = file.class_around(name)?;
    if first.starts_with("__") || apart.contains(&(class, first)) {
        return None;
    }
    let function = file.function_of(name)?;
    let method = outermost_method(file, function);
    let method = file.bindings.facts.scopes[method].name?.of(file.bindings.source);
    if MAKES.contains(&method) {
        return None;
    }
    let write = file.write(&format!("{first} is written"), name);
    Some((class, write))
}

/// The method that a function stands in.
fn outermost_method(file: &File<'_>, mut function: usize) -> usize {
    while file.class_of(function).is_none() {
        let parent = file.bindings.facts.scopes[function].parent;
        let Some(outer) = parent.and_then(|parent| file.bindings.facts.callable(parent)) else {
            return function;
        };
        function = outer;
    }
    function
}

/// Whether a member is assigned to right there: `this.a = b`, `this.a += 1`, `this.a++`.
fn is_target(file: &File<'_>, span: Span) -> bool {
    let rest = file.bindings.source[span.end..].trim_start_matches([' ', '\t']);
    let assigns =
        |rest: &str| rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=>");
    let operator = rest.trim_start_matches(['+', '-', '*', '/', '?', '|', '&']);
    assigns(rest)
        || operator.len() < rest.len() && rest.len() - operator.len() < 3 && assigns(operator)
        || rest.starts_with("++")
        || rest.starts_with("--")
}

/// The objects that a file makes when it is loaded, and those that a cached function gives.
pub(crate) fn instances(file: &File<'_>) -> Vec<Instance> {
    let facts = file.bindings.facts;
    let mut found = Vec::new();
    for name in &facts.names {
        if file.function_of(name).is_none()
            && let Role::Bind(Value::Call(callee)) = name.role
            && facts.scopes[name.scope].kind == ScopeKind::Module
        {
            let class = file.callee(callee);
            if is_class_name(class) {
                found.push(instance(file, name.span, class, "made when the module is loaded"));
            }
        }
        if name.called && name.fate == Fate::Returned && is_class_name(file.text(name)) {
            let getter = file.function_of(name).filter(|function| {
                kept_by(file, *function).is_some() && file.parameters(*function).next().is_none()
            });
            if let Some(getter) = getter.and_then(|getter| facts.scopes[getter].name) {
                let class = file.text(name);
                found.push(instance(file, getter, class, "made once, and given to all callers"));
            }
        }
    }
    found
}

fn instance(file: &File<'_>, at: Span, class: &str, what: &str) -> Instance {
    Instance {
        name: at.of(file.bindings.source).to_owned(),
        class: class.to_owned(),
        place: file.lines.place(file.path, at),
        shown: file.lines.shown(at.start, what),
    }
}

fn is_class_name(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(|c: char| c.is_uppercase())
        && name.chars().any(char::is_lowercase)
}
