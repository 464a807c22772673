//! What is kept of a file once its syntax tree is gone: enough to follow calls between files.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::facts::{Fate, Role, ScopeKind};
use super::risk;
use super::routes::entries;
use super::source_file::File;
use super::suspects::instances::{Class, Instance, classes, instances};
use super::suspects::{Candidate, candidates};
use partywall_core::audit::{Risk, Shown};

/// One file.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) path: String,
    /// Whether it runs in a browser.
    pub(super) browser: bool,
    pub(super) functions: Vec<Function>,
    pub(super) classes: Vec<Class>,
    pub(super) instances: Vec<Instance>,
    pub(super) held: Vec<Held>,
    pub(super) candidates: Vec<Candidate>,
}

/// A function of the tree.
#[derive(Debug)]
pub(super) struct Function {
    /// Its scope in the file.
    pub(super) scope: usize,
    pub(super) name: Option<u32>,
    pub(super) class: Option<u32>,
    /// How a request enters it: `POST /chat`.
    pub(super) entry: Option<String>,
    /// Whether it looks as if it served requests.
    pub(super) serves: bool,
    /// Whether it looks as if it ran once.
    pub(super) at_start: bool,
    /// What it names.
    pub(super) edges: Vec<Edge>,
}

/// A function that another one names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    /// By its plain name.
    Plain(u32),
    /// As a method of its own object.
    Own(u32),
    /// As a member of something else.
    Member(u32),
}

/// What becomes of a process-wide object that a function takes by a name.
#[derive(Debug)]
pub(super) struct Held {
    /// The getter that gives it, or the name of the object.
    pub(super) of: String,
    /// The scope of the function.
    pub(super) function: Option<usize>,
    pub(super) shown: Vec<Shown>,
}

/// Names as numbers, the same in all files.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<Box<str>, u32>>);

impl Names {
    fn of<'n>(&self, names: impl Iterator<Item = &'n str>) -> HashMap<&'n str, u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = HashMap::new();
        for name in names {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            let number = match known.get(name) {
                Some(number) => *number,
                None => *known.entry(name.into()).or_insert(next),
            };
            found.insert(name, number);
        }
        found
    }

    /// The number of a name that was met before.
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }
}

/// Sums a file up.
pub(super) fn summary(file: &File<'_>, names: &Names) -> Summary {
    Summary {
        path: file.path.to_owned(),
        browser: file.runs_in_browser(),
        functions: functions(file, names),
        classes: classes(file),
        instances: instances(file),
        held: held(file),
        candidates: candidates(file),
    }
}

fn functions(file: &File<'_>, numbers: &Names) -> Vec<Function> {
    let facts = file.bindings.facts;
    let callable: Vec<Option<usize>> =
        (0..facts.scopes.len()).map(|scope| facts.callable(scope)).collect();
    let mut edges: HashMap<usize, Vec<(usize, &str)>> = HashMap::new();
    for name in &facts.names {
        let Some(function) = callable[name.within] else { continue };
        let is_handed = matches!(name.fate, Fate::Argument(_));
        let kind = match name.role {
            Role::Read => 0,
            Role::Member { of } if name.called || is_handed => {
                let own = of.is_some_and(|of| {
                    let rest = file.bindings.source.get(of..).unwrap_or_default();
                    file.own_names.iter().any(|own| {
                        rest.strip_prefix(own).is_some_and(|rest| rest.starts_with(['.', '?']))
                    })
                });
                if own { 1 } else { 2 }
            }
            _ => continue,
        };
        edges.entry(function).or_default().push((kind, file.text(name)));
    }
    for named in edges.values_mut() {
        named.sort_unstable();
        named.dedup();
    }
    let own = facts.scopes.iter().filter_map(|scope| scope.name);
    let own = own.map(|name| name.of(file.bindings.source));
    let number = numbers.of(own.chain(edges.values().flatten().map(|(_, name)| *name)));
    let entries = entries(file);
    let is_function =
        |scope: &usize| matches!(facts.scopes[*scope].kind, ScopeKind::Function { .. });
    let row = |scope: usize| {
        let named = |scope: usize| {
            let name = facts.scopes[scope].name.map(|name| name.of(file.bindings.source));
            name.and_then(|name| number.get(name).copied())
        };
        let mut found = Vec::new();
        for (kind, name) in edges.get(&scope).into_iter().flatten() {
            let Some(name) = number.get(name) else { continue };
            found.push(match kind {
                0 => Edge::Plain(*name),
                1 => Edge::Own(*name),
                _ => Edge::Member(*name),
            });
        }
        Function {
            scope,
            name: named(scope),
            class: file.class_of(scope).and_then(named),
            entry: entries[scope].clone(),
            serves: file.serves(scope),
            at_start: file.is_at_start(scope),
            edges: found,
        }
    };
    (0..facts.scopes.len()).filter(is_function).map(row).collect()
}

/// What becomes of what the file takes by a getter, or by the name of an object of a module.
fn held(file: &File<'_>) -> Vec<Held> {
    let facts = file.bindings.facts;
    let mut found = Vec::new();
    for (at, name) in facts.names.iter().enumerate() {
        let is_lower = file.text(name).starts_with(|c: char| c.is_lowercase() || c == '_');
        let taken = match name.fate {
            Fate::Assigned { .. } | Fate::StoredOnSelf(_) => name.called,
            Fate::Method(_) => true,
            _ => false,
        };
        if !is_lower || !taken || file.function_of(name).is_none() {
            continue;
        }
        let is_wide = match name.role {
            Role::Member { .. } => name.called,
            Role::Read => file.bindings.home_of(at) == Some(0),
            _ => false,
        };
        if !is_wide {
            continue;
        }
        let (risk, shown) = match name.called {
            true => risk::of(file, at),
            false => risk::of_object(file, at),
        };
        if risk == Risk::High {
            let of = file.text(name).to_owned();
            found.push(Held { of, function: file.function_of(name), shown });
        }
    }
    found
}
