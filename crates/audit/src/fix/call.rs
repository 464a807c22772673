//! The call that a name is the callee of.

use tree_sitter::Node;

use super::source::{Edit, Source};
use crate::facts::Span;
use partywall_core::fix::WhyLeft;

/// A call that can be rewritten: its name, and where its arguments go.
pub(super) struct Call<'t> {
    pub(super) node: Node<'t>,
    name: Span,
    /// What stands before the name: a module.
    pub(super) object: Option<Node<'t>>,
    arguments: Span,
    has_comment: bool,
}

impl<'t> Call<'t> {
    /// The call of that name.
    ///
    /// # Errors
    ///
    /// It is no plain call, or has arguments.
    pub(super) fn of(source: &'t Source, name: Span) -> Result<Self, WhyLeft> {
        Self::found(source, name).unwrap_or(Err(WhyLeft::NotPlainCall))
    }

    fn found(source: &'t Source, name: Span) -> Option<Result<Self, WhyLeft>> {
        let mut callee = source.node(name)?;
        let above = callee.parent()?;
        let is_member = ["attribute", "property"]
            .iter()
            .any(|field| above.child_by_field_name(field) == Some(callee));
        let object = is_member.then(|| above.child_by_field_name("object")).flatten();
        if is_member {
            callee = above;
        }
        let node = callee.parent()?;
        let is_call = ["call", "call_expression"].contains(&node.kind());
        if !is_call || node.child_by_field_name("function") != Some(callee) {
            return None;
        }
        let is_optional = |node: Node<'_>| {
            let mut cursor = node.walk();
            node.children(&mut cursor).any(|part| ["optional_chain", "?."].contains(&part.kind()))
        };
        if is_optional(node) || is_optional(callee) {
            return None;
        }
        let arguments = node.child_by_field_name("arguments")?;
        let is_list = ["argument_list", "arguments"].contains(&arguments.kind());
        let mut cursor = arguments.walk();
        let parts: Vec<_> = arguments.named_children(&mut cursor).collect();
        let is_empty = is_list && parts.iter().all(|part| part.kind() == "comment");
        if !is_empty || node.child_by_field_name("type_arguments").is_some() {
            return Some(Err(WhyLeft::HasArguments));
        }
        let arguments =
            Span { start: arguments.start_byte() + 1, end: arguments.end_byte().saturating_sub(1) };
        Some(Ok(Self { node, name, object, arguments, has_comment: !parts.is_empty() }))
    }

    /// The call with the replacement and its argument.
    pub(super) fn edits(&self, replacement: &str, context: &str) -> [Edit; 2] {
        let Span { start, end } = self.arguments;
        // A comment between the brackets stays behind the argument.
        let (end, text) = match self.has_comment {
            true => (start, format!("{context} ")),
            false => (end, context.to_owned()),
        };
        let arguments = Edit { span: Span { start, end }, text: text.trim_end().to_owned() };
        [Edit { span: self.name, text: replacement.to_owned() }, arguments]
    }
}
