//! Arguments of a call as they are written, where the facts do not hold them.

/// So much of a call is looked at.
const LONGEST: usize = 2_000;

/// The text between the brackets that open at that byte or behind space.
pub(super) fn arguments(source: &str, at: usize) -> Option<&str> {
    let rest = source.get(at..)?;
    let rest = rest.trim_start_matches([' ', '\t']);
    let inner = rest.strip_prefix('(')?;
    Some(&inner[..end_of(inner, &[')'])])
}

/// The first argument of a call whose callee ends there.
pub(super) fn first(source: &str, at: usize) -> Option<&str> {
    let arguments = arguments(source, at)?;
    Some(arguments[..end_of(arguments, &[','])].trim()).filter(|first| !first.is_empty())
}

/// The argument of that name: `key=…` in Python, `key: …` in an object.
pub(super) fn argument<'s>(source: &'s str, at: usize, name: &str) -> Option<&'s str> {
    let mut rest = arguments(source, at)?.trim_start_matches(['{', ' ', '\n']);
    loop {
        let end = end_of(rest, &[',']);
        let given = rest[..end].trim();
        if let Some(value) = given.strip_prefix(name)
            && let Some(value) = value.trim_start().strip_prefix(['=', ':'])
        {
            return Some(whole_lambda(value.trim_start(), rest).trim());
        }
        rest = rest.get(end + 1..)?;
    }
}

/// A lambda goes on behind the commas between its parameters.
fn whole_lambda<'s>(value: &'s str, rest: &'s str) -> &'s str {
    if !value.starts_with("lambda") {
        return value;
    }
    let from = &rest[value.as_ptr() as usize - rest.as_ptr() as usize..];
    let colon = end_of(from, &[':']);
    let body = from.get(colon + 1..).unwrap_or_default();
    &from[..(colon + 1 + end_of(body, &[','])).min(from.len())]
}

/// The content of a string literal, if the text begins with one.
pub(super) fn string(text: &str) -> Option<&str> {
    let text = text.trim_start().trim_start_matches(['r', 'f', 'u', 'b']);
    let quote = text.chars().next().filter(|quote| ['"', '\'', '`'].contains(quote))?;
    let inner = &text[1..];
    let end = inner.find(quote)?;
    Some(&inner[..end]).filter(|inner| !inner.contains('\n'))
}

/// Where one of those characters stands outside brackets and strings; the end if nowhere.
fn end_of(text: &str, ends: &[char]) -> usize {
    let mut depth = 0_u32;
    let mut quote = None;
    let mut was_escape = false;
    for (at, c) in text.char_indices().take(LONGEST) {
        match (quote, c) {
            _ if was_escape => was_escape = false,
            (Some(_), '\\') => was_escape = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, c) if depth == 0 && ends.contains(&c) => return at,
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => return at,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, _) => {}
        }
    }
    text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_told_apart_at_their_commas() {
        let source = "post(\"/chat,(\", [a, b], methods=[\"GET\", 'PUT'], key=lambda q, u: q)\n";
        assert_eq!(first(source, 4), Some("\"/chat,(\""));
        assert_eq!(argument(source, 4, "methods"), Some("[\"GET\", 'PUT']"));
        assert_eq!(argument(source, 4, "key"), Some("lambda q, u: q"));
        assert_eq!(argument(source, 4, "other"), None);
        assert_eq!(string("'/a' + b"), Some("/a"));
        assert_eq!(first("f()", 1), None);
        assert_eq!(arguments("f (", 1), Some(""));
    }
}
