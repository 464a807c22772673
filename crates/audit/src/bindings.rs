//! Which binding a name means: scopes, shadowed names, aliases.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, Fate, Role, ScopeKind, Value};
use super::index::Index;

/// Longer chains of aliases are not followed.
const LONGEST_CHAIN: usize = 16;

/// A file's names with their bindings.
#[derive(Debug)]
pub struct Bindings<'f> {
    /// The file.
    pub facts: &'f Facts,
    /// Its text.
    pub source: &'f str,
    /// Its names, by text and by what they belong to.
    pub index: Index<'f>,
    /// For each scope and name, the places that bind it.
    bound: BTreeMap<(usize, &'f str), Vec<usize>>,
    /// Names that stand for another name somewhere: only these can be aliases.
    renamed: BTreeSet<&'f str>,
    /// Names that a scope takes from the module, or from a function around it.
    borrowed: BTreeMap<(usize, &'f str), Role>,
}

/// How a name comes to mean an accessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By the accessor's own name.
    Itself,
    /// By another name.
    Alias,
}

impl<'f> Bindings<'f> {
    /// Finds what binds each name.
    pub fn new(facts: &'f Facts, source: &'f str) -> Self {
        let mut bindings = Self {
            facts,
            source,
            index: Index::new(facts, source),
            bound: BTreeMap::new(),
            renamed: BTreeSet::new(),
            borrowed: BTreeMap::new(),
        };
        for name in &facts.names {
            if let Role::Bind(Value::Name(_)) | Role::Write(Value::Name(_)) = name.role {
                bindings.renamed.insert(name.span.of(source));
            }
            if let role @ (Role::Global | Role::Nonlocal) = name.role {
                bindings.borrowed.insert((name.scope, name.span.of(source)), role);
            }
        }
        for (at, name) in facts.names.iter().enumerate() {
            let binds = matches!(
                name.role,
                Role::Bind(_) | Role::Parameter(_) | Role::Define | Role::Import { binds: true }
            );
            if binds {
                let text = name.span.of(source);
                let scope = bindings.lent(name.scope, text);
                bindings.bound.entry((scope, text)).or_default().push(at);
            }
        }
        for (at, name) in facts.names.iter().enumerate() {
            if matches!(name.role, Role::Write(_)) {
                let text = name.span.of(source);
                let scope = bindings.home(name.scope, text).unwrap_or(0);
                bindings.bound.entry((scope, text)).or_default().push(at);
            }
        }
        bindings
    }

    /// The text of a name.
    pub fn text(&self, name: usize) -> &'f str {
        self.facts.names[name].span.of(self.source)
    }

    /// The scope that a scope binds this name in: itself, unless it says otherwise.
    fn lent(&self, scope: usize, text: &str) -> usize {
        match self.borrowed.get(&(scope, text)) {
            Some(Role::Global) => 0,
            Some(_) => {
                let outer = self.facts.scopes[scope].parent.unwrap_or(0);
                self.facts.function(outer).unwrap_or(outer)
            }
            // What a comprehension assigns with `:=` or iterates over stays its own.
            None => scope,
        }
    }

    /// The scope that binds a name that is read in that scope.
    pub fn home(&self, scope: usize, text: &str) -> Option<usize> {
        let mut at = scope;
        loop {
            let seen = at == scope || self.facts.scopes[at].kind != ScopeKind::Class;
            if seen {
                let lent = self.lent(at, text);
                if lent != at {
                    return Some(lent);
                }
                if self.bound.contains_key(&(at, text)) {
                    return Some(at);
                }
            }
            at = self.facts.scopes[at].parent?;
        }
    }

    /// The scope that a name of the file belongs to.
    pub fn home_of(&self, name: usize) -> Option<usize> {
        let own = &self.facts.names[name];
        match own.role {
            Role::Member { .. } => None,
            _ => self.home(own.scope, self.text(name)),
        }
    }

    /// The places that bind a name in that scope.
    pub fn bound_in(&self, scope: usize, text: &'f str) -> &[usize] {
        self.bound.get(&(scope, text)).map_or(&[], Vec::as_slice)
    }

    /// All names that a scope binds.
    pub fn all_of(&self, scope: usize) -> impl Iterator<Item = (&'f str, &[usize])> {
        let own = self.bound.range((scope, "")..).take_while(move |((of, _), _)| *of == scope);
        own.map(|((_, text), places)| (*text, places.as_slice()))
    }

    /// Whether a name means the accessor where it stands.
    pub fn means(&self, name: usize, accessor: &str) -> Option<Means> {
        let text = self.text(name);
        if text != accessor && !self.renamed.contains(text) {
            return None;
        }
        self.follow(name, accessor, &mut BTreeSet::new())
    }

    fn follow(&self, name: usize, accessor: &str, seen: &mut BTreeSet<usize>) -> Option<Means> {
        if seen.len() > LONGEST_CHAIN || !seen.insert(name) {
            return None;
        }
        let text = self.text(name);
        let own = &self.facts.names[name];
        match own.role {
            Role::Member { .. } | Role::Import { .. } | Role::Define => {
                (text == accessor).then_some(Means::Itself)
            }
            Role::Read => {
                let home = self.home(own.scope, text);
                let places = home.map_or(&[][..], |home| self.bound_in(home, text));
                if text == accessor {
                    let is_local = home.is_some_and(|home| self.is_local(home));
                    let own = |at: &usize| self.is_own(*at, accessor, seen.clone());
                    let shadowed = is_local && !places.iter().any(own);
                    return (!shadowed).then_some(Means::Itself);
                }
                let alias = |at: &usize| self.value_means(*at, accessor, &mut seen.clone());
                places.iter().any(alias).then_some(Means::Alias)
            }
            _ => None,
        }
    }

    /// Whether a binding of the accessor's own name within a function binds the accessor.
    fn is_own(&self, at: usize, accessor: &str, mut seen: BTreeSet<usize>) -> bool {
        match self.facts.names[at].role {
            Role::Import { .. } | Role::Define => true,
            _ => self.value_means(at, accessor, &mut seen),
        }
    }

    /// Whether what a name is bound to means the accessor.
    pub fn value_means(&self, at: usize, accessor: &str, seen: &mut BTreeSet<usize>) -> bool {
        match self.facts.names[at].role {
            Role::Bind(Value::Name(value)) | Role::Write(Value::Name(value)) => {
                let value = self.facts.name_at(value);
                value.is_some_and(|value| self.follow(value, accessor, seen).is_some())
            }
            _ => false,
        }
    }

    /// Whether a scope is a function's, so that what it binds is nobody else's.
    pub fn is_local(&self, scope: usize) -> bool {
        matches!(self.facts.scopes[scope].kind, ScopeKind::Function { .. } | ScopeKind::Inner)
    }

    /// Whether a name is given another name as it is: not called, not awaited.
    pub fn is_renamed(&self, name: usize) -> bool {
        let own = &self.facts.names[name];
        let Fate::Assigned { to } = own.fate else { return false };
        let target = self.facts.name_at(to).map(|to| self.facts.names[to].role);
        let value = match target {
            Some(Role::Bind(value) | Role::Write(value)) => value,
            _ => return false,
        };
        !own.called && value == Value::Name(own.span.start)
    }
}
