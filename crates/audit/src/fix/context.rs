//! Which parameter or local holds the user's context at a call.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::annotation::annotation;
use super::source::Source;
use crate::bindings::Bindings;
use crate::facts::{Role, ScopeKind, Value};
use partywall_core::fix::WhyLeft;

/// What is bound in more places is not followed.
const MOST_PLACES: usize = 64;

/// Nodes that hold statements, all of which run one after the other.
const BLOCKS: [&str; 6] =
    ["block", "module", "statement_block", "program", "class_body", "switch_default"];

/// Statements that bind what stands at their head for their body.
const HEADED: [&str; 3] = ["for_statement", "with_statement", "for_in_statement"];

/// What may stand between a name and the statement that binds it, so that it is bound wherever the
/// statement is reached.
const PLAIN: [&str; 22] = [
    "pattern_list",
    "tuple_pattern",
    "list_pattern",
    "list_splat_pattern",
    "assignment",
    "expression_statement",
    "with_clause",
    "with_item",
    "as_pattern",
    "as_pattern_target",
    "for_in_clause",
    "variable_declarator",
    "lexical_declaration",
    "variable_declaration",
    "assignment_expression",
    "object_pattern",
    "array_pattern",
    "pair_pattern",
    "shorthand_property_identifier_pattern",
    "object_assignment_pattern",
    "rest_pattern",
    "export_statement",
];

/// What is wrong with the contexts in scope, and which could be meant.
pub(super) type NoContext = (WhyLeft, Vec<String>);

/// The contexts of one file.
pub(super) struct Contexts<'s> {
    source: &'s Source,
    bindings: &'s Bindings<'s>,
    names: &'s [String],
    /// For each scope that was asked about, what may be the context in it.
    known: BTreeMap<usize, Vec<Candidate<'s>>>,
}

/// Something that has the context's name, or its type.
#[derive(Clone)]
struct Candidate<'s> {
    text: &'s str,
    places: Vec<usize>,
    /// Whether each place that binds it gives it the context's type, or its name says it all.
    is_always: bool,
    may_be_none: bool,
}

/// How sure it is that something holds the context at the call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sure {
    Yes,
    MayBeNone,
    No,
}

impl<'s> Contexts<'s> {
    pub(super) fn new(source: &'s Source, bindings: &'s Bindings<'s>, names: &'s [String]) -> Self {
        Self { source, bindings, names, known: BTreeMap::new() }
    }

    /// The name of the context at the call whose callee has that name.
    pub(super) fn at(&mut self, name: usize, call: Node<'_>) -> Result<String, NoContext> {
        let facts = self.bindings.facts;
        let scope = facts.names[name].scope;
        if facts.callable(scope).is_none() {
            return Err((WhyLeft::ModuleLevel, Vec::new()));
        }
        let (mut found, mut unsure) = (Vec::new(), Vec::new());
        let mut at = Some(scope);
        while let Some(own) = at {
            if matches!(facts.scopes[own].kind, ScopeKind::Function { .. } | ScopeKind::Inner) {
                for candidate in self.of_scope(own) {
                    if self.bindings.home(scope, candidate.text) != Some(own) {
                        continue;
                    }
                    match self.sure(&candidate, own, call) {
                        Sure::No => unsure.push(candidate.text.to_owned()),
                        sure => found.push((candidate.text.to_owned(), sure)),
                    }
                }
            }
            at = facts.scopes[own].parent;
        }
        match found.as_slice() {
            [(name, Sure::Yes)] => Ok(name.clone()),
            [(name, _)] => Err((WhyLeft::ContextMayBeNone, vec![name.clone()])),
            [] if unsure.is_empty() => Err((WhyLeft::NoContext, Vec::new())),
            [] => Err((WhyLeft::ContextUnsure, unsure)),
            several => {
                let names = several.iter().map(|(name, _)| name.clone()).collect();
                Err((WhyLeft::SeveralContexts, names))
            }
        }
    }

    fn of_scope(&mut self, scope: usize) -> Vec<Candidate<'s>> {
        if let Some(known) = self.known.get(&scope) {
            return known.clone();
        }
        let all = self.bindings.all_of(scope);
        let candidates = all.filter_map(|(text, places)| self.candidate(text, places));
        let candidates: Vec<_> = candidates.collect();
        self.known.insert(scope, candidates.clone());
        candidates
    }

    fn candidate(&self, text: &'s str, places: &[usize]) -> Option<Candidate<'s>> {
        let by_name = self.names.iter().any(|name| name == text);
        let said: Vec<Said> = places.iter().map(|at| self.said(*at)).collect();
        if !by_name && !said.iter().any(|said| said.has_type) {
            return None;
        }
        Some(Candidate {
            text,
            places: places.to_vec(),
            is_always: said.iter().all(|said| !said.is_other && (by_name || said.has_type)),
            may_be_none: said.iter().any(|said| said.may_be_none),
        })
    }

    /// What a place that binds a name says of its value.
    fn said(&self, at: usize) -> Said {
        let name = &self.bindings.facts.names[at];
        let Some(node) = self.source.node(name.span) else { return Said::default() };
        let is_type = |text: &str| self.names.iter().any(|name| name == text);
        let given = self.typed(node).map(|node| annotation(self.source.text(node)));
        let made = match name.role {
            Role::Bind(value) | Role::Write(value) | Role::Parameter(value) => value,
            _ => Value::Other,
        };
        let is_made = match made {
            Value::Call(callee) => {
                let callee = self.bindings.facts.name_at(callee);
                callee.is_some_and(|callee| is_type(self.bindings.text(callee)))
            }
            _ => false,
        };
        let parent = node.parent().map_or("", |parent| parent.kind());
        let is_rest = matches!(parent, "list_splat_pattern" | "dictionary_splat_pattern")
            || parent == "rest_pattern";
        // A script takes what it imports and what it takes out of an object by one syntax.
        let is_import =
            matches!(name.role, Role::Import { .. }) && !parent.ends_with("object_pattern");
        let is_import = is_import && parent != "pair_pattern";
        let is_bare = matches!(name.role, Role::Bind(Value::Absent));
        Said {
            has_type: is_made || given.is_some_and(|given| is_type(given.name)),
            may_be_none: made == Value::Null
                || parent == "optional_parameter"
                || given.is_some_and(|given| given.may_be_none),
            is_other: is_rest
                || is_bare
                || is_import
                || name.role == Role::Define
                || matches!(
                    name.role,
                    Role::Bind(Value::Container) | Role::Write(Value::Container)
                ),
        }
    }

    /// The annotation of a name that is bound.
    fn typed<'n>(&self, name: Node<'n>) -> Option<Node<'n>> {
        let parent = name.parent()?;
        let is_bound = match parent.kind() {
            "typed_parameter" => true,
            "typed_default_parameter" | "variable_declarator" => {
                parent.child_by_field_name("name") == Some(name)
            }
            "assignment" => parent.child_by_field_name("left") == Some(name),
            "required_parameter" | "optional_parameter" => {
                parent.child_by_field_name("pattern") == Some(name)
            }
            _ => false,
        };
        is_bound.then(|| parent.child_by_field_name("type"))?
    }

    fn sure(&self, candidate: &Candidate<'_>, scope: usize, call: Node<'_>) -> Sure {
        if candidate.places.len() > MOST_PLACES {
            return Sure::No;
        }
        let facts = self.bindings.facts;
        let nodes = candidate.places.iter().filter_map(|at| {
            let name = &facts.names[*at];
            Some((name.role, self.source.node(name.span)?))
        });
        let nodes: Vec<_> = nodes.collect();
        let is_parameter = |(role, _): &(Role, Node<'_>)| matches!(role, Role::Parameter(_));
        let is_before = nodes.iter().any(|found| is_parameter(found) || is_bound(found.1, call));
        // In a script a block has variables of its own, which hide others before they have a value.
        let is_hidden = !self.source.is_python()
            && nodes.iter().any(|found| !is_parameter(found) && is_bound_later(found.1, call));
        let deletes = |at: &usize| {
            let node = self.source.node(facts.names[*at].span);
            let is_it = node.and_then(|node| node.parent());
            is_it.is_some_and(|up| up.kind() == "delete_statement")
                && self.bindings.home_of(*at) == Some(scope)
        };
        let is_deleted = self.bindings.index.with_text(candidate.text).iter().any(deletes);
        match () {
            () if !is_before || is_hidden || is_deleted || !candidate.is_always => Sure::No,
            () if candidate.may_be_none => Sure::MayBeNone,
            () => Sure::Yes,
        }
    }
}

/// What a place says of the value that it gives.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    has_type: bool,
    may_be_none: bool,
    /// Whether it is surely something else.
    is_other: bool,
}

/// Whether a name is bound wherever that call is reached.
pub(super) fn is_bound(binding: Node<'_>, call: Node<'_>) -> bool {
    let mut node = binding;
    while let Some(parent) = node.parent() {
        let kind = parent.kind();
        if BLOCKS.contains(&kind) {
            return node.end_byte() <= call.start_byte() && holds(parent, call);
        }
        if HEADED.contains(&kind) || is_comprehension(kind) {
            let body = parent.child_by_field_name("body");
            let is_head = body != Some(node);
            return is_head && body.is_some_and(|body| holds(body, call));
        }
        let is_value = parent.child_by_field_name("right") == Some(node)
            || parent.child_by_field_name("value") == Some(node);
        let is_plain =
            PLAIN.contains(&kind) && (!is_value || kind == "pair_pattern" || kind == "with_item");
        if !is_plain {
            return false;
        }
        node = parent;
    }
    false
}

/// Whether a name is bound behind a call, in a block that holds the call.
fn is_bound_later(binding: Node<'_>, call: Node<'_>) -> bool {
    let mut node = binding;
    while let Some(parent) = node.parent() {
        if BLOCKS.contains(&parent.kind()) {
            return node.start_byte() >= call.end_byte() && holds(parent, call);
        }
        node = parent;
    }
    false
}

fn is_comprehension(kind: &str) -> bool {
    kind.ends_with("_comprehension") || kind == "generator_expression"
}

fn holds(outer: Node<'_>, inner: Node<'_>) -> bool {
    outer.start_byte() <= inner.start_byte() && inner.end_byte() <= outer.end_byte()
}
