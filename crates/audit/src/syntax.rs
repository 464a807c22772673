//! What the languages ask of a syntax tree.

use std::num::NonZeroU16;

use tree_sitter::Node;

use super::facts::{Span, Value};

/// The kinds of node and the fields of a grammar, by their numbers.
#[derive(Debug)]
pub struct Kinds {
    names: Vec<Box<str>>,
    interests: Vec<Interest>,
    fields: Vec<Box<str>>,
}

/// What is asked of nodes of one kind; of most nothing is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interest {
    /// Whether it is no mere punctuation.
    pub(super) named: bool,
    /// Whether it may be a name.
    pub name: bool,
    /// Whether it may open a scope.
    pub scope: bool,
    /// Whether names in some of its parts are looked up in the scope around.
    pub parts: bool,
    /// Whether it may await.
    pub awaits: bool,
    /// Whether it is a comment or a string.
    pub text: bool,
}

impl Kinds {
    /// Asks a language about each kind of node of a grammar.
    pub fn new(grammar: &tree_sitter::Language, interest: impl Fn(&str) -> Interest) -> Self {
        let count = u16::try_from(grammar.node_kind_count()).unwrap_or(u16::MAX);
        let names: Vec<Box<str>> =
            (0..count).map(|id| grammar.node_kind_for_id(id).unwrap_or_default().into()).collect();
        let interests = (0..count).map(|id| {
            let named = grammar.node_kind_is_named(id);
            let interest =
                if named { interest(&names[usize::from(id)]) } else { Interest::default() };
            Interest { named, ..interest }
        });
        let interests = interests.collect();
        let count = u16::try_from(grammar.field_count()).unwrap_or(u16::MAX);
        let field = |id| grammar.field_name_for_id(id).unwrap_or_default().into();
        let fields = (0..=count).map(field).collect();
        Self { names, interests, fields }
    }

    /// What is asked of a node; an error is named, and nothing is asked of it.
    pub(super) fn interest(&self, kind: u16) -> Interest {
        let error = Interest { named: true, ..Interest::default() };
        self.interests.get(usize::from(kind)).copied().unwrap_or(error)
    }

    fn name(&self, kind: u16) -> &str {
        self.names.get(usize::from(kind)).map_or("ERROR", |name| name)
    }

    fn field_id(&self, name: &str) -> Option<u16> {
        let at = self.fields.iter().position(|field| **field == *name)?;
        u16::try_from(at).ok()
    }

    fn field(&self, field: Option<NonZeroU16>) -> &str {
        let name = field.and_then(|field| self.fields.get(usize::from(field.get())));
        name.map_or("", |name| name)
    }
}

/// A node on the way from the root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'t> {
    pub(super) node: Node<'t>,
    pub(super) kind: u16,
    /// The field that it has in its parent.
    pub(super) field: Option<NonZeroU16>,
}

/// Where the walk is: the nodes from the root down, each with the field of its parent.
#[derive(Debug)]
pub struct Path<'t, 's> {
    pub(super) steps: Vec<Step<'t>>,
    pub(super) kinds: &'s Kinds,
    /// The whole source.
    pub source: &'s str,
}

impl<'t, 's> Path<'t, 's> {
    /// The depth of the last node; the root has 0.
    pub fn depth(&self) -> usize {
        self.steps.len() - 1
    }

    /// The last node.
    pub fn node(&self) -> Node<'t> {
        self.steps[self.depth()].node
    }

    /// The node so many levels above the last.
    pub fn up(&self, levels: usize) -> Option<Node<'t>> {
        Some(self.steps[self.depth().checked_sub(levels)?].node)
    }

    /// The kind of the node so many levels above the last; empty above the root.
    pub fn kind(&self, levels: usize) -> &'s str {
        let at = self.depth().checked_sub(levels);
        at.map_or("", |at| self.kinds.name(self.steps[at].kind))
    }

    /// The kind of the node at that depth.
    pub fn kind_at(&self, depth: usize) -> &'s str {
        self.kinds.name(self.steps[depth].kind)
    }

    /// The field that the node so many levels above the last has in its parent; or empty.
    pub fn field(&self, levels: usize) -> &'s str {
        let at = self.depth().checked_sub(levels);
        at.map_or("", |at| self.kinds.field(self.steps[at].field))
    }

    /// The node at that depth and its field.
    pub fn at(&self, depth: usize) -> (Node<'t>, &'s str) {
        let step = self.steps[depth];
        (step.node, self.kinds.field(step.field))
    }

    /// The child of a node that has that field.
    pub fn part(&self, node: Node<'t>, field: &str) -> Option<Node<'t>> {
        node.child_by_field_id(self.kinds.field_id(field)?)
    }

    /// The text of a node.
    pub fn text(&self, node: Node<'_>) -> &str {
        Span::from(node).of(self.source)
    }
}

/// What a bound value is, for languages whose kinds of node are given: names, members (with the
/// field of their last name), calls (with the field of the callee), containers, nothing.
pub(super) struct ValueKinds {
    pub(super) names: &'static [&'static str],
    pub(super) members: &'static [(&'static str, &'static str)],
    pub(super) calls: &'static [(&'static str, &'static str)],
    pub(super) containers: &'static [&'static str],
    pub(super) nulls: &'static [&'static str],
    /// Nodes that stand for the one that they hold.
    pub(super) same: &'static [&'static str],
}

impl ValueKinds {
    pub(super) fn of<'t>(&self, path: &Path<'t, '_>, node: Option<Node<'t>>) -> Value {
        let Some(mut node) = node else { return Value::Absent };
        while self.same.contains(&node.kind()) {
            let Some(inner) = node.named_child(0) else { return Value::Other };
            node = inner;
        }
        let kind = node.kind();
        if let Some(name) = self.last_name(path, node) {
            return Value::Name(name);
        }
        if let Some((_, field)) = self.calls.iter().find(|(call, _)| *call == kind) {
            let callee = path.part(node, field);
            return callee
                .and_then(|callee| self.last_name(path, callee))
                .map_or(Value::Other, Value::Call);
        }
        if self.containers.contains(&kind) {
            return Value::Container;
        }
        if self.nulls.contains(&kind) { Value::Null } else { Value::Other }
    }

    fn last_name<'t>(&self, path: &Path<'t, '_>, node: Node<'t>) -> Option<usize> {
        if self.names.contains(&node.kind()) {
            return Some(node.start_byte());
        }
        let (_, field) = self.members.iter().find(|(kind, _)| *kind == node.kind())?;
        path.part(node, field).map(|name| name.start_byte())
    }
}

/// A string of which parts are filled in at run time: those parts are `_`.
pub(super) fn content(
    node: Node<'_>,
    source: &str,
    fixed: &[&str],
    filled: &str,
    out: &mut String,
) {
    let mut cursor = node.walk();
    for part in node.children(&mut cursor) {
        if fixed.contains(&part.kind()) {
            out.push_str(Span::from(part).of(source));
        } else if part.kind() == filled {
            out.push('_');
        }
    }
}
