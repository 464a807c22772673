//! What is written through a name: `settings.group.value`, `request.app.state.user`.

use crate::facts::{Fate, Name, Role, Span, Value};
use crate::source_file::File;

/// Longer ones are cut.
const LONGEST: usize = 80;

/// Methods that change a container in a way that no database session or query has.
const FILLS: [&str; 9] = [
    "append",
    "appendleft",
    "extend",
    "insert",
    "setdefault",
    "update",
    "push",
    "unshift",
    "splice",
];

/// What is written, and how.
#[derive(Clone, Debug)]
pub(super) struct Written<'f> {
    /// The names on the way, the root first: `settings`, `group`, `value`.
    pub(super) parts: Vec<&'f str>,
    /// The key of the item that is set.
    pub(super) key: Option<&'f str>,
    /// Whether a method changes it.
    pub(super) by_method: bool,
}

impl Written<'_> {
    /// As it is shown: `settings.group.value`, `session.headers[…]`.
    pub(super) fn shown(&self) -> String {
        let mut text: String = self.parts.join(".").chars().take(LONGEST).collect();
        if self.key.is_some() {
            text.push_str("[…]");
        }
        text
    }
}

impl<'f> File<'f> {
    /// What is written through that name, if anything is.
    pub(super) fn written(&self, at: usize) -> Option<Written<'f>> {
        let name = &self.bindings.facts.names[at];
        let source = self.bindings.source;
        let (end, key, by_method) = match name.fate {
            Fate::MemberSet(member) => (member.end, None, false),
            Fate::ItemSet(key) => (key.start, Some(key.of(source)), false),
            Fate::Method(method) if FILLS.contains(&method.of(source)) => {
                (method.start.saturating_sub(1), None, true)
            }
            _ => return None,
        };
        let text = Span { start: name.span.start, end }.of(source);
        Some(Written { parts: parts(text), key, by_method })
    }

    /// The same, with what a local name at its root stands for put in its place: for
    /// `state = request.app.state`, `state.user` is `request.app.state.user`.
    pub(super) fn written_through(&self, at: usize) -> Option<(usize, Written<'f>)> {
        let mut written = self.written(at)?;
        let mut root = at;
        for _ in 0..3 {
            let Some(home) = self.bindings.home_of(root).filter(|home| *home != 0) else { break };
            let text = self.bindings.text(root);
            let [only] = self.bindings.bound_in(home, text) else { break };
            let Role::Bind(Value::Name(last)) = self.bindings.facts.names[*only].role else {
                break;
            };
            let Some((start, value)) = self.expression_until(last) else { break };
            let Some(next) = self.bindings.facts.name_at(start) else { break };
            written.parts.splice(..1, value);
            root = next;
        }
        Some((root, written))
    }

    /// The dotted expression whose last name begins there, and where it begins itself.
    fn expression_until(&self, last: usize) -> Option<(usize, Vec<&'f str>)> {
        let source = self.bindings.source;
        let before = source.get(..last)?;
        let is_part = |c: char| c.is_alphanumeric() || ['_', '$', '.', '?', '!'].contains(&c);
        let start = before.trim_end_matches(is_part).len();
        let end = self.bindings.facts.names[self.bindings.facts.name_at(last)?].span.end;
        Some((start, parts(source.get(start..end)?)))
    }
}

/// The names of a dotted expression, without what is in brackets.
fn parts(text: &str) -> Vec<&str> {
    let clean = |part: &'_ str| {
        let end = part.find(['[', '(']).unwrap_or(part.len());
        part[..end].trim_matches(|c: char| c.is_whitespace() || c == '?' || c == '!').len()
    };
    let mut parts = Vec::new();
    for part in text.split('.') {
        let trimmed = part.trim_matches(|c: char| c.is_whitespace() || c == '?' || c == '!');
        let length = clean(trimmed).min(trimmed.len());
        let part = &trimmed[..length];
        if !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            parts.push(part);
        }
    }
    parts
}

/// The plain name that a member begins with, if that is a name of the file.
pub(super) fn is_root(name: &Name) -> bool {
    matches!(name.role, Role::Read)
}
