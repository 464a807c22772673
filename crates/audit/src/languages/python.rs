//! Python.

use tree_sitter::Node;

use crate::facts::{Role, ScopeKind, Value};
use crate::language::{Language, Link, Opens, Said};
use crate::syntax::{Interest, Path, ValueKinds, content};

/// Python.
#[derive(Debug)]
pub(super) struct Python;

const VALUES: ValueKinds = ValueKinds {
    names: &["identifier"],
    members: &[("attribute", "attribute")],
    calls: &[("call", "function")],
    containers: &[
        "list",
        "dictionary",
        "set",
        "list_comprehension",
        "dictionary_comprehension",
        "set_comprehension",
    ],
    nulls: &["none"],
    same: &["parenthesized_expression"],
};

const CONTAINERS: [&str; 18] = [
    "dict",
    "list",
    "set",
    "defaultdict",
    "OrderedDict",
    "deque",
    "Counter",
    "ChainMap",
    "bytearray",
    "Queue",
    "SimpleQueue",
    "LifoQueue",
    "PriorityQueue",
    "WeakValueDictionary",
    "WeakKeyDictionary",
    "WeakSet",
    "TTLCache",
    "LRUCache",
];

impl Language for Python {
    fn name(&self) -> &'static str {
        "Python"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["py", "pyi", "pyw"]
    }

    fn grammar(&self, _extension: &str) -> tree_sitter::Language {
        tree_sitter_python::LANGUAGE.into()
    }

    fn interest(&self, kind: &str) -> Interest {
        let is = |kinds: &[&str]| kinds.contains(&kind);
        Interest {
            name: kind == "identifier",
            scope: is(&["function_definition", "class_definition", "lambda"])
                || kind.ends_with("_comprehension")
                || kind == "generator_expression",
            parts: is(&["function_definition", "class_definition", "typed_parameter"])
                || kind.ends_with("default_parameter"),
            awaits: is(&["await", "for_statement", "with_statement", "for_in_clause"]),
            text: is(&["comment", "string", "concatenated_string"]),
            ..Interest::default()
        }
    }

    fn test_patterns(&self) -> &'static [&'static str] {
        &["**/tests/**", "**/test/**", "**/test_*.py", "**/*_test.py", "**/conftest.py"]
    }

    fn own_names(&self) -> &'static [&'static str] {
        &["self", "cls"]
    }

    fn containers(&self) -> &'static [&'static str] {
        &CONTAINERS
    }

    fn keeps_defaults(&self) -> bool {
        true
    }

    fn injectors(&self) -> &'static [&'static str] {
        &["Depends", "fastapi.Depends", "Security", "fastapi.Security"]
    }

    fn awaits(&self, node: Node<'_>) -> bool {
        let marked = |node: Node<'_>| node.child(0).is_some_and(|first| first.kind() == "async");
        match node.kind() {
            "await" => node.is_named(),
            "for_statement" | "with_statement" | "for_in_clause" => marked(node),
            _ => false,
        }
    }

    fn scope<'t>(&self, path: &Path<'t, '_>) -> Option<Opens<'t>> {
        let node = path.node();
        let name = || path.part(node, "name");
        Some(match path.kind(0) {
            "function_definition" => {
                let is_async = node.child(0).is_some_and(|first| first.kind() == "async");
                Opens::Scope { kind: ScopeKind::Function { is_async }, name: name() }
            }
            "class_definition" => Opens::Scope { kind: ScopeKind::Class, name: name() },
            "lambda" => Opens::Scope { kind: ScopeKind::Function { is_async: false }, name: None },
            "list_comprehension"
            | "set_comprehension"
            | "dictionary_comprehension"
            | "generator_expression" => Opens::Scope { kind: ScopeKind::Inner, name: None },
            _ => {
                let outer = matches!(
                    (path.kind(1), path.field(0)),
                    ("function_definition" | "class_definition", "name")
                        | ("class_definition", "superclasses")
                        | ("function_definition", "return_type")
                        | ("default_parameter" | "typed_default_parameter", "value" | "type")
                        | ("typed_parameter", "type")
                );
                return outer.then_some(Opens::Outer);
            }
        })
    }

    fn role(&self, path: &Path<'_, '_>) -> Option<Role> {
        if path.kind(0) != "identifier" {
            return None;
        }
        let parent = path.up(1)?;
        let own = path.node().id();
        Some(match (path.kind(1), path.field(0)) {
            ("attribute", "attribute") => {
                let object = path.part(parent, "object");
                let plain = object.filter(|object| object.kind() == "identifier");
                Role::Member { of: plain.map(|object| object.start_byte()) }
            }
            ("function_definition" | "class_definition", "name") => Role::Define,
            ("keyword_argument", "name") => return None,
            ("parameters" | "lambda_parameters", _) => Role::Parameter(Value::Absent),
            ("default_parameter" | "typed_default_parameter", "name") => {
                Role::Parameter(VALUES.of(path, path.part(parent, "value")))
            }
            ("typed_parameter", "") => Role::Parameter(Value::Absent),
            ("list_splat_pattern" | "dictionary_splat_pattern", _) => splat(path),
            ("named_expression", "name") => Role::Bind(VALUES.of(path, path.part(parent, "value"))),
            ("assignment", "left") => Role::Bind(assigned_value(path, parent)),
            ("augmented_assignment", "left") => Role::Bind(Value::Other),
            ("for_statement" | "for_in_clause", "left") => Role::Bind(Value::Other),
            ("pattern_list" | "tuple_pattern" | "list_pattern", _) => pattern(path),
            ("as_pattern_target", _) => Role::Bind(Value::Other),
            ("as_pattern", _) if path.kind(2) == "case_pattern" => Role::Bind(Value::Other),
            ("except_clause", "alias") => Role::Bind(Value::Other),
            ("splat_pattern", _) => Role::Bind(Value::Other),
            ("keyword_pattern", _) if parent.named_child(0).map(|n| n.id()) == Some(own) => {
                return None;
            }
            ("global_statement", _) => Role::Global,
            ("nonlocal_statement", _) => Role::Nonlocal,
            ("dotted_name", _) => return dotted(path, parent),
            ("aliased_import", "alias") => {
                let original = path.part(parent, "name");
                let last = original.and_then(|name| {
                    u32::try_from(name.named_child_count())
                        .ok()?
                        .checked_sub(1)
                        .and_then(|last| name.named_child(last))
                });
                Role::Bind(last.map_or(Value::Other, |name| Value::Name(name.start_byte())))
            }
            ("ERROR", _) => Role::Loose,
            _ => Role::Read,
        })
    }

    fn link<'t>(&self, path: &Path<'t, '_>, depth: usize) -> Link<'t> {
        let (_, field) = path.at(depth);
        let (parent, _) = path.at(depth - 1);
        let part = |name: &str| path.part(parent, name);
        match (path.kind_at(depth - 1), field) {
            ("parenthesized_expression" | "await" | "conditional_expression", _) => Link::Same,
            ("boolean_operator" | "type" | "with_item", _) => Link::Same,
            // `Annotated[Factory, Depends(f)]`.
            ("generic_type" | "type_parameter", _) => Link::Same,
            ("as_pattern", "") => as_target(path, parent).map_or(Link::Other, Link::AssignedTo),
            ("attribute", "object") => part("attribute").map_or(Link::Other, Link::Member),
            ("subscript", "value") => Link::Item,
            ("call", "function") => Link::Called,
            ("argument_list", _) => {
                let call = depth.checked_sub(2).map(|above| path.at(above).0);
                Link::Argument(call.and_then(|call| path.part(call, "function")))
            }
            ("keyword_argument", "value") | ("call", "arguments") => Link::Same,
            ("assignment" | "augmented_assignment" | "for_statement", "left") => Link::Target,
            ("delete_statement", _) => Link::Deleted,
            ("assignment", "right") => part("left").map_or(Link::Other, Link::AssignedTo),
            ("named_expression", "value") => part("name").map_or(Link::Other, Link::AssignedTo),
            ("default_parameter" | "typed_default_parameter", "value") => {
                part("name").map_or(Link::Other, Link::AssignedTo)
            }
            ("typed_parameter", "type") => {
                parent.named_child(0).map_or(Link::Other, Link::AssignedTo)
            }
            ("typed_default_parameter", "type") => {
                part("name").map_or(Link::Other, Link::AssignedTo)
            }
            ("return_statement" | "yield", _) => Link::Returned,
            ("decorator", _) => {
                let above = depth.checked_sub(2).map(|above| path.at(above).0);
                let what = above.and_then(|above| path.part(above, "definition"));
                what.map_or(Link::Other, |what| Link::Decorates(what.start_byte()))
            }
            _ => Link::Other,
        }
    }

    fn text(&self, path: &Path<'_, '_>) -> Option<Said> {
        let node = path.node();
        match path.kind(0) {
            "comment" => Some(Said::Remark),
            "concatenated_string" | "string" if path.kind(1) == "expression_statement" => {
                Some(Said::Remark)
            }
            "string" if path.kind(1) == "concatenated_string" => None,
            "string" => {
                let mut value = String::new();
                content(node, path.source, &["string_content"], "interpolation", &mut value);
                Some(Said::Value(value))
            }
            "concatenated_string" => {
                let mut value = String::new();
                let mut cursor = node.walk();
                for part in node.children(&mut cursor) {
                    content(part, path.source, &["string_content"], "interpolation", &mut value);
                }
                Some(Said::Value(value))
            }
            _ => None,
        }
    }
}

/// The value of `a = b = value`, from any of its names.
fn assigned_value<'t>(path: &Path<'t, '_>, assignment: Node<'t>) -> Value {
    let mut right = path.part(assignment, "right");
    while let Some(inner) = right.filter(|inner| inner.kind() == "assignment") {
        right = path.part(inner, "right");
    }
    VALUES.of(path, right)
}

fn as_target<'t>(path: &Path<'t, '_>, pattern: Node<'t>) -> Option<Node<'t>> {
    let target = path.part(pattern, "alias")?;
    if target.kind() == "as_pattern_target" { target.named_child(0) } else { Some(target) }
}

/// `*args` is a parameter in a signature, and a target elsewhere.
fn splat(path: &Path<'_, '_>) -> Role {
    match path.kind(2) {
        "parameters" | "lambda_parameters" | "typed_parameter" => Role::Parameter(Value::Absent),
        _ => Role::Bind(Value::Other),
    }
}

/// A part of a tuple: bound where the tuple is assigned to.
fn pattern(path: &Path<'_, '_>) -> Role {
    let mut level = 1;
    while matches!(path.kind(level), "pattern_list" | "tuple_pattern" | "list_pattern") {
        level += 1;
    }
    match (path.kind(level), path.field(level - 1)) {
        ("parameters" | "lambda_parameters", _) => Role::Parameter(Value::Absent),
        ("assignment", "right") => Role::Read,
        _ => Role::Bind(Value::Other),
    }
}

/// A name of a dotted one: imported, or in the pattern of a `match`.
fn dotted(path: &Path<'_, '_>, name: Node<'_>) -> Option<Role> {
    let own = path.node();
    let count = name.named_child_count();
    let is_first = name.start_byte() == own.start_byte();
    let is_last = name.end_byte() == own.end_byte();
    match (path.kind(2), path.field(1)) {
        ("import_from_statement" | "future_import_statement", "name") => {
            Some(Role::Import { binds: true })
        }
        // `import a.b` binds `a`.
        ("import_statement", "name") if is_last => Some(Role::Import { binds: count == 1 }),
        ("import_statement", "name") if is_first => Some(Role::Bind(Value::Other)),
        ("aliased_import", "name") if is_last => Some(Role::Import { binds: false }),
        ("case_pattern", _) if count == 1 => Some(Role::Bind(Value::Other)),
        ("case_pattern" | "class_pattern", _) if is_last => Some(match count {
            1 => Role::Read,
            _ => Role::Member { of: None },
        }),
        ("case_pattern" | "class_pattern", _) => Some(Role::Read),
        ("ERROR", _) => Some(Role::Loose),
        ("decorator", _) => Some(Role::Read),
        _ => None,
    }
}
