//! Source text as tokens: enough of Rust's lexis to know code from comments and strings.

/// A word, a `::`, a single other character, or a whole literal in its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'s> {
    pub(crate) text: &'s str,
    /// From 1.
    pub(crate) line: usize,
}

/// The tokens of a source; comments are left out.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while at < source.len() {
        let rest = &source[at..];
        let length = length_of_first(rest);
        let text = &rest[..length];
        let is_comment = text.starts_with("//") || text.starts_with("/*");
        if !is_comment && !text.starts_with(char::is_whitespace) {
            found.push(Token { text, line });
        }
        line += text.matches('\n').count();
        at += length;
    }
    found
}

fn length_of_first(rest: &str) -> usize {
    let first = rest.chars().next().expect("there is some text left");
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return comment(rest);
    }
    if rest.starts_with("::") {
        return 2;
    }
    if first == '\'' {
        return character(rest).unwrap_or(1);
    }
    if let Some(length) = string(rest) {
        return length;
    }
    if is_word(first) {
        return rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    }
    first.len_utf8()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Block comments nest.
fn comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// A character; nothing if the quote begins a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        // What is escaped may be a quote itself.
        chars.next()?;
        return chars.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1)
}

/// A string of any kind, with its prefix.
fn string(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix);
        after.is_some_and(|after| {
            let hashes = after.trim_start_matches('#');
            hashes.starts_with('"') && (prefix.ends_with('r') || hashes.len() == after.len())
        })
    })?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    let open = prefix.len() + hashes + 1;
    if prefix.ends_with('r') {
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len()));
    }
    let mut escaped = false;
    for (at, c) in rest[open..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(open + at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

#[test]
fn code_is_told_from_comments_strings_and_lifetimes() {
    let source = concat!(
        "a::b // crate::x\n",
        "/* crate::y /* nested */ still */ c\n",
        "\"crate::z \\\" q\" r#\"raw \" crate::w\"# b\"v\" '\"' '\\'' 'l str\n",
        "last"
    );
    let found = tokens(source);
    let texts: Vec<&str> = found.iter().map(|token| token.text).collect();
    let literals = ["\"crate::z \\\" q\"", "r#\"raw \" crate::w\"#", "b\"v\"", "'\"'", "'\\''"];
    let expected = [&["a", "::", "b", "c"][..], &literals, &["'", "l", "str", "last"]].concat();
    assert_eq!(texts, expected);
    assert_eq!(found.last().map(|token| token.line), Some(4));
}
