//! TypeScript, and JavaScript with it.
//!
//! A block is taken for a part of its function: two variables of one name in different blocks of
//! one function are taken for one.

use tree_sitter::Node;

use crate::facts::{Role, ScopeKind, Value};
use crate::language::{Language, Link, Opens, Said};
use crate::syntax::{Interest, Path, ValueKinds, content};

/// TypeScript.
#[derive(Debug)]
pub(super) struct TypeScript;

const VALUES: ValueKinds = ValueKinds {
    names: &["identifier"],
    members: &[("member_expression", "property")],
    calls: &[("call_expression", "function"), ("new_expression", "constructor")],
    containers: &["array", "object"],
    nulls: &["null", "undefined"],
    same: &[
        "parenthesized_expression",
        "non_null_expression",
        "as_expression",
        "satisfies_expression",
    ],
};

const NAMES: [&str; 6] = [
    "identifier",
    "property_identifier",
    "private_property_identifier",
    "shorthand_property_identifier",
    "shorthand_property_identifier_pattern",
    "type_identifier",
];

impl Language for TypeScript {
    fn name(&self) -> &'static str {
        "TypeScript"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"]
    }

    fn grammar(&self, extension: &str) -> tree_sitter::Language {
        match extension {
            "ts" | "mts" | "cts" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            _ => tree_sitter_typescript::LANGUAGE_TSX.into(),
        }
    }

    fn interest(&self, kind: &str) -> Interest {
        let is = |kinds: &[&str]| kinds.contains(&kind);
        let is_function = kind.contains("function") || kind == METHOD;
        Interest {
            name: NAMES.contains(&kind),
            scope: is_function
                || kind.starts_with("class")
                || is(&["decorator"])
                || kind == "abstract_class_declaration",
            parts: is_function || kind.contains("class") || kind.ends_with("_parameter"),
            awaits: is(&["await_expression", "for_in_statement"]),
            text: is(&["comment", "string", "template_string"]),
            ..Interest::default()
        }
    }

    fn test_patterns(&self) -> &'static [&'static str] {
        &["**/__tests__/**", "**/__mocks__/**", "**/*.test.*", "**/*.spec.*"]
    }

    fn own_names(&self) -> &'static [&'static str] {
        &["this"]
    }

    fn containers(&self) -> &'static [&'static str] {
        &["Map", "Set", "WeakMap", "WeakSet", "Array"]
    }

    fn awaits(&self, node: Node<'_>) -> bool {
        match node.kind() {
            "await_expression" => true,
            "for_in_statement" => node.child(1).is_some_and(|second| second.kind() == "await"),
            _ => false,
        }
    }

    fn scope<'t>(&self, path: &Path<'t, '_>) -> Option<Opens<'t>> {
        let node = path.node();
        let own = || path.part(node, "name");
        let is_async = || {
            let mut cursor = node.walk();
            node.children(&mut cursor).any(|part| part.kind() == "async")
        };
        Some(match path.kind(0) {
            "function_declaration"
            | "generator_function_declaration"
            | "method_definition"
            | "function_expression"
            | "generator_function"
            | "arrow_function" => {
                let kind = ScopeKind::Function { is_async: is_async() };
                Opens::Scope { kind, name: own().or_else(|| name_given(path)) }
            }
            "class_declaration" | "abstract_class_declaration" | "class" => {
                Opens::Scope { kind: ScopeKind::Class, name: own() }
            }
            "class_heritage" | "decorator" if path.kind(1).contains("class") => Opens::Outer,
            _ => {
                let outer = match (path.kind(1), path.field(0)) {
                    ("class_declaration" | "abstract_class_declaration" | "class", "name") => true,
                    ("required_parameter" | "optional_parameter", "value") => true,
                    (function, "name") => function.contains("function") || function == METHOD,
                    _ => false,
                };
                return outer.then_some(Opens::Outer);
            }
        })
    }

    fn role(&self, path: &Path<'_, '_>) -> Option<Role> {
        let kind = path.kind(0);
        if !NAMES.contains(&kind) {
            return None;
        }
        let parent = path.up(1)?;
        let part = |name: &str| path.part(parent, name);
        Some(match (path.kind(1), path.field(0)) {
            ("member_expression" | "nested_identifier", "property") => {
                let plain =
                    part("object").filter(|object| matches!(object.kind(), "identifier" | "this"));
                Role::Member { of: plain.map(|object| object.start_byte()) }
            }
            ("nested_type_identifier", "name") => Role::Member { of: None },
            ("import_specifier", "name") => Role::Import { binds: part("alias").is_none() },
            ("import_specifier", "alias") => {
                Role::Bind(part("name").map_or(Value::Other, |name| Value::Name(name.start_byte())))
            }
            ("import_clause", _) => Role::Import { binds: true },
            ("namespace_import" | "import_require_clause", _) => Role::Bind(Value::Other),
            ("export_specifier", "name") => match path.part(path.up(3)?, "source") {
                Some(_) => Role::Import { binds: false },
                None => Role::Read,
            },
            ("export_specifier" | "jsx_attribute" | "pair" | "type_parameter", field) => {
                match field {
                    "value" => Role::Read,
                    _ => return None,
                }
            }
            ("jsx_closing_element", _) => return None,
            ("assignment_expression", "left") => Role::Write(VALUES.of(path, part("right"))),
            ("augmented_assignment_expression", "left") | ("update_expression", _) => {
                Role::Write(Value::Other)
            }
            ("variable_declarator", "name") => Role::Bind(VALUES.of(path, part("value"))),
            ("arrow_function", "parameter") => Role::Parameter(Value::Absent),
            ("required_parameter" | "optional_parameter", "pattern" | "name") => {
                Role::Parameter(VALUES.of(path, part("value")))
            }
            ("for_in_statement", "left") => match part("kind") {
                Some(_) => Role::Bind(Value::Other),
                None => Role::Write(Value::Other),
            },
            ("catch_clause", "parameter") => Role::Bind(Value::Other),
            ("object_pattern" | "array_pattern" | "rest_pattern" | "pair_pattern", _)
            | ("assignment_pattern" | "object_assignment_pattern", "left") => pattern(path),
            (_, "name") if kind != "identifier" || is_definition(parent.kind()) => Role::Define,
            ("ERROR", _) => Role::Loose,
            _ if kind == "property_identifier" => return None,
            _ => Role::Read,
        })
    }

    fn link<'t>(&self, path: &Path<'t, '_>, depth: usize) -> Link<'t> {
        let (child, field) = path.at(depth);
        let (parent, _) = path.at(depth - 1);
        let part = |name: &str| path.part(parent, name);
        let is_first = || parent.named_child(0).map(|first| first.id()) == Some(child.id());
        match (path.kind_at(depth - 1), field) {
            ("parenthesized_expression" | "non_null_expression" | "await_expression", _) => {
                Link::Same
            }
            ("as_expression" | "satisfies_expression", _) if is_first() => Link::Same,
            ("binary_expression", _) | ("ternary_expression", "consequence" | "alternative") => {
                Link::Same
            }
            ("member_expression", "object") => part("property").map_or(Link::Other, Link::Member),
            ("subscript_expression", "object") => Link::Item,
            ("call_expression", "function") | ("new_expression", "constructor") => Link::Called,
            ("arguments", _) => {
                let call = depth.checked_sub(2).map(|above| path.at(above).0);
                Link::Argument(call.and_then(|call| path.part(call, "function")))
            }
            ("assignment_expression" | "augmented_assignment_expression", "left")
            | ("update_expression", _) => Link::Target,
            ("unary_expression", _) => match parent.child(0).map(|sign| sign.kind()) {
                Some("delete") => Link::Deleted,
                _ => Link::Other,
            },
            ("assignment_expression", "right") => {
                part("left").map_or(Link::Other, Link::AssignedTo)
            }
            ("variable_declarator" | "public_field_definition", "value") => {
                part("name").map_or(Link::Other, Link::AssignedTo)
            }
            ("required_parameter" | "optional_parameter", "value") => {
                part("pattern").map_or(Link::Other, Link::AssignedTo)
            }
            ("decorator", _) => {
                let above = depth.checked_sub(2).map(|above| path.at(above).0);
                // A class that is not exported holds its decorators; else they stand before.
                let within = above.filter(|above| above.kind().ends_with("class_declaration"));
                Link::Decorates(within.map_or(parent.end_byte(), |class| class.start_byte()))
            }
            ("return_statement" | "yield_expression", _) | ("arrow_function", "body") => {
                Link::Returned
            }
            _ => Link::Other,
        }
    }

    fn text(&self, path: &Path<'_, '_>) -> Option<Said> {
        let node = path.node();
        let is_path = path.field(0) == "source";
        match path.kind(0) {
            "comment" => Some(Said::Remark),
            "string" | "template_string" if !is_path => {
                if path.kind(1) == "expression_statement" {
                    return Some(Said::Remark);
                }
                let mut value = String::new();
                let fixed = ["string_fragment", "escape_sequence"];
                content(node, path.source, &fixed, "template_substitution", &mut value);
                Some(Said::Value(value))
            }
            _ => None,
        }
    }
}

const METHOD: &str = "method_definition";

fn is_definition(kind: &str) -> bool {
    kind.contains("function") || kind.contains("class") || kind.contains("declaration")
}

/// The name that a function without one is given.
fn name_given<'t>(path: &Path<'t, '_>) -> Option<Node<'t>> {
    let parent = path.up(1)?;
    let field = match (parent.kind(), path.field(0)) {
        ("variable_declarator" | "public_field_definition", "value") => "name",
        ("pair", "value") => "key",
        _ => return None,
    };
    path.part(parent, field).filter(|name| name.named_child_count() == 0)
}

/// A part of a destructuring pattern.
fn pattern(path: &Path<'_, '_>) -> Role {
    let mut level = 1;
    while path.kind(level).ends_with("_pattern") {
        level += 1;
    }
    let is_taken = path.kind(0) == "shorthand_property_identifier_pattern";
    let is_key = path.kind(1) == "pair_pattern" && path.field(0) == "key";
    match path.kind(level) {
        "required_parameter" | "optional_parameter" | "formal_parameters" => match is_key {
            true => Role::Member { of: None },
            false => Role::Parameter(Value::Absent),
        },
        // What is taken out of a module is imported from it.
        "variable_declarator" if is_taken || is_key => Role::Import { binds: is_taken },
        "assignment_expression" => Role::Write(Value::Other),
        _ => Role::Bind(key_of(path).map_or(Value::Other, Value::Name)),
    }
}

/// In `{ key: name }`, where the key begins.
fn key_of(path: &Path<'_, '_>) -> Option<usize> {
    let parent = path.up(1).filter(|parent| parent.kind() == "pair_pattern")?;
    path.part(parent, "key").map(|key| key.start_byte())
}
