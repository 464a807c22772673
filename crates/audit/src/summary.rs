//! What is kept of a file once its syntax tree is gone: enough to follow calls between files.

use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;

use super::facts::{Fate, Role, ScopeKind, Value};
use super::risk;
use super::routes::entries;
use super::source_file::File;
use super::suspects::instances::{Class, Instance, classes, instances};
use super::suspects::{Candidate, candidates};
use partywall_core::audit::{Code, Risk, Shown};

/// One file.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) path: String,
    /// Whether it runs in a browser.
    pub(super) browser: bool,
    /// Whether it is a script of a browser or of Node: those are not called from Python.
    pub(super) script: bool,
    pub(super) functions: Vec<Function>,
    /// What the functions name, one function behind the other.
    edges: Vec<Edge>,
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
    /// Whether it takes a function first, as decorators do.
    pub(super) registers: bool,
    /// What it names, as a part of [`Summary::edges`].
    edges: std::ops::Range<u32>,
}

/// A function that another one names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    /// By its plain name.
    Plain(u32),
    /// As a method of its own object.
    Own(u32),
    /// As a member of what is imported.
    Module(u32),
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
    /// How much it says: most where it is configured, and used after an await.
    pub(super) worth: u32,
    pub(super) shown: Vec<Shown>,
}

/// Names as numbers, the same in all files.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<Box<str>, u32>>);

impl Names {
    fn of<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |name: &str| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            match known.get(name) {
                Some(number) => *number,
                None => *known.entry(name.into()).or_insert(next),
            }
        };
        names.map(number).collect()
    }

    /// The number of a name that was met before.
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }
}

impl Summary {
    /// What a function names.
    pub(super) fn edges_of(&self, function: &Function) -> &[Edge] {
        &self.edges[function.edges.start as usize..function.edges.end as usize]
    }
}

/// A list that is kept, in no more space than it needs.
fn kept<T>(mut list: Vec<T>) -> Vec<T> {
    list.shrink_to_fit();
    list
}

/// Sums a file up.
pub(super) fn summary(file: &File<'_>, names: &Names) -> Summary {
    let (functions, edges) = functions(file, names);
    Summary {
        path: file.path.to_owned(),
        browser: file.runs_in_browser(),
        script: file.is_script(),
        functions: kept(functions),
        edges: kept(edges),
        classes: kept(classes(file)),
        instances: kept(instances(file)),
        held: kept(held(file)),
        candidates: kept(candidates(file)),
    }
}

fn functions(file: &File<'_>, numbers: &Names) -> (Vec<Function>, Vec<Edge>) {
    let facts = file.bindings.facts;
    let index = &file.bindings.index;
    let callable: Vec<Option<usize>> =
        (0..facts.scopes.len()).map(|scope| facts.callable(scope)).collect();
    // The function, how it names something, and the number of the text.
    let mut edges: Vec<(usize, u8, u32)> = Vec::with_capacity(facts.names.len());
    for (at, name) in facts.names.iter().enumerate() {
        let Some(function) = callable[name.within] else { continue };
        let is_handed = matches!(name.fate, Fate::Argument(_));
        let kind = match name.role {
            Role::Read if name.called || is_handed || name.fate == Fate::Returned => 0,
            Role::Member { of: Some(of) } if name.called || is_handed => match is_own(file, of) {
                true => 1,
                false if is_imported(file, of) => 2,
                false => 3,
            },
            Role::Member { of: None } if name.called || is_handed => 3,
            _ => continue,
        };
        edges.push((function, kind, index.number_of(at)));
    }
    edges.sort_unstable();
    edges.dedup();
    let scopes = facts.scopes.iter().filter_map(|scope| scope.name);
    let own = scopes.filter_map(|name| index.number(name.of(file.bindings.source)));
    let mut used: Vec<u32> = own.chain(edges.iter().map(|(_, _, number)| *number)).collect();
    used.sort_unstable();
    used.dedup();
    let text = |number: &u32| file.bindings.text(index.with_number(*number)[0]);
    let numbers = numbers.of(used.iter().map(text));
    let number = |own: u32| used.binary_search(&own).ok().map(|at| numbers[at]);
    let entries = entries(file);
    let is_function =
        |scope: &usize| matches!(facts.scopes[*scope].kind, ScopeKind::Function { .. });
    let mut all = Vec::with_capacity(edges.len());
    let length = |all: &[Edge]| u32::try_from(all.len()).unwrap_or(u32::MAX);
    let row = |scope: usize| {
        let named = |scope: usize| {
            let name = facts.scopes[scope].name?.of(file.bindings.source);
            number(index.number(name)?)
        };
        let first = edges.partition_point(|(of, ..)| *of < scope);
        let own = edges[first..].iter().take_while(|(of, ..)| *of == scope);
        let found = own.filter_map(|(_, kind, name)| {
            let name = number(*name)?;
            Some(match kind {
                0 => Edge::Plain(name),
                1 => Edge::Own(name),
                2 => Edge::Module(name),
                _ => Edge::Member(name),
            })
        });
        let start = length(&all);
        all.extend(found);
        Function {
            scope,
            name: named(scope),
            class: file.class_of(scope).and_then(named),
            entry: entries[scope].clone().filter(|_| file.code == Code::Application),
            serves: file.serves(scope),
            at_start: file.is_at_start(scope),
            registers: file.registers(scope),
            edges: start..length(&all),
        }
    };
    let functions = (0..facts.scopes.len()).filter(is_function).map(row).collect();
    (functions, all)
}

/// Whether a member is one of the object that its method belongs to.
fn is_own(file: &File<'_>, of: usize) -> bool {
    let rest = file.bindings.source.get(of..).unwrap_or_default();
    file.own_names
        .iter()
        .any(|own| rest.strip_prefix(own).is_some_and(|rest| rest.starts_with(['.', '?'])))
}

/// Whether the plain name that begins there is one that the file imports.
fn is_imported(file: &File<'_>, of: usize) -> bool {
    let Some(name) = file.bindings.facts.name_at(of) else { return false };
    let places = file.bindings.bound_in(0, file.bindings.text(name));
    let imports = |at: &usize| {
        let role = file.bindings.facts.names[*at].role;
        matches!(role, Role::Import { .. } | Role::Bind(Value::Name(_) | Value::Other))
    };
    places.iter().take(4).any(imports)
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
            Role::Member { of } => name.called && of.is_some_and(|of| is_imported(file, of)),
            Role::Read => file.bindings.home_of(at) == Some(0),
            _ => false,
        };
        if !is_wide {
            continue;
        }
        let (risk, shown, worth) = match name.called {
            true => risk::weighed(file, at),
            false => risk::of_object(file, at),
        };
        if risk == Risk::High {
            let of = file.text(name).to_owned();
            found.push(Held { of, function: file.function_of(name), worth, shown });
        }
    }
    found
}
