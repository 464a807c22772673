//! Mutable default arguments: one object for all calls.

use super::evidence::suspect;
use crate::facts::{Fate, Name, Role};
use crate::source_file::File;
use partywall_core::audit::{SingletonSuspect, SuspectKind};

/// Parameters whose default is a container, where defaults are made once.
pub(super) fn defaults(file: &File<'_>) -> Vec<SingletonSuspect> {
    if !file.keeps_defaults {
        return Vec::new();
    }
    let names = file.bindings.facts.names.iter();
    let mutable = names.filter(|name| match name.role {
        Role::Parameter(value) => file.is_container(value),
        _ => false,
    });
    mutable.map(|name| of(file, name)).collect()
}

fn of(file: &File<'_>, parameter: &Name) -> SingletonSuspect {
    let text = file.text(parameter);
    let mut shown = vec![file.evidence("made once", parameter)];
    let mut score = 1;
    let uses = file.bindings.facts.names.iter().enumerate().filter(|(at, name)| {
        name.role == Role::Read
            && file.text(name) == text
            && file.bindings.home_of(*at) == Some(parameter.scope)
    });
    for (_, name) in uses {
        if file.is_changed(name) {
            score += 4;
            shown.push(file.evidence("changed", name));
        } else if matches!(
            name.fate,
            Fate::Returned | Fate::StoredOnSelf(_) | Fate::StoredElsewhere(_)
        ) {
            score += 2;
            shown.push(file.evidence("handed out", name));
        }
    }
    let function = file.bindings.facts.qualified(parameter.within, file.bindings.source);
    let name = format!("{}({text})", function.unwrap_or_default());
    suspect(file, SuspectKind::MutableDefault, name, parameter.span, score.min(6), shown)
}
