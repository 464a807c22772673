//! Context variables that are set where their reader does not see it, or whose default all share.

use super::candidate::Candidate;
use crate::facts::{Fate, Name, Role, Value};
use crate::source_file::File;
use partywall_core::audit::SuspectKind;

/// What runs a function in a task, thread or process of its own, by its last name.
const ELSEWHERE: [&str; 18] = [
    "create_task",
    "ensure_future",
    "start_soon",
    "gather",
    "to_thread",
    "run_in_executor",
    "run_in_threadpool",
    "run_sync",
    "submit",
    "Thread",
    "Timer",
    "Process",
    "add_task",
    "apply_async",
    "call_soon_threadsafe",
    "run_coroutine_threadsafe",
    "Depends",
    "Security",
];

/// Those of them that run a function of a coroutine in the caller's own task.
const INJECTORS: [&str; 2] = ["Depends", "Security"];

/// Context variables of a module.
pub(super) fn context_vars(file: &File<'_>) -> Vec<Candidate> {
    let names = file.bindings.facts.names.iter();
    let made = names.filter(|name| {
        matches!(name.role, Role::Bind(Value::Call(callee)) if file.callee(callee) == "ContextVar")
            && file.bindings.facts.scopes[name.scope].parent.is_none()
    });
    made.filter_map(|name| of(file, name)).collect()
}

fn of(file: &File<'_>, variable: &Name) -> Option<Candidate> {
    let bindings = file.bindings;
    let text = file.text(variable);
    let uses: Vec<&Name> = bindings
        .index
        .with_text(text)
        .iter()
        .filter(|at| bindings.home_of(**at) == Some(0))
        .map(|at| &bindings.facts.names[*at])
        .filter(|name| name.role == Role::Read)
        .collect();
    let calls = |name: &&&Name, method: &str| matches!(name.fate, Fate::Method(called) if called.of(bindings.source) == method);
    let mut found =
        Candidate::new(file, SuspectKind::ContextVariable, text.to_owned(), variable.span);
    let reads: Vec<&&Name> = uses.iter().filter(|name| calls(name, "get")).collect();
    let lost: Vec<&&Name> = uses
        .iter()
        .filter(|name| calls(name, "set"))
        .filter(|name| {
            let Some(function) = file.function_of(name) else { return false };
            let is_read_outside = reads.iter().any(|read| file.function_of(read) != Some(function));
            is_read_outside && runs_elsewhere(file, function)
        })
        .collect();
    found.base = 2;
    found.writes =
        lost.iter().map(|name| file.write("set in a task or thread of its own", name)).collect();
    if has_shared_default(file, variable) {
        let changed = reads.iter().filter(|read| changes_default(file, read));
        found.writes.extend(changed.map(|read| file.write("the default of all is changed", read)));
    }
    (!found.writes.is_empty()).then_some(found)
}

/// Whether a function of the file is handed to what runs it in another context than its caller's.
fn runs_elsewhere(file: &File<'_>, function: usize) -> bool {
    let facts = file.bindings.facts;
    let Some(name) = facts.scopes[function].name else { return false };
    let named = file.bindings.index.with_text(name.of(file.bindings.source));
    named.iter().map(|at| &facts.names[*at]).any(|name| {
        let Fate::Argument(Some(callee)) = name.fate else { return injected(file, name, function) };
        let callee = callee.of(file.bindings.source);
        let callee = callee.rsplit('.').next().unwrap_or_default();
        ELSEWHERE.contains(&callee) && !(INJECTORS.contains(&callee) && facts.is_async(function))
    })
}

/// A plain function that FastAPI injects runs in a thread: what it sets there is lost.
fn injected(file: &File<'_>, name: &Name, function: usize) -> bool {
    let source = file.bindings.source;
    let before = source[..name.span.start].trim_end();
    let before = before.strip_suffix('(').unwrap_or_default();
    !file.bindings.facts.is_async(function)
        && INJECTORS.iter().any(|injector| before.ends_with(injector))
}

/// Whether a variable is made with `default=` and a new container.
fn has_shared_default(file: &File<'_>, variable: &Name) -> bool {
    let Role::Bind(Value::Call(callee)) = variable.role else { return false };
    let Some(callee) = file.bindings.facts.name_at(callee) else { return false };
    let end = file.bindings.facts.names[callee].span.end;
    let default = crate::text::argument(file.bindings.source, end, "default");
    default.is_some_and(|default| {
        let made = default.split('(').next().unwrap_or_default();
        default.starts_with(['{', '[']) || file.containers.contains(&made) && default != made
    })
}

/// Whether what `get()` gives is changed there, or under the name that it is given.
fn changes_default(file: &File<'_>, read: &Name) -> bool {
    let bindings = file.bindings;
    let Fate::Method(get) = read.fate else { return false };
    let rest = bindings.source[get.end..].trim_start();
    let Some(rest) = rest.strip_prefix("()") else { return false };
    let is_item = |rest: &str| {
        let close = rest.find(']').map_or("", |at| rest[at + 1..].trim_start());
        close.starts_with('=') && !close.starts_with("==")
    };
    let fills = |rest: &str| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        super::evidence::MUTATORS.contains(&&rest[..end]) && rest[end..].starts_with('(')
    };
    if let Some(rest) = rest.strip_prefix('.') {
        return fills(rest);
    }
    if rest.starts_with('[') {
        return is_item(rest);
    }
    // `own = variable.get()`, and `own` is changed.
    let line = bindings.source[..read.span.start].rsplit('\n').next().unwrap_or_default();
    let Some((own, "")) = line.trim_end().strip_suffix('=').map(|own| (own.trim(), "")) else {
        return false;
    };
    let of_function = |name: &Name| file.function_of(name) == file.function_of(read);
    let named = bindings.index.with_text(own).iter().map(|at| &bindings.facts.names[*at]);
    named.filter(|name| of_function(name)).any(|name| file.is_changed(name))
}
