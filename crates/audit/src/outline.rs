//! The walk over a syntax tree that turns it into [`Facts`]. It does not recurse: a hostile file
//! may nest as deep as it is long.

use tree_sitter::{Node, Tree};

use super::facts::{Facts, Fate, Name, Role, Scope, ScopeKind, Span, Text};
use super::language::{Language, Link, Opens, Said};
use super::syntax::{Interest, Kinds, Path, Step};

/// So many levels up it is looked for what becomes of a value: a chain of calls may be as long as
/// its file, and each of its names would be followed to the end.
const FARTHEST: usize = 32;

/// Nodes below that depth are not looked at; what stands there is found by its text.
const DEEPEST: usize = 2_000;

/// So many parts that could not be read are told apart; the last holds all further ones.
const MOST_UNREAD: usize = 20;

/// A scope that is open, from which depth on.
#[derive(Clone, Copy)]
struct Open {
    depth: usize,
    scope: usize,
    within: usize,
}

/// Walks the tree, and puts what it says in the place of what `facts` held. Of comments and strings
/// only those are kept that `wanted` says of.
pub fn outline(
    language: &dyn Language,
    kinds: &Kinds,
    tree: &Tree,
    source: &str,
    wanted: &dyn Fn(Span) -> bool,
    facts: &mut Facts,
) {
    facts.clear();
    let root = tree.root_node();
    let span = root.into();
    let module = Scope { parent: None, kind: ScopeKind::Module, name: None, span, given_to: None };
    facts.scopes.push(module);
    let mut open = vec![Open { depth: 0, scope: 0, within: 0 }];
    let mut path = Path { steps: Vec::new(), kinds, source };
    let mut cursor = tree.walk();
    let has_error = root.has_error();
    loop {
        let node = cursor.node();
        let kind = node.kind_id();
        let interest = kinds.interest(kind);
        // Punctuation holds nothing, but where recovery put something into it.
        if interest.named || has_error {
            let field = if interest.named { cursor.field_id() } else { None };
            path.steps.push(Step { node, kind, field });
            if has_error && (node.is_error() || node.is_missing()) {
                unread(facts, node.into());
            }
            if interest.named {
                enter(language, interest, &path, &mut open, facts, wanted);
            }
            if descends(&path, interest, has_error, facts) && cursor.goto_first_child() {
                continue;
            }
            leave(&mut path, &mut open);
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                // Sorted already, but for grammars that order a node's parts otherwise.
                facts.names.sort_by_key(|name| name.span);
                decorated(facts);
                return;
            }
            leave(&mut path, &mut open);
        }
    }
}

/// Whether the children of the last node of the path are looked at. What is too deep for that is
/// noted.
fn descends(path: &Path<'_, '_>, interest: Interest, has_error: bool, facts: &mut Facts) -> bool {
    let node = path.node();
    // A name holds none, and a string that fills nothing in holds no code.
    let is_plain = interest.text && !Span::from(node).of(path.source).contains('{');
    if (interest.name || is_plain) && !(has_error && node.has_error()) {
        return false;
    }
    let is_deep = path.steps.len() > DEEPEST && node.child_count() > 0;
    if is_deep {
        unread(facts, node.into());
    }
    !is_deep
}

/// Leaves the last node of the path, and the scopes that it opened.
fn leave(path: &mut Path<'_, '_>, open: &mut Vec<Open>) {
    path.steps.pop();
    while open.len() > 1 && open[open.len() - 1].depth >= path.steps.len() {
        open.pop();
    }
}

/// Notes a part that the facts do not say all of.
fn unread(facts: &mut Facts, span: Span) {
    facts.first_error.get_or_insert(span.start);
    let count = facts.unread.len();
    match facts.unread.last_mut() {
        // What stands in another part is known as that.
        Some(last) if span.end <= last.end => {}
        Some(last) if count >= MOST_UNREAD => last.end = span.end,
        _ => facts.unread.push(span),
    }
}

/// Lets each decorator say where the definition begins that it decorates: the next behind it.
fn decorated(facts: &mut Facts) {
    let Facts { names, scopes, .. } = facts;
    for name in names {
        if let Fate::Decorates(at) = &mut name.fate {
            let next = scopes.partition_point(|scope| scope.span.start < *at);
            *at = scopes.get(next).map_or(*at, |scope| scope.span.start);
        }
    }
}

fn enter(
    language: &dyn Language,
    interest: Interest,
    path: &Path<'_, '_>,
    open: &mut Vec<Open>,
    facts: &mut Facts,
    wanted: &dyn Fn(Span) -> bool,
) {
    let node = path.node();
    let now = open[open.len() - 1];
    let above = path.depth().checked_sub(1).map(|above| path.steps[above].kind);
    let in_parts = above.is_some_and(|kind| path.kinds.interest(kind).parts);
    let opens = if interest.scope || in_parts { language.scope(path) } else { None };
    match opens {
        Some(Opens::Scope { kind, name }) => {
            let name = name.map(Span::from);
            let given_to = match kind {
                ScopeKind::Function { .. } if path.depth() > 0 => given_to(language, path),
                _ => None,
            };
            let span = node.into();
            let scope = Scope { parent: Some(now.scope), kind, name, span, given_to };
            facts.scopes.push(scope);
            let scope = facts.scopes.len() - 1;
            open.push(Open { depth: path.depth(), scope, within: scope });
        }
        Some(Opens::Outer) => {
            let scope = facts.scopes[now.scope].parent.unwrap_or(now.scope);
            open.push(Open { depth: path.depth(), scope, within: now.within });
        }
        None => {}
    }
    let Open { scope, within, .. } = open[open.len() - 1];
    if interest.awaits
        && language.awaits(node)
        && let Some(function) = facts.enclosing(within)
    {
        facts.awaits.push((node.into(), function));
    }
    if let Some(role) = interest.name.then(|| language.role(path)).flatten() {
        let (called, fate) = match role {
            Role::Read | Role::Member { .. } | Role::Loose => fate(language, path, role),
            _ => (false, Fate::Read),
        };
        // A function's own name stands outside it.
        let within = if role == Role::Define { scope } else { within };
        facts.names.push(Name { span: node.into(), scope, within, role, called, fate });
    } else if interest.text
        && wanted(node.into())
        && let Some(said) = language.text(path)
    {
        let value = match said {
            Said::Remark => None,
            Said::Value(content) => Some(content),
        };
        facts.texts.push(Text { span: node.into(), within, value });
    }
}

/// The callee that the last node of the path is an argument of.
fn given_to(language: &dyn Language, path: &Path<'_, '_>) -> Option<Span> {
    match language.link(path, path.depth()) {
        Link::Argument(callee) => callee.map(Span::from),
        _ => None,
    }
}

/// What becomes of the last node of the path: whether it is called, and where the value goes.
fn fate(language: &dyn Language, path: &Path<'_, '_>, role: Role) -> (bool, Fate) {
    let mut called = false;
    let mut part = None;
    // A member's fate is that of the expression that takes it.
    let is_member = matches!(role, Role::Member { .. });
    let mut depth = path.depth() - usize::from(is_member && path.depth() > 0);
    let last = depth.saturating_sub(FARTHEST);
    while depth > last {
        match language.link(path, depth) {
            Link::Same => {}
            Link::Member(name) => part = Some(Part::Member(name.into())),
            Link::Item => {
                let (object, whole) = (path.at(depth).0, path.at(depth - 1).0);
                let (start, end) = (object.end_byte(), whole.end_byte());
                part = Some(Part::Item(Span { start, end }));
            }
            Link::Called => match part {
                None => called = true,
                Some(Part::Member(name)) => return (called, Fate::Method(name)),
                Some(Part::Item(_)) => return (called, Fate::Read),
            },
            Link::Target | Link::Deleted => return (called, set(part)),
            Link::AssignedTo(target) if part.is_none() => {
                return (called, assigned(language, path, target));
            }
            Link::Returned if part.is_none() => return (called, Fate::Returned),
            Link::Argument(callee) if part.is_none() => {
                let injects = |callee: Node<'_>| language.injectors().contains(&path.text(callee));
                if !callee.is_some_and(injects) {
                    return (called, Fate::Argument(callee.map(Span::from)));
                }
            }
            Link::Decorates(what) => return (called, Fate::Decorates(what)),
            _ => return (called, Fate::Read),
        }
        depth -= 1;
    }
    (called, Fate::Read)
}

#[derive(Clone, Copy)]
enum Part {
    Member(Span),
    Item(Span),
}

fn set(part: Option<Part>) -> Fate {
    match part {
        None => Fate::Read,
        Some(Part::Member(name)) => Fate::MemberSet(name),
        Some(Part::Item(key)) => Fate::ItemSet(key),
    }
}

fn assigned(language: &dyn Language, path: &Path<'_, '_>, target: Node<'_>) -> Fate {
    let span = Span::from(target);
    if target.named_child_count() == 0 {
        return Fate::Assigned { to: span.start };
    }
    let text = span.of(path.source);
    let own = language.own_names().iter().find_map(|own| text.strip_prefix(own)?.strip_prefix('.'));
    match own {
        Some(member) => Fate::StoredOnSelf(Span { start: span.end - member.len(), end: span.end }),
        None if text.contains(['.', '[']) && !text.starts_with(['(', '[', '{']) => {
            Fate::StoredElsewhere(span)
        }
        None => Fate::Read,
    }
}
