//! What becomes of the process-wide object: configured, kept over an await, or stored, where
//! another request can come in between.

use super::facts::{Fate, Name, Role, ScopeKind, Span};
use super::source_file::File;
use partywall_core::audit::{Risk, Shown};

/// Methods that change what all share begin like this.
const CONFIGURES: [&str; 14] = [
    "configure",
    "set",
    "setup",
    "init",
    "register",
    "reset",
    "update",
    "bind",
    "add",
    "attach",
    "use",
    "replace",
    "override",
    "inject",
];

/// So many of the places behind it are looked at; who writes code needs fewer, and a file that was
/// made by a program may have as many as it has lines.
const MOST_READS: usize = 200;

/// So many lines that show a risk are kept.
const MOST_SHOWN: usize = 5;

/// What speaks against a use, as it is gathered.
#[derive(Default)]
struct Seen {
    configured: Vec<Shown>,
    kept: Vec<Shown>,
    stored: Vec<Shown>,
}

/// The risk of a call or reference, and the lines that show it.
pub(super) fn of(file: &File<'_>, at: usize) -> (Risk, Vec<Shown>) {
    let (risk, shown, _) = weighed(file, at);
    (risk, shown)
}

/// The same, and how much it says for a process-wide object: 4 where it is configured and used after
/// an await, 2 where it is one of both, 1 where it is only stored.
pub(super) fn weighed(file: &File<'_>, at: usize) -> (Risk, Vec<Shown>, u32) {
    let facts = file.bindings.facts;
    let name = &facts.names[at];
    let function = facts.enclosing(name.within);
    let is_async = function.is_some_and(|function| facts.is_async(function));
    let mut seen = Seen::default();
    seen.value(file, name);
    if let Fate::Assigned { to } = name.fate {
        seen.variable(file, to, name, function);
    }
    let Seen { configured, kept, stored } = seen;
    let high = !stored.is_empty() || (is_async && !(configured.is_empty() && kept.is_empty()));
    let risk = match (high, configured.is_empty()) {
        (true, _) => Risk::High,
        (false, false) => Risk::Low,
        (false, true) => Risk::None,
    };
    let worth = match (is_async && !configured.is_empty(), is_async && !kept.is_empty()) {
        (true, true) => 4,
        (false, false) => 1,
        _ => 2,
    };
    // Without an await between, what is kept is nobody else's yet.
    let kept = if is_async { kept } else { Vec::new() };
    let mut shown = configured;
    shown.extend(kept);
    shown.extend(stored);
    shown.sort_by_key(|shown| shown.line);
    shown.dedup();
    shown.truncate(MOST_SHOWN);
    (risk, shown, worth)
}

/// The same for an object of a module that is used by its name: what one function does to it
/// there, and after it has awaited.
pub(super) fn of_object(file: &File<'_>, at: usize) -> (Risk, Vec<Shown>, u32) {
    let bindings = file.bindings;
    let facts = bindings.facts;
    let name = &facts.names[at];
    let Some(function) = facts.enclosing(name.within) else { return (Risk::None, Vec::new(), 0) };
    let mut seen = Seen::default();
    seen.value(file, name);
    if seen.configured.is_empty() {
        return (Risk::None, Vec::new(), 0);
    }
    let all = bindings.index.with_text(bindings.text(at));
    let after = all.partition_point(|other| facts.names[*other].span.start <= name.span.start);
    let home = bindings.home_of(at);
    let reads = all[after..].iter().take(MOST_READS).filter(|at| bindings.home_of(**at) == home);
    for read in reads.map(|at| &facts.names[*at]) {
        if read.role != Role::Read || facts.enclosing(read.within) != Some(function) {
            continue;
        }
        let Some(await_at) = awaited_between(file, Some(function), name.span.end, read.span) else {
            continue;
        };
        seen.configured.push(file.lines.shown(await_at, "awaited after that"));
        seen.configured.push(file.lines.shown(read.span.start, "used after that"));
        return (Risk::High, seen.configured, 4);
    }
    (Risk::Low, seen.configured, 1)
}

impl Seen {
    /// What becomes of the object right where a name stands for it.
    fn value(&mut self, file: &File<'_>, name: &Name) {
        let source = file.bindings.source;
        let start = name.span.start;
        match name.fate {
            Fate::Method(method) if configures(method.of(source)) => {
                self.configured.push(file.lines.shown(method.start, "configured"));
            }
            Fate::MemberSet(member) => {
                self.configured.push(file.lines.shown(member.start, "a member of it is set"));
            }
            Fate::ItemSet(_) => {
                self.configured.push(file.lines.shown(start, "an item of it is set"));
            }
            Fate::StoredOnSelf(member) => {
                let own = file.own_names.first().copied().unwrap_or("self");
                let what = format!("stored on {own}");
                self.stored.push(file.lines.shown(member.start, what));
            }
            Fate::StoredElsewhere(target) => {
                self.stored.push(file.lines.shown(target.start, "stored outside the function"));
            }
            _ => {}
        }
    }

    /// Whether a use only adds to what is known to be configured.
    fn is_configuring(&self, file: &File<'_>, name: &Name) -> bool {
        match name.fate {
            Fate::Method(method) => configures(method.of(file.bindings.source)),
            Fate::MemberSet(_) | Fate::ItemSet(_) => true,
            _ => false,
        }
    }

    /// What becomes of the variable that holds the object.
    fn variable(&mut self, file: &File<'_>, to: usize, made: &Name, function: Option<usize>) {
        let bindings = file.bindings;
        let facts = bindings.facts;
        let Some(variable) = facts.name_at(to) else { return };
        let target = &facts.names[variable];
        let text = bindings.text(variable);
        if target.role == Role::Define {
            self.stored.push(file.lines.shown(to, "stored on the object"));
            return;
        }
        let Some(home) = bindings.home_of(variable) else { return };
        match facts.scopes[home].kind {
            ScopeKind::Module => {
                self.stored.push(file.lines.shown(to, "stored on the module"));
            }
            ScopeKind::Class => self.stored.push(file.lines.shown(to, "stored on the class")),
            ScopeKind::Function { .. } | ScopeKind::Inner => {}
        }
        let from = made.span.end.max(target.span.end);
        let all = bindings.index.with_text(text);
        let after = all.partition_point(|at| facts.names[*at].span.start <= from);
        let reads = all[after..].iter().take(MOST_READS).filter_map(|at| {
            let name = &facts.names[*at];
            let is_it = name.role == Role::Read && bindings.home_of(*at) == Some(home);
            is_it.then_some(name)
        });
        let is_parameter = matches!(target.role, Role::Parameter(_));
        for read in reads {
            if self.configured.len() >= MOST_SHOWN && !self.kept.is_empty() {
                break;
            }
            if self.configured.len() < MOST_SHOWN || !self.is_configuring(file, read) {
                self.value(file, read);
            }
            let inside = function.is_some() && facts.enclosing(read.within) == function;
            // A parameter is there from the beginning of the function.
            let awaited = awaited_between(file, function, from, read.span);
            if let Some(await_at) = awaited.filter(|_| inside && self.kept.is_empty()) {
                let what = match is_parameter {
                    true => "awaited while it is held",
                    false => "awaited after it was taken",
                };
                self.kept.push(file.lines.shown(await_at, what));
                self.kept.push(file.lines.shown(read.span.start, "used after that"));
            }
        }
    }
}

/// Where that function awaits after one place and before another.
fn awaited_between(
    file: &File<'_>,
    function: Option<usize>,
    from: usize,
    until: Span,
) -> Option<usize> {
    let function = function?;
    let awaits = &file.bindings.facts.awaits;
    let after = awaits.partition_point(|(span, _)| span.start <= from);
    let before = |(span, _): &&(Span, usize)| span.start < until.start;
    let is_own = |(span, of): &&(Span, usize)| *of == function && span.end <= until.start;
    let found = awaits[after..].iter().take(MOST_READS).take_while(before).find(is_own);
    found.map(|(span, _)| span.start)
}

fn configures(method: &str) -> bool {
    let method = method.trim_start_matches('_');
    CONFIGURES.iter().any(|begin| {
        let rest = method.strip_prefix(begin);
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|c: char| c == '_' || c.is_uppercase())
        })
    })
}
