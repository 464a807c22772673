//! Attributes that a request handler sets on a process-wide object.

use std::collections::BTreeMap;

use super::evidence::suspect;
use crate::facts::{Fate, Name, Role, Value};
use crate::source_file::File;
use partywall_core::audit::{SingletonSuspect, SuspectKind};

/// Objects that are each request's own although they are imported, and what makes such ones.
const OF_A_REQUEST: [&str; 9] =
    ["g", "request", "session", "local", "Local", "threading", "ContextVar", "contextvars", "ctx"];

/// Members and items that handlers set on what the module imported or made.
pub(super) fn attributes(file: &File<'_>) -> Vec<SingletonSuspect> {
    let mut found: BTreeMap<String, Vec<&Name>> = BTreeMap::new();
    for (at, name) in file.bindings.facts.names.iter().enumerate() {
        let member = match name.fate {
            Fate::MemberSet(member) => format!(".{}", member.of(file.bindings.source)),
            Fate::ItemSet => "[…]".to_owned(),
            _ => continue,
        };
        let serves = file.function_of(name).is_some_and(|function| file.serves(function));
        if name.role == Role::Read && serves && is_process_wide(file, at) {
            found.entry(format!("{}{member}", file.text(name))).or_default().push(name);
        }
    }
    let suspects = found.into_iter().map(|(text, places)| {
        let shown = places.iter().map(|name| file.evidence("set", name)).collect();
        suspect(file, SuspectKind::ProcessAttribute, text, places[0].span, 4, shown)
    });
    suspects.collect()
}

/// Whether a name is the module's: imported, defined, or an object made when it was loaded.
fn is_process_wide(file: &File<'_>, at: usize) -> bool {
    let text = file.bindings.text(at);
    if OF_A_REQUEST.contains(&text) || file.bindings.home_of(at) != Some(0) {
        return false;
    }
    let places = file.bindings.bound_in(0, text);
    places.iter().any(|place| match file.bindings.facts.names[*place].role {
        Role::Import { .. } | Role::Define => true,
        // A container is a suspect of its own.
        Role::Bind(value) if file.is_container(value) => false,
        Role::Bind(Value::Call(callee)) => !OF_A_REQUEST.contains(&file.callee(callee)),
        Role::Bind(Value::Name(_) | Value::Other) => true,
        _ => false,
    })
}
