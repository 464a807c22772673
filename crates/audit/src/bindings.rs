//! Which binding a name means: scopes, shadowed names, aliases.

use std::cell::RefCell;
use std::collections::BTreeSet;

use hashbrown::HashMap;

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
    bound: Bound,
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

/// The places that bind names, by scope and by the number of the text, all in one piece.
#[derive(Debug, Default)]
struct Bound {
    /// For each scope where its part of `keys` begins, and where the last ends.
    starts: Vec<u32>,
    /// The number of each text, and where its part of `places` begins.
    keys: Vec<(u32, u32)>,
    places: Vec<usize>,
}

impl Bound {
    /// Takes the scope, the number and the place of each binding, and sorts them.
    fn new(scopes: usize, rows: &mut [(usize, u32, usize)]) -> Self {
        // The order in which they were found stays within a name.
        rows.sort_by_key(|(scope, number, _)| (*scope, *number));
        let mut bound = Self { starts: Vec::with_capacity(scopes + 1), ..Self::default() };
        bound.places.reserve_exact(rows.len());
        let mut last = None;
        let length = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
        for (scope, number, place) in rows.iter().copied() {
            while bound.starts.len() <= scope {
                bound.starts.push(length(bound.keys.len()));
            }
            if last != Some((scope, number)) {
                bound.keys.push((number, length(bound.places.len())));
                last = Some((scope, number));
            }
            bound.places.push(place);
        }
        while bound.starts.len() <= scopes {
            bound.starts.push(length(bound.keys.len()));
        }
        bound
    }

    fn keys(&self, scope: usize) -> std::ops::Range<usize> {
        match (self.starts.get(scope), self.starts.get(scope + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }

    fn places(&self, key: usize) -> &[usize] {
        let end = self.keys.get(key + 1).map_or(self.places.len(), |(_, next)| *next as usize);
        &self.places[self.keys[key].1 as usize..end]
    }

    fn get(&self, scope: usize, number: u32) -> &[usize] {
        let keys = self.keys(scope);
        match self.keys[keys.clone()].binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => self.places(keys.start + at),
            Err(_) => &[],
        }
    }

    fn all_of(&self, scope: usize) -> impl Iterator<Item = &[usize]> {
        self.keys(scope).map(|key| self.places(key))
    }
}

impl<'f> Bindings<'f> {
    /// Finds what binds each name.
    pub fn new(facts: &'f Facts, source: &'f str) -> Self {
        let mut bindings = Self {
            facts,
            source,
            index: Index::new(facts, source),
            bound: Bound::default(),
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
        let mut rows = Vec::new();
        for (at, name) in facts.names.iter().enumerate() {
            let binds = matches!(
                name.role,
                Role::Bind(_) | Role::Parameter(_) | Role::Define | Role::Import { binds: true }
            );
            if binds {
                let scope = bindings.lent(name.scope, name.span.of(source));
                rows.push((scope, bindings.index.number_of(at), at));
            }
        }
        bindings.bound = Bound::new(facts.scopes.len(), &mut rows);
        let declared = rows.len();
        for (at, name) in facts.names.iter().enumerate() {
            if matches!(name.role, Role::Write(_)) {
                let number = bindings.index.number_of(at);
                let home = bindings.home_by(name.scope, name.span.of(source), number);
                rows.push((home.unwrap_or(0), number, at));
            }
        }
        if rows.len() > declared {
            bindings.bound = Bound::new(facts.scopes.len(), &mut rows);
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
                if !self.bound.get(at, number).is_empty() {
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
        number.map_or(&[], |number| self.bound.get(scope, number))
    }

    /// All names that a scope binds, in the order in which their texts stand in the file.
    pub fn all_of(&self, scope: usize) -> impl Iterator<Item = (&'f str, &[usize])> {
        let all = self.bound.all_of(scope);
        all.filter_map(|places| Some((self.text(*places.first()?), places)))
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
