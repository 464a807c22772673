//! Mutable default arguments: one object for all calls.

use super::candidate::Candidate;
use crate::facts::{Fate, Name, Role};
use crate::source_file::File;
use partywall_core::audit::SuspectKind;

/// Parameters whose default is a container, where defaults are made once and the function changes
/// it or hands it out.
pub(super) fn defaults(file: &File<'_>) -> Vec<Candidate> {
    if !file.keeps_defaults {
        return Vec::new();
    }
    let names = file.bindings.facts.names.iter();
    let mutable = names.filter(|name| match name.role {
        Role::Parameter(value) => file.is_container(value),
        _ => false,
    });
    mutable.filter_map(|name| of(file, name)).collect()
}

fn of(file: &File<'_>, parameter: &Name) -> Option<Candidate> {
    let bindings = file.bindings;
    let text = file.text(parameter);
    let all = bindings.index.with_text(text);
    let end = bindings.facts.scopes[parameter.scope].span.end;
    let position = |at: usize| bindings.facts.names[at].span.start;
    let first = all.partition_point(|at| position(*at) <= parameter.span.start);
    let last = all.partition_point(|at| position(*at) < end);
    let own = all[first..last.max(first)]
        .iter()
        .filter(|at| bindings.home_of(**at) == Some(parameter.scope));
    let mut changed = Vec::new();
    let mut handed_out = Vec::new();
    for at in own {
        let name = &bindings.facts.names[*at];
        if let Role::Bind(_) | Role::Write(_) = name.role {
            // From here on it is another object.
            break;
        }
        if name.role != Role::Read {
            continue;
        }
        let given =
            matches!(name.fate, Fate::Returned | Fate::StoredOnSelf(_) | Fate::StoredElsewhere(_));
        if file.is_changed(name) {
            changed.push(name);
        } else if given {
            handed_out.push(name);
        }
    }
    if changed.is_empty() && handed_out.is_empty() {
        return None;
    }
    let function = bindings.facts.qualified(parameter.within, bindings.source);
    let name = format!("{}({text})", function.unwrap_or_default());
    let mut found = Candidate::new(file, SuspectKind::MutableDefault, name, parameter.span);
    found.base = if changed.is_empty() { 0 } else { 3 };
    found.shown = vec![file.evidence("made once", parameter)];
    found.shown.extend(handed_out.iter().map(|name| file.evidence("handed out", name)));
    found.writes = changed.iter().map(|name| file.write("changed", name)).collect();
    Some(found)
}
