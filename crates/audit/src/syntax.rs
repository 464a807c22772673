//! What the languages ask of a syntax tree.

use tree_sitter::Node;

use super::facts::{Span, Value};

/// Where the walk is: the nodes from the root down, each with the field of its parent.
#[derive(Debug)]
pub struct Path<'t, 's> {
    pub(super) steps: Vec<(Node<'t>, Option<&'t str>)>,
    /// The whole source.
    pub source: &'s str,
}

impl<'t> Path<'t, '_> {
    /// The depth of the last node; the root has 0.
    pub fn depth(&self) -> usize {
        self.steps.len() - 1
    }

    /// The last node.
    pub fn node(&self) -> Node<'t> {
        self.steps[self.depth()].0
    }

    /// The node so many levels above the last.
    pub fn up(&self, levels: usize) -> Option<Node<'t>> {
        Some(self.steps[self.depth().checked_sub(levels)?].0)
    }

    /// The kind of the node so many levels above the last; empty above the root.
    pub fn kind(&self, levels: usize) -> &'t str {
        self.up(levels).map_or("", |node| node.kind())
    }

    /// The field that the node so many levels above the last has in its parent; or empty.
    pub fn field(&self, levels: usize) -> &'t str {
        let step = self.depth().checked_sub(levels).map(|at| self.steps[at]);
        step.and_then(|(_, field)| field).unwrap_or_default()
    }

    /// The node at that depth and its field.
    pub fn at(&self, depth: usize) -> (Node<'t>, &'t str) {
        let (node, field) = self.steps[depth];
        (node, field.unwrap_or_default())
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
    pub(super) fn of(&self, node: Option<Node<'_>>) -> Value {
        let Some(mut node) = node else { return Value::Absent };
        while self.same.contains(&node.kind()) {
            let Some(inner) = node.named_child(0) else { return Value::Other };
            node = inner;
        }
        let kind = node.kind();
        if let Some(name) = self.last_name(node) {
            return Value::Name(name);
        }
        if let Some((_, field)) = self.calls.iter().find(|(call, _)| *call == kind) {
            let callee = node.child_by_field_name(field);
            return callee
                .and_then(|callee| self.last_name(callee))
                .map_or(Value::Other, Value::Call);
        }
        if self.containers.contains(&kind) {
            return Value::Container;
        }
        if self.nulls.contains(&kind) { Value::Null } else { Value::Other }
    }

    fn last_name(&self, node: Node<'_>) -> Option<usize> {
        if self.names.contains(&node.kind()) {
            return Some(node.start_byte());
        }
        let (_, field) = self.members.iter().find(|(kind, _)| *kind == node.kind())?;
        node.child_by_field_name(field).map(|name| name.start_byte())
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
