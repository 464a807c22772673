//! What speaks for a suspect: what a function looks like, and what it does with a name.

use crate::facts::{Fate, Name, Role, ScopeKind, Span, Value};
use crate::source_file::File;
use partywall_core::audit::{Shown, SingletonSuspect, SuspectKind};

/// So many lines are enough to judge a suspect by.
const MOST_SHOWN: usize = 5;

/// Decorators of functions that serve requests, by their last name.
const ROUTES: [&str; 14] = [
    "route",
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "websocket",
    "api_route",
    "middleware",
    "before_request",
    "after_request",
    "errorhandler",
    "exception_handler",
    "api_view",
];

/// Parameters of functions that serve requests.
const REQUESTS: [&str; 6] = ["request", "req", "websocket", "ws", "info", "environ"];

/// Methods that change a container.
const MUTATORS: [&str; 21] = [
    "append",
    "appendleft",
    "add",
    "update",
    "setdefault",
    "pop",
    "popitem",
    "popleft",
    "clear",
    "extend",
    "insert",
    "remove",
    "discard",
    "push",
    "unshift",
    "splice",
    "set",
    "delete",
    "put",
    "put_nowait",
    "move_to_end",
];

/// Functions that run once, at start-up, are called like this.
const AT_START: [&str; 14] = [
    "clear",
    "reset",
    "register",
    "_register",
    "init",
    "_init",
    "setup",
    "_setup",
    "load",
    "_load",
    "configure",
    "__init_subclass__",
    "main",
    "add_",
];

/// A suspect with its strongest lines.
pub(super) fn suspect(
    file: &File<'_>,
    kind: SuspectKind,
    name: String,
    at: Span,
    score: u32,
    mut shown_by: Vec<Shown>,
) -> SingletonSuspect {
    shown_by.dedup();
    shown_by.truncate(MOST_SHOWN);
    let place = file.lines.place(file.path, at);
    SingletonSuspect { kind, name, place, code: file.code, score, shown_by }
}

impl<'f> File<'f> {
    pub(super) fn text(&self, name: &Name) -> &'f str {
        name.span.of(self.bindings.source)
    }

    /// Whether a value is a new container.
    pub(super) fn is_container(&self, value: Value) -> bool {
        match value {
            Value::Container => true,
            Value::Call(callee) => self.containers.contains(&self.callee(callee)),
            _ => false,
        }
    }

    /// The last name of a callee.
    pub(super) fn callee(&self, start: usize) -> &str {
        let name = self.bindings.facts.name_at(start);
        name.map_or("", |name| self.bindings.text(name))
    }

    /// Whether what a name stands for is changed there.
    pub(super) fn is_changed(&self, name: &Name) -> bool {
        match name.fate {
            Fate::ItemSet => true,
            Fate::Method(method) => MUTATORS.contains(&method.of(self.bindings.source)),
            _ => false,
        }
    }

    /// The last names of a function's decorators.
    pub(super) fn decorators(&self, function: usize) -> impl Iterator<Item = &Name> {
        let start = self.bindings.facts.scopes[function].span.start;
        let names = self.bindings.facts.names.iter();
        names.filter(move |name| name.fate == Fate::Decorates(start))
    }

    pub(super) fn parameters(&self, function: usize) -> impl Iterator<Item = &Name> {
        let names = self.bindings.facts.names.iter();
        names.filter(move |name| name.scope == function && matches!(name.role, Role::Parameter(_)))
    }

    /// Whether a function looks as if it served requests.
    pub(super) fn serves(&self, function: usize) -> bool {
        let facts = self.bindings.facts;
        facts.is_async(function)
            || self.decorators(function).any(|name| ROUTES.contains(&self.text(name)))
            || self.parameters(function).any(|name| REQUESTS.contains(&self.text(name)))
    }

    /// Whether a function looks as if it ran once, at start-up.
    pub(super) fn is_at_start(&self, function: usize) -> bool {
        let name = self.bindings.facts.scopes[function].name;
        let name = name.map_or("", |name| name.of(self.bindings.source));
        AT_START.iter().any(|begin| name.starts_with(begin))
    }

    /// The function that a name stands in, if it is in one.
    pub(super) fn function_of(&self, name: &Name) -> Option<usize> {
        self.bindings.facts.function(name.within)
    }

    /// The class that a function belongs to.
    pub(super) fn class_of(&self, function: usize) -> Option<usize> {
        let facts = self.bindings.facts;
        let parent = facts.scopes[function].parent?;
        (facts.scopes[parent].kind == ScopeKind::Class).then_some(parent)
    }

    /// A line of evidence, with the function that it stands in.
    pub(super) fn evidence(&self, what: &str, name: &Name) -> Shown {
        let function = self.bindings.facts.qualified(name.within, self.bindings.source);
        let what = function.map_or(what.to_owned(), |function| format!("{what} in {function}"));
        self.lines.shown(name.span.start, what)
    }
}
