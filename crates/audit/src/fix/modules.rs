//! Which files of the tree have the replacement, by the names of their modules.

use super::imports::Spec;
use super::source::Source;
use crate::bindings::Bindings;
use crate::facts::{Role, Value};
use crate::symbols::Symbol;
use crate::uses;

/// The folders and the name of a module, the outermost first.
pub(super) type Parts = Vec<String>;

/// The files that name an accessor.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// Each file: its path, its module, and for each symbol whether it has the replacement.
    files: Vec<(String, Parts, Vec<bool>)>,
    /// For each symbol whether a file of the tree defines the replacement.
    defined: Vec<bool>,
    /// From which modules which files take an accessor: the position of the symbol, the file, the module.
    taken: Vec<(usize, String, Parts)>,
}

impl Modules {
    /// Takes a file in.
    pub(super) fn add(&mut self, source: &Source, symbols: &[Symbol]) {
        let bindings = Bindings::new(&source.facts, &source.text);
        let has = symbols.iter().map(|symbol| {
            symbol.replacement.as_deref().is_some_and(|name| has(source, &bindings, name))
        });
        self.files.push((source.shown.clone(), of_path(&source.shown), has.collect()));
        self.defined.resize(symbols.len(), false);
        for (position, symbol) in symbols.iter().enumerate() {
            self.defined[position] |=
                symbol.replacement.as_deref().is_some_and(|name| defines(&bindings, name));
            let taken = taken(source, &bindings, symbol);
            self.taken.extend(taken.into_iter().map(|from| (position, source.shown.clone(), from)));
        }
    }

    /// Whether a module has the replacement of a symbol; nothing if neither that module nor the
    /// replacement is in the tree.
    pub(super) fn have(&self, symbol: usize, module: &[String]) -> Option<bool> {
        let same = self.files.iter().filter(|(_, own, _)| is_same(own, module));
        let has: Vec<bool> =
            same.map(|(_, _, has)| has.get(symbol).copied().unwrap_or(false)).collect();
        let is_elsewhere = self.defined.get(symbol).copied().unwrap_or(false);
        let is_known = !has.is_empty() || is_elsewhere;
        is_known.then(|| has.into_iter().any(|has| has))
    }

    /// Whether another file takes the accessor from that one.
    pub(super) fn is_taken_from(&self, symbol: usize, path: &str) -> bool {
        let own = of_path(path);
        self.taken.iter().any(|(of, by, from)| *of == symbol && by != path && is_same(&own, from))
    }
}

/// Whether a file defines the replacement.
fn defines(bindings: &Bindings<'_>, replacement: &str) -> bool {
    let defines = |at: &usize| {
        let role = bindings.facts.names[*at].role;
        let is_made = match role {
            Role::Define => true,
            // A name of an import is none that is defined here.
            Role::Bind(value) => !matches!(value, Value::Name(_)),
            _ => false,
        };
        is_made && bindings.home_of(*at) == Some(0)
    };
    bindings.index.with_text(replacement).iter().any(defines)
}

/// Whether a file binds the replacement where others can import it.
fn has(source: &Source, bindings: &Bindings<'_>, replacement: &str) -> bool {
    let binds = |at: &usize| {
        let name = &bindings.facts.names[*at];
        match source.is_python() {
            true => {
                let is_bound = matches!(
                    name.role,
                    Role::Define | Role::Bind(_) | Role::Import { binds: true }
                );
                is_bound && bindings.home_of(*at) == Some(0)
            }
            // A script may export it in many ways.
            false => true,
        }
    };
    let is_starred = source.text.contains("import *") || source.text.contains("export *");
    is_starred || bindings.index.with_text(replacement).iter().any(binds)
}

/// The modules that a file takes the accessor from: by imports, members of modules, and strings.
fn taken(source: &Source, bindings: &Bindings<'_>, symbol: &Symbol) -> Vec<Parts> {
    let mut taken = Vec::new();
    for (at, name) in bindings.facts.names.iter().enumerate() {
        if bindings.text(at) != symbol.name {
            continue;
        }
        match name.role {
            Role::Import { .. } => {
                taken.extend(Spec::of(source, name.span).map(|spec| spec.module));
            }
            Role::Member { .. } => {
                let member = source.node(name.span).and_then(|node| node.parent());
                let object = member.and_then(|member| member.child_by_field_name("object"));
                taken.extend(object.map(|object| split(source.text(object), '.')));
            }
            _ => {}
        }
    }
    for text in &bindings.facts.texts {
        let Some(value) = text.value.as_deref() else { continue };
        if uses::names_it(value, &symbol.name) {
            let parts = value.split(['.', ':']).take_while(|part| *part != symbol.name);
            taken.push(parts.map(str::to_owned).collect());
        }
    }
    taken.retain(|module| !module.is_empty());
    taken
}

/// The module of a file, by its path.
pub(super) fn of_path(path: &str) -> Parts {
    let (stem, _) = path.rsplit_once('.').unwrap_or((path, ""));
    let mut parts = split(stem, '/');
    if parts.last().is_some_and(|last| ["__init__", "index"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

pub(super) fn split(text: &str, by: char) -> Parts {
    text.split(by).filter(|part| !part.is_empty()).map(|part| part.trim().to_owned()).collect()
}

/// Whether two modules are the same as far as both are said, from their end.
fn is_same(one: &[String], other: &[String]) -> bool {
    let is_said = !one.is_empty() && !other.is_empty();
    is_said && one.iter().rev().zip(other.iter().rev()).all(|(one, other)| one == other)
}
