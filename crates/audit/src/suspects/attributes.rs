//! Attributes and items that functions set on a process-wide object: of a module, of what a module
//! imports or makes, of what the framework keeps for all requests.

use std::collections::BTreeMap;

use super::candidate::{Candidate, Write};
use super::paths::Written;
use super::people::names_one;
use crate::facts::{Role, Value};
use crate::source_file::File;
use partywall_core::audit::SuspectKind;

/// Objects that are each request's own although they are imported.
const OF_A_REQUEST: [&str; 9] = [
    "g",
    "request",
    "session",
    "current_user",
    "local",
    "ctx",
    "context",
    "cherrypy",
    "flask_session",
];

/// What makes objects that are each thread's or task's own.
const OF_A_TASK: [&str; 7] =
    ["local", "Local", "threading", "ContextVar", "LocalProxy", "LocalStack", "scoped_session"];

/// Names that are process-wide although no file binds them.
const OF_THE_PROCESS: [&str; 3] = ["globalThis", "global", "process"];

/// Parts of a client that go with each of its requests.
const SENT_ALONG: [&str; 7] =
    ["headers", "cookies", "params", "auth", "proxies", "defaults", "token"];

/// Members that hold a framework's registries and what is each session's own.
const NOT_STATE: [&str; 10] = [
    "session", "objects", "query", "metadata", "registry", "logger", "router", "routes", "cli",
    "config",
];

/// So many places that bind a name are looked at.
const MOST_PLACES: usize = 64;

/// Whose state a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The framework keeps it for all requests.
    Framework,
    /// It goes with each request of a shared client.
    Client,
    /// A module's, or of what a module imports or makes.
    Module,
    /// Of what a getter gives.
    Getter,
}

/// What is written by one path.
struct Found {
    whose: Whose,
    root: String,
    /// The name that it was found by first.
    first: usize,
    writes: Vec<Write>,
}

/// Members and items that functions set on what is process-wide.
pub(super) fn attributes(file: &File<'_>) -> Vec<Candidate> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for (at, name) in file.bindings.facts.names.iter().enumerate() {
        if !super::paths::is_root(name) || file.function_of(name).is_none() {
            continue;
        }
        let Some((root, written)) = file.written_through(at) else { continue };
        let Some(whose) = whose(file, root, &written) else { continue };
        let mut write = file.write("set", name);
        write.personal |= written.parts.iter().any(|part| names_one(part));
        let root = written.parts.first().copied().unwrap_or_default().to_owned();
        let first = Found { whose, root, first: at, writes: Vec::new() };
        found.entry(written.shown()).or_insert(first).writes.push(write);
    }
    let suspects = found.into_iter().map(|(text, Found { whose, root, first, writes })| {
        let at = file.bindings.facts.names[first].span;
        let mut found = Candidate::new(file, SuspectKind::ProcessAttribute, text, at);
        found.base = match whose {
            Whose::Framework | Whose::Client => 2,
            Whose::Module | Whose::Getter => 1,
        };
        found.root = root;
        found.writes = writes;
        found
    });
    suspects.collect()
}

fn whose(file: &File<'_>, root: usize, written: &Written<'_>) -> Option<Whose> {
    if of_the_framework(&written.parts, written.key.is_some()) {
        return Some(Whose::Framework);
    }
    let name = &file.bindings.facts.names[root];
    let text = file.text(name);
    // A container is a suspect of its own, and what a method fills must be a part of something.
    let is_deep = written.parts.len() > 1;
    let last = written.parts.last().copied().unwrap_or_default();
    if written.by_method && (!is_deep || NOT_STATE.contains(&last)) {
        return None;
    }
    if name.called {
        let is_getter = text.starts_with("get_") || text.starts_with("get") && is_camel(&text[3..]);
        let is_ours = is_getter && is_deep && file.bindings.home_of(root) == Some(0);
        return is_ours.then_some(Whose::Getter);
    }
    if file.bindings.home_of(root).is_none() && OF_THE_PROCESS.contains(&text) {
        return Some(Whose::Module);
    }
    if !is_process_wide(file, root) {
        return None;
    }
    let goes_along = written.parts[1..].iter().any(|part| SENT_ALONG.contains(part));
    Some(if goes_along { Whose::Client } else { Whose::Module })
}

fn is_camel(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_uppercase())
}

/// Whether a path goes through what a web framework keeps for all requests: `app.state` of
/// Starlette, `app.locals` of Express, `current_app` of Flask, `request.app[…]` of aiohttp,
/// `application` of Tornado, `request.server` of Fastify, the class of an object itself.
fn of_the_framework(parts: &[&str], is_item: bool) -> bool {
    let follows = |one: &str, other: &str| parts.windows(2).any(|two| two == [one, other]);
    let (first, rest) = parts.split_first().map_or(("", parts), |(first, rest)| (*first, rest));
    let ends_with_app = is_item && rest.last() == Some(&"app");
    let is_request = ["request", "req", "self", "this"].contains(&first);
    let through = |holder: &str| {
        is_request
            && rest
                .iter()
                .position(|part| *part == holder)
                .is_some_and(|at| at + 1 < rest.len() || is_item)
    };
    follows("app", "state")
        || follows("app", "locals")
        || first == "current_app" && (!rest.is_empty() || is_item)
        || ends_with_app && is_request
        || through("application")
        || through("server") && ["request", "req"].contains(&first)
        || follows("self", "__class__")
        || follows("this", "constructor")
}

/// Whether a name is the module's: imported, defined, or an object made when it was loaded.
fn is_process_wide(file: &File<'_>, at: usize) -> bool {
    let text = file.bindings.text(at);
    if file.bindings.home_of(at) != Some(0) {
        return false;
    }
    let places = file.bindings.bound_in(0, text);
    places.iter().take(MOST_PLACES).any(|place| match file.bindings.facts.names[*place].role {
        Role::Import { .. } => !OF_A_REQUEST.contains(&text),
        Role::Define => file.function_of(&file.bindings.facts.names[*place]).is_none(),
        // A container is a suspect of its own.
        Role::Bind(value) if file.is_container(value) => false,
        Role::Bind(Value::Call(callee)) => !OF_A_TASK.contains(&file.callee(callee)),
        Role::Bind(Value::Name(_)) => !OF_A_REQUEST.contains(&text),
        Role::Bind(Value::Other) => true,
        _ => false,
    })
}
