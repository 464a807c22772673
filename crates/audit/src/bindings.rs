//! Which binding a name means: scopes, shadowed names, aliases.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

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
    /// For each scope and the number of a name's text, the places that bind it.
    bound: HashMap<(usize, u32), Vec<usize>>,
    /// Names that stand for another name somewhere: only these can be aliases.
    renamed: BTreeSet<&'f str>,
    /// What names are known to mean, by their scope and text, for the accessor asked about last.
    known: RefCell<Known>,
    /// Names that a scope takes from the module, or from a function around it.
    borrowed: HashMap<(usize, &'f str), Role>,
}

/// What names mean, by their scope and the number of their text, for one accessor.
#[derive(Debug, Default)]
struct Known {
    accessor: String,
    means: HashMap<(Option<usize>, u32), Option<Means>>,
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
            bound: HashMap::new(),
            renamed: BTreeSet::new(),
            known: RefCell::default(),
            borrowed: HashMap::new(),
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
                let number = bindings.index.number_of(at);
                bindings.bound.entry((scope, number)).or_default().push(at);
            }
        }
        for (at, name) in facts.names.iter().enumerate() {
            if matches!(name.role, Role::Write(_)) {
                let text = name.span.of(source);
                let scope = bindings.home(name.scope, text).unwrap_or(0);
                let number = bindings.index.number_of(at);
                bindings.bound.entry((scope, number)).or_default().push(at);
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
        if self.borrowed.is_empty() {
            return scope;
        }
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
        let number = self.index.number(text)?;
        self.home_by(scope, text, number)
    }

    fn home_by(&self, scope: usize, text: &str, number: u32) -> Option<usize> {
        let mut at = scope;
        loop {
            let seen = at == scope || self.facts.scopes[at].kind != ScopeKind::Class;
            if seen {
                let lent = self.lent(at, text);
                if lent != at {
                    return Some(lent);
                }
                if self.bound.contains_key(&(at, number)) {
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
            _ => self.home_by(own.scope, self.text(name), self.index.number_of(name)),
        }
    }

    /// The places that bind a name in that scope.
    pub fn bound_in(&self, scope: usize, text: &'f str) -> &[usize] {
        let number = self.index.number(text);
        let places = number.and_then(|number| self.bound.get(&(scope, number)));
        places.map_or(&[], Vec::as_slice)
    }

    /// All names that a scope binds, in the order in which their texts stand in the file.
    pub fn all_of(&self, scope: usize) -> impl Iterator<Item = (&'f str, &[usize])> {
        let numbers = 0..u32::try_from(self.index.count()).unwrap_or(u32::MAX);
        numbers.filter_map(move |number| {
            let places = self.bound.get(&(scope, number))?;
            Some((self.text(*places.first()?), places.as_slice()))
        })
    }

    /// Whether a name means the accessor where it stands.
    pub fn means(&self, name: usize, accessor: &str) -> Option<Means> {
        let text = self.text(name);
        if text != accessor && !self.renamed.contains(text) {
            return None;
        }
        let own = &self.facts.names[name];
        if own.role != Role::Read {
            return self.follow(name, accessor, &mut BTreeSet::new());
        }
        // All that read one name of one scope mean the same.
        let key = (self.home_of(name), self.index.number_of(name));
        let mut known = self.known.borrow_mut();
        if known.accessor != accessor {
            *known = Known { accessor: accessor.to_owned(), means: HashMap::new() };
        }
        *known.means.entry(key).or_insert_with(|| self.follow(name, accessor, &mut BTreeSet::new()))
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
