//! The import of an accessor, and how it is changed.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::modules::{Parts, split};
use super::source::{Edit, Source};
use crate::facts::Span;

/// One name of an import: `f` of `from m import e, f as g`.
#[derive(Clone, Debug)]
pub(super) struct Spec<'t> {
    statement: Node<'t>,
    /// The name with its alias.
    pub(super) own: Span,
    /// All names of the statement.
    all: Vec<Span>,
    /// The module that it is taken from.
    pub(super) module: Parts,
    /// Whether the statement imports nothing else.
    is_alone: bool,
}

/// What becomes of one name of an import.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    /// Names that are imported beside it.
    pub(super) added: Vec<String>,
    /// Whether it goes.
    pub(super) dropped: bool,
}

impl<'t> Spec<'t> {
    /// The import that the name there is a part of; nothing where it cannot be extended.
    pub(super) fn of(source: &'t Source, name: Span) -> Option<Self> {
        let mut own = source.node(name)?;
        loop {
            let list = own.parent()?;
            match list.kind() {
                "import_from_statement" => return Self::of_python(source, own, list),
                "named_imports" => return Self::of_script(source, own, list),
                "object_pattern" => return Self::of_require(source, own, list),
                "dotted_name" | "aliased_import" | "import_specifier" | "pair_pattern" => {
                    own = list
                }
                _ => return None,
            }
        }
    }

    fn of_python(source: &'t Source, own: Node<'t>, statement: Node<'t>) -> Option<Self> {
        let mut cursor = statement.walk();
        let all = statement.children_by_field_name("name", &mut cursor).map(Span::from).collect();
        let module = statement.child_by_field_name("module_name")?;
        let module = relative(&source.shown, source.text(module), '.');
        Self { statement, own: own.into(), all, module, is_alone: true }.checked()
    }

    fn of_script(source: &'t Source, own: Node<'t>, list: Node<'t>) -> Option<Self> {
        let clause = list.parent()?;
        let statement = clause.parent().filter(|node| node.kind() == "import_statement")?;
        let is_type = statement.child(1).is_some_and(|second| second.kind() == "type");
        let module = statement.child_by_field_name("source").filter(|_| !is_type)?;
        Self {
            statement,
            own: own.into(),
            all: parts(list),
            module: relative(&source.shown, source.text(module).trim_matches(['"', '\'']), '/'),
            is_alone: clause.named_child_count() == 1,
        }
        .checked()
    }

    /// `const { f } = require("m")`, `const { f } = await import("m")`.
    fn of_require(source: &'t Source, own: Node<'t>, list: Node<'t>) -> Option<Self> {
        let declarator = list.parent().filter(|node| node.kind() == "variable_declarator")?;
        let module = required(source, declarator)?;
        let statement = declarator.parent()?;
        let is_alone = statement.named_child_count() == 1;
        Self { statement, own: own.into(), all: parts(list), module, is_alone }.checked()
    }

    /// Where the block begins that the import stands in.
    pub(super) fn block(&self) -> usize {
        self.statement.parent().map_or(0, |parent| parent.id())
    }

    fn checked(self) -> Option<Self> {
        self.all.contains(&self.own).then_some(self)
    }
}

/// The module that a variable takes: `require("m")`, `await import("m")`.
pub(super) fn required(source: &Source, declarator: Node<'_>) -> Option<Parts> {
    let mut call = declarator.child_by_field_name("value")?;
    if call.kind() == "await_expression" {
        call = call.named_child(0)?;
    }
    let callee = call.child_by_field_name("function")?;
    if !["require", "import"].contains(&source.text(callee)) {
        return None;
    }
    let argument = call.child_by_field_name("arguments")?.named_child(0)?;
    let text = source.text(argument).trim_matches(['"', '\'', '`']);
    Some(relative(&source.shown, text, '/'))
}

fn parts(list: Node<'_>) -> Vec<Span> {
    let mut cursor = list.walk();
    let parts = list.named_children(&mut cursor).filter(|part| part.kind() != "comment");
    parts.map(Span::from).collect()
}

/// The module that a text names, seen from a file: `.factory`, `../factory`, `app.factory`.
pub(super) fn relative(from: &str, text: &str, by: char) -> Parts {
    let mut folder = split(from.rsplit_once('/').map_or("", |(folder, _)| folder), '/');
    if by == '.' {
        let dots = text.len() - text.trim_start_matches('.').len();
        if dots == 0 {
            return split(text, '.');
        }
        folder.truncate((folder.len() + 1).saturating_sub(dots));
        folder.extend(split(text, '.'));
        return folder;
    }
    let is_relative = text.starts_with('.');
    let mut parts = if is_relative { folder } else { Vec::new() };
    for part in text.split('/') {
        match part {
            "" | "." | "@" | "~" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part.to_owned()),
        }
    }
    let endings = [".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx", ".mts", ".cts"];
    if let Some(last) = parts.last_mut()
        && let Some(stem) = endings.iter().find_map(|end| last.strip_suffix(end))
    {
        *last = stem.to_owned();
    }
    if parts.last().is_some_and(|last| last == "index") {
        parts.pop();
    }
    parts
}

/// The edits of all imports that change, by where the changed names begin.
pub(super) fn edits(source: &Source, changes: &BTreeMap<usize, (Spec<'_>, Change)>) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut statements: BTreeMap<usize, &Spec<'_>> = BTreeMap::new();
    for (spec, _) in changes.values() {
        statements.entry(spec.all[0].start).or_insert(spec);
    }
    for spec in statements.values() {
        edits.extend(of_statement(source, spec, changes));
    }
    edits
}

fn of_statement(
    source: &Source,
    spec: &Spec<'_>,
    changes: &BTreeMap<usize, (Spec<'_>, Change)>,
) -> Vec<Edit> {
    let nothing = Change::default();
    let change = |own: &Span| changes.get(&own.start).map_or(&nothing, |(_, change)| change);
    let goes = |own: &Span| change(own).dropped && change(own).added.is_empty();
    if spec.all.iter().all(goes) {
        return deleted(source, spec).into_iter().collect();
    }
    let mut edits = Vec::new();
    for own in spec.all.iter().filter(|own| !goes(own)) {
        let Change { added, dropped } = change(own);
        let kept = (!dropped).then(|| own.of(&source.text).to_owned());
        let names: Vec<String> = kept.into_iter().chain(added.iter().cloned()).collect();
        let text = names.join(&separator(&source.text, *own));
        edits.push(Edit { span: *own, text });
    }
    // What goes takes the comma behind it along, or the one before it where nothing follows.
    let last = spec.all.iter().rposition(|own| !goes(own)).unwrap_or(0);
    for (at, own) in spec.all.iter().enumerate().filter(|(at, own)| *at < last && goes(own)) {
        let end = spec.all[at + 1].start;
        edits.push(Edit { span: Span { start: own.start, end }, text: String::new() });
    }
    if let Some(end) = spec.all.last().filter(|_| last + 1 < spec.all.len()) {
        let span = Span { start: spec.all[last].end, end: end.end };
        edits.push(Edit { span, text: String::new() });
    }
    edits.retain(|edit| edit.span.of(&source.text) != edit.text);
    edits
}

/// What stands between two names: a line of its own for each where they are written so.
fn separator(text: &str, own: Span) -> String {
    let before = &text[..own.start];
    let space = before.len() - before.trim_end_matches([' ', '\t']).len();
    let indent = &before[before.len() - space..];
    match &before[..before.len() - space] {
        lines if lines.ends_with("\r\n") => format!(",\r\n{indent}"),
        lines if lines.ends_with('\n') => format!(",\n{indent}"),
        _ => ", ".to_owned(),
    }
}

/// The statement with its line, where it is alone there and not all that its block holds.
fn deleted(source: &Source, spec: &Spec<'_>) -> Option<Edit> {
    let text = &source.text;
    let own = Span::from(spec.statement);
    let start = text[..own.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[own.end..].find('\n').map_or(text.len(), |at| own.end + at + 1);
    let (before, behind) = (text[start..own.start].trim(), text[own.end..end].trim());
    let behind = behind.strip_prefix(';').unwrap_or(behind).trim();
    let is_alone = before.is_empty() && (behind.is_empty() || behind.starts_with(['#', '/']));
    let parent = spec.statement.parent()?;
    let mut cursor = parent.walk();
    let beside = parent.named_children(&mut cursor).filter(|node| node.kind() != "comment").count();
    let can_go = spec.is_alone && is_alone && (beside > 1 || parent.parent().is_none());
    can_go.then(|| Edit { span: Span { start, end }, text: String::new() })
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn a_module_is_named_as_seen_from_the_file() {
        let cases = [
            ("app/api/routes.py", "app.factory", '.', "app/factory"),
            ("app/api/routes.py", ".factory", '.', "app/api/factory"),
            ("app/api/routes.py", "..factory", '.', "app/factory"),
            ("app/api/routes.py", ".", '.', "app/api"),
            ("routes.py", "....far", '.', "far"),
            ("src/api/a.ts", "./factory", '/', "src/api/factory"),
            ("src/api/a.ts", "../lib/factory.js", '/', "src/lib/factory"),
            ("src/a.ts", "@/lib/index", '/', "lib"),
            ("src/a.ts", "express", '/', "express"),
        ];
        for (from, text, by, expected) in cases {
            assert_eq!(relative(from, text, by).join("/"), expected, "{text} in {from}");
        }
    }
}
