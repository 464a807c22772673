//! What speaks for a suspect: what a function looks like, and what it does with a name.

use crate::facts::{Fate, Name, Role, ScopeKind, Value};
use crate::source_file::File;
use partywall_core::audit::Shown;

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
pub(super) const MUTATORS: [&str; 21] = [
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
const AT_START: [&str; 18] = [
    "patch",
    "_patch",
    "install",
    "_install",
    "disable",
    "_disable",
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

/// Further ones, by their whole name.
const AT_START_ONLY: [&str; 17] = [
    "startup",
    "start_up",
    "on_startup",
    "lifespan",
    "create_app",
    "make_app",
    "build_app",
    "app_factory",
    "bootstrap",
    "shutdown",
    "shut_down",
    "on_shutdown",
    "teardown",
    "cleanup",
    "close",
    "disconnect",
    "bootstrapApplication",
];

/// Decorators of functions that run once, by their last name.
const ONCE: [&str; 6] =
    ["on_event", "on_startup", "command", "before_first_request", "fixture", "on_shutdown"];

impl<'f> File<'f> {
    pub(crate) fn text(&self, name: &Name) -> &'f str {
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
    pub(crate) fn callee(&self, start: usize) -> &str {
        let name = self.bindings.facts.name_at(start);
        name.map_or("", |name| self.bindings.text(name))
    }

    /// Whether what a name stands for is changed there.
    pub(super) fn is_changed(&self, name: &Name) -> bool {
        match name.fate {
            Fate::ItemSet(_) => true,
            Fate::Method(method) => MUTATORS.contains(&method.of(self.bindings.source)),
            _ => false,
        }
    }

    /// The last names of a function's decorators.
    pub(crate) fn decorators(&self, function: usize) -> impl Iterator<Item = &'f Name> + use<'f> {
        let start = self.bindings.facts.scopes[function].span.start;
        self.all(self.bindings.index.decorating(start))
    }

    pub(crate) fn parameters(&self, function: usize) -> impl Iterator<Item = &'f Name> + use<'f> {
        self.all(self.bindings.index.parameters(function))
    }

    fn all(&self, names: &'f [usize]) -> impl Iterator<Item = &'f Name> + use<'f> {
        let facts = self.bindings.facts;
        names.iter().map(move |at| &facts.names[*at])
    }

    /// Whether a function looks as if it served requests, or stands in one that does.
    pub(crate) fn serves(&self, function: usize) -> bool {
        let facts = self.bindings.facts;
        let mut at = Some(function);
        while let Some(function) = at {
            let serves = facts.is_async(function)
                || self.decorators(function).any(|name| ROUTES.contains(&self.text(name)))
                || self.takes_request(function);
            if serves {
                return true;
            }
            at = facts.scopes[function].parent.and_then(|parent| facts.callable(parent));
        }
        false
    }

    /// Whether a function has a parameter that is called like a request.
    pub(crate) fn takes_request(&self, function: usize) -> bool {
        self.parameters(function).any(|name| REQUESTS.contains(&self.text(name)))
    }

    /// Whether a function looks as if it ran once, at start-up or at the end.
    pub(crate) fn is_at_start(&self, function: usize) -> bool {
        let name = self.bindings.facts.scopes[function].name;
        let name = name.map_or("", |name| name.of(self.bindings.source));
        AT_START.iter().any(|begin| name.starts_with(begin))
            || AT_START_ONLY.contains(&name)
            || self.registers(function)
            || self.decorators(function).any(|name| ONCE.contains(&self.text(name)))
    }

    /// Whether a function takes another one first, as decorators do that register it.
    pub(crate) fn registers(&self, function: usize) -> bool {
        const FUNCTIONS: [&str; 5] = ["func", "fn", "function", "callback", "klass"];
        let first = self.parameters(function).next();
        first.is_some_and(|first| FUNCTIONS.contains(&self.text(first)))
    }

    /// Whether a container is made so that each thread, task or object has its own.
    pub(super) fn keeps_users_apart(&self, name: &Name) -> bool {
        let Role::Bind(Value::Call(callee)) = name.role else { return false };
        ["WeakKeyDictionary", "WeakMap", "WeakSet"].contains(&self.callee(callee))
    }

    /// The function that a name stands in, if it is in one.
    pub(crate) fn function_of(&self, name: &Name) -> Option<usize> {
        self.bindings.facts.callable(name.within)
    }

    /// The class that a function belongs to.
    pub(crate) fn class_of(&self, function: usize) -> Option<usize> {
        let facts = self.bindings.facts;
        let parent = facts.scopes[function].parent?;
        (facts.scopes[parent].kind == ScopeKind::Class).then_some(parent)
    }

    /// The class whose method a name stands in.
    pub(crate) fn class_around(&self, name: &Name) -> Option<usize> {
        let mut function = self.function_of(name)?;
        loop {
            if let Some(class) = self.class_of(function) {
                return Some(class);
            }
            let parent = self.bindings.facts.scopes[function].parent?;
            function = self.bindings.facts.callable(parent)?;
        }
    }

    /// A line of evidence, with the function that it stands in.
    pub(crate) fn evidence(&self, what: &str, name: &Name) -> Shown {
        let function = self.bindings.facts.qualified(name.within, self.bindings.source);
        let what = function.map_or(what.to_owned(), |function| format!("{what} in {function}"));
        self.lines.shown(name.span.start, what)
    }
}
